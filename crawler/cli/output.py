"""What the commands share when they speak to a person: plain words, times, tables. Nothing archived is trusted."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TypeVar

from crawler import urls
from crawler.diff import render

T = TypeVar("T")

# JSON itself escapes those below the space. Line separators, which some readers of lines take for line ends, too.
_ACTING = re.compile("[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

_UNITS = (("year", 365 * 86400), ("day", 86400), ("hour", 3600), ("minute", 60))


def plain(text: str | None) -> str:
    """Return a text of others with control characters and bidi overrides shown: it cannot act on a terminal."""
    return render.printable(text or "").replace("\n", " ")


def shown_url(text: str | None) -> str:
    """Return an address, or a sentence that may hold one, as `plain` does and without its secrets."""
    return plain(urls.without_secrets(text or ""))


def as_json(value: object, *, indent: int | None = None) -> str:
    """Return JSON with every script as it is, and what could act on a terminal escaped: it may end up on one."""
    return _ACTING.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(value, ensure_ascii=False, indent=indent))


def count(number: int, noun: str) -> str:
    """Return `1 article`, `2 articles`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def lasting(span: timedelta) -> str:
    """Return a span of time as a person says it: `3 hours`, `less than a minute`."""
    seconds = abs(span.total_seconds())
    for unit, size in _UNITS:
        if seconds >= size:
            return count(round(seconds / size), unit)
    return "less than a minute"


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago, or in how long, as a person says it: `3 hours ago`, `in 15 minutes`, `never`."""
    if moment is None:
        return "never"
    span = now - moment
    if abs(span) < timedelta(minutes=1):
        return "just now" if span >= timedelta(0) else "in a moment"
    return f"{lasting(span)} ago" if span > timedelta(0) else f"in {lasting(span)}"


def between(after: datetime | None, first_seen: datetime) -> str:
    """Return when something appeared, as what we know of it: an interval between two visits, in UTC."""
    if after is None:
        return f"first seen {stamp(first_seen)}"
    if after.date() == first_seen.date():
        clock = "%H:%M" if first_seen - after >= timedelta(minutes=2) else "%H:%M:%S"
        return f"{after:%Y-%m-%d} between {after:{clock}} and {first_seen:{clock}} UTC"
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


def progress(what: str, steps: Iterable[T], *, total: int | None = None) -> Iterator[T]:
    """Pass `steps` on, with a bar on standard error while they run, on a terminal only; `total` is how many there are.

    With a rate, and with the time that is left where the total is known.
    """
    with bar(what) as tell:
        for done, step in enumerate(steps, 1):
            tell(done, total)
            yield step


@contextmanager
def bar(what: str) -> Iterator[Callable[[int, int | None], None]]:
    """Show a bar on standard error while a block runs, on a terminal only; call what is given with (done, total)."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    name, rate = TextColumn("[bold]{task.description}"), TextColumn("{task.fields[rate]}")
    columns = (name, BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn())
    # What a command prints meanwhile stands above the bar, and goes where standard output goes.
    redirect = sys.stdout.isatty()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=redirect) as drawn:
        task = drawn.add_task(what, total=None, rate="")

        def tell(done: int, total: int | None) -> None:
            speed = drawn.tasks[0].speed
            drawn.update(task, completed=done, total=total, rate=f"{speed:,.0f}/s" if speed else "")

        yield tell


def is_coloured() -> bool:
    """Return whether to use colour: on a terminal, unless NO_COLOR is set (no-color.org)."""
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def width() -> int:
    """Return the columns to fill: the terminal's, at most 100 for legible lines; 100 elsewhere."""
    import shutil

    return min(shutil.get_terminal_size((100, 24)).columns, 100) if sys.stdout.isatty() else 100
