"""Pictures drawn on the server: SVG whose colours come from the style sheet. Pure: values in, Markup out.

Each has its words in `<title>` and stands beside a table with the same numbers, so nothing is told by a picture alone.
Texts in them are ours: numbers and names of days.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from markupsafe import Markup

from crawler.browse.reading import Step, Visit

_CELL, _GAP = 12, 3  # of the calendar, in units of the drawing
_LEVELS = 4


def calendar(days: Sequence[tuple[date, int]]) -> Markup:
    """Return a calendar of activity: a column a week from Monday, a cell a day, darker where more was changed.

    `days` begin on a Monday. The levels are quarters of the busiest day's count.
    """
    if not days:
        return Markup()
    top, left, step = 16, 30, _CELL + _GAP
    busiest = max(count for _, count in days)
    cells = Markup().join(
        Markup('<rect class="day l{}" x="{}" y="{}" width="{}" height="{}" rx="2"><title>{}</title></rect>').format(
            _level(count, busiest),
            left + index // 7 * step,
            top + index % 7 * step,
            _CELL,
            _CELL,
            f"{day.day} {day:%b %Y}: {count:,}",
        )
        for index, (day, count) in enumerate(days)
    )
    months = Markup().join(
        Markup('<text x="{}" y="10">{}</text>').format(left + index // 7 * step, f"{day:%b}")
        for index, (day, _) in enumerate(days)
        if day.day <= 7 and index % 7 == 0
    )
    names = Markup().join(
        Markup('<text x="0" y="{}">{}</text>').format(top + row * step + 10, name)
        for row, name in ((0, "Mon"), (2, "Wed"), (4, "Fri"))
    )
    width, height = left + (len(days) + 6) // 7 * step, top + 7 * step
    total = sum(count for _, count in days)
    return _svg("calendar", width, height, f"{total:,} changes in {len(days)} days", months + names + cells)


def bars(values: Sequence[tuple[str, int, int]], title: str) -> Markup:
    """Return a horizontal bar for each (name, sure, possible): solid for what is sure, hatched for what may be."""
    most = max((sure + possible for _, sure, possible in values), default=0) or 1
    row, left, room = 26, 130, 420
    shown = Markup().join(
        Markup(
            '<text x="{}" y="{}" class="name">{}</text><rect class="sure" x="{}" y="{}" width="{}" height="16" rx="1"/>'
            '<rect class="possible" x="{}" y="{}" width="{}" height="16" rx="1"/><text x="{}" y="{}">{}</text>'
        ).format(
            *(left - 8, index * row + 17, name),
            *(left, index * row + 4, _length(sure, most, room)),
            *(left + _length(sure, most, room), index * row + 4, _length(possible, most, room)),
            *(left + _length(sure + possible, most, room) + 8, index * row + 17),
            f"{sure:,} to {sure + possible:,}" if possible else f"{sure:,}",
        )
        for index, (name, sure, possible) in enumerate(values)
    )
    return _svg("bars", left + room + 90, row * len(values) + 4, title, _HATCH + shown)


def columns(days: Sequence[tuple[date, int]], title: str) -> Markup:
    """Return a column for each day."""
    if not days:
        return Markup()
    width, height, foot = 640, 120, 18
    most = max(count for _, count in days) or 1
    step = width / len(days)
    shown = Markup().join(
        Markup('<rect class="sure" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>').format(
            f"{index * step:.1f}",
            f"{height - count / most * (height - 14):.1f}",
            f"{max(step - 1, 0.6):.1f}",
            f"{count / most * (height - 14):.1f}",
            f"{day.day} {day:%b %Y}: {count:,}",
        )
        for index, (day, count) in enumerate(days)
        if count
    )
    ends = Markup(
        '<line class="axis" x1="0" x2="{}" y1="{}" y2="{}"/><text x="0" y="{}">{}</text>'
        '<text x="{}" y="{}" class="name">{}</text><text x="0" y="10">{}</text>'
    ).format(
        *(width, height, height),
        *(height + foot - 4, _day(days[0][0])),
        *(width, height + foot - 4, _day(days[-1][0])),
        f"most on a day: {most:,}",
    )
    return _svg("columns", width, height + foot, title, shown + ends)


def timeline(steps: Sequence[Step], visits: Sequence[Visit]) -> Markup:
    """Return the life of an article: a bar for each version while it was seen, hatched where nobody looked, and a tick
    for each visit. `steps` are the first one first.
    """
    if not steps:
        return Markup()
    begin = min([steps[0].first_seen, *(visit.captured_at for visit in visits)])
    end = max([steps[-1].last_seen, *(visit.captured_at for visit in visits)])
    span = max(end - begin, timedelta(seconds=1))
    width, bar = 1000, 26

    def at(when: datetime) -> float:
        return (when - begin) / span * width

    drawn = Markup()
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        x, until = at(step.first_seen), at(step.last_seen)
        drawn += Markup('<rect class="seen v{}" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>').format(
            step.number % 2, _n(x), _n(max(until - x, 2)), bar, f"version {step.number}"
        )
        if following is not None and (gap := at(following.first_seen) - until) > 0:
            drawn += Markup(
                '<rect class="unseen-gap" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>'
            ).format(_n(until), _n(gap), bar, f"version {following.number} came in here")
        if until - x > 26:
            drawn += Markup('<text x="{}" y="{}" class="number">{}</text>').format(_n(x + 5), bar - 8, step.number)
    # A pixel shows one visit as well as a hundred: ticks of one kind and place are drawn once.
    ticks = {(round(at(visit.captured_at)), _tick(visit)) for visit in visits}
    drawn += Markup().join(
        Markup('<line class="tick {}" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            *(kind, x, x, bar + 4), bar + (14 if kind == "good" else 20)
        )
        for x, kind in sorted(ticks)
    )
    title = f"{len(steps)} versions over {len(visits)} visits"
    return _svg("timeline", width, bar + 22, title, _HATCH + drawn)


def _tick(visit: Visit) -> str:
    if visit.outcome in ("failed", "blocked"):
        return "bad"
    return "gone" if visit.outcome == "gone" or visit.status == 404 else "good"


_HATCH = Markup(
    '<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect class="hatch-paper" width="5" height="5"/><line class="hatch-line" x1="0" x2="0" y1="0" y2="5"/>'
    "</pattern></defs>"
)


def _svg(kind: str, width: int, height: int, title: str, inside: Markup) -> Markup:
    return Markup(
        '<svg class="chart {}" role="img" viewBox="0 0 {} {}" aria-label="{}" focusable="false">{}</svg>'
    ).format(kind, width, height, title, inside)


def _level(count: int, busiest: int) -> int:
    return 0 if count == 0 else max(1, -(-count * _LEVELS // busiest))


def _length(count: int, most: int, room: int) -> int:
    return round(count / most * room)


def _n(value: float) -> str:
    return f"{value:.1f}"


def _day(day: date) -> str:
    return f"{day.day} {day:%b %Y}"
