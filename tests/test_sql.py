"""S19: what others wrote, and what a person types, is a parameter and never a part of a statement."""

from __future__ import annotations

import contextlib

import pytest

from crawler.archive import Archive
from crawler.errors import RedlineError
from tests.conftest import URL, listed, page, visit

EVIL = [
    "'; DROP TABLE versions; --",
    '" OR 1=1 --',
    "x' UNION SELECT sql FROM sqlite_master --",
    "%' OR '%'='",
    '"headline" : NEAR(a b, 1) OR NOT *',
    "{headline url} : ^a + b",
    "1; ATTACH 'x' AS y",
    "a\x00b",
]


@pytest.mark.parametrize("evil", EVIL)
def test_s19_no_text_is_a_part_of_a_statement(archive: Archive, evil: str) -> None:
    (article,) = listed(archive, URL)
    long = f"{evil} is what stands here, and it goes on until nobody takes it for a clock or a count any more."
    for hour, text in enumerate((evil, long)):
        archive.record(visit(article, hour, page(text, headline=evil, section=evil, tags=(evil,), language=evil)))

    assert archive.versions(article)[0].article.headline == evil
    assert len(archive.changes(limit=9)) == 1
    assert archive.changes(limit=9, kind=evil) == []
    archive.search(evil, limit=5)
    for ask in (archive.find, lambda text: archive.changes(limit=1, feed=text)):
        with contextlib.suppress(RedlineError):
            assert not ask(evil)
