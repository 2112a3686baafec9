"""Taking off what an answer is packed in (Content-Encoding, a sitemap's .gz): bounded in size, layers and work.

Scrapy's own unpacking takes what was cut short for the whole, takes off any number of layers, and needs 6.7 seconds of
CPU for 8 MiB of empty zstd frames.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import brotli
import zstandard

# What we ask for. Servers send one layer, or two where a proxy packs what was packed already.
ACCEPTED = ("gzip", "deflate", "br", "zstd")
MAX_LAYERS = 2
# A gzip or zstd body may be several streams in a row. Those of parallel packers hold 64 KiB and more: 512 in 32 MiB.
MAX_STREAMS = 1024

# A stream is fed in steps, so that what one step can make of them stays under 5 MiB: deflate makes 1,032 bytes of one,
# zstd 128 KiB of four.
_DEFLATE_STEP_BYTES = 4096
_ZSTD_STEP_BYTES = 128
# RFC 9659: zstd on the web may ask for no larger window.
_ZSTD_WINDOW_BYTES = 8 * 2**20
_BROTLI_PIECE_BYTES = 64 * 1024


class TooLarge(Exception):
    """What is packed is larger than the limit."""


class Damaged(Exception):
    """What came is cut short, broken, or packed so as to cost work; the message says which."""


def unpacked(body: bytes, layers: Sequence[str], *, max_bytes: int) -> bytes:
    """Return what a body holds. `layers` are the names of its packings in the order in which they were put on.

    Raises `TooLarge` as soon as a layer is larger than `max_bytes`, and `Damaged` where a stream does not come to its
    end: half a page is no page. An empty body is empty. Unknown names (`identity`, `utf-8` and other slips of servers)
    are taken as none.
    """
    known = [name for name in layers if name in _UNPACK] if body else []
    if len(known) > MAX_LAYERS:
        raise Damaged(f"it is packed {len(known)} times over; {MAX_LAYERS} layers are taken off")
    for name in reversed(known):
        body = _UNPACK[name](body, max_bytes)
    return body


def _gzip(body: bytes, max_bytes: int) -> bytes:
    return _streams(body, max_bytes, "gzip", lambda: zlib.decompressobj(31), _DEFLATE_STEP_BYTES, b"\x1f\x8b")


def _deflate(body: bytes, max_bytes: int) -> bytes:
    # RFC 9110 means zlib's format by the name; some servers send the bare stream. The header tells (RFC 1950, 2.2).
    has_header = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    wbits = 15 if has_header else -15
    return _streams(body, max_bytes, "deflate", lambda: zlib.decompressobj(wbits), _DEFLATE_STEP_BYTES, None)


def _zstd(body: bytes, max_bytes: int) -> bytes:
    unpacker = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES)
    return _streams(body, max_bytes, "zstd", unpacker.decompressobj, _ZSTD_STEP_BYTES, b"\x28\xb5\x2f\xfd")


def _streams(
    body: bytes, max_bytes: int, name: str, opened: Callable[[], Any], step_bytes: int, mark: bytes | None
) -> bytes:
    """Unpack the streams of a body; after the first, only what starts with `mark` is one: the rest is padding."""
    found, size, at = [], 0, 0
    for _ in range(MAX_STREAMS):
        stream = opened()
        while not stream.eof:
            if at >= len(body):
                raise Damaged(f"its {name} data is cut short")
            try:
                found.append(stream.decompress(body[at : at + step_bytes]))
            except (zlib.error, zstandard.ZstdError) as error:
                raise Damaged(f"its {name} data is damaged ({error})") from error
            size += len(found[-1])
            if size > max_bytes:
                raise TooLarge
            at = min(at + step_bytes, len(body))
        at -= len(stream.unused_data)
        if mark is None or not body.startswith(mark, at):
            return b"".join(found)
    raise Damaged(f"it is more than {MAX_STREAMS} {name} streams in a row")


def _brotli(body: bytes, max_bytes: int) -> bytes:
    stream, found, size, rest = brotli.Decompressor(), [], 0, body
    try:
        while not stream.is_finished():
            piece = stream.process(rest, output_buffer_limit=_BROTLI_PIECE_BYTES)
            rest = b""
            found.append(piece)
            size += len(piece)
            if size > max_bytes:
                raise TooLarge
            if not piece and not stream.is_finished() and stream.can_accept_more_data():
                raise Damaged("its br data is cut short")
    except brotli.error as error:
        raise Damaged(f"its br data is damaged ({error})") from error
    return b"".join(found)


_UNPACK: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstd,
}
