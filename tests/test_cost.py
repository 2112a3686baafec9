"""What a visit may cost, by what it reads and writes; in time it is measured: bench/crawl.py."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import selectolax.lexbor

from crawler import extract
from crawler.archive import Archive
from crawler.items import Capture, Outcome
from tests.conftest import URL, listed, visit

TEXT = "".join(
    f"<p>Boat number {n} came back to the harbour in the evening, and its crew was paid.</p>" for n in range(40)
)
PAGE = f"<html><body><article><h1>Forty boats come back</h1>{TEXT}</article></body></html>".encode()


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Every page that is parsed from here on."""
    pages: list[bytes] = []
    parser = selectolax.lexbor.LexborHTMLParser

    def parse(html: bytes) -> selectolax.lexbor.LexborHTMLParser:
        pages.append(html)
        return parser(html)

    monkeypatch.setattr(selectolax.lexbor, "LexborHTMLParser", parse)
    return pages


def visit_that_read(article_id: int, hours: float, html: bytes) -> Capture:
    article, lines = extract.read(html, URL)
    return visit(article_id, hours, article, body=html, lines=lines, final_url=URL)


def rows(path: Path) -> dict[str, int]:
    """Return how many rows each table has."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'")
        return {name: connection.execute(f"SELECT count(*) FROM [{name}]").fetchone()[0] for (name,) in tables}


def test_a_page_with_nothing_new_is_parsed_once_a_visit(archive: Archive, parsed: list[bytes]) -> None:
    (article_id,) = listed(archive, URL)
    outcomes = [archive.record(visit_that_read(article_id, hour, PAGE)) for hour in range(4)]
    assert outcomes == [Outcome.NEW, *[Outcome.UNCHANGED] * 3]
    assert len(parsed) == 4


@pytest.mark.parametrize("status", [200, 304])
def test_a_visit_that_shows_nothing_new_writes_one_small_row(archive: Archive, status: int) -> None:
    (article_id,) = listed(archive, URL)
    archive.record(visit_that_read(article_id, 0, PAGE))
    before = rows(archive.path)
    archive.record(visit_that_read(article_id, 1, PAGE) if status == 200 else visit(article_id, 1, status=304))
    added = {name: count - before[name] for name, count in rows(archive.path).items() if count != before[name]}
    assert added == {"captures": 1}
    with closing(sqlite3.connect(archive.path)) as connection:
        written = connection.execute("SELECT * FROM captures ORDER BY id DESC LIMIT 1").fetchone()
    assert sum(len(str(value)) for value in written if value is not None) * 10 < len(PAGE)
