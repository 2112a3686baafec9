"""A press to be crawled, in a process of its own: each host a loopback address with a feed of its articles.

    with Press(lambda number, is_edited: ..., articles=400) as press:
        press.feeds, press.articles()       # addresses
        press.validates = False             # from now on no validators and no 304
        press.is_edited = True              # from now on every page in its second state
        press.served                        # articles answered until now, 304 too

Its CPU is not that of who asks. Answers are compressed as a server does it; pages are made once where they fit.
"""

from __future__ import annotations

import asyncio
import gzip
import multiprocessing
from collections.abc import Callable
from ctypes import c_bool, c_int
from email.utils import formatdate
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Self

HOSTS = 16
_KEPT_PAGES = 1000  # answers that are kept, compressed; more are made again each time
_ATTEMPTS = 20
_HEADERS_END = b"\r\n\r\n"

# The page of an article, in its first state or its second.
Make = Callable[[int, bool], bytes]


class Press:
    """Serves articles 0 to `articles` - 1, spread over the hosts, while the block runs. `make` must be picklable."""

    def __init__(self, make: Make, *, articles: int) -> None:
        self.count = articles
        context = multiprocessing.get_context("spawn")
        self._state = context.Array(c_bool, [True, False])
        self._served = context.Value(c_int, 0)
        self._told, tell = context.Pipe(duplex=False)
        self._process = context.Process(
            target=_serve, args=(make, articles, self._state, self._served, tell), daemon=True
        )

    def __enter__(self) -> Self:
        self._process.start()
        self.port: int = self._told.recv()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.join()

    @property
    def feeds(self) -> list[str]:
        return [f"http://{_host(number)}:{self.port}/feed.xml" for number in range(min(HOSTS, self.count))]

    def articles(self) -> list[str]:
        return [f"http://{_host(number)}:{self.port}{_path(number)}" for number in range(self.count)]

    @property
    def served(self) -> int:
        return int(self._served.value)

    @property
    def validates(self) -> bool:
        return bool(self._state[0])

    @validates.setter
    def validates(self, value: bool) -> None:
        self._state[0] = value

    @property
    def is_edited(self) -> bool:
        return bool(self._state[1])

    @is_edited.setter
    def is_edited(self, value: bool) -> None:
        self._state[1] = value


def _host(number: int) -> str:
    return f"127.0.0.{2 + number % HOSTS}"


def _path(number: int) -> str:
    return f"/2026/11/an-article-of-the-press-{number}"


def _serve(make: Make, articles: int, state: list[bool], served: object, tell: Connection) -> None:
    asyncio.run(_listen(_Site(make, articles, state, served), tell))


async def _listen(site: _Site, tell: Connection) -> None:
    loop = asyncio.get_running_loop()
    hosts = [_host(number) for number in range(HOSTS)]
    for attempt in range(_ATTEMPTS):
        servers = []
        try:
            servers.append(await loop.create_server(lambda: _Connection(site), hosts[0], 0))
            port = servers[0].sockets[0].getsockname()[1]
            servers += [await loop.create_server(lambda: _Connection(site), host, port) for host in hosts[1:]]
        except OSError:  # the port is taken on one of the addresses
            for server in servers:
                server.close()
            if attempt == _ATTEMPTS - 1:
                raise
        else:
            tell.send(port)
            break
    await asyncio.Event().wait()


class _Site:
    """What is answered to whom."""

    def __init__(self, make: Make, articles: int, state: list[bool], served: object) -> None:
        self.make, self.articles, self.state, self.served = make, articles, state, served
        self.kept: dict[tuple[int, bool], bytes] = {}

    def answer(self, path: str, headers: bytes) -> bytes:
        validates, is_edited = self.state
        if path == "/robots.txt":
            return _answer(404, b"")
        if path.startswith("/feed.xml?"):
            return _answer(200, self._feed(int(path.partition("?")[2])), kind="application/rss+xml")
        number = path.rpartition("-")[2]
        if not number.isdecimal():
            return _answer(404, b"")
        self.served.value += 1  # type: ignore[attr-defined]
        said = f'ETag: "{number}-{int(is_edited)}"\r\n' if validates else ""
        if said and f"if-none-match: {said[6:].strip()}".encode() in headers.lower():
            return _answer(304, b"", said)
        return _answer(200, self._packed(int(number), is_edited), said, is_packed=True)

    def _packed(self, number: int, is_edited: bool) -> bytes:
        known = self.kept.get((number, is_edited))
        if known is None:
            known = gzip.compress(self.make(number, is_edited), 1 if self.articles > _KEPT_PAGES else 6)
            if self.articles <= _KEPT_PAGES:
                self.kept[number, is_edited] = known
        return known

    def _feed(self, host: int) -> bytes:
        items = "".join(
            f"<item><title>Article {number}</title><link>{_path(number)}</link><guid>{number}</guid></item>"
            for number in range(host, self.articles, HOSTS)
        )
        return f'<rss version="2.0"><channel><title>Press {host}</title><link>/</link>{items}</channel></rss>'.encode()


class _Connection(asyncio.Protocol):
    """One connection, kept open between requests; requests have no body."""

    def __init__(self, site: _Site) -> None:
        self.site = site
        self.came = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.came += data
        while _HEADERS_END in self.came:
            head, _, self.came = self.came.partition(_HEADERS_END)
            path = head.split(b" ", 2)[1].decode("ascii")
            if path == "/feed.xml":
                host = self.transport.get_extra_info("sockname")[0]
                path += f"?{int(host.rpartition('.')[2]) - 2}"
            self.transport.write(self.site.answer(path, head + b"\r\n"))


def _answer(status: int, body: bytes, headers: str = "", *, kind: str = "text/html", is_packed: bool = False) -> bytes:
    reason = {200: "OK", 304: "Not Modified", 404: "Not Found"}[status]
    if is_packed:
        headers += "Content-Encoding: gzip\r\n"
    return (
        f"HTTP/1.1 {status} {reason}\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: {kind}; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\nVary: Accept-Encoding\r\n{headers}\r\n"
    ).encode() + body
