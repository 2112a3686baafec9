"""`redline serve`: a clear word on what cannot be shown, and a configuration that a stranger may visit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest

from crawler.archive import Archive
from crawler.cli.serve import SETTINGS
from tests.browse.conftest import HOME, Browser
from tests.conftest import Command

HARDENED = {name: int(value) if value.isdecimal() else value == "on" for name, value in SETTINGS.items()}


@pytest.fixture
def hardened(written: Archive, opened: Callable[..., Browser]) -> Browser:
    return opened(written.path, settings=HARDENED)


def test_s20_the_file_is_not_handed_out(hardened: Browser) -> None:
    hardened.get("/archive.db", 403)


def test_s20_long_sql_is_cut_off(hardened: Browser) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n"
    response = hardened.follow(f"/archive.json?{urlencode({'sql': endless})}")
    assert response.status_code == 400
    assert "time limit" in response.text.lower() or "interrupted" in response.text.lower()


def test_s20_sql_of_a_visitor_cannot_write(hardened: Browser) -> None:
    for statement in ("DELETE FROM feeds", "ATTACH 'x.db' AS x", "PRAGMA journal_mode = DELETE"):
        response = hardened.follow(f"/archive.json?{urlencode({'sql': statement})}")
        assert response.status_code in (400, 403), statement


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "//evil.example/",
        "/\\evil.example/",
        "//evil.example/%2e%2e",
        "/%2f%2fevil.example",
        "/.//evil",
    ],
)
def test_s20_no_path_leads_to_another_host(hardened: Browser, path: str) -> None:
    for prefix in ("", HOME, f"{HOME}/search"):
        response = hardened.ask(f"http://localhost{prefix}{path}")
        location = response.headers.get("location", "")
        assert location == "" or (location[0] == "/" and location[1:2] not in ("/", "\\")), location


def test_s20_pages_answer_under_the_limits(hardened: Browser) -> None:
    for path in ("/", HOME, f"{HOME}/changes", f"{HOME}/article/1", f"{HOME}/search?q=bill", "/archive/versions"):
        hardened.get(path)


def test_serving_what_is_not_there_says_how_to_begin(redline: Command) -> None:
    done = redline("serve", "--no-open")
    assert done.returncode == 1
    assert "redline add" in done.stderr


def test_serving_a_file_of_another_program_is_refused(redline: Command, tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "other.db")
    connection.execute("CREATE TABLE t (x)")
    connection.close()
    done = redline("--archive", "other.db", "serve", "--no-open")
    assert done.returncode == 1
    assert "another program" in done.stderr
