"""Datasette's own tables and queries, made kind."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive import Archive
from crawler.browse import spreadsheets
from tests.browse.conftest import HOME, OTHER, Browser, links, text
from tests.conftest import page, visit


def test_the_tables_are_described_by_the_words_of_their_schema(browser: Browser) -> None:
    shown = browser.get("/archive/versions").text
    assert "Each distinct state of an article, numbered from 1." in shown
    assert "the latest visit that showed it" in shown
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


def test_s26_no_headline_is_a_formula_in_a_spreadsheet(browser: Browser, written: Archive) -> None:
    for hour, headline in enumerate(["=HYPERLINK(1)", '@SUM(1) "quoted",\nand on', "-1.5", "- 12 dead"]):
        written.record(visit(2, 3 + hour, page("Ships came.", headline=headline), url=OTHER))
    for path in ("/archive/versions.csv?_stream=1", "/archive.csv?sql=select+headline+from+versions"):
        response = browser.follow(path)
        headlines = [row["headline"] for row in csv.DictReader(io.StringIO(response.text, newline=""))]
        assert "'=HYPERLINK(1)" in headlines
        assert '\'@SUM(1) "quoted",\nand on' in headlines
        assert "-1.5" in headlines
        assert "'- 12 dead" in headlines
    assert "=HYPERLINK(1)" in [row["headline"] for row in browser.get("/archive/versions.json?_shape=array").json()]


@pytest.mark.parametrize(
    "cell", ["=1", "+a", "-a", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋a", "－a", "＠a", "+1+1", "-1-1"]
)
def test_s26_no_cell_begins_as_a_formula(cell: str) -> None:
    written = io.StringIO()
    csv.writer(written).writerow(["first", cell])
    assert (
        next(csv.reader(io.StringIO(spreadsheets.rows(written.getvalue().encode()).decode(), newline="")))[1]
        == f"'{cell}"
    )


@given(st.lists(st.lists(st.text(alphabet="ab=+-@\t\r\n\",'1. "), min_size=1), min_size=1))
def test_s26_guarded_rows_are_the_rows_but_for_formulas(table: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows(table)
    read = list(csv.reader(io.StringIO(spreadsheets.rows(written.getvalue().encode()).decode(), newline="")))
    again = list(csv.reader(io.StringIO(written.getvalue(), newline="")))
    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in again
    ]
    assert not any(cell.startswith(("=", "@")) for row in read for cell in row)
