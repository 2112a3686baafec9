"""What a visit may cost: which rows it reads and writes. Shapes, never times."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from crawler.archive import Archive
from crawler.items import Article, Headlines, Outcome
from tests.conftest import URL, at, listed, page, visit

PARAGRAPHS = [f"The minister said in part {n} of a long statement that nothing was decided yet." for n in range(60)]
LARGE_TABLES = set("articles urls entries captures versions blocks images changes flaps titles payloads".split())


def statements(archive: Archive, call: Callable[[], object]) -> list[str]:
    """The statements that a call sends, with their values."""
    sent: list[str] = []
    archive._file._connection.set_trace_callback(sent.append)
    call()
    archive._file._connection.set_trace_callback(None)
    return [statement for statement in sent if not statement.startswith("--")]  # FTS5's own come as comments


def text(*more: str) -> Article:
    headlines = Headlines(h1="Minister resigns", title="Minister resigns | Example")
    return page(*PARAGRAPHS, *more, headlines=headlines, canonical_url=URL)


@pytest.mark.parametrize("status", [200, 304])
def test_a_visit_that_shows_nothing_new_reads_no_text(archive, status):
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, text()))
    again = visit(article, 1, text() if status == 200 else None, status=status, final_url=URL)

    sent = statements(archive, lambda: archive.record(again))

    assert not [statement for statement in sent if re.search(r"\b(blocks|images|payloads)\b", statement)]


@pytest.mark.parametrize("status", [200, 304])
def test_a_visit_that_shows_nothing_new_writes_a_small_part_of_the_text(archive, status):
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, text()))

    def rows_and_bytes() -> tuple[int, int]:
        pages, size, free = (
            archive._file._connection.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "page_size", "freelist_count")
        )
        return archive._file._connection.total_changes, (pages - free) * size

    rows, size = rows_and_bytes()
    for hour in range(1, 101):
        archive.record(visit(article, hour, text() if status == 200 else None, status=status))

    more_rows, more_bytes = (now - before for now, before in zip(rows_and_bytes(), (rows, size), strict=True))
    assert more_rows <= 100 * 5  # its own; those of its version, of its article (twice), and of its feed
    assert more_bytes / 100 < sum(map(len, PARAGRAPHS)) / 10


def test_a_visit_that_shows_nothing_new_touches_no_index_of_what_stayed(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, text()))

    sent = statements(archive, lambda: archive.record(visit(article, 1, status=304)))

    (update,) = (
        statement for statement in sent if statement.startswith("UPDATE articles SET") and "next_visit" in statement
    )
    assert not re.search(r"\b(state|last_changed|section|language|host|feed_id) =", update)


def test_no_statement_of_a_visit_or_a_run_reads_a_whole_table(archive):
    (article,) = listed(archive, URL)
    new, edit, other = text(), text("It was decided after all."), text("It was decided after all, in May.")
    elsewhere = {"final_url": "https://example.org/2026/04/minister-resigns", "is_permanent_move": True}

    def run() -> None:
        archive.begin_crawl(at(0))
        shown = [new, new, edit, new, edit, new, edit, other]
        outcomes = [archive.record(visit(article, hour, reading)) for hour, reading in enumerate(shown)]
        assert Outcome.CHANGED in outcomes
        assert Outcome.UNCHANGED in outcomes
        for hour, fields in enumerate([{"status": 304}, {"status": 404}, {"status": 403}, {"status": None}], 20):
            archive.record(visit(article, hour, **fields))
        archive.record(visit(article, 30, other, **elsewhere))
        archive.record(visit(article, 31, text("A line.")))
        archive.end_crawl(at(32), "finished")
        archive.begin_crawl(at(33))
        archive.end_crawl(at(34), "finished")
        list(archive.due_articles(at(35)))
        archive.changes(limit=50)
        archive.search("decided", limit=50)

    # Without statistics SQLite judges a plan by its shape alone, as for an archive of any size.
    for statement in sorted(set(statements(archive, run))):
        if not statement.startswith(("SELECT", "UPDATE", "WITH")):
            continue  # the plan of an INSERT with RETURNING has scans for foreign keys that are not run
        plan = archive._file.rows(f"EXPLAIN QUERY PLAN {statement}")
        named = {alias: table for table, alias in re.findall(r"(\w+) AS (\w+)", statement)}
        scans = {named.get(line.split()[1], line.split()[1]) for (*_, line) in map(tuple, plan) if is_scan(line)}
        assert not scans & LARGE_TABLES, f"{statement}\n{[tuple(row)[-1] for row in plan]}"


def test_the_log_of_one_article_reads_its_own_changes_alone(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, text()))
    archive.record(visit(article, 1, text("It was decided after all.")))

    (sent,) = statements(archive, lambda: archive.changes(limit=50, article_id=article))

    plan = [line for (*_, line) in map(tuple, archive._file.rows(f"EXPLAIN QUERY PLAN {sent}"))]
    assert any("changes_article" in line for line in plan), plan


def is_scan(line: str) -> bool:
    """Whether a line of a plan reads a whole table; along the index by time a list ends at its limit."""
    return line.startswith("SCAN") and "USING INDEX changes_seen" not in line
