"""What the tests of the pages share: a Datasette to ask, and a small archive to show."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from lxml import html

from crawler.archive import Archive
from crawler.items import Author, Notice, NoticeKind
from tests.conftest import URL, listed, page, visit

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

    def ask(self, path: str) -> Any:
        return self._runner.run(self.datasette.client.get(path))

    def follow(self, path: str) -> Any:
        """Return the answer at the end of one redirect: Datasette 1.0 has SQL at an address of its own."""
        response = self.ask(path)
        return self.ask(response.headers["location"]) if response.status_code == 302 else response

    def get(self, path: str, status: int = 200) -> Any:
        response = self.ask(path)
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
