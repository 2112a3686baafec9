from __future__ import annotations

import pytest

from crawler.items import Article, Capture, Outcome, Quality
from crawler.visits import outcome_without_text
from tests.conftest import URL, at


def capture(**fields: object) -> Capture:
    return Capture(article_id=1, url=URL, captured_at=at(0), **fields)  # type: ignore[arg-type]


def read(quality: Quality) -> Article:
    return Article(url=URL, quality=quality, quality_reason="a form with a password")


@pytest.mark.parametrize(
    ("fields", "latest", "was_missing", "outcome"),
    [
        ({"refused": True, "error": "private"}, None, False, Outcome.BLOCKED),
        ({"error": "timeout"}, Quality.OK, False, Outcome.FAILED),
        ({"status": 304}, Quality.OK, False, Outcome.NOT_MODIFIED),
        ({"status": 304}, None, False, Outcome.FAILED),
        ({"status": 404}, Quality.OK, False, Outcome.FAILED),
        ({"status": 404}, Quality.OK, True, Outcome.GONE),
        ({"status": 410}, None, False, Outcome.GONE),
        ({"status": 403}, Quality.OK, False, Outcome.BLOCKED),
        ({"status": 429}, Quality.OK, True, Outcome.BLOCKED),
        ({"status": 451}, Quality.OK, False, Outcome.BLOCKED),
        ({"status": 503}, Quality.OK, True, Outcome.FAILED),
        ({"status": 301}, Quality.OK, False, Outcome.FAILED),
        ({"status": 200, "error": "what came is no text but image/png"}, None, False, Outcome.FAILED),
        ({"status": 200, "article": read(Quality.BOT_WALL)}, Quality.OK, False, Outcome.BLOCKED),
        ({"status": 200, "article": read(Quality.LOGIN)}, None, False, Outcome.BLOCKED),
        ({"status": 200, "article": read(Quality.ERROR)}, Quality.OK, False, Outcome.FAILED),
        ({"status": 200, "article": read(Quality.EMPTY)}, None, False, Outcome.FAILED),
        ({"status": 200, "article": read(Quality.STUB)}, Quality.OK, False, Outcome.FAILED),
    ],
)
def test_a_visit_without_text_shows(
    fields: dict[str, object], latest: Quality | None, was_missing: bool, outcome: Outcome
) -> None:
    found = outcome_without_text(capture(**fields), latest_quality=latest, was_missing=was_missing)
    assert found is not None
    assert found[0] is outcome
    assert (found[1] is None) == (outcome is Outcome.NOT_MODIFIED)


@pytest.mark.parametrize(
    ("quality", "latest"),
    [(Quality.OK, None), (Quality.OK, Quality.STUB), (Quality.STUB, None), (Quality.STUB, Quality.STUB)],
)
def test_a_text_and_a_stub_that_was_always_one_are_compared(quality: Quality, latest: Quality | None) -> None:
    seen = capture(status=200, article=read(quality))
    assert outcome_without_text(seen, latest_quality=latest, was_missing=False) is None
