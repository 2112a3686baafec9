"""Is a feed that answers still what it was? Signs that it is not, each with its evidence. Pure.

A site is redesigned and nobody notices for weeks that no article has an author any more, or a text. So a feed is held
against its own past: the share of its newest articles that have something against the share of those before. Chance
must be ruled out, for a small feed has bad days: what is told would come up by chance once in 100,000 looks. After some
200 articles what is new is what is usual, and no more told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import comb
from statistics import median

from crawler.items import Ailment, Finding, Level, Sign

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
    hours = span / timedelta(hours=1)
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"
