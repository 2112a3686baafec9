from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crawler import extract
from crawler.items import Article, Block, Capture, Entry, Feed, FeedFormat, Outcome, Quality
from crawler.visits import (
    as_whole,
    feed_document_error,
    is_front_page,
    missing_by,
    outcome_without_text,
    state_after,
)
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
        ({"status": 304, "asked_in_full": True}, Quality.OK, False, Outcome.FAILED),
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


FULL = Article(
    url=URL, headline="Wall stands", blocks=tuple(Block(text=f"Paragraph {n} on the wall.") for n in range(20))
)


@pytest.mark.parametrize(
    ("shown", "latest", "quality"),
    [
        (20, FULL, Quality.OK),
        (19, FULL, Quality.OK),
        (6, FULL, Quality.STUB),
        (16, FULL, Quality.STUB),
        (20, replace(FULL, quality=Quality.STUB), Quality.STUB),
        (20, None, Quality.STUB),
        (20, Article(url=URL, headline="Other", blocks=(Block(text="Another text stood here."),)), Quality.STUB),
    ],
)
def test_a_page_that_shows_as_much_as_before_is_no_teaser_whatever_offer_stands_beside_it(
    shown: int, latest: Article | None, quality: Quality
) -> None:
    page = replace(FULL, blocks=FULL.blocks[:shown], quality=Quality.STUB)
    judged = as_whole(capture(status=200, article=page), latest)
    assert judged.article is not None
    assert judged.article.quality is quality


def test_a_page_that_lost_a_paragraph_and_still_ends_as_it_did_is_no_teaser() -> None:
    page = replace(FULL, blocks=FULL.blocks[:9] + FULL.blocks[14:], quality=Quality.STUB)
    judged = as_whole(capture(status=200, article=page), FULL)
    assert judged.article is not None
    assert judged.article.quality is Quality.OK


SITE = "https://example.org"
TEXT = Article(url=URL, headline="Minister resigns", blocks=(Block(text="She said so on Monday evening."),))
OTHER = Article(url=URL, headline="Weather", blocks=(Block(text="Rain is expected in the north."),))


@pytest.mark.parametrize(
    ("answered", "article", "known", "sign"),
    [
        (f"{SITE}/", TEXT, TEXT, "front page"),
        (f"{SITE}/en/", TEXT, None, "front page"),
        (f"{SITE}/index.html?from=old", None, None, "front page"),
        (f"{SITE}/2026/", TEXT, TEXT, None),
        (f"{SITE}/politics/", OTHER, TEXT, "another text"),
        (f"{SITE}/politics/", read(Quality.NOT_ARTICLE), None, "no article"),
        (f"{SITE}/minister-resigns-2", TEXT, TEXT, None),
        (f"{SITE}/consent?back=1", read(Quality.CONSENT), TEXT, None),
        (f"{SITE}/", read(Quality.BOT_WALL), TEXT, None),
        (f"{URL}/amp", OTHER, TEXT, None),
        (None, OTHER, TEXT, None),
    ],
)
def test_a_redirect_to_something_else_is_no_move_and_no_new_text(
    answered: str | None, article: Article | None, known: Article | None, sign: str | None
) -> None:
    found = missing_by(capture(status=200, final_url=answered, article=article), known)
    assert found is None if sign is None else sign in (found or "")


NOT_FOUND = Path(__file__).parent / "data" / "missing.json"


@pytest.mark.parametrize(("language", "head"), json.loads(NOT_FOUND.read_text("utf-8"))["missing"])
def test_f7_a_page_that_says_not_found_in_its_title_or_headline_counts_like_a_404(language: str, head: str) -> None:
    for markup in (
        f"<html lang={language}><title>{head} | The Example</title><body><p>...</p>",
        f"<html lang={language}><title>The Example</title><body><h1>{head}</h1><p>...</p><a href=/>The Example</a>",
    ):
        page = extract.article(markup.encode(), URL)
        assert page.quality is Quality.ERROR
        assert "says that it is not there" in (missing_by(capture(status=200, article=page), TEXT) or "")


@pytest.mark.parametrize(("language", "head"), json.loads(NOT_FOUND.read_text("utf-8"))["out of order"])
def test_f7_a_page_that_says_out_of_order_never_does(language: str, head: str) -> None:
    markup = f"<html lang={language}><title>{head}</title><body><h1>{head}</h1><p>...</p>"
    page = extract.article(markup.encode(), URL)
    assert page.quality is Quality.ERROR
    seen = capture(status=200, article=page)
    assert missing_by(seen, TEXT) is None
    found = outcome_without_text(seen, latest_quality=Quality.OK, was_missing=True, is_well=True)
    assert found is not None
    assert found[0] is Outcome.FAILED


@pytest.mark.parametrize(
    ("status", "is_soft", "is_well", "is_storm", "outcome"),
    [
        (404, False, True, False, Outcome.GONE),
        (404, False, None, False, Outcome.GONE),
        (404, False, False, False, Outcome.FAILED),
        (404, False, None, True, Outcome.FAILED),
        (200, True, True, False, Outcome.GONE),
        (200, True, None, False, Outcome.FAILED),
        (200, True, False, False, Outcome.FAILED),
        (410, False, False, False, Outcome.GONE),
        (410, False, True, True, Outcome.FAILED),
    ],
)
def test_f7_gone_at_the_second_look_needs_a_host_that_is_well(
    status: int, is_soft: bool, is_well: bool | None, is_storm: bool, outcome: Outcome
) -> None:
    page = extract.article(b"<title>Page not found</title><p>...</p>", URL) if is_soft else None
    found = outcome_without_text(
        capture(status=status, article=page),
        latest_quality=Quality.OK,
        was_missing=True,
        is_well=is_well,
        is_storm=is_storm,
    )
    assert found is not None
    assert found[0] is outcome


@pytest.mark.parametrize(
    ("asked", "answered", "is_missing"),
    [
        (f"{SITE}/news/politics/story", f"{SITE}/news/politics/", True),
        (f"{SITE}/news/politics/story", f"{SITE}/news", True),
        (f"{SITE}/2026/03/a-long-slug-of-words/print", f"{SITE}/2026/03/a-long-slug-of-words", False),
        (f"{SITE}/story/1234/comments", f"{SITE}/story/1234", False),
        (f"{SITE}/news/story", "https://elsewhere.net/news", False),
    ],
)
def test_a_folder_above_an_article_is_a_section_unless_it_looks_like_an_article(
    asked: str, answered: str, is_missing: bool
) -> None:
    seen = Capture(article_id=1, url=asked, captured_at=at(0), status=200, final_url=answered, article=TEXT)
    assert (missing_by(seen, TEXT) is not None) == is_missing


@pytest.mark.parametrize(
    ("url", "is_front"),
    [
        (SITE, True),
        (f"{SITE}/pt-BR", True),
        (f"{SITE}/default.aspx", True),
        (f"{SITE}/?p=123", False),
        (f"{SITE}/news", False),
    ],
)
def test_a_front_page_is_known_by_its_address(url: str, is_front: bool) -> None:
    assert is_front_page(url) is is_front


@pytest.mark.parametrize(
    ("state", "outcome", "missing", "after", "turn"),
    [
        ("new", Outcome.NEW, None, "up", None),
        ("up", Outcome.FAILED, "not found (404)", "suspect", "suspect"),
        ("suspect", Outcome.GONE, "not found (404)", "gone", "gone"),
        ("suspect", Outcome.UNCHANGED, None, "up", "up"),
        ("gone", Outcome.CHANGED, None, "up", "back"),
        ("up", Outcome.GONE, None, "gone", "gone"),
        ("gone", Outcome.GONE, None, "gone", None),
        ("suspect", Outcome.FAILED, None, "suspect", None),
        ("up", Outcome.BLOCKED, None, "up", None),
    ],
)
def test_what_becomes_of_an_article(
    state: str, outcome: Outcome, missing: str | None, after: str, turn: str | None
) -> None:
    is_good = outcome in (Outcome.NEW, Outcome.CHANGED, Outcome.UNCHANGED)
    assert state_after(state, outcome, is_good=is_good, missing=missing) == (after, turn)


@pytest.mark.parametrize(
    ("now", "entries", "was", "before", "wrong"),
    [
        (FeedFormat.PAGE, 9, FeedFormat.RSS, 9, "a web page came"),
        (FeedFormat.PAGE, 9, FeedFormat.PAGE, 9, None),
        (FeedFormat.PAGE, 9, None, None, None),
        (FeedFormat.ATOM, 0, FeedFormat.RSS, 9, "went empty; it listed 9"),
        (FeedFormat.RSS, 0, None, None, None),
        (FeedFormat.RSS, 0, FeedFormat.RSS, 0, None),
        (FeedFormat.SITEMAP, 0, FeedFormat.SITEMAP, 9, None),
    ],
)
def test_a_feed_that_is_none_any_more_is_said(
    now: FeedFormat, entries: int, was: FeedFormat | None, before: int | None, wrong: str | None
) -> None:
    listed = tuple(Entry(id=str(n), url=URL) for n in range(entries))
    found = feed_document_error(Feed(url=URL, format=now, entries=listed), was=was, entries=before)
    assert found is None if wrong is None else wrong in (found or "")
