"""What a request must pass before it leaves, on every hop: a public address, the host's wishes, the run's budget.

And what an answer must pass: that it leads to the web, and unpacks to no more than we take. How it comes in, within its
time and size, is `transport`.
"""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import traceback
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from protego import Protego
from scrapy import signals
from scrapy.exceptions import CannotResolveHostError, DownloadConnectionRefusedError, DownloadFailedError, IgnoreRequest
from scrapy.http import Request, TextResponse
from scrapy.http.request import NO_CALLBACK
from scrapy.pqueues import DownloaderAwarePriorityQueue, DownloaderInterface
from scrapy.resolver import CachingThreadedResolver
from scrapy.responsetypes import responsetypes
from twisted.internet.error import DNSLookupError

from crawler import addresses, manners, packing, urls
from crawler.items import Host

if TYPE_CHECKING:
    from scrapy.core.downloader import Slot
    from scrapy.crawler import Crawler
    from scrapy.http import Response
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred


class Refused(IgnoreRequest):
    """We do not ask, or do not take the answer; the message says why and which setting would change it."""


class Postponed(IgnoreRequest):
    """We do not ask now: the host asked us to wait, or the budget is spent. What was to be visited stays due."""


class NoAnswer(DownloadFailedError):
    """Nothing, or not all of an answer came; the message is a sentence."""


def too_large(request: Request, default: int) -> Refused:
    """Return the refusal of an answer that is larger, packed or unpacked, than this request takes.

    `meta["size_setting"]` is the setting behind `meta["download_maxsize"]`; `default` is DOWNLOAD_MAXSIZE.
    """
    most = request.meta.get("download_maxsize", default)
    size = f"{most / 2**20:g} MiB" if most >= 2**20 else f"{most:,} bytes"
    return Refused(f"it is larger than {size} ({request.meta.get('size_setting', 'DOWNLOAD_MAXSIZE')})")


class AddressGuard:
    """Refuses requests that are not http(s), or whose URL names a private address by number.

    Names are judged when they are resolved (`GuardedResolver`): the address that is checked is the one connected to.
    What one host gave us goes to no other: a redirect carries validators to the host that they came from alone.
    """

    def __init__(self, allowed: tuple[addresses.Network, ...]) -> None:
        self._allowed = allowed

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AddressGuard:
        # Of whoever writes it, and wherever it goes: Scrapy writes whole addresses.
        logging.setLogRecordFactory(_without_secrets)
        return cls(addresses.networks(crawler.settings["ALLOW_NETWORKS"]))

    def process_request(self, request: Request) -> Request | None:
        cleaned = urls.clean(request.url)
        if cleaned is None:
            raise Refused(f"{urls.shown(request.url)} is not a plain http or https address")
        parts = urlsplit(cleaned)
        if urlsplit(request.url).netloc != parts.netloc:
            return request.replace(url=cleaned)  # `EXAMPLE.org.:80`: what is fetched is what was checked, to the letter
        host = parts.hostname or ""
        number = _as_number(host)
        if number is not None and not addresses.is_allowed(number, self._allowed):
            raise _refused(host, number)
        if any(urls.host(hop) != host for hop in request.meta.get("redirect_urls", ())):
            for name in ("If-None-Match", "If-Modified-Since"):
                request.headers.pop(name, None)
        return None


class AnswerGuard:
    """Unpacks answers, within their limit, and refuses those that lead out of the web.

    Replaces Scrapy's HttpCompressionMiddleware; see `packing` for what it lacks. Stands between the downloader and
    Scrapy's RedirectMiddleware, which takes `Location: file:///etc/passwd` for the answer itself.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AnswerGuard:
        return cls(crawler.settings.getint("DOWNLOAD_MAXSIZE"))

    def process_request(self, request: Request) -> None:
        request.headers.setdefault("Accept-Encoding", ", ".join(packing.ACCEPTED))

    def process_response(self, request: Request, response: Response) -> Response:
        location = response.headers.get("Location")
        if location is not None and 300 <= response.status < 400:
            target = location.decode("utf-8", errors="replace")
            if urls.clean(target, request.url) is None:
                raise Refused(f"it leads to {urls.shown(target)}, which is not a plain http or https address")
        layers = b",".join(response.headers.getlist("Content-Encoding")).decode("latin-1").lower()
        if not layers:
            return response
        wrong: Refused | NoAnswer | None = None
        try:
            body = packing.unpacked(
                response.body,
                [name.strip() for name in layers.split(",")],
                max_bytes=request.meta.get("download_maxsize", self._max_bytes),
            )
        except packing.TooLarge:
            wrong = too_large(request, self._max_bytes)
        except packing.Damaged as error:
            wrong = NoAnswer(str(error))
        if wrong is not None:
            # Not from within `except`: by their traceback each bomb's 8 MiB would live until the next full collection.
            raise wrong
        del response.headers["Content-Encoding"]
        kind = responsetypes.from_args(headers=response.headers, url=response.url, body=body)
        # The charset is looked for again: it may stand in the body.
        return response.replace(cls=kind, body=body, **({"encoding": None} if issubclass(kind, TextResponse) else {}))


class GuardedResolver(CachingThreadedResolver):
    """Scrapy's resolver, which refuses names that stand for private addresses: nothing is ever connected to there.

    Twisted takes any error of a resolver for "no such name" (and prints it, unless it is a DNSLookupError): why a name
    was refused is in `refused`, where the transport finds it. A process has one reactor, so it has one resolver.
    """

    refused: ClassVar[dict[str, str]] = {}

    def __init__(self, reactor: ReactorBase, cache_size: int, timeout: float, allowed: tuple[addresses.Network, ...]):
        super().__init__(reactor, cache_size, timeout)
        self._allowed = allowed

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> GuardedResolver:
        settings = crawler.settings
        return cls(
            reactor,
            settings.getint("DNSCACHE_SIZE"),
            settings.getfloat("DNS_TIMEOUT"),
            addresses.networks(settings["ALLOW_NETWORKS"]),
        )

    def getHostByName(self, name: str, timeout: Sequence[int] = ()) -> Deferred[str]:
        return super().getHostByName(name, timeout).addCallback(self._checked, name)

    def _checked(self, address: str, name: str) -> str:
        if not addresses.is_allowed(address, self._allowed):
            self.refused[name] = str(_refused(name, address))
            raise DNSLookupError(self.refused[name])
        self.refused.pop(name, None)
        return address


class Manners:
    """Asks a host for its robots.txt and keeps to it, to its pace and to its refusals; counts what a run may ask for.

    Replaces Scrapy's RobotsTxtMiddleware, which knows nothing of Crawl-delay, of a copy from the run before, or of a
    server that cannot answer. What a host asks of us stands in the archive, and outlives the run; a spider without an
    archive (`redline add`) learns it anew.
    """

    def __init__(self, crawler: Crawler) -> None:
        settings = crawler.settings
        self._crawler = crawler
        self._obeys = settings.getbool("ROBOTSTXT_OBEY")
        self._agent: str = settings["ROBOTSTXT_USER_AGENT"]
        self._least_delay = settings.getfloat("DOWNLOAD_DELAY")
        self._most_delay = settings.getfloat("CRAWL_DELAY_MAX")
        self._left = settings.getint("MAX_REQUESTS") or None
        self._per_host = None if settings.getbool("CRAWL_EVERYTHING") else settings.getint("HOST_MAX_REQUESTS") or None
        self._asked: Counter[str] = Counter()  # requests of this run, by host
        self._hosts: dict[str, Host] = {}  # where there is no archive
        self._rules: dict[str, Protego] = {}
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._robots_asked: set[str] = set()
        self._robots_refused: dict[str, str] = {}  # by us, in this run: by host, why
        self._unanswered: Counter[str] = Counter()  # requests in a row that brought no answer, by host
        self._last_answer = -math.inf  # of any host, by the monotonic clock
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Manners:
        manners = cls(crawler)
        crawler.signals.connect(manners._rest, signals.response_downloaded)
        crawler.signals.connect(manners._linger, signals.spider_closed)
        return manners

    async def process_request(self, request: Request) -> Request | None:
        parts = urlsplit(request.url)
        name = parts.netloc
        # A redirect to another host carries the slot of the first along.
        request.meta["download_slot"] = parts.hostname
        if self._rests_shortly(name, parts.hostname):
            return request
        if self._obeys and not request.meta.get("dont_obey_robotstxt"):
            await self._obey(name, request)
            if self._is_at_rest(parts.hostname) and not request.meta.get("queued_again"):
                # Its robots.txt just asked for a long delay: to wait for that in the queue, not in the downloader.
                request.meta["queued_again"] = True
                return request
        self._wait_if_asked(name)
        self._spend(name)
        return None

    def process_response(self, request: Request, response: Response) -> Response:
        name = urlsplit(request.url).netloc
        self._unanswered[name] = 0
        if response.status in (429, 503):
            now = _now()
            said = response.headers.get("Retry-After")
            wish = manners.retry_after(said.decode("latin-1") if said else None, now)
            self._keep(
                manners.turned_away(self._host(name), now, said=f"the server answered {response.status}", wish=wish)
            )
        return response

    def process_exception(self, request: Request, exception: Exception) -> None:
        """Leave a host alone that answers nothing: else each of its articles would take its time to find that out."""
        if not isinstance(exception, (DownloadFailedError, CannotResolveHostError, DownloadConnectionRefusedError)):
            return
        # What brought nothing before says nothing of the host now: such articles are the longest overdue, and first.
        if (article := request.cb_kwargs.get("article")) is not None and article.is_failing:
            return
        name, now = urlsplit(request.url).netloc, _now()
        self._unanswered[name] += 1
        if self._unanswered[name] >= _UNANSWERED_IN_A_ROW and not manners.is_waiting(self._host(name), now):
            said = f"no answer came to {_UNANSWERED_IN_A_ROW} requests in a row"
            self._keep(manners.turned_away(self._host(name), now, said=said))

    async def _obey(self, name: str, request: Request) -> None:
        """Refuse what the host's robots.txt forbids, or everything where that cannot be had (RFC 9309)."""
        url = request.url
        async with self._turns[name]:  # the others wait for the one that asks for robots.txt
            self._wait_if_asked(name)
            if name not in self._robots_asked:
                if manners.needs_robots(self._host(name), _now()):
                    began = monotonic()
                    try:
                        await self._ask_for_robots(name, request)
                    except Refused as error:
                        self._robots_refused[name] = str(error)
                    finally:
                        request.meta["visit_seconds"] = request.meta.get("visit_seconds", 0.0) + monotonic() - began
                self._robots_asked.add(name)
                self._slow_down(name)
        if name in self._robots_refused:
            raise Refused(f"its robots.txt cannot be had: {self._robots_refused[name]}")
        host = self._host(name)
        if manners.is_closed(host, _now()):
            raise Refused(f"its robots.txt cannot be had ({host.backoff_reason}), so nothing is asked of {name}")
        if not self._rules[name].can_fetch(url, self._agent):
            raise Refused("its robots.txt does not allow it")

    async def _ask_for_robots(self, name: str, visit: Request) -> None:
        """Raises Refused if we do not ask for it or do not take it. The time that it takes is the visit's."""
        request = Request(
            f"{urlsplit(visit.url).scheme}://{name}/robots.txt",
            callback=NO_CALLBACK,
            meta={
                "dont_obey_robotstxt": True,
                "download_maxsize": _ROBOTS_MAX_BYTES,
                "size_setting": "no robots.txt is",
                "visit_seconds": visit.meta.get("visit_seconds", 0.0),
            },
        )
        status, text, said = None, "", ""
        assert self._crawler.engine
        try:
            response = await self._crawler.engine.download_async(request)
        except (Refused, Postponed):
            raise
        except IgnoreRequest:
            status = 404  # led around in a circle: RFC 9309, 2.3.1.2 takes it as there being none
        except Exception as error:
            said = str(error) if isinstance(error, NoAnswer) else f"{type(error).__name__}: {error}"
        else:
            status, said = response.status, f"the server answered {response.status}"
            text = response.body.decode("utf-8-sig", errors="replace")
        now = _now()
        host = manners.with_robots(self._host(name), now, status=status, text=text, agent=self._agent)
        # Where a copy is known and the server at least answers, the visits go on by that copy.
        if (status is None or manners.is_closed(host, now)) and not manners.is_waiting(host, now):
            host = manners.turned_away(host, now, said=said)
        self._keep(host)

    def _slow_down(self, name: str) -> None:
        """Leave as much time between two requests to a host as its robots.txt asks for."""
        host = self._host(name)
        self._rules[name] = Protego.parse(host.robots or "")
        assert self._crawler.engine
        downloader = self._crawler.engine.downloader
        key = urlsplit(f"//{name}").hostname or ""
        own = downloader.per_slot_settings.get(key, {})
        least = max(self._least_delay, float(own.get("delay", 0)))
        seconds, reason = manners.delay(host, least=least, most=self._most_delay)
        # For slots to come (Scrapy throws away those that were idle for a minute), and for the one at work.
        downloader.per_slot_settings[key] = own | {"delay": seconds}
        if key in downloader.slots:
            downloader.slots[key].delay = seconds
        if reason != host.delay_reason:
            self._keep(replace(host, delay_reason=reason))

    def _rest(self, request: Request) -> None:
        """Count a host's delay from its answer on. Scrapy counts from when it meant to send the request, which may be
        late while a page is being read: then the server saw two requests in less than the delay.
        """
        assert self._crawler.engine
        if slot := self._crawler.engine.downloader.slots.get(request.meta["download_slot"]):
            slot.lastseen = self._last_answer = monotonic()

    async def _linger(self) -> None:
        """End no sooner than the next run may ask: a host's delay holds between two runs as well."""
        left = self._last_answer + self._least_delay - monotonic()
        await asyncio.sleep(min(max(0.0, left), _LOOKS_AHEAD_SECONDS))

    def _is_at_rest(self, key: str | None) -> bool:
        assert self._crawler.engine
        slot = self._crawler.engine.downloader.slots.get(key or "")
        return slot is not None and not is_ready(slot)

    def _rests_shortly(self, name: str, key: str | None) -> bool:
        """Whether a host asked for a wait so short that it is waited for in the queue, where other hosts go on."""
        assert self._crawler.engine
        host, slot = self._host(name), self._crawler.engine.downloader.slots.get(key or "")
        left = (host.backoff_until - _now()).total_seconds() if host.backoff_until else 0.0
        if slot is None or not 0 < left <= _SHORT_WAIT_SECONDS:
            return False
        slot.lastseen = max(slot.lastseen, monotonic() + left)
        return True

    def _wait_if_asked(self, name: str) -> None:
        host = self._host(name)
        if manners.is_waiting(host, _now()):
            raise Postponed(f"{name} asked us to wait until {host.backoff_until:%Y-%m-%d %H:%M} UTC")

    def _spend(self, name: str) -> None:
        """Count a request. Raises Postponed if the run, or its share for the host, is spent."""
        if self._per_host is not None and self._asked[name] >= self._per_host:
            raise Postponed(f"{name} had its {self._per_host} requests of this run (HOST_MAX_REQUESTS)")
        if self._left is not None:
            if self._left == 0:
                self._end_run()
                raise Postponed("the run had its requests (MAX_REQUESTS)")
            self._left -= 1
        self._asked[name] += 1

    def _end_run(self) -> None:
        assert self._crawler.engine
        if self._ending is None:
            closing = self._crawler.engine.close_spider_async(reason="its requests were spent")
            self._ending = asyncio.get_running_loop().create_task(closing)

    def _host(self, name: str) -> Host:
        # The archive also learns of hosts by what visits show, so none is kept here beside it.
        if archive := getattr(self._crawler.spider, "archive", None):
            known: Host = archive.host(name)
            return known
        return self._hosts.get(name) or Host(name=name)

    def _keep(self, host: Host) -> None:
        if archive := getattr(self._crawler.spider, "archive", None):
            archive.keep_host(host)
        else:
            self._hosts[host.name] = host


class HostQueue(DownloaderAwarePriorityQueue):
    """Hands out a request only when its host can take it within seconds.

    Scrapy hands out as many as CONCURRENT_REQUESTS, to wait in the downloader for their host's delay: there neither a
    429 nor the end of the run could hold them back, and one slow host would leave no room for the others.
    """

    def __init__(self, crawler: Crawler, *arguments: object, **named: object) -> None:
        super().__init__(crawler, *arguments, **named)  # type: ignore[arg-type]
        self._downloader_interface = _Downloader(crawler)
        self._at_once = crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN") or 1

    def pop(self) -> Request | None:
        if all(active >= self._at_once for active, _ in self._downloader_interface.stats(self.pqueues)):
            return None
        return super().pop()


class _Downloader(DownloaderInterface):
    """Counts what each slot is at work on, robots.txt and what waits for that too; a slot at rest counts as full.

    So does one more host that has not answered yet, while half of all requests are with such: a feed that lists two
    thousand hosts, none of which answers, leaves the other half to those that do.
    """

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        self._strangers_at_once = max(1, crawler.settings.getint("CONCURRENT_REQUESTS") // 2)
        self._known: set[str] = set()  # hosts that answered in this run
        crawler.signals.connect(self._note_answer, signals.response_downloaded)

    def stats(self, possible_slots: Iterable[str]) -> list[tuple[int, str]]:
        active = Counter(map(self.get_slot_key, self.downloader.active))
        strangers = sum(count for slot, count in active.items() if slot not in self._known)
        takes_strangers = strangers < self._strangers_at_once
        return [
            (active[slot] if self._is_ready(slot) and (takes_strangers or slot in self._known) else _FULL, slot)
            for slot in possible_slots
        ]

    def _note_answer(self, request: Request) -> None:
        self._known.add(self.get_slot_key(request))

    def _is_ready(self, key: str) -> bool:
        return key not in self.downloader.slots or is_ready(self.downloader.slots[key])


def is_ready(slot: Slot) -> bool:
    """Return whether a host can be asked within seconds: the time that is left between two requests to it is over."""
    return slot.lastseen + slot.delay - monotonic() <= _LOOKS_AHEAD_SECONDS


# A Retry-After up to that is no reason to leave a host until the next run, which may be a quarter of an hour away.
_SHORT_WAIT_SECONDS = 60.0
# Scrapy looks for more to do when an answer has come, and every 5 seconds.
_LOOKS_AHEAD_SECONDS = 5.0
_FULL = 1_000_000
# An article may hang, two may; a host of which three in a row say nothing, that did before or are new, hangs itself.
_UNANSWERED_IN_A_ROW = 3
# RFC 9309, 2.5, asks for 500 KiB at least; what is longer than this is no robots.txt.
_ROBOTS_MAX_BYTES = 4 * 2**20


def _without_secrets(*arguments: Any, **named: Any) -> logging.LogRecord:
    """Make a log line as Python does, without the secrets of the addresses in it."""
    line = logging.LogRecord(*arguments, **named)
    line.msg, line.args = urls.without_secrets(line.getMessage()), ()
    if line.exc_info:
        line.exc_text = urls.without_secrets("".join(traceback.format_exception(*line.exc_info)).rstrip())
    return line


def _now() -> datetime:
    return datetime.now(UTC)


def _refused(host: str, address: str) -> Refused:
    stands_for = "" if host == address else f" stands for {address}, which"
    return Refused(
        f"{host}{stands_for} is not a public address; if it is yours to crawl, open its network:"
        f" REDLINE_ALLOW_NETWORKS={address}/{32 if '.' in address and ':' not in address else 128}"
    )


def _as_number(host: str) -> str | None:
    """Return the IP address that a host is written as, in any notation that a resolver takes (0x7f.1, 017700000001)."""
    if ":" in host:
        return host
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except (OSError, UnicodeEncodeError):
        return None
