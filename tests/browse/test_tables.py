"""Datasette's own tables and queries, made kind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from crawler.archive import Archive
from tests.browse.conftest import HOME, Browser, links, text


def test_the_tables_are_described_by_the_words_of_their_schema(browser: Browser) -> None:
    page = browser.get("/archive/versions").text
    assert "Each distinct state of an article, numbered from 1." in page
    assert "the latest visit that showed it" in page
    assert "why these kinds, this weight, this verdict" in browser.get("/archive/changes").text


def test_every_table_and_view_opens_with_its_facets(browser: Browser) -> None:
    for table in browser.get("/archive.json").json()["tables"]:
        if not table["hidden"]:
            browser.get(f"/archive/{table['name']}")
    assert "/archive/changes?verdict=declared" in " ".join(links(browser.page("/archive/changes")))
    browser.get("/archive/latest_changes")


def test_a_headline_in_a_table_leads_to_its_page(browser: Browser) -> None:
    assert f"{HOME}/article/1" in links(browser.page("/archive/articles"))
    assert f"{HOME}/article/1/2" in links(browser.page("/archive/versions"))
    assert f"{HOME}/article/1?to=3" in links(browser.page("/archive/latest_changes"))


def test_a_summary_in_a_table_shows_its_words_as_inserted_and_deleted(browser: Browser) -> None:
    tree = browser.page("/archive/changes")
    assert any("6.8" in shown for shown in text(tree, "ins"))


def test_questions_are_answered(browser: Browser) -> None:
    assert "the bill was misstated" in browser.get("/archive/corrections").text
    assert browser.get("/archive/find_address.json?address=Harbour&_shape=array").json()[0]["article_id"] == 2


def test_a_database_that_is_no_archive_is_left_alone(
    tmp_path: Path, written: Archive, opened: Callable[..., Browser]
) -> None:
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE changes (summary TEXT)")
    connection.execute("INSERT INTO changes VALUES ('[-old-]{+new+}')")
    connection.commit()
    connection.close()
    browser = opened(written.path, other)
    assert "[-old-]" in browser.get("/other/changes").text
    browser.get("/-/redline/other", 404)


def test_what_a_person_configured_wins(written: Archive, opened: Callable[..., Browser]) -> None:
    mine = {"databases": {"archive": {"tables": {"changes": {"description": "Mine.", "sort": "weight"}}}}}
    browser = opened(written.path, metadata=mine)
    assert text(browser.page("/archive/changes"), ".metadata-description") == ["Mine."]
