"""What a request must pass before it leaves: http or https, to a public address, on every hop."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from scrapy.exceptions import IgnoreRequest
from scrapy.resolver import CachingThreadedResolver

from crawler import addresses, urls

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from twisted.internet.base import ReactorBase
    from twisted.internet.defer import Deferred


class Refused(IgnoreRequest):
    """We do not ask, or do not take the answer; the message says why and which setting would change it."""


class AddressGuard:
    """Refuses requests that are not http(s), or whose URL names a private address by number.

    Names are judged when they are resolved (`GuardedResolver`): the address that is checked is the one connected to.
    """

    def __init__(self, allowed: tuple[addresses.Network, ...]) -> None:
        self._allowed = allowed

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AddressGuard:
        return cls(addresses.networks(crawler.settings["ALLOW_NETWORKS"]))

    def process_request(self, request: Request) -> None:
        if urls.clean(request.url) is None:
            raise Refused(f"{request.url} is not a plain http or https address")
        host = urlsplit(request.url).hostname or ""
        number = _as_number(host)
        if number is not None and not addresses.is_allowed(number, self._allowed):
            raise _refused(host, number)


class GuardedResolver(CachingThreadedResolver):
    """Scrapy's resolver, which refuses names that stand for private addresses: nothing is ever connected to there."""

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
            raise _refused(name, address)
        return address


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
