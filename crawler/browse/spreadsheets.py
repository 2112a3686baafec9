"""Datasette's CSV of an archive, made safe to open in a spreadsheet: a headline that begins with `=` is no formula.

A cell of text that begins as a formula does gets an apostrophe in front, as OWASP advises. JSON has it as it is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

# OWASP's list; the wide signs are read as the narrow ones where spreadsheets are Chinese or Japanese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Callable[[], Awaitable[Message]], Send], Awaitable[None]]


def guard(app: App, is_archive: Callable[[str], bool]) -> App:
    """Return `app` with guarded CSV of the databases that are archives; `is_archive` takes a segment of a path."""

    async def guarded(scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Message]], send: Send) -> None:
        path = scope.get("path", "")
        if not path.endswith(".csv"):
            await app(scope, receive, send)
            return
        segments = path.removesuffix(".csv").split("/")
        waiting = b""

        async def send_guarded(message: Message) -> None:
            nonlocal waiting
            # Asked only here: what is an archive is known once Datasette has started, with the first request at latest.
            if message["type"] == "http.response.body" and any(map(is_archive, segments)):
                waiting += message.get("body", b"")
                is_last = not message.get("more_body", False)
                # Rows come whole, but for a line break inside a cell: a quotation mark is open then.
                if is_last or (waiting.endswith(b"\n") and waiting.count(b'"') % 2 == 0):
                    message = dict(message, body=rows(waiting))
                    waiting = b""
                else:
                    message = dict(message, body=b"")
            await send(message)

        await app(scope, receive, send_guarded)

    return guarded


def rows(text: bytes) -> bytes:
    """Return rows of CSV with no cell that a spreadsheet takes for a formula."""
    written = io.StringIO()
    writer = csv.writer(written)
    for row in csv.reader(io.StringIO(text.decode("utf-8"), newline="")):
        writer.writerow([f"'{cell}" if _is_formula(cell) else cell for cell in row])
    return written.getvalue().encode("utf-8")


def _is_formula(cell: str) -> bool:
    if not cell.startswith(_FORMULA):
        return False
    try:
        float(cell)
    except ValueError:
        return True
    return False
