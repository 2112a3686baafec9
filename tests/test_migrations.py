"""Archives of each schema that was released are brought up to date with everything in them."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database, Migrations

from crawler import migrations
from crawler.archive import Archive
from crawler.browse.schema import describe


def an_archive(path: Path, *, steps: int, rows: Sequence[str]) -> sqlite3.Connection:
    """A file of the first `steps` steps, with rows in it."""
    connection = sqlite3.connect(path)
    those = Migrations("redline")
    for function in migrations._steps[:steps]:
        those()(function)
    those.apply(Database(connection))
    connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
    for row in rows:
        connection.execute(row)
    connection.commit()
    return connection


ROWS = (
    "INSERT INTO feeds (id, url, added_at, next_visit) VALUES (1, 'https://example.org/feed', '2026', '2026')",
    "INSERT INTO articles (id, url, current_url, host, feed_id, found_at) VALUES (7, 'a', 'a', 'h', 1, '2026')",
    "INSERT INTO titles (id, article_id, source, title, first_seen, last_came) VALUES (3, 7, 'og', 'Two', '1', '2')",
    "INSERT INTO titles (id, article_id, source, title, first_seen, last_came) VALUES (9, 7, 'h1', 'One', '0', '2')",
    "INSERT INTO captures (id, feed_id, captured_at, outcome, url) VALUES (1, 1, '2026', 'new', 'u')",
    "INSERT INTO captures (id, article_id, captured_at, outcome, url) VALUES (2, 7, '2026', 'new', 'u')",
)


@pytest.mark.parametrize("steps", range(1, len(migrations._steps)))
def test_f10_an_archive_of_each_schema_is_brought_up_to_date_with_everything_in_it(tmp_path: Path, steps: int) -> None:
    path = tmp_path / "archive.db"

    def everything(connection: sqlite3.Connection) -> dict[str, list[Any]]:
        return {table: connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall() for table in tables}

    tables = ("feeds", "articles", "titles", "captures")
    with closing(an_archive(path, steps=steps, rows=ROWS)) as old:
        before = everything(old)
    Archive(path).close()
    with closing(sqlite3.connect(path)) as now:
        after = everything(now)
        assert migrations.applied(now) == migrations.known()
        assert now.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert now.execute("PRAGMA foreign_key_check").fetchall() == []
    assert {
        table: [row[: len(old)] for row, old in zip(after[table], rows, strict=True)] for table, rows in before.items()
    } == before


def test_every_column_of_today_says_what_it_is(tmp_path: Path) -> None:
    Archive(tmp_path / "archive.db").close()
    with closing(sqlite3.connect(tmp_path / "archive.db")) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql LIKE '%--%'")
        for name, sql in tables.fetchall():
            described = next(iter(describe([sql]).values()))
            columns = {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            assert set(described.columns) == columns, name
            assert described.text, name
