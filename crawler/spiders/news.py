"""The one spider: which requests to make, and what to do with each response. The archive says what is due."""

from __future__ import annotations

import asyncio
import gc
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import scrapy
from scrapy import signals
from scrapy.http import Request, Response, TextResponse
from twisted.python.failure import Failure

from crawler import extract, feeds, manners, urls, visits
from crawler.archive import Archive
from crawler.archive.upkeep import lock
from crawler.errors import FeedError, RedlineError
from crawler.extract import sites
from crawler.items import Ailment, Budget, Capture, DueArticle, Feed, FeedCapture, FeedFormat, Outcome, WatchedFeed
from crawler.middlewares import NoAnswer, Postponed, Refused

if TYPE_CHECKING:
    from scrapy.crawler import Crawler

# A feed goes first: what it lists is then visited in the same run, whatever the backlog.
_FEEDS_FIRST = 10
# After all others of its host.
_ONCE_MORE_LAST = -10


# How Scrapy calls the end of a run, in the words of the archive.
_ENDINGS = {"closespider_timeout": "its time was up"}


class NewsSpider(scrapy.Spider):
    """Visits what is due and ends. Raises Locked, before anything is asked, if another run is at work."""

    name = "news"

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> NewsSpider:
        spider = super().from_crawler(crawler, *args, **kwargs)
        spider.open(crawler)
        return spider

    def open(self, crawler: Crawler) -> None:
        path = Path(crawler.settings["ARCHIVE"])
        self._sites = sites.load(crawler.settings["SITES"])
        self._lock = lock(path)
        self.archive = Archive(path)
        self.archive.begin_crawl(_now())
        self.troubles: list[str] = []  # a sentence for each feed that went wrong
        self.failures: list[RedlineError] = []  # what of ours went wrong: the run has failed
        self.ailments: list[Ailment] = []  # what is to be told of feeds that answer
        self.ended = ""  # how, in Scrapy's words; empty: it has not
        self.counts: dict[str, int] = {}
        self._asked: set[int] = set()  # the articles asked for in this run
        self._documents: defaultdict[int, set[str]] = defaultdict(set)  # keys of those asked for, by feed
        self._storms: set[str] = set()  # the hosts that answered for none of their articles in this run
        crawler.signals.connect(self.item_recorded, signals.item_scraped)
        _collect_seldom()
        crawler.signals.connect(self.item_failed, signals.item_error)
        crawler.signals.connect(self.callback_failed, signals.spider_error)

    def closed(self, reason: str) -> None:
        self.ended = reason
        try:
            storms = [manners.storm_line(self.archive.host(name), _now()) for name in sorted(self._storms)]
            self.troubles += map(urls.without_secrets, storms)
            self.counts = self.archive.end_crawl(_now(), _ENDINGS.get(reason, reason))
            self.ailments = self.archive.examine_feeds(_now())
        except RedlineError as error:
            self.failures.append(error)
        finally:
            self.archive.close()
            self._lock.release()

    def item_recorded(self, item: Capture) -> None:
        """Note a host that is in a storm, or came out of it."""
        name = urlsplit(item.url).netloc
        if self.archive.host(name).storm_since is None:
            self._storms.discard(name)
        else:
            self._storms.add(name)

    def item_failed(self, item: Capture, failure: Failure) -> None:
        self._fail(item.url, failure.value)

    def callback_failed(self, failure: Failure, response: Response) -> None:
        self._fail(response.url, failure.value)

    def _fail(self, url: str, error: BaseException | None) -> None:
        """Note a failure of ours. If the archive cannot be written there is no use in asking for more."""
        if isinstance(error, RedlineError):
            self.failures.append(error)
            assert self.crawler.engine
            closing = self.crawler.engine.close_spider_async(reason="the archive cannot be written")
            self._closing = asyncio.get_running_loop().create_task(closing)
        else:
            self.failures.append(RedlineError(f"{url}: {error!r}; this is a bug of Redline's, please report it"))

    async def start(self) -> AsyncIterator[Request]:
        everything = self.settings.getbool("CRAWL_EVERYTHING")
        due = self.archive.due_articles(_now(), everything=everything, budget=self._budget(everything))
        for feed in self.archive.due_feeds(_now(), everything=everything):
            yield self._feed_request(feed, feed.url)
        for request in self._article_requests(due):
            yield request

    def _budget(self, everything: bool) -> Budget:
        settings = self.settings
        return Budget(
            requests=settings.getint("MAX_REQUESTS") or None,
            per_host=None if everything else settings.getint("HOST_MAX_REQUESTS") or None,
            seconds=settings.getfloat("CLOSESPIDER_TIMEOUT") or None,
            delay=settings.getfloat("DOWNLOAD_DELAY"),
            delay_max=settings.getfloat("CRAWL_DELAY_MAX"),
        )

    # Feeds ------------------------------------------------------------------------------------------------------------

    def _feed_request(self, feed: WatchedFeed, url: str, depth: int = 0) -> Request:
        return Request(
            url,
            callback=self.parse_feed,
            errback=self.feed_failed,
            cb_kwargs={"feed": feed, "asked": url, "depth": depth},
            headers=None if depth or feed.asks_in_full else _validators(feed.etag, feed.last_modified),
            priority=_FEEDS_FIRST,
        )

    def parse_feed(self, response: Response, feed: WatchedFeed, asked: str, depth: int) -> Iterator[Request]:
        document, error = None, None
        if response.status == 200:
            try:
                document = feeds.parse(
                    response.body,
                    response.url,
                    content_type=_header(response, "Content-Type"),
                    max_entries=self.settings.getint("FEED_MAX_ENTRIES"),
                    max_bytes=self.settings.getint("DOWNLOAD_MAXSIZE"),
                )
            except FeedError as reason:
                error = str(reason)
        if document is not None and depth == 0:
            error = visits.feed_document_error(document, was=feed.format, entries=feed.entries)
            document = document if error is None else None
        further: list[str] = []
        if document is not None:
            document, further = self._further(feed, document, response.url, depth)
        capture = FeedCapture(
            feed_id=feed.id,
            url=asked,
            captured_at=_now(),
            status=response.status,
            final_url=response.url,
            is_permanent_move=_is_permanent_move(response),
            feed=document,
            body_bytes=len(response.body),
            etag=_validator(response, "ETag", asked),
            last_modified=_validator(response, "Last-Modified", asked),
            elapsed_ms=_elapsed(response),
            max_age=manners.max_age(_header(response, "Cache-Control")),
            asked_in_full=_is_in_full(response),
            error=error,
            is_tls_unverified=response.meta.get("tls_unverified", False),
        )
        yield from self._article_requests(self._record_feed(feed, capture))
        for url in further:
            yield self._feed_request(feed, url, depth + 1)

    def _further(self, feed: WatchedFeed, document: Feed, answered: str, depth: int) -> tuple[Feed, list[str]]:
        """Return what a document leads on to, and the document with a warning of what of that is not asked for.

        All sitemaps of an index; of a section page, the page after it. Each document once in a run: indexes that list
        each other, and pages whose "Show more" leads back, come to an end.
        """
        seen = self._documents[feed.id]
        seen |= {urls.key(feed.url), urls.key(answered)}
        is_section = document.format is FeedFormat.PAGE
        more = {urls.key(url): url for url in (document.more[:1] if is_section else document.more)}
        fresh = [url for key, url in more.items() if key not in seen]
        chosen, setting = fresh[: max(0, self.settings.getint("FEED_MAX_DOCUMENTS") - len(seen))], "FEED_MAX_DOCUMENTS"
        if depth >= self.settings.getint("FEED_MAX_DEPTH"):
            chosen, setting = [], "FEED_MAX_DEPTH"
        seen.update(map(urls.key, chosen))
        if len(chosen) < len(fresh) and not is_section:  # a section always has one page more
            warning = f"{len(fresh) - len(chosen):,} further documents left out ({setting})"
            document = replace(document, warnings=(*document.warnings, warning))
        return document, chosen

    def feed_failed(self, failure: Failure) -> None:
        if self._is_postponed(failure):
            return
        asked = failure.request.cb_kwargs  # type: ignore[attr-defined]
        refused, error = reason_of(failure.value)
        capture = FeedCapture(
            feed_id=asked["feed"].id, url=asked["asked"], captured_at=_now(), refused=refused, error=error
        )
        self._record_feed(asked["feed"], capture)

    def _record_feed(self, feed: WatchedFeed, capture: FeedCapture) -> list[DueArticle]:
        outcome, new = self.archive.record_feed(capture)
        if outcome in (Outcome.FAILED, Outcome.BLOCKED):
            said = capture.error or f"the server answered {capture.status}"
            self.troubles.append(f"{urls.without_secrets(feed.url)}: {said}")
        assert self.crawler.stats
        self.crawler.stats.inc_value(f"redline/feeds/{outcome}")
        return new

    # Articles ---------------------------------------------------------------------------------------------------------

    def _article_requests(self, articles: Iterable[DueArticle]) -> Iterator[Request]:
        """Ask for articles, each once in a run: one may be due, and then be edited by word of its feed."""
        for article in articles:
            if article.id not in self._asked:
                self._asked.add(article.id)
                yield self._article_request(article)

    def _article_request(self, article: DueArticle, *, is_once_more: bool = False) -> Request:
        return Request(
            article.url,
            callback=self.parse_article,
            errback=self.article_failed,
            cb_kwargs={"article": article, "is_once_more": is_once_more},
            headers=None if article.asks_in_full else _validators(article.etag, article.last_modified),
            meta={"download_maxsize": self.settings.getint("PAGE_MAX_BYTES"), "size_setting": "PAGE_MAX_BYTES"},
            priority=_ONCE_MORE_LAST if is_once_more else 0,
        )

    def parse_article(self, response: Response, article: DueArticle, is_once_more: bool) -> Iterator[Capture | Request]:
        content_type = _header(response, "Content-Type")
        page, error = None, None
        lines: tuple[str, ...] = ()
        if response.status == 200:
            if isinstance(response, TextResponse):
                headers = {"Content-Type": content_type} if content_type else {}
                try:
                    rule = sites.rule_for(self._sites, response.url, _now().date())
                    page, lines = extract.read(response.body, response.url, headers=headers, site=rule)
                except Exception as bug:  # of ours: it must not lose the visit
                    self._fail(response.url, bug)
                    error = f"the page could not be read: {bug!r}"
            else:
                error = f"what came is no text but {content_type or 'unnamed'}"
        robots = manners.directives(
            (line.decode("latin-1") for line in response.headers.getlist("X-Robots-Tag")),
            response.body if page is not None else b"",
            agent=self.settings["ROBOTSTXT_USER_AGENT"],
        )
        yield Capture(
            article_id=article.id,
            url=article.url,
            captured_at=_now(),
            status=response.status,
            final_url=response.url,
            is_permanent_move=_is_permanent_move(response),
            article=page,
            body=response.body if page is not None else None,
            lines=lines,
            etag=_validator(response, "ETag", article.url),
            last_modified=_validator(response, "Last-Modified", article.url),
            content_type=content_type,
            elapsed_ms=_elapsed(response),
            asked_in_full=_is_in_full(response),
            error=error,
            robots=robots,
            is_tls_unverified=response.meta.get("tls_unverified", False),
            keeps_page=self.settings.getbool("KEEP_NOARCHIVE") or "noarchive" not in robots,
        )
        if visits.is_passing(response.status) and not is_once_more:
            yield self._article_request(article, is_once_more=True)

    def article_failed(self, failure: Failure) -> Iterator[Capture]:
        if self._is_postponed(failure):
            return
        article = failure.request.cb_kwargs["article"]  # type: ignore[attr-defined]
        refused, error = reason_of(failure.value)
        yield Capture(article_id=article.id, url=article.url, captured_at=_now(), refused=refused, error=error)

    def _is_postponed(self, failure: Failure) -> bool:
        """Whether nothing was asked, to be asked another time: that is no visit. It is counted all the same."""
        if not isinstance(failure.value, Postponed):
            return False
        assert self.crawler.stats
        self.crawler.stats.inc_value("redline/postponed")
        return True


def _collect_seldom() -> None:
    """Let the garbage collector leave out what is loaded by now, which stays, and look less often at the rest.

    A page is thousands of small objects in no cycle, gone when it is read: by default they set the collector off 20
    times, each time over all of Scrapy too, for a tenth of a first visit's CPU.
    """
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def _validators(etag: str | None, last_modified: str | None) -> dict[str, str]:
    asked = {"If-None-Match": etag, "If-Modified-Since": last_modified}
    return {name: value for name, value in asked.items() if value}


def _validator(response: Response, name: str, asked: str) -> str | None:
    """Return a validator of an answer; none of one from another host: it would be sent to the one asked next time."""
    return _header(response, name) if urls.host(response.url) == urls.host(asked) else None


def _is_in_full(response: Response) -> bool:
    asked = response.request.headers if response.request else {}
    return "If-None-Match" not in asked and "If-Modified-Since" not in asked


def _is_permanent_move(response: Response) -> bool:
    reasons = response.meta.get("redirect_reasons", [])
    return bool(reasons) and all(reason in (301, 308) for reason in reasons)


def reason_of(error: BaseException | None) -> tuple[bool, str]:
    """Return whether it was we who refused, and what went wrong as a sentence."""
    # The innermost cause speaks plainest: Scrapy wraps Twisted's errors.
    while error is not None and error.__cause__ is not None and not isinstance(error, (Refused, NoAnswer)):
        error = error.__cause__
    if isinstance(error, (Refused, NoAnswer)):
        return isinstance(error, Refused), str(error)
    said = urls.without_secrets(str(error).partition("\n")[0].strip())
    return False, f"{type(error).__name__}: {said}" if said else type(error).__name__


def _header(response: Response, name: str) -> str | None:
    value = response.headers.get(name)
    return None if value is None else value.decode("latin-1")


def _elapsed(response: Response) -> int | None:
    seconds = response.meta.get("download_latency")
    # Scrapy takes the time from the clock of the wall, which may be set back meanwhile.
    return None if seconds is None else max(0, round(seconds * 1000))


def _now() -> datetime:
    return datetime.now(UTC)
