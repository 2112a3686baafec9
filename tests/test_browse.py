"""The pages over a small archive, asked through Datasette's own client, as a browser would."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from datasette.app import Datasette
from lxml import html

from crawler.archive import Archive
from crawler.items import Author, Notice, NoticeKind
from tests.conftest import URL, at, listed, page, visit

HOME = "/-/redline/archive"
OTHER = "https://example.org/2026/03/harbour"


class Browser:
    """A person at a Datasette that shows these files; every path is asked of the application itself."""

    def __init__(self, *files: Path, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self.datasette = Datasette(files=[str(file) for file in files], **options)

    def close(self) -> None:
        for database in list(self.datasette.databases.values()):
            database.close()
        if self.datasette.executor is not None:
            self.datasette.executor.shutdown()
        self._runner.close()

    def get(self, path: str, status: int = 200, **options: Any) -> Any:
        response = self._runner.run(self.datasette.client.get(path, **options))
        assert response.status_code == status, f"{path}: {response.status_code} {response.text[:2000]}"
        return response

    def page(self, path: str, status: int = 200) -> Any:
        """Return a page as a tree."""
        return html.fromstring(self.get(path, status).text)


def text(tree: Any, selector: str) -> list[str]:
    """Return the texts of the elements of a class or a tag, white space made single."""
    xpath = f"//*[contains(concat(' ', @class, ' '), ' {selector[1:]} ')]" if selector[0] == "." else f"//{selector}"
    return [" ".join(element.text_content().split()) for element in tree.xpath(xpath)]


def links(tree: Any) -> list[str]:
    return [str(address) for address in tree.xpath("//a/@href")]


@pytest.fixture
def written(archive: Archive) -> Archive:
    """Two articles: one with three versions (a number, then a correction that says so), one that never changed."""
    first, second = listed(archive, URL, OTHER)
    told = page(
        "The bill would reach 4.2 million.", "Nobody answered.", authors=(Author(name="Ann Writer"),), language="en"
    )
    fixed = replace(told, blocks=(replace(told.blocks[0], text="The bill would reach 6.8 million."), told.blocks[1]))
    notice = Notice(kind=NoticeKind.CORRECTION, text="Correction: the bill was misstated.")
    declared = replace(fixed, notices=(notice,), blocks=(*fixed.blocks, replace(told.blocks[0], text=notice.text)))
    for hour, article in enumerate((told, fixed, declared)):
        archive.record(visit(first, hour, article))
    archive.record(visit(second, 0, page("Ships came.", headline="Harbour opens"), url=OTHER))
    return archive


@pytest.fixture
def opened() -> Iterator[Callable[..., Browser]]:
    with ExitStack() as stack:

        def browser(*files: Path, **options: Any) -> Browser:
            return stack.enter_context(closing(Browser(*files, **options)))

        yield browser


@pytest.fixture
def browser(written: Archive, opened: Callable[..., Browser]) -> Browser:
    return opened(written.path)


def test_the_latest_change_is_first_and_leads_to_its_difference(browser: Browser) -> None:
    tree = browser.page(HOME)
    assert text(tree, ".verdict")[:2] == ["declared", "undated"]
    assert f"{HOME}/article/1?from=2&to=3#difference" in links(tree)


def test_an_article_shows_each_version_and_what_it_changed(browser: Browser) -> None:
    tree = browser.page(f"{HOME}/article/1")
    assert [head.split()[:2] for head in text(tree, ".step-head")] == [["Version", str(n)] for n in (3, 2, 1)]
    assert "Correction: the bill was misstated." in " ".join(text(tree, "ins"))


@pytest.mark.parametrize("mode", ["inline", "side-by-side", "changes"])
def test_any_two_versions_are_compared_in_each_mode(browser: Browser, mode: str) -> None:
    tree = browser.page(f"{HOME}/article/1?from=1&to=2&mode={mode}")
    assert "4.2" in " ".join(text(tree, "del"))
    assert "6.8" in " ".join(text(tree, "ins"))
    assert tree.xpath("//select[@name='mode']/option[@selected]/@value") == [mode]


def test_a_version_reads_as_it_read_then(browser: Browser) -> None:
    tree = browser.page(f"{HOME}/article/1/1")
    assert text(tree, "h1") == ["Minister resigns"]
    assert text(tree, ".paragraph") == ["The bill would reach 4.2 million.", "Nobody answered."]


@pytest.mark.parametrize("path", ["/article/99", "/article/1/9", "/article/1?from=1&to=9", "/nothing"])
def test_what_is_not_there_is_a_404(browser: Browser, path: str) -> None:
    browser.get(HOME + path, 404)


def test_pages_of_ours_have_a_policy_that_runs_nothing_of_others(browser: Browser) -> None:
    policy = browser.get(f"{HOME}/article/1").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


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


def test_who_may_not_see_the_database_sees_no_page_of_it(written: Archive, opened: Callable[..., Browser]) -> None:
    closed = {"databases": {"archive": {"allow": {"id": "root"}}}}
    browser = opened(written.path, metadata=closed)
    browser.get("/archive", 403)
    browser.get(HOME, 403)
    browser.get(f"{HOME}/article/1", 403)


def test_links_stay_under_the_path_at_which_datasette_stands(written: Archive, opened: Callable[..., Browser]) -> None:
    browser = opened(written.path, settings={"base_url": "/press/"})
    own = [link for link in links(browser.page(f"{HOME}/article/1")) if not urlsplit(link).netloc and link[0] == "/"]
    assert own
    assert all(link.startswith("/press/") for link in own)


def test_a_crawl_may_write_while_pages_are_read(browser: Browser, written: Archive) -> None:
    browser.get(HOME)
    written.record(visit(2, 5, page("Ships went.", headline="Harbour closes"), url=OTHER))
    assert "closes" in " ".join(text(browser.page(HOME), "ins"))
    assert at(5).strftime("%H:%M") in browser.get(f"{HOME}/article/2").text
