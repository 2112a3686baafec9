"""When to visit again: pure decisions from what is known, each with its reason as a sentence.

One rule decides. To wait costs something: a version may be replaced before anybody has seen it, and one that is seen
late is worth less. What a wait has cost grows from nothing; when it reaches the price of a request, the visit is due.

How fast it grows depends on how many changes are to be expected. Three sources say so, the special one correcting the
general one as far as it has evidence: studies of how news is edited, the habits of the feed (`Habits`), and what the
article itself has done so far (`Pace`). `bench/schedule.py` measures what comes of it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# The price of a request, in versions: a version seen in time is worth 500 requests. At this price an article is visited
# some 37 times in its first 60 days, and as many versions are caught as with the 98 visits of NewsDiffs' table (runs
# every 5 minutes; every 15, some 34 visits and 98 % of its versions: bench/schedule.py). Requests go by the root: four
# times the price is half of them.
PRICE = 0.002
# A version seen so late is worth 1/e of one seen at once. News ages: for an old article it is a seventh of its age.
PATIENCE = timedelta(days=1)
_PATIENCE_IN_AGES = 1 / 7

# A feed's own tally outweighs the studies after two changes, and fades beyond 200 expected ones: a newsroom that works
# otherwise than last year must not be held to its past.
_HABITS_WEIGHT, _HABITS_MEMORY = 2.0, 200.0
# How alike the articles of a feed are: 0.5 is the one value at which a mean of 0.68 changes in the first day leaves
# 65 % of articles unchanged, as on Flemish sites (291,666 articles asked every 15 minutes for a day).
_PACE_WEIGHT = 0.5
# Hours. An article younger than that has no past to speak of.
_PACE_FADES_FROM = 0.5
# An article just edited is to a third a new one: mistakes are made when text is. No study says how much; by
# bench/schedule.py anything from 0.1 to 1 does about as well.
_ECHO = 0.3

_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(days=365)
# At these ages every article is looked at, however quiet: 58 % of deletions come after the first day (GDELT).
_LATE_CHECKS = {"a week": timedelta(days=7), "a month": timedelta(days=30), "a year": timedelta(days=365)}
# What a feed lists is news to somebody, whatever date the publisher gives it.
_OLDEST_FIND = timedelta(days=7)

_FIRST_FAILURE, _LONGEST_FAILURE = timedelta(minutes=15), timedelta(days=30)
_FIRST_LOOK_FOR_GONE = timedelta(days=1)

_FEED_SHORTEST, _FEED_LONGEST = timedelta(minutes=5), timedelta(days=1)
# What owners of feeds ask for where nothing else is known.
_FEED_IN_FULL = timedelta(hours=1)
# Nights and weekends are no habit: only what lasts for weeks is.
_FEED_HALF_LIFE = timedelta(days=14)
# Before it was watched, a feed is taken for one with 36 new entries a day, on the evidence of half an hour: that is
# asked every 15 minutes.
_FEED_NEW_PER_HOUR, _FEED_WEIGHT_HOURS = 1.5, 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """When to come back, and why then. `at` is aware, UTC."""

    at: datetime
    reason: str


# What is to be expected -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Changes seen, beside those that were to be expected in the same time: 6 and 2 is three times the usual."""

    seen: float = 0.0
    expected: float = 0.0

    def factor(self, weight: float) -> float:
        """Return how many times the usual to expect: the mean of a Gamma-Poisson model whose prior is `weight` changes
        strong and has mean 1, so that a little evidence moves it little.
        """
        return (weight + self.seen) / (weight + self.expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How often the articles of a feed change at three ages, beside what the studies let expect.

    The archive keeps these six numbers for each feed and replaces them by `updated` at each good visit to an article.
    """

    fresh: Tally = Tally()  # in the first 3 hours of an article
    day: Tally = Tally()  # from then to the end of its first day
    late: Tally = Tally()  # after that

    def updated(self, *, born: datetime, last_visit: datetime, now: datetime, has_changed: bool) -> Habits:
        """Return the habits after a visit to an article that was visited last at `last_visit`."""
        start, end = _age(born, last_visit), _age(born, now)
        tallies = []
        for tally, low, high in self._bands():
            # When between the two visits it was, nobody knows: the middle is the fairest guess.
            is_in_band = has_changed and low <= (start + end) / 2 < high
            seen, expected = tally.seen + is_in_band, tally.expected + _usual_changes(max(start, low), min(end, high))
            kept = min(1.0, _HABITS_MEMORY / expected) if expected else 1.0
            tallies.append(Tally(seen=seen * kept, expected=expected * kept))
        fresh, day, late = tallies
        return Habits(fresh=fresh, day=day, late=late)

    def changes(self, start: float, end: float) -> float:
        """Return how many changes an article of this feed has, in the mean, between two ages in hours."""
        return sum(
            tally.factor(_HABITS_WEIGHT) * _usual_changes(max(start, low), min(end, high))
            for tally, low, high in self._bands()
            if start < high and low < end
        )

    def _bands(self) -> tuple[tuple[Tally, float, float], ...]:
        return (self.fresh, 0.0, 3.0), (self.day, 3.0, 24.0), (self.late, 24.0, math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace(Tally):
    """How often one article changes, beside what the habits of its feed let expect.

    The past fades as the article ages: what it did at half its present age counts half. So an article that is edited
    again and again is soon visited at every run, as is a live blog, and no longer when it has come to rest. The archive
    keeps these two numbers for each article and replaces them by `updated` at each good visit.
    """

    def updated(
        self, habits: Habits, *, born: datetime, last_visit: datetime, now: datetime, has_changed: bool
    ) -> Pace:
        """Return the pace after a visit to the article. Do not count the return of a text that was seen before: an
        article that flips between two headlines would be chased for news that it does not have.
        """
        start, end = _age(born, last_visit), _age(born, now)
        kept = min(1.0, (start + _PACE_FADES_FROM) / (end + _PACE_FADES_FROM))  # 1 where the clock was set back
        return Pace(seen=self.seen * kept + has_changed, expected=self.expected * kept + habits.changes(start, end))


def birth(found_at: datetime, date_published: datetime | None) -> datetime:
    """Return from when to count an article's age: the publisher's date where it can be true, else when we found it."""
    if date_published is None:
        return found_at
    return min(max(date_published, found_at - _OLDEST_FIND), found_at)


def _usual_changes(start: float, end: float) -> float:
    """Return how many changes an article has between two ages in hours, by the studies; 0 if they are out of order.

    Up to age a these are 0.94 (1 - (1 + a / 2 h)^-1/2). So 81 % of a week's changes fall into the first day (GDELT, 88
    million articles, 2018), and 0.68 changes in all (Flemish sites: 35 % of articles changed, 1.94 times each).
    """
    if end <= start:
        return 0.0
    return 0.94 * (1 / math.sqrt(1 + start / 2) - 1 / math.sqrt(1 + end / 2))


def _usual_deletions(start: float, end: float) -> float:
    """Return the chance that an article is deleted between two ages in hours.

    Up to age a it is 0.028 (1 - (1 + a / 1 d)^-0.37): 1.5 % in the first week, 42 % of these in the first day (GDELT).
    """
    return 0.028 * (math.pow(1 + start / 24, -0.37) - math.pow(1 + end / 24, -0.37))


# Articles -------------------------------------------------------------------------------------------------------------


def next_visit(
    *,
    last_changed: datetime,
    now: datetime,
    born: datetime | None = None,
    habits: Habits = Habits(),
    pace: Pace = Pace(),
    is_flapping: bool = False,
    failures: int = 0,
    is_gone: bool = False,
    gone_since: datetime | None = None,
    price: float = PRICE,
    patience: timedelta = PATIENCE,
) -> Appointment:
    """Return when to visit an article again: in 5 minutes to a year, never not at all.

    `last_changed` is when its latest version was first seen, or when a feed first listed it; `born` comes from
    `birth` (None: the same as `last_changed`). `habits` and `pace` include the visit just made.
    `is_flapping`: it goes back and forth between texts that were seen before. `failures` are the visits in a row that
    brought nothing readable: they double the wait, from 15 minutes to 30 days. A gone article (`gone_since`: the first
    visit that missed it) is looked for again, ever more seldom: some come back. `price` is that of a request, in
    versions; a version seen `patience` late is worth 1/e.
    """
    if is_gone:
        gone_for = now - gone_since if gone_since else timedelta(0)
        wait = min(max(gone_for / 2, _FIRST_LOOK_FOR_GONE), _LONGEST)
        return Appointment(at=now + wait, reason=f"gone; looked for again after {_words(wait)}")

    born = born or last_changed
    age, quiet = _age(born, now), _age(last_changed, now)
    pace_factor = pace.factor(_PACE_WEIGHT)
    echo = _ECHO if pace.seen and not is_flapping else 0.0

    def changes(wait: float) -> float:
        own, echoed = habits.changes(age, age + wait), habits.changes(quiet, quiet + wait)
        return pace_factor * own + echo * echoed + _usual_deletions(age, age + wait)

    wait = _wait(
        changes,
        # What is known little about is soon visited: where a rate is unsure, the mean of its square, which is what
        # versions are lost by, is more than the square of its mean. No live blog is known for one at its first visit.
        doubt=1 + 1 / (_PACE_WEIGHT + pace.seen),
        price=price,
        patience=max(_hours(patience), age * _PATIENCE_IN_AGES),
    )
    if is_flapping:
        past = "it flips between texts seen before"
    elif pace.seen and changes(1.0) >= 1:
        past = "edited again and again, like a live blog"
    else:
        past = f"unchanged for {_words(now - last_changed)}" if now > last_changed else "its text was not seen before"
    reason = f"{past}; {_frequency(changes(24.0))}: after {_words(wait)}"
    for name, check in _LATE_CHECKS.items():
        if _SHORTEST <= born + check - now < wait:
            wait, reason = born + check - now, f"{past}; looked at when it is {name} old, in case it was deleted"
            break

    if failures:
        # A longer wait of its own (an old article) is kept: a failure is no reason to ask more often.
        wait = max(wait, _backed_off(failures))
        reason = f"failed {_times(failures)}; next try after {_words(wait)}"
    return Appointment(at=now + wait, reason=reason)


def _wait(changes: Callable[[float], float], *, doubt: float, price: float, patience: float) -> timedelta:
    """Return after how long waiting has cost `price`, within the limits; whole minutes. `patience` is in hours.

    If n changes come in a wait w, evenly spread, the versions lost are about n n / 2, and the rest are late by w / 2.
    """

    def is_due(wait: float) -> bool:
        expected = changes(wait)
        return expected * (doubt * expected + wait / patience) / 2 >= price

    low, high = _hours(_SHORTEST), _hours(_LONGEST)
    if is_due(low):
        return _SHORTEST
    while high > low * 1.01:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if is_due(middle) else (middle, high)
    return timedelta(minutes=round(high * 60))


def _backed_off(failures: int) -> timedelta:
    return min(_FIRST_FAILURE * (1 << min(failures - 1, 12)), _LONGEST_FAILURE)


# A run's budget -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An article that is due. `last_visit` is None before the first."""

    article_id: int
    feed_id: int
    host: str
    last_visit: datetime | None
    next_visit: datetime

    def urgency(self, now: datetime) -> float:
        """Return how long it has waited, in waits that were planned for it: 1 when due; infinite if it was never
        visited, or the clock was set back.

        Waiting costs by the square of this, and every wait was planned to cost the same: so what is gained by a visit
        can be compared between articles by it alone, and to visit in its order is to raise the price for all alike.
        """
        if self.last_visit is None or self.next_visit <= self.last_visit or now < self.last_visit:
            return math.inf
        return (now - self.last_visit) / (self.next_visit - self.last_visit)


def choose(
    candidates: Iterable[Candidate],
    *,
    now: datetime,
    per_host: int,
    total: int | None = None,
    used: Mapping[str, int] | None = None,
) -> list[Candidate]:
    """Return the articles to visit in a run, in order: the most urgent ones, fair between feeds and between hosts.

    At most `per_host` of a host, less what was `used` of it already (its feeds, its robots.txt), and `total` in all
    (None: no such limit). Where not all find room, every feed of a host gets the same share of it, and every host the
    same share of the total; what one does not need falls to the others. Nobody starves: urgency grows with the wait.
    """
    hosts: dict[str, dict[int, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    for candidate in candidates:
        hosts[candidate.host][candidate.feed_id].append(candidate)

    def in_turn(groups: Iterable[Iterable[Candidate]]) -> list[Candidate]:
        """Return all: first the first of each group, then the second of each ...; by urgency within each turn."""
        ranked = [(turn, candidate) for group in groups for turn, candidate in enumerate(group)]
        return [one for _, one in sorted(ranked, key=lambda pair: (pair[0], *most_urgent_first(pair[1])))]

    def most_urgent_first(candidate: Candidate) -> tuple[float, int]:
        return -candidate.urgency(now), candidate.article_id

    chosen = []
    for host, feeds in hosts.items():
        room = max(0, per_host - (used or {}).get(host, 0))
        chosen.append(in_turn(sorted(due, key=most_urgent_first) for due in feeds.values())[:room])
    return in_turn(chosen)[:total]


# Feeds ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How many new entries a feed brings: `new` in `hours` of watching, both fading by half in 14 days.

    The archive keeps these two numbers for each feed and replaces them by `updated` at each good visit, a 304 as well.
    """

    new: float = 0.0
    hours: float = 0.0

    def updated(self, *, last_visit: datetime | None, now: datetime, new: int) -> Rhythm:
        """Return the rhythm after a visit that showed `new` entries not known before. The first visit tells nothing:
        how long its entries have stood there is not known.
        """
        if last_visit is None:
            return self
        watched = max(timedelta(0), now - last_visit)  # never negative: see `_age`
        kept = 0.5 ** (watched / _FEED_HALF_LIFE)
        return Rhythm(new=self.new * kept + new, hours=self.hours * kept + _hours(watched))

    def per_hour(self) -> float:
        """Return how many new entries to expect in an hour; more than 0."""
        prior = _FEED_NEW_PER_HOUR * _FEED_WEIGHT_HOURS
        return (prior + self.new) / (_FEED_WEIGHT_HOURS + self.hours)


def next_feed_visit(
    *,
    now: datetime,
    failures: int = 0,
    refresh_minutes: int | None = None,
    max_age: timedelta | None = None,
    has_validators: bool = False,
    rhythm: Rhythm = Rhythm(),
    entries: int | None = None,
    price: float = PRICE,
    patience: timedelta = PATIENCE,
) -> Appointment:
    """Return when to visit a feed again: in 5 minutes to a day, by how much was new so far.

    It is not asked sooner than it wishes: `refresh_minutes` (`ttl`, `sy:updatePeriod`), `max_age` (Cache-Control).
    `entries` is how many it lists: it is asked before half of them are new, for the others fall out at the end. Where
    neither wish nor rhythm is known, and it must be sent whole each time (`has_validators` false: none given, or not
    honoured), it is asked hourly. `failures` in a row double the wait, from 15 minutes to 30 days, never to none.
    """
    if failures:
        wait = _backed_off(failures)
        return Appointment(at=now + wait, reason=f"failed {_times(failures)}; next try after {_words(wait)}")

    per_hour = rhythm.per_hour()
    # The rule for articles, but that what is new replaces nothing: r w entries, late by r w^2 / 2 in all.
    hours = math.sqrt(2 * price * _hours(patience) / per_hour)
    if entries:
        hours = min(hours, entries / 2 / per_hour)
    wait, reason = (
        timedelta(minutes=round(hours * 60)),
        f"{_frequency(per_hour * 24, 'new entry', 'new entries')}: after ",
    )

    wish = max(timedelta(minutes=refresh_minutes or 0), max_age or timedelta(0))
    if wish and (wish > wait or not rhythm.hours):
        wait, reason = wish, "as the feed asks: after "
    elif not wish and not has_validators and rhythm.hours < _hours(_FEED_LONGEST):
        wait, reason = max(wait, _FEED_IN_FULL), "it is sent whole each time: after "
    wait = min(max(wait, _FEED_SHORTEST), _FEED_LONGEST)
    return Appointment(at=now + wait, reason=reason + _words(wait))


# Words ----------------------------------------------------------------------------------------------------------------


def _frequency(per_day: float, one: str = "change", many: str = "changes") -> str:
    if per_day >= 1.5:
        return f"about {per_day:.0f} {many} expected in a day"
    return f"about one {one} expected in {_words(timedelta(days=1 / per_day))}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times in a row"


def _words(span: timedelta) -> str:
    minutes = max(0, round(span.total_seconds() / 60))
    for unit, size in (("year", 365 * 24 * 60), ("day", 24 * 60), ("hour", 60)):
        # Two of a unit or more: "90 minutes" says more than "2 hours", "36 hours" more than "2 days".
        if minutes >= 2 * size or minutes == size:
            count = round(minutes / size)
            return f"{count} {unit}" + ("s" if count != 1 else "")
    return f"{minutes} minute" + ("s" if minutes != 1 else "")


def _age(born: datetime, at: datetime) -> float:
    # Never negative: a machine's clock that is set back must not stop the crawl.
    return max(0.0, _hours(at - born))


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600
