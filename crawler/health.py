"""Is all well? Whether a feed that answers is still what it was, and how the archive fares as a whole. Pure.

Each sign has its evidence, each finding its way out.

A site is redesigned and nobody notices for weeks that no article has an author any more, or a text. So a feed is held
against its own past: the share of its newest articles that have something against the share of those before. Chance
must be ruled out, for a small feed has bad days: what is told would come up by chance once in 100,000 looks. After some
200 articles what is new is what is usual, and no more told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import comb, inf
from statistics import median

from crawler.items import Ailment, Finding, Level, Sign, State

# The newest articles are looked at five, ten ... at a time: a sudden end shows in few, a slow one in many.
_NEWEST = (5, 10, 20, 40)
# They are held against as many before them, and against no fewer than that: less is no past.
_PAST, _LEAST_PAST = 200, 20
READINGS = _NEWEST[-1] + _PAST
# What most articles never had cannot be lost; what half of those that had it still have is not lost.
_USUAL = 0.5
_LOST = 0.5
# One-sided, by Fisher's exact test. Articles come in bursts of one kind (an agency's night): 13 in a row without what
# six of ten have is no sign yet.
_CHANCE = 1e-5
# Of the median of those before: a text so short is a teaser, or its end was lost.
_SHORT = 0.5

# A silence is told when it is twice as long as the longest of the past, and so many articles were to be expected. The
# past must hold two weekends, or a feed of office hours would be sick on each.
_TIMES_LONGEST = 2
_EXPECTED = 7
_SILENCE, _WATCHED = timedelta(days=1), timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the first look at an article brought. `is_read` false: nothing readable came, the other fields say nothing.

    `is_whole` false: only a teaser is public. `words` are those of the body.
    """

    found_at: datetime
    is_read: bool
    has_author: bool = False
    has_date: bool = False
    has_standfirst: bool = False
    has_headline: bool = False
    is_whole: bool = False
    words: int = 0


def signs(readings: Sequence[Reading]) -> dict[Sign, str]:
    """Return what ails a feed by its articles, the newest first (`READINGS` of them are enough), with the evidence."""
    read = [reading for reading in readings if reading.is_read]
    found = {}
    if lost := _lost([reading.is_read for reading in readings]):
        found[Sign.UNREADABLE] = f"{lost.newest} could be read, {lost.before}"
    for sign, (words, has) in _FIELDS.items():
        if lost := _lost([has(reading) for reading in read]):
            found[sign] = f"{lost.newest} {words}, {lost.before}"
    if Sign.TEASER not in found and (short := _shorter([reading.words for reading in read])):
        found[Sign.SHORT] = short
    return found


_FIELDS: dict[Sign, tuple[str, Callable[[Reading], bool]]] = {
    Sign.TEASER: ("are more than a teaser", lambda reading: reading.is_whole),
    Sign.HEADLINE: ("have a headline", lambda reading: reading.has_headline),
    Sign.AUTHOR: ("name an author", lambda reading: reading.has_author),
    Sign.DATE: ("have a date", lambda reading: reading.has_date),
    Sign.STANDFIRST: ("have a standfirst", lambda reading: reading.has_standfirst),
}


def silence(found: Sequence[datetime], *, last_good: datetime | None, entries: int | None = None) -> str | None:
    """Return why a feed is silent for much longer than usual, as a sentence; None if it is not, or who knows.

    `found` is when its articles were found, the newest first, over two weeks at least; `last_good` the latest visit
    that brought a readable feed: while we do not look, nothing is silent. `entries` is how many it listed then.

    What to expect is told by `found` and not by the feed's `Rhythm`: that forgets by half in 14 days, and a feed with
    three articles a week would have fallen silent for ever before seven were to be expected.
    """
    if last_good is None or len(found) < 2 or found[0] - found[-1] < _WATCHED:
        return None
    quiet = last_good - found[0]
    longest = max(newer - older for newer, older in pairwise(found))
    # What stood there when we came is left out: when it came, nobody knows.
    expected = sum(time > found[-1] for time in found) * (quiet / (found[0] - found[-1]))
    if quiet < max(_SILENCE, _TIMES_LONGEST * longest) or expected < _EXPECTED:
        return None
    listed = "; it lists nothing at all" if entries == 0 else ""
    return (
        f"nothing new for {_span(quiet)}, where {expected:.0f} articles were to be expected and the longest silence was"
        f" {_span(longest)}{listed}"
    )


def finding(ailment: Ailment) -> Finding:
    """Return what to tell a person of an ailment, and what to do about it."""
    what = f"{ailment.feed}: {ailment.evidence} (since {ailment.since:%Y-%m-%d %H:%M} UTC)"
    mend = _MENDS.get(ailment.sign, _REDESIGN).format(feed=ailment.feed_id)
    return Finding(level=Level.WARNING, what=what, mend=mend, check=ailment.sign)


_REDESIGN = (
    "look at one of its articles in a browser and with `redline extract URL`: a redesign that is read wrongly can be"
    " mended with a rule for the site (REDLINE_SITES), and is worth a report"
)
_MENDS = {
    Sign.UNREADABLE: "`redline extract URL` says what comes of its pages: a wall, a login, a page that needs scripts",
    Sign.TEASER: "the site may have gone behind a paywall: what is public is watched on",
    Sign.SILENT: "look whether the site has another feed now: `redline add URL` finds it, `redline remove {feed}`"
    " takes this one off the list",
    Sign.HELD: "edits indeed? `redline accept {feed}`; a redesign? `redline reextract --write`",
}


# The whole ------------------------------------------------------------------------------------------------------------

# A run is missed when none began for three times as long as usual: cron is late, a run may take long. An hour at least.
_TIMES_USUAL, _MISSED = 3, timedelta(hours=1)
_FEWEST_RUNS = 4
# Visits are late: the crawl has no time for what is due, day after day.
_LATE = timedelta(days=1)
# Growth is measured over a day at least: a morning is no measure of a year.
_LEAST_SPAN = timedelta(days=1)
_DISK_SOON, _DISK_NOW = timedelta(days=30), timedelta(days=3)
# A write-ahead log is cut back to 16 MiB by every run that no reader hinders.
_LONG_LOG_BYTES = 256 * 2**20
# A clock may be so far off another.
_CLOCK = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the archive lies: sizes in bytes. `is_running`: a run holds the lock; None: nobody can tell."""

    file_bytes: int
    log_bytes: int  # the write-ahead log beside it
    disk_free_bytes: int
    is_running: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """How the archive grows: what runs added in `measured`, less what was freed between them not counted."""

    bytes_a_day: float
    measured: timedelta
    doubles_in: timedelta | None  # None: it does not grow, or not within a thousand years
    disk_full_in: timedelta | None


def usual_gap(state: State) -> timedelta | None:
    """Return how long after a run the next one usually begins; None where too few were seen."""
    starts = [run.started_at for run in state.runs[:101]]
    if len(starts) < _FEWEST_RUNS:
        return None
    return timedelta(seconds=median((newer - older).total_seconds() for newer, older in pairwise(starts)))


def forecast(state: State, place: Place) -> Forecast | None:
    """Return where the growth of the last 30 days leads; None where less than a day of it is known.

    Growth is the sum of what each run added: that something was pruned between them makes the archive smaller, not its
    growth.
    """
    sizes = [(run.ended_at, run.archive_bytes) for run in reversed(state.runs) if run.ended_at and run.archive_bytes]
    if len(sizes) < 2:
        return None
    (first, _), (last, _) = sizes[0], sizes[-1]
    assert first is not None
    assert last is not None
    if (measured := last - first) < _LEAST_SPAN:
        return None
    added = sum(max(0, (after or 0) - (before or 0)) for (_, before), (_, after) in pairwise(sizes))
    a_day = added / (measured / timedelta(days=1))

    def reached(size: float) -> timedelta | None:
        days = size / a_day if a_day else inf
        return timedelta(days=days) if days < 365_000 else None

    return Forecast(
        bytes_a_day=a_day,
        measured=measured,
        doubles_in=reached(state.used_bytes),
        disk_full_in=reached(place.disk_free_bytes + state.free_bytes),
    )


def findings(state: State, place: Place) -> list[Finding]:
    """Return what is wrong with the whole or worth a look, the worst first; sources are `source_findings`' to tell."""
    if state.pending:
        what = f"the file has an older schema than this Redline (it lacks {', '.join(state.pending)})"
        mend = "the next crawl brings it up to date, and so does `redline feeds`; then there is more to say"
        return [Finding(level=Level.WARNING, what=what, mend=mend, check="schema")]
    found = [*_of_runs(state, place), *_of_the_disk(state, place)]
    if state.latest_capture is not None and state.latest_capture - state.at > _CLOCK:
        what = f"the latest visit lies {_span(state.latest_capture - state.at)} in the future: the clock was set back"
        mend = "set this machine's clock (timedatectl); times in the archive are its own"
        found.append(Finding(level=Level.ERROR, what=what, mend=mend, check="clock"))
    if state.due_since is not None and state.at - state.due_since > _LATE:
        what = f"the longest overdue visit has waited for {_span(state.at - state.due_since)}"
        mend = (
            "where hosts asked us to wait there is nothing to do; else give the crawl more room: a run more often,"
            " --max-time, HOST_MAX_REQUESTS"
        )
        found.append(Finding(level=Level.WARNING, what=what, mend=mend, check="backlog"))
    return sorted(found, key=lambda finding: list(Level).index(finding.level), reverse=True)


def source_findings(state: State) -> list[Finding]:
    """Return what is wrong with feeds: those that fail, those that answer and are not what they were."""
    found = []
    for feed in state.failing:
        times = f", {feed.failures} times in a row" if feed.failures > 1 else ""
        good = f"the last good visit was on {feed.last_good_at:%Y-%m-%d}" if feed.last_good_at else "it never was good"
        what = f"{feed.title or feed.url}: {feed.last_error}{times}; {good}"
        mend = f"it is tried again; `redline remove {feed.id}` takes it off the list"
        found.append(Finding(level=Level.WARNING, what=what, mend=mend, check="failing"))
    return found + [finding(ailment) for ailment in state.ailments]


def _of_runs(state: State, place: Place) -> Iterator[Finding]:
    if not state.feeds:
        mend = "`redline add https://example.org/` watches one"
        yield Finding(level=Level.WARNING, what="no feed is watched", mend=mend, check="feeds")
        return
    if not state.runs:
        mend = "`redline crawl` makes one; cron makes it again and again"
        yield Finding(level=Level.WARNING, what="there was no crawl yet", mend=mend, check="runs")
        return
    latest, usual = state.runs[0], usual_gap(state)
    since = state.at - latest.started_at
    if place.is_running is not True and usual is not None and since > max(_TIMES_USUAL * usual, _MISSED):
        what = f"no crawl began for {_span(since)}; usually one does every {_span(usual)}"
        mend = "look at what starts it: `systemctl list-timers`, the crontab, its mails"
        yield Finding(level=Level.ERROR, what=what, mend=mend, check="runs")
    if latest.reason == "the archive cannot be written":
        mend = "`redline crawl` says why; a full disk and permissions are the usual reasons"
        what = "the latest crawl ended because the archive could not be written"
        yield Finding(level=Level.ERROR, what=what, mend=mend, check="runs")
    if latest.ended_at is None and (latest.reason is not None or place.is_running is False):
        what = f"the latest crawl, of {latest.started_at:%Y-%m-%d %H:%M} UTC, was cut short: what it saw is kept"
        mend = "the next one goes on; if it happens again look for what kills it (memory, a time limit)"
        yield Finding(level=Level.WARNING, what=what, mend=mend, check="runs")


def _of_the_disk(state: State, place: Place) -> Iterator[Finding]:
    ahead = forecast(state, place)
    if ahead is not None and ahead.disk_full_in is not None and ahead.disk_full_in < _DISK_SOON:
        is_near = ahead.disk_full_in < _DISK_NOW
        yield Finding(
            level=Level.ERROR if is_near else Level.WARNING,
            what=f"at this growth the disk is full in {_span(ahead.disk_full_in)}",
            mend="make room, or free that of old pages: `redline prune`; texts stay",
            check="disk",
        )
    if place.log_bytes > _LONG_LOG_BYTES:
        what = f"the write-ahead log beside the archive has {place.log_bytes / 2**20:,.0f} MiB"
        mend = "a reader has been at work for long (an open browser page, a forgotten sqlite3): end it, and crawl once"
        yield Finding(level=Level.WARNING, what=what, mend=mend, check="log")


# In numbers -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Loss:
    """`newest` and `before` are the two shares, in words."""

    newest: str
    before: str


def _lost(has: Sequence[bool]) -> _Loss | None:
    """Return that what most articles had is lost in the newest, the clearest view of it; None if it is not."""
    for size in _NEWEST:
        newest, before = has[:size], has[size : size + _PAST]
        if len(before) < _LEAST_PAST:
            return None
        now, past = sum(newest) / size, sum(before) / len(before)
        # The newest five: when those are well again, so is the feed.
        is_lost = past >= _USUAL and now <= _LOST * past and sum(has[:5]) / 5 <= _LOST * past
        if is_lost and _by_chance(sum(newest), size, sum(before), len(before)) <= _CHANCE:
            return _Loss(
                newest=f"{'none' if not any(newest) else sum(newest)} of the newest {size} articles",
                before=f"of the {len(before)} before {past:.0%}",
            )
    return None


def _shorter(words: Sequence[int]) -> str | None:
    """Return that the newest texts are suddenly short, as a sentence; None if they are not."""
    for size in _NEWEST:
        before = words[size : size + _PAST]
        if len(before) < _LEAST_PAST:
            return None
        usual = median(before)
        if _lost([count >= _SHORT * usual for count in words[: size + _PAST]]) is not None:
            return (
                f"the newest {size} articles have {median(words[:size]):.0f} words in the median, the {len(before)}"
                f" before {usual:.0f}"
            )
    return None


def _by_chance(few: int, of: int, past: int, of_past: int) -> float:
    """Return how often, by chance alone, so few or fewer of the newest would have what that many before had."""
    both, all_of = few + past, of + of_past
    ways = sum(comb(both, got) * comb(all_of - both, of - got) for got in range(few + 1))
    return ways / comb(all_of, of)


def _span(span: timedelta) -> str:
    minutes = span / timedelta(minutes=1)
    if minutes < 120:
        return f"{minutes:.0f} minutes"
    return f"{minutes / 60:.0f} hours" if minutes < 48 * 60 else f"{minutes / 1440:,.0f} days"
