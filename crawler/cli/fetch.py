"""Fetching a page or two for a command, through the same guards as a crawl: addresses, robots.txt, sizes, manners."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from crawler.cli.crawl import crawl_settings, run_spider
from crawler.errors import RedlineError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What came from an address. `url` is the one that answered, after redirects."""

    url: str
    status: int
    body: bytes
    headers: dict[str, str]


Get = Callable[[str], Awaitable[Fetched]]


class FetchError(RedlineError):
    """A page could not be fetched. `status` is what the server answered, None if it did not; `date` its Date header."""

    def __init__(self, message: str, status: int | None = None, date: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.date = date


def fetch(url: str) -> Fetched:
    """Return what `url` answers. Raises FetchError if nothing or an error comes. Once in a process (see `visit`)."""

    async def one(get: Get) -> Fetched:
        return await get(url)

    return visit(one)


def visit(work: Callable[[Get], Awaitable[T]]) -> T:
    """Run `work` with a function that fetches, and return its result.

    Twisted's reactor starts once, so a process can call this once. `get` raises FetchError for no answer and for an
    error status.
    """
    import scrapy
    from scrapy.http import Request
    from scrapy.http.request import NO_CALLBACK

    class Visitor(scrapy.Spider):
        name = "visitor"
        result: list[T]
        error: RedlineError | None = None

        async def start(self) -> AsyncIterator[Request]:
            try:
                self.result = [await work(self._get)]
            except RedlineError as error:
                self.error = error
            return
            yield

        async def _get(self, url: str) -> Fetched:
            from crawler.spiders.news import reason_of

            assert self.crawler.engine
            # Nobody needs permission to ask for the permissions.
            meta = {"dont_obey_robotstxt": True} if urlsplit(url).path == "/robots.txt" else {}
            try:
                response = await self.crawler.engine.download_async(Request(url, callback=NO_CALLBACK, meta=meta))
            except Exception as error:
                raise FetchError(f"{url}: {reason_of(error)[1]}") from error
            headers = {name.decode("latin-1"): value[-1].decode("latin-1") for name, value in response.headers.items()}
            if response.status != 200:
                said = f"{url}: the server answered {response.status}"
                raise FetchError(said, response.status, headers.get("Date"))
            return Fetched(url=response.url, status=response.status, body=response.body, headers=headers)

    settings = crawl_settings(Path("unused"))
    settings.set("ITEM_PIPELINES", {}, priority="cmdline")
    spider: Any = run_spider(settings, Visitor)
    if spider.error is not None:
        raise spider.error
    result: T = spider.result[0]
    return result
