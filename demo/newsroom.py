"""The server: each outlet on a loopback address of its own, with validators, gzip, keep-alive and scripted faults.

    with Newsroom() as newsroom:
        newsroom.round = 1                                        # what the outlets show now, 0 to 3
        newsroom.url("courier", "/feed.xml")                      # http://127.0.0.2:41234/feed.xml
        newsroom.fault("/feed.xml", status=503, headers={"Retry-After": "1"}, times=2)
        extra = newsroom.page("/extra/", "<h1>A page of the test's own</h1>")
        [request.status for request in newsroom.asked("/feed.xml")]

One thread serves all of it, and nothing is left open when the block ends.
"""

from __future__ import annotations

import asyncio
import errno
import gzip
import hashlib
import http.client
import io
import socket
import ssl
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Self

from . import pages
from .press import OPENING, OUTLETS, ROUND_LENGTH, ROUNDS, Edit, Outlet, load

BACKLOG = 128
PORT_ATTEMPTS = 20  # a free port of one address may be taken on the next


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came. `time` is monotonic seconds; `path` has the query; `headers` have names in lower case.

    `status` is what was decided on arrival, and 0 where a fault answers nothing at all.
    """

    time: float
    outlet: str
    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    status: int


@dataclass(slots=True, kw_only=True)
class _Fault:
    """What goes wrong at a path, and how many times yet; None for every time."""

    path: str
    outlet: str | None
    left: int | None
    status: int | None
    headers: Mapping[str, str]
    body: bytes | None
    delay: float
    close: bool
    reset: bool
    truncate: bool
    raw: bytes | None
    endless: bytes
    drip: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """What a path gives, before conditions and encodings; `modified` is None where no validators are sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    modified: datetime | None = None


@dataclass(slots=True)
class _Site:
    outlet: Outlet | None
    socket: socket.socket
    base: str
    own: dict[str, _Reply] = field(default_factory=dict)
    printed: dict[tuple[str, int], pages.Answer] = field(default_factory=dict)


class Newsroom:
    """A press to crawl. `outlets` are names of `press.OUTLETS`; with none there is one bare site, "", for own pages.

    Each outlet has an address of its own, 127.0.0.2 and on, all on `port` (0: any that is free). With `host`, and where
    the machine has no other loopback address than 127.0.0.1 (macOS), each has a port of its own on that address. With
    `tls`, all of it is https, with the certificate that the context holds. `bare` are further sites without an outlet.
    """

    def __init__(
        self,
        outlets: Sequence[str] = OUTLETS,
        host: str | None = None,
        port: int = 0,
        *,
        bare: Sequence[str] = (),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.requests: list[Request] = []
        self._outlets = {name: load(name) for name in outlets}
        self._bare = tuple(bare)
        self._tls = tls
        self._host = host
        self._port = port
        self._round = 0
        self._sites: dict[str, _Site] = {}
        self._faults: list[_Fault] = []
        self._pages_made = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._closing = asyncio.Event()

    # ------------------------------------------------------------------------------------------ for its users

    @property
    def outlets(self) -> list[Outlet]:
        return list(self._outlets.values())

    @property
    def truth(self) -> list[Edit]:
        """Every edit that the rounds will show, by round: what an archive must hold, and nothing else."""
        edits = [edit for outlet in self._outlets.values() for edit in outlet.edits()]
        return sorted(edits, key=lambda edit: edit.round)

    @property
    def round(self) -> int:
        return self._round

    @round.setter
    def round(self, number: int) -> None:
        if not 0 <= number < ROUNDS:
            raise ValueError(f"there are rounds 0 to {ROUNDS - 1}, not {number}")
        self._round = number

    def url(self, outlet: str, path: str = "/") -> str:
        return self._sites[outlet].base + path

    def feed(self, outlet: str) -> str:
        """Return the URL of the outlet's feed."""
        path: str = self._outlets[outlet].config["feed"]["path"]
        return self.url(outlet, path)

    def asked(self, path: str, outlet: str | None = None) -> list[Request]:
        """Return the requests for a path, whatever its query, in the order of their arrival."""
        return [
            request
            for request in self.requests
            if request.path.partition("?")[0] == path and outlet in (None, request.outlet)
        ]

    def page(
        self,
        path: str,
        body: str | bytes,
        *,
        outlet: str | None = None,
        status: int = 200,
        content_type: str = pages.HTML,
        headers: Mapping[str, str] | None = None,
        validators: bool = True,
    ) -> str:
        """Let a path give a body of the caller's in every round, and return its URL. A second call replaces the first.

        `outlet` is the first one unless given. A path may have a query, and then stands for that query alone; an
        outlet's own path may be replaced (`/robots.txt`). A redirect is a status and a `Location`.
        """
        name = next(iter(self._sites)) if outlet is None else outlet
        self._pages_made += 1
        self._sites[name].own[path] = _Reply(
            status=status,
            headers={"Content-Type": content_type, **(headers or {})},
            body=body.encode() if isinstance(body, str) else body,
            modified=OPENING + timedelta(seconds=self._pages_made) if validators and status == 200 else None,
        )
        return self.url(name, path)

    def fault(
        self,
        path: str,
        *,
        outlet: str | None = None,
        times: int | None = None,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        delay: float = 0.0,
        close: bool = False,
        reset: bool = False,
        truncate: bool = False,
        raw: bytes | None = None,
        endless: bytes = b"",
        drip: float = 0.0,
    ) -> None:
        """Let the next `times` requests for a path go wrong (None: all, until `mend`), at every outlet unless given.

        `status`, `headers` and `body` replace those of the true answer, in part or whole. `delay` is seconds before
        anything is sent. `close` ends the connection without an answer, `reset` does so with a TCP reset, `truncate`
        does after half of the body that Content-Length has promised. `raw` is sent in place of the whole answer, head
        and body, to the letter; behind it `endless` is sent again and again until the client has enough, and without
        that the connection ends. `drip` is seconds between two bytes of all that is sent. Faults of one path are played
        in order.
        """
        self._faults.append(
            _Fault(
                path=path,
                outlet=outlet,
                left=times,
                status=status,
                headers=headers or {},
                body=body.encode() if isinstance(body, str) else body,
                delay=delay,
                close=close,
                reset=reset,
                truncate=truncate,
                raw=raw,
                endless=endless,
                drip=drip,
            )
        )

    def mend(self, path: str | None = None) -> None:
        """Take back the faults of a path; of all paths unless given."""
        self._faults = [fault for fault in self._faults if path is not None and fault.path != path]

    # ------------------------------------------------------------------------------------------ its life

    def __enter__(self) -> Self:
        names = [*self._outlets, *self._bare] or [""]
        for name, bound in zip(names, _bind(len(names), self._host, self._port), strict=True):
            host, port = bound.getsockname()
            scheme = "https" if self._tls else "http"
            self._sites[name] = _Site(self._outlets.get(name), bound, f"{scheme}://{host}:{port}")
        started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(started)), name="newsroom", daemon=True)
        self._thread.start()
        started.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._closing.set)
        self._thread.join()

    async def _serve(self, started: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        talks: set[asyncio.Task[None]] = set()
        servers = [await self._open(name, site, talks) for name, site in self._sites.items()]
        started.set()
        await self._closing.wait()
        for server in servers:
            server.close()
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        for server in servers:
            await server.wait_closed()

    async def _open(self, name: str, site: _Site, talks: set[asyncio.Task[None]]) -> asyncio.Server:
        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talk = asyncio.ensure_future(self._talk(name, site, reader, writer))
            talks.add(talk)
            talk.add_done_callback(talks.discard)

        return await asyncio.start_server(connected, sock=site.socket, backlog=BACKLOG, ssl=self._tls)

    # ------------------------------------------------------------------------------------------ one connection

    async def _talk(self, name: str, site: _Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until either side ends it."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, _, rest = head.partition(b"\r\n")
                method, target, _version = line.decode("latin-1").split(" ", 2)
                message = http.client.parse_headers(io.BytesIO(rest))
                headers = {key.lower(): value for key, value in message.items()}
                if not await self._respond(name, site, method, target, headers, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client is done
        except asyncio.CancelledError:
            writer.transport.abort()  # the newsroom closes, and waits for no client that has stopped reading
            raise
        finally:
            writer.close()

    async def _respond(
        self,
        name: str,
        site: _Site,
        method: str,
        target: str,
        headers: Mapping[str, str],
        writer: asyncio.StreamWriter,
    ) -> bool:
        """Send one answer; return whether the connection goes on."""
        arrived = time.monotonic()
        fault = self._next_fault(name, target)
        silent = fault is not None and (fault.close or fault.reset)
        reply = self._reply(site, target) if method in ("GET", "HEAD") else _error(HTTPStatus.METHOD_NOT_ALLOWED)
        reply = _spoiled(reply, fault) if fault else reply
        reply = _conditional(_encoded(reply, headers), headers)
        self.requests.append(
            Request(
                time=arrived,
                outlet=name,
                host=headers.get("host", ""),
                method=method,
                path=target,
                headers=headers,
                status=0 if silent else reply.status,
            )
        )
        if fault and fault.delay:
            await asyncio.sleep(fault.delay)
        if fault and fault.reset:
            _reset(writer)
        if silent:
            return False
        if fault and fault.raw is not None:
            await _send(writer, fault.raw, fault.drip)
            while fault.endless:
                await _send(writer, fault.endless, fault.drip)
            return False

        goes_on = headers.get("connection", "").lower() != "close" and not (fault and fault.truncate)
        sent = reply.body[: len(reply.body) // 2] if fault and fault.truncate else reply.body
        await _send(writer, _head(reply, goes_on) + (b"" if method == "HEAD" else sent), fault.drip if fault else 0.0)
        return goes_on

    def _next_fault(self, name: str, target: str) -> _Fault | None:
        path = target.partition("?")[0]
        for fault in self._faults:
            if fault.path in (target, path) and fault.outlet in (None, name) and fault.left != 0:
                if fault.left is not None:
                    fault.left -= 1
                return fault
        return None

    def _reply(self, site: _Site, target: str) -> _Reply:
        path = target.partition("?")[0]
        own = site.own.get(target) or site.own.get(path)
        if own:
            return own
        if site.outlet is None:
            return _error(HTTPStatus.NOT_FOUND)
        round = self._round
        now = self._printed(site, site.outlet, path, round)
        first = round  # in which this very answer was given
        while first and self._printed(site, site.outlet, path, first - 1) == now:
            first -= 1
        return _Reply(
            status=now.status,
            headers={"Location": now.location} if now.location else {"Content-Type": now.content_type},
            body=now.body,
            modified=OPENING + first * ROUND_LENGTH if now.status == HTTPStatus.OK else None,
        )

    def _printed(self, site: _Site, outlet: Outlet, path: str, round: int) -> pages.Answer:
        key = (path, round)
        if key not in site.printed:
            site.printed[key] = pages.answer(outlet, site.base, path, round)
        return site.printed[key]


# ---------------------------------------------------------------------------------------------------- HTTP


def _error(status: HTTPStatus) -> _Reply:
    body = f"<!doctype html><title>{status} {status.phrase}</title><h1>{status.phrase}</h1>".encode()
    return _Reply(status=status, headers={"Content-Type": pages.HTML}, body=body)


def _spoiled(reply: _Reply, fault: _Fault) -> _Reply:
    if fault.status is not None and fault.status != reply.status:
        reply = _error(HTTPStatus(fault.status))
    return _Reply(
        status=reply.status,
        headers={**reply.headers, **fault.headers},
        body=reply.body if fault.body is None else fault.body,
        modified=reply.modified if fault.body is None else None,
    )


def _encoded(reply: _Reply, asked: Mapping[str, str]) -> _Reply:
    if "gzip" not in asked.get("accept-encoding", "") or not reply.body or "Content-Encoding" in reply.headers:
        return reply
    return _Reply(
        status=reply.status,
        headers={**reply.headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"},
        body=gzip.compress(reply.body, mtime=0),
        modified=reply.modified,
    )


def _conditional(reply: _Reply, asked: Mapping[str, str]) -> _Reply:
    """Add the validators, and leave the body out where the client's copy is the same (RFC 9110, section 13)."""
    if reply.modified is None:
        return reply
    etag = f'"{hashlib.sha256(reply.body).hexdigest()[:20]}"'
    headers = {**reply.headers, "ETag": etag, "Last-Modified": format_datetime(reply.modified, usegmt=True)}
    if "if-none-match" in asked:
        known = [tag.strip().removeprefix("W/") for tag in asked["if-none-match"].split(",")]
        is_same = etag in known or "*" in known
    elif "if-modified-since" in asked:
        is_same = reply.modified <= parsedate_to_datetime(asked["if-modified-since"])
    else:
        is_same = False
    if is_same:
        kept = {name: value for name, value in headers.items() if name in ("ETag", "Last-Modified", "Vary")}
        return _Reply(status=HTTPStatus.NOT_MODIFIED, headers=kept, body=b"", modified=reply.modified)
    return _Reply(status=reply.status, headers=headers, body=reply.body, modified=reply.modified)


def _head(reply: _Reply, goes_on: bool) -> bytes:
    status = HTTPStatus(reply.status)
    lines = [
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Server: newsroom",
        "Cache-Control: no-cache",
        f"Connection: {'keep-alive' if goes_on else 'close'}",
        *(f"{name}: {value}" for name, value in reply.headers.items()),
    ]
    if status != HTTPStatus.NOT_MODIFIED:
        lines.append(f"Content-Length: {len(reply.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _send(writer: asyncio.StreamWriter, data: bytes, drip: float) -> None:
    """Send what a client takes; byte by byte if it is to drip."""
    for piece in (bytes([byte]) for byte in data) if drip else (data,):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(drip)  # 0 too: an endless answer leaves the others their turn


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST, as a crashed server or a firewall does: linger on, for no time."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


# ---------------------------------------------------------------------------------------------------- addresses


def _bind(count: int, host: str | None, port: int) -> list[socket.socket]:
    """Return bound sockets: addresses 127.0.0.2 and on with one port, or with `host` one address and many ports."""
    if host is not None:
        return [_listener(host, port + place if port else 0) for place in range(count)]
    for attempt in range(PORT_ATTEMPTS):
        bound: list[socket.socket] = []
        try:
            for place in range(count):
                bound.append(_listener(f"127.0.0.{place + 2}", bound[0].getsockname()[1] if bound else port))
        except OSError as error:
            for listener in bound:
                listener.close()
            if error.errno == errno.EADDRNOTAVAIL:
                return _bind(count, "127.0.0.1", port)
            if error.errno != errno.EADDRINUSE or port or attempt == PORT_ATTEMPTS - 1:
                raise
        else:
            return bound
    raise AssertionError("unreachable")


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)  # at once: until it listens, Linux lets another process bind the same port
    except OSError:
        listener.close()
        raise
    return listener
