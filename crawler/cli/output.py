"""What the commands share when they speak to a person: plain words, times, tables. Nothing archived is trusted."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from crawler.diff import render

_UNITS = (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def plain(text: str | None) -> str:
    """Return a text of others with control characters and bidi overrides shown: it cannot act on a terminal."""
    return render._printable(text or "").replace("\n", " ")


def count(number: int, noun: str) -> str:
    """Return `1 article`, `2 articles`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago, or in how long, as a person says it: `3 hours ago`, `in 15 minutes`, `never`."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    for unit, size in _UNITS:
        if abs(seconds) >= size:
            span = count(round(abs(seconds) / size), unit)
            return f"{span} ago" if seconds > 0 else f"in {span}"
    return "just now" if seconds >= 0 else "in a moment"


def between(after: datetime | None, first_seen: datetime) -> str:
    """Return when something appeared, as what we know of it: an interval between two visits, in UTC."""
    if after is None:
        return f"first seen {stamp(first_seen)}"
    if first_seen - after < timedelta(days=1) and after.date() == first_seen.date():
        return f"{after:%Y-%m-%d} between {after:%H:%M} and {first_seen:%H:%M} UTC"
    return f"between {stamp(after)} and {stamp(first_seen)}"


def stamp(moment: datetime) -> str:
    """Return `2026-03-01 12:00 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Sequence[int] = ()) -> str:
    """Return rows in columns, as wide as they need to be; columns in `numbers` to the right. Wide letters count two."""
    from rich.cells import cell_len

    cells = [tuple(head), *map(tuple, rows)]
    widths = [max(cell_len(row[i]) for row in cells) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        padded = (
            " " * (width - cell_len(cell)) + cell if i in numbers else cell + " " * (width - cell_len(cell))
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        return "  ".join(padded).rstrip()

    return "\n".join(map(line, cells))


def is_coloured() -> bool:
    """Return whether to use colour: on a terminal, unless NO_COLOR is set (no-color.org)."""
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width() -> int:
    """Return the columns to fill: the terminal's, at most 100 for legible lines; 100 elsewhere."""
    import shutil

    return min(shutil.get_terminal_size((100, 24)).columns, 100) if sys.stdout.isatty() else 100
