"""Compare schedules on simulated outlets: who sees which versions of how many articles, how soon, at what cost.

    python bench/schedule.py                              # the tables, and bench/out/schedule.json; about 15 minutes
    python bench/schedule.py --fit                        # what each parameter of Redline's is worth, on other outlets
    python bench/schedule.py --plot docs/schedule.png     # the picture too; needs matplotlib

The edits are made up, by rules that are not Redline's: each outlet draws how much it edits, each article how much it is
edited, ages come from log-normal curves with a tail of a month; there are live blogs, headline tests that flip back and
forth, quick second edits, and deletions. What the studies counted is counted here in the same way and printed beside
their figures. A run comes every 15 minutes, or every 5; every schedule learns of an article at the first run after it
was published, and reads it then. Parameters were chosen on the outlets of `--fit`; the tables are of others.

Two bounds stand beside the schedules. `clairvoyant` goes to an article at the first run after each edit and at no
other: no schedule of that rhythm sees more or sooner. `oracle` follows Redline's rule, but knows each article's true
rate of edits at every moment; it still does not know when they come.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Protocol

from report import about, write

from crawler import schedule

# Hours, as all times here. Articles appear for two weeks and are watched until the 60th day.
PUBLISHED_FOR = 14 * 24.0
WATCHED_FOR = 60 * 24.0
EPOCH = datetime(2026, 3, 1, tzinfo=UTC)


# The world ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """How an outlet edits. `edits` is the mean for an article, live blogs and tests aside; `alikeness` the shape of the
    Gamma that articles draw theirs from. Ages are log-normal about `median` (hours) with `sigma`, but for the share
    `late`, which falls evenly on the logarithm of age from a day to 30. `live` and `tested` are shares of articles.
    """

    kind: str
    per_day: float
    edits: float
    alikeness: float = 2.0
    median: float = 2.0
    sigma: float = 1.5
    late: float = 0.25
    live: float = 0.0
    tested: float = 0.0


OUTLETS = (
    Outlet(kind="broadcaster", per_day=15, edits=0.68, median=1.8, live=0.04),
    Outlet(kind="daily", per_day=12, edits=0.58, median=3.0, sigma=1.6, late=0.28, live=0.012, tested=0.03),
    Outlet(kind="tabloid", per_day=15, edits=0.56, live=0.012, tested=0.06),
    Outlet(kind="wire", per_day=15, edits=0.60, alikeness=1.5, median=1.0, sigma=1.4, late=0.2),
    Outlet(kind="regional", per_day=20, edits=0.14, alikeness=1.5, median=4.0, sigma=1.6, late=0.32, live=0.003),
    Outlet(kind="magazine", per_day=4, edits=0.12, alikeness=1.0, median=36.0, sigma=1.6, late=0.4),
    Outlet(kind="portal", per_day=30, edits=0.05, alikeness=1.0, median=6.0, sigma=1.6, late=0.35),
)
# Like the Flemish sites: general news, much edited.
_GENERAL = ("broadcaster", "daily", "tabloid")
# An edit is followed by another, that puts it right, with this chance and after so many hours in the mean.
FOLLOWED, FOLLOWED_AFTER = 0.1, 1 / 3
# Deletions by age, as GDELT counted them: see crawler/schedule.py.
DELETED, DELETED_POWER = 0.028, 0.37


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What is true of an article. `edits` are the times, ascending; `states[n]` is the text after n of them, and equal
    states read the same. `deleted` may be infinite. The rest is what an oracle knows.
    """

    feed: int
    kind: str
    born: float
    edits: tuple[float, ...]
    states: tuple[tuple[int, bool], ...]
    deleted: float
    outlet: Outlet
    mean_edits: float
    live_hours: float
    live_per_hour: float
    tested_hours: float

    def state(self, at: float) -> tuple[int, bool]:
        return self.states[bisect_right(self.edits, at)]


def world(seed: str, outlets: Sequence[Outlet] = OUTLETS, copies: int = 3) -> list[Article]:
    """Return the articles of `copies` outlets of each kind, in the order of their appearance."""
    articles = []
    for feed, (copy, kind) in enumerate((copy, kind) for copy in range(copies) for kind in outlets):
        draw = random.Random(f"{seed} {kind.kind} {copy}")
        outlet = replace(
            kind,
            edits=kind.edits * draw.lognormvariate(0, 0.3),
            median=kind.median * draw.lognormvariate(0, 0.3),
            live=kind.live * draw.lognormvariate(0, 0.4),
            tested=kind.tested * draw.lognormvariate(0, 0.4),
        )
        articles += [_article(draw, outlet, feed, at) for at in _moments(draw, outlet.per_day / 24, PUBLISHED_FOR)]
    return sorted(articles, key=lambda article: article.born)


def _moments(draw: random.Random, per_hour: float, until: float) -> Iterator[float]:
    at = draw.expovariate(per_hour) if per_hour else math.inf
    while at < until:
        yield at
        at += draw.expovariate(per_hour)


def _article(draw: random.Random, outlet: Outlet, feed: int, born: float) -> Article:
    mean_edits = outlet.edits * draw.gammavariate(outlet.alikeness, 1 / outlet.alikeness)
    ages = [
        24 * 30 ** draw.random()
        if draw.random() < outlet.late
        else draw.lognormvariate(math.log(outlet.median), outlet.sigma)
        for _ in _moments(draw, mean_edits, 1)
    ]
    live_hours = live_per_hour = tested_hours = 0.0
    if draw.random() < outlet.live:
        live_hours, live_per_hour = 5 * draw.lognormvariate(0, 0.4), 2.2 * draw.lognormvariate(0, 0.3)
        ages += _moments(draw, live_per_hour, live_hours)
    for age in list(ages):
        while draw.random() < FOLLOWED:
            age += draw.expovariate(1 / FOLLOWED_AFTER)
            ages.append(age)
    events = [(age, False) for age in ages]
    if draw.random() < outlet.tested:
        # New York Times, 2021: a test lasts about half an hour; here one headline after the other, three to five times.
        flip = draw.random() / 2
        tested_hours = flip + 1 + 1.5 * draw.random()
        while flip < tested_hours:
            events.append((flip, True))
            flip += 0.5 * draw.lognormvariate(0, 0.2)
    text, is_other_headline = 0, False
    states = [(text, is_other_headline)]
    for _, is_flip in sorted(events):
        text, is_other_headline = (text, not is_other_headline) if is_flip else (text + 1, is_other_headline)
        states.append((text, is_other_headline))
    deleted = math.inf
    if draw.random() < DELETED:
        deleted = born + 24 * ((1 - draw.random()) ** (-1 / DELETED_POWER) - 1)
    return Article(
        feed=feed,
        kind=outlet.kind,
        born=born,
        edits=tuple(born + age for age, _ in sorted(events)),
        states=tuple(states),
        deleted=deleted,
        outlet=outlet,
        mean_edits=mean_edits,
        live_hours=live_hours,
        live_per_hour=live_per_hour,
        tested_hours=tested_hours,
    )


def against_the_studies(articles: Sequence[Article]) -> Iterator[str]:
    """Count as the studies did, and say what they found."""
    general = [article for article in articles if article.kind in _GENERAL]
    updates = []
    for article in general:
        looks = [article.state(_run_after(article.born, 0.25) + 0.25 * step) for step in range(97)]
        updates.append(sum(before != after for before, after in pairwise(looks)))
    updated = [count for count in updates if count]
    yield "general news, asked every 15 minutes for a day (in brackets: Flemish sites, 291,666 articles)"
    yield (
        f"  updated {len(updated) / len(updates):.0%} (35 %), {statistics.mean(updated):.2f} times each (1.94),"
        f" more than nine times {sum(count > 9 for count in updated) / len(updated):.0%} of these (5 %)"
    )
    looks_at = [[article.state(article.born + age) for age in (0, 24, 168)] for article in articles]
    week = sum(len(set(look)) > 1 for look in looks_at)
    day = sum(look[0] != look[1] for look in looks_at)
    deleted = [article.deleted - article.born for article in articles if article.deleted - article.born < 168]
    yield "all, asked after a day and a week (in brackets: GDELT, 88 million articles)"
    yield (
        f"  changed {week / len(articles):.1%} (19.5 %), in the first day {day / week:.0%} of these (81 %);"
        f" deleted {len(deleted) / len(articles):.1%} (1.5 %), in the first day"
        f" {sum(age < 24 for age in deleted) / max(len(deleted), 1):.0%} of these (42 %)"
    )
    versions = statistics.mean(len(article.states) for article in articles)
    yield f"versions per article {versions:.1f} (NewsEdits, 22 outlets: 3.6)"


# The schedules --------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Past:
    """What a crawler knows of an article: when it was found, visited, when a visit last showed another text."""

    number: int
    article: Article
    found: float
    visited: float
    changed: float
    texts: set[tuple[int, bool]]
    text: tuple[int, bool]


class Schedule(Protocol):
    def wait(self, past: Past, now: float, *, has_changed: bool, is_new_text: bool) -> float:
        """Return the hours until the next visit; infinite for none. `past` is as it was before this visit, but for
        `changed`. The first visit of an article shows no change.
        """


@dataclass(frozen=True, slots=True)
class Steps:
    """Wait by the time since the last change: [(until, wait), ...], in hours."""

    steps: tuple[tuple[float, float], ...]
    stretched: float = 1.0

    def wait(self, past: Past, now: float, *, has_changed: bool, is_new_text: bool) -> float:
        quiet = now - past.changed
        return next((wait * self.stretched for until, wait in self.steps if quiet < until), math.inf)


@dataclass(frozen=True, slots=True)
class ByAge:
    """Wait by the age of the article, as we count it: [(until, wait), ...], in hours."""

    steps: tuple[tuple[float, float], ...]

    def wait(self, past: Past, now: float, *, has_changed: bool, is_new_text: bool) -> float:
        return next((wait for until, wait in self.steps if now - past.found < until), math.inf)


@dataclass(slots=True)
class NewsSniffer:
    """Half an hour, 1.2 times as long after each visit that shows no change, for 40 days."""

    waits: dict[int, float]

    def wait(self, past: Past, now: float, *, has_changed: bool, is_new_text: bool) -> float:
        is_first = past.number not in self.waits
        self.waits[past.number] = 0.5 if is_first or has_changed else self.waits[past.number] * 1.2
        return self.waits[past.number] if now - past.found < 40 * 24 else math.inf


@dataclass(frozen=True, slots=True)
class Diffengine:
    """When a fifth of the article's age has passed since the last visit. (Its code counts `timedelta.seconds`, which
    begin again each day; here it does what it meant.)
    """

    share: float = 0.2

    def wait(self, past: Past, now: float, *, has_changed: bool, is_new_text: bool) -> float:
        return (now - past.found) * self.share / (1 - self.share)


NEWSDIFFS = ((3.0, 0.25), (24.0, 1.0), (7 * 24.0, 3.0), (30 * 24.0, 72.0), (360 * 24.0, 720.0))


class Redline:
    """crawler/schedule.py, with the archive's part played here: what it keeps per feed and per article."""

    def __init__(self, price: float = schedule.PRICE, patience: timedelta = schedule.PATIENCE) -> None:
        self.price, self.patience = price, patience
        self.habits: dict[int, schedule.Habits] = {}
        self.paces: dict[int, schedule.Pace] = {}

    def wait(self, past: Past, now: float, *, has_changed: bool, is_new_text: bool) -> float:
        habits = self.habits.get(past.article.feed, schedule.Habits())
        pace = self.paces.get(past.number, schedule.Pace())
        born, moment = _moment(past.article.born), _moment(now)
        if now > past.found:
            before = _moment(past.visited)
            pace = pace.updated(habits, born=born, last_visit=before, now=moment, has_changed=is_new_text)
            learned = habits.updated(born=born, last_visit=before, now=moment, has_changed=is_new_text)
            self.habits[past.article.feed] = habits = learned
        self.paces[past.number] = pace
        appointment = schedule.next_visit(
            last_changed=_moment(past.changed),
            now=moment,
            born=born,
            habits=habits,
            pace=pace,
            price=self.price,
            patience=self.patience,
        )
        return (appointment.at - moment).total_seconds() / 3600


class Oracle:
    """Redline's rule with the true rates in place of the learned ones."""

    def __init__(self, price: float) -> None:
        self.price = price

    def wait(self, past: Past, now: float, *, has_changed: bool, is_new_text: bool) -> float:
        article, age = past.article, now - past.article.born
        made = bisect_right(article.edits, now)
        since_edit = now - article.edits[made - 1] if made else math.inf
        done = _share_of_edits(article.outlet, age)

        def changes(wait: float) -> float:
            expected = article.mean_edits * (_share_of_edits(article.outlet, age + wait) - done)
            expected += article.live_per_hour * max(0.0, min(wait, article.live_hours - age))
            # A test shows one new text, at its first flip.
            expected += 0.5 * (made == 0 and age < article.tested_hours)
            expected += FOLLOWED * (
                math.exp(-since_edit / FOLLOWED_AFTER) - math.exp(-(since_edit + wait) / FOLLOWED_AFTER)
            )
            return expected + DELETED * (_kept(age) - _kept(age + wait))

        patience = max(24.0, age / 7)
        return schedule._wait(changes, doubt=1, price=self.price, patience=patience).total_seconds() / 3600


def _kept(age: float) -> float:
    return math.pow(1 + age / 24, -DELETED_POWER)


def _share_of_edits(outlet: Outlet, age: float) -> float:
    if age <= 0:
        return 0.0
    early = (1 + math.erf(math.log(age / outlet.median) / outlet.sigma / math.sqrt(2))) / 2
    late = min(1.0, math.log(max(age, 24.0) / 24) / math.log(30))
    return (1 - outlet.late) * early + outlet.late * late


# A crawl, and what it saw ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Visits:
    """The times of all good visits to an article, and when it was found deleted (infinite: never)."""

    good: list[float]
    missed: float = math.inf


def crawl(articles: Sequence[Article], made: Schedule, rhythm: float) -> list[Visits]:
    """Visit all articles as a schedule says, at runs every `rhythm` hours."""
    visits = [Visits([]) for _ in articles]
    pasts: dict[int, Past] = {}
    due = [(_run_after(article.born, rhythm), number) for number, article in enumerate(articles)]
    heapq.heapify(due)
    while due:
        now, number = heapq.heappop(due)
        article = articles[number]
        if now >= article.deleted:
            visits[number].missed = now
            continue
        visits[number].good.append(now)
        text = article.state(now)
        past = pasts.get(number)
        if past is None:
            past = pasts[number] = Past(number, article, now, now, now, {text}, text)
        has_changed, is_new_text = text != past.text, text not in past.texts
        if has_changed:
            past.changed = now
        wait = made.wait(past, now, has_changed=has_changed, is_new_text=is_new_text)
        past.visited, past.text = now, text
        past.texts.add(text)
        if now + wait < WATCHED_FOR:
            # As in the archive, what is due within a minute is due now: cron is not punctual.
            heapq.heappush(due, (max(now + rhythm, _run_after(now + wait - 1 / 60, rhythm)), number))
    return visits


def clairvoyant(articles: Sequence[Article], rhythm: float) -> list[Visits]:
    """Visit each article when it appears, and at the first run after every edit and after its deletion."""
    visits = []
    for article in articles:
        runs = {_run_after(at, rhythm) for at in (article.born, *article.edits)}
        missed = _run_after(article.deleted, rhythm) if article.deleted < WATCHED_FOR else math.inf
        visits.append(Visits(sorted(run for run in runs if run < min(missed, WATCHED_FOR)), missed))
    return visits


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a crawl saw. Delays are minutes; an edit that was never seen counts as infinitely late.

    A version is a text that a reader could see and that differs from all before it: a headline that flips back is an
    edit, but no new version. An edit is seen when a visit after it shows another text than the visit before; those made
    before an article was found are nobody's.
    """

    requests: float  # for each article
    edits_seen: float
    versions_caught: float
    later_versions_caught: float  # the same without the first, which every schedule reads
    median_minutes: float
    p90_minutes: float
    deletions_found: float  # within two days


def score(articles: Sequence[Article], visits: Sequence[Visits]) -> Score:
    requests = existed = caught = 0
    delays: list[float] = []
    deletions: list[float] = []
    for article, seen in zip(articles, visits, strict=True):
        end = min(WATCHED_FOR, article.deleted)
        made = bisect_left(article.edits, end)
        texts = [article.state(at) for at in seen.good]
        requests += len(seen.good) + (seen.missed < math.inf)
        existed += len(set(article.states[: made + 1]))
        caught += len(set(texts))
        for at in article.edits[:made]:
            visit = bisect_left(seen.good, at)
            if visit == 0:
                continue
            is_seen = visit < len(texts) and texts[visit] != texts[visit - 1]
            delays.append((seen.good[visit] - at) * 60 if is_seen else math.inf)
        if article.deleted < WATCHED_FOR - 48:
            deletions.append(seen.missed - article.deleted)
    delays.sort()
    count = len(articles)
    return Score(
        requests=requests / count,
        edits_seen=sum(delay < math.inf for delay in delays) / len(delays),
        versions_caught=caught / existed,
        later_versions_caught=(caught - count) / (existed - count),
        median_minutes=delays[len(delays) // 2],
        p90_minutes=delays[len(delays) * 9 // 10],
        deletions_found=sum(delay <= 48 for delay in deletions) / max(len(deletions), 1),
    )


def _run_after(at: float, rhythm: float) -> float:
    return math.ceil(at / rhythm - 1e-6) * rhythm


def _moment(hours: float) -> datetime:
    return EPOCH + timedelta(hours=hours)


# The comparison -------------------------------------------------------------------------------------------------------

_OFTEN = "a run every 5 minutes"
PRICES = (0.05, 0.02, 0.008, 0.003, 0.0012, 0.0005, 0.0002)


def others() -> dict[str, Callable[[], Schedule]]:
    return {
        "NewsDiffs": lambda: Steps(NEWSDIFFS),
        "News Sniffer": lambda: NewsSniffer({}),
        "diffengine (as meant)": Diffengine,
        "15 minutes for a day": lambda: ByAge(((24.0, 0.25),)),
        "every 3 hours": lambda: ByAge(((math.inf, 3.0),)),
    }


def compare(articles: Sequence[Article], rhythm: float) -> dict[str, Score]:
    """Print and return the scores of all schedules at one rhythm; Redline also at each other's number of requests."""

    def judged(name: str, made: Schedule) -> Score:
        return _print(name, score(articles, crawl(articles, made, rhythm)))

    print(f"\na run every {rhythm * 60:.0f} minutes; {len(articles)} articles")
    print(_HEAD)
    scores = {"clairvoyant": _print("clairvoyant (bound)", score(articles, clairvoyant(articles, rhythm)))}
    for price in PRICES:
        scores[f"Redline, price {price:g}"] = judged(f"Redline, price {price:g}", Redline(price))
    curve = _redline_curve(scores)
    for price in PRICES[1::2]:
        name = f"oracle, price {price:g}"
        scores[name] = judged(name, Oracle(price))
    for stretched in (2.0, 4.0, 8.0):
        name = f"NewsDiffs, waits x {stretched:g}"
        scores[name] = judged(name, Steps(NEWSDIFFS, stretched))
    for name, made in others().items():
        scores[name] = judged(name, made())
        same = f"Redline as often as {name}"
        scores[same] = judged(same, Redline(_price_for(scores[name].requests, curve)))
    _aims(scores, curve)
    return scores


def _redline_curve(scores: dict[str, Score]) -> list[tuple[float, Score]]:
    return [(price, scores[f"Redline, price {price:g}"]) for price in PRICES]


def _price_for(requests: float, curve: Sequence[tuple[float, Score]]) -> float:
    """Interpolate the price that brings so many requests, on logarithms; beyond the curve, by its last slope."""
    points = sorted((math.log(each.requests), math.log(price)) for price, each in curve)
    at = math.log(requests)
    index = min(max(bisect_left([x for x, _ in points], at), 1), len(points) - 1)
    (x0, y0), (x1, y1) = points[index - 1 : index + 1]
    return math.exp(y0 + (at - x0) * (y1 - y0) / (x1 - x0))


def _aims(scores: dict[str, Score], curve: Sequence[tuple[float, Score]]) -> None:
    theirs, ours = scores["NewsDiffs"], scores["Redline as often as NewsDiffs"]
    bound = scores["clairvoyant"]
    print(
        f"  at NewsDiffs' requests: versions {ours.versions_caught / theirs.versions_caught - 1:+.1%}"
        f" (bound {bound.versions_caught / theirs.versions_caught - 1:+.1%}), later versions"
        f" {ours.later_versions_caught / theirs.later_versions_caught - 1:+.1%}"
        f" (bound {bound.later_versions_caught / theirs.later_versions_caught - 1:+.1%}); median delay"
        f" x {ours.median_minutes / theirs.median_minutes:.2f}"
        f" (bound x {bound.median_minutes / theirs.median_minutes:.2f})"
    )
    points = [each for _, each in curve]
    for less, more in pairwise(points):
        if less.later_versions_caught < theirs.later_versions_caught <= more.later_versions_caught:
            share = (theirs.later_versions_caught - less.later_versions_caught) / (
                more.later_versions_caught - less.later_versions_caught
            )
            requests = less.requests * (more.requests / less.requests) ** share
            print(
                f"  NewsDiffs' versions with {requests:.0f} requests for its {theirs.requests:.0f}"
                f" ({requests / theirs.requests:.0%})"
            )


def by_kind(articles: Sequence[Article], rhythm: float, price: float) -> None:
    """Print where the requests go and what they bring, by kind of outlet."""
    print(
        f"\nby kind of outlet, a run every {rhythm * 60:.0f} minutes, Redline at NewsDiffs' number of requests in all"
    )
    print(_HEAD)
    seen = {"NewsDiffs": crawl(articles, Steps(NEWSDIFFS), rhythm), "Redline": crawl(articles, Redline(price), rhythm)}
    for kind in dict.fromkeys(article.kind for article in articles):
        chosen = [number for number, article in enumerate(articles) if article.kind == kind]
        for name, visits in seen.items():
            _print(f"{kind}: {name}", score([articles[n] for n in chosen], [visits[n] for n in chosen]))


def fit(articles: Sequence[Article], rhythm: float) -> None:
    """Print what Redline does with one parameter changed at a time, at the price that keeps the requests at 50."""
    print(_HEAD)

    def tried(name: str, patience: timedelta = schedule.PATIENCE) -> None:
        prices = (schedule.PRICE * 2, schedule.PRICE)
        curve = [(price, score(articles, crawl(articles, Redline(price, patience), rhythm))) for price in prices]
        price = _price_for(50, curve)
        _print(name, score(articles, crawl(articles, Redline(price, patience), rhythm)))

    tried("as it is")
    for hours in (3, 6, 12, 48, 96):
        tried(f"patience {hours} h", timedelta(hours=hours))
    trials = {
        "_PACE_WEIGHT": (0.25, 1.0, 2.0),
        "_PACE_FADES_FROM": (0.1, 2.0),
        "_HABITS_WEIGHT": (0.5, 10.0, 1e9),
        "_ECHO": (0.0, 0.1, 1.0),
        "_PATIENCE_IN_AGES": (0.0, 1.0),
    }
    for parameter, values in trials.items():
        kept = getattr(schedule, parameter)
        for value in values:
            setattr(schedule, parameter, value)
            tried(f"{parameter} {value:g}")
        setattr(schedule, parameter, kept)


_HEAD = (
    f"{'':42} requests  edits  versions  later ones  median     90 %  deletions\n"
    f"{'':42} /article   seen    caught      caught     min      min  in 2 days"
)


def _print(name: str, each: Score) -> Score:
    p90 = "never" if each.p90_minutes == math.inf else f"{each.p90_minutes:.0f}"
    print(
        f"{name:42} {each.requests:8.1f} {each.edits_seen:6.1%} {each.versions_caught:9.1%}"
        f" {each.later_versions_caught:11.1%} {each.median_minutes:7.1f} {p90:>8} {each.deletions_found:10.0%}",
        flush=True,
    )
    return each


# The picture ----------------------------------------------------------------------------------------------------------


def plot(scores: dict[str, dict[str, Score]], path: Path) -> None:
    """Draw later versions caught, and the median delay, against requests; a column for each rhythm."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.axes import Axes
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

    red, grey, dark = "#c8102e", "#8a8a8a", "#303030"
    # Where each label stands from its point, in points: for the versions, and for the delays.
    labels = {
        "NewsDiffs": ("NewsDiffs", (7, -11), (7, 4)),
        "News Sniffer": ("News Sniffer", (2, -14), (-2, 7)),
        "diffengine (as meant)": ("diffengine", (2, 7), (7, -9)),
        "15 minutes for a day": ("15 min for a day", (7, -4), (7, -9)),
        "every 3 hours": ("every 3 h", (-14, 7), (-14, 7)),
    }

    def draw(axes: Axes, each: dict[str, Score], value: Callable[[Score], float], panel: int) -> None:
        axes.axhline(value(each["clairvoyant"]), color=grey, linestyle=(0, (2, 2)), linewidth=1)
        for begins, color, style in (("Redline, price", red, "o-"), ("oracle, price", grey, "--")):
            curve = [found for name, found in each.items() if name.startswith(begins)]
            axes.plot([one.requests for one in curve], [value(one) for one in curve], style, color=color, markersize=4)
        stretched = [found for name, found in each.items() if name.startswith("NewsDiffs")]
        stretched.sort(key=lambda one: one.requests)
        axes.plot([one.requests for one in stretched], [value(one) for one in stretched], ":", color=dark, linewidth=1)
        for name, (label, *offsets) in labels.items():
            at = (each[name].requests, value(each[name]))
            axes.plot(*at, "s", color=dark, markersize=5)
            axes.annotate(label, at, xytext=offsets[panel], textcoords="offset points", fontsize=8, color=dark)
        axes.set_xscale("log")
        axes.set_xlim(7, 700)
        axes.xaxis.set_major_locator(FixedLocator([10, 20, 50, 100, 200, 500]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(color="#e8e8e8", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)

    figure, grid = pyplot.subplots(2, len(scores), figsize=(10, 7.4), sharex=True, sharey="row", facecolor="white")
    for column, (rhythm, each) in enumerate(scores.items()):
        above, below = grid[0][column], grid[1][column]
        draw(above, each, lambda one: one.later_versions_caught * 100, panel=0)
        draw(below, each, lambda one: one.median_minutes, panel=1)
        above.set_title(rhythm, fontsize=11)
        above.set_ylim(60, 98)
        below.set_yscale("log")
        below.yaxis.set_major_locator(FixedLocator([2.5, 5, 10, 20, 50, 100]))
        below.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
        below.yaxis.set_minor_formatter(NullFormatter())
        below.set_xlabel("requests per article in 60 days")
        curve = [found for name, found in each.items() if name.startswith("Redline, price")]
        above.annotate(
            "Redline",
            (curve[1].requests, curve[1].later_versions_caught * 100),
            xytext=(10, -9),
            textcoords="offset points",
            color=red,
            fontweight="bold",
            fontsize=10,
        )
        above.text(
            690,
            each["clairvoyant"].later_versions_caught * 100 + 0.8,
            "most that this rhythm can see",
            ha="right",
            fontsize=8,
            color=grey,
        )
        below.text(
            7.2,
            each["clairvoyant"].median_minutes * 0.97,
            "soonest that this rhythm can see",
            va="top",
            fontsize=8,
            color=grey,
        )
    grid[0][0].set_ylabel("versions caught, beyond the first (%)")
    grid[1][0].set_ylabel("median delay until an edit is seen (minutes)")
    figure.text(
        0.01,
        0.008,
        "Simulated outlets; dashed: Redline's rule if it knew each article's true rate;"
        " dotted: NewsDiffs with its waits x 2, 4, 8.  python bench/schedule.py --plot",
        fontsize=8,
        color=grey,
    )
    figure.tight_layout(rect=(0, 0.025, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fit", action="store_true", help="vary the parameters, on outlets of their own")
    parser.add_argument("--plot", type=Path, metavar="FILE.png", help="draw versions and delay against requests")
    parser.add_argument("--quick", action="store_true", help="a third of the outlets, one rhythm; about two minutes")
    parser.add_argument("--copies", type=int, default=3, help="outlets of each kind (3)")
    options = parser.parse_args()
    if options.fit:
        fit(world("fit", copies=options.copies), 1 / 12)
        return
    machine = about("redline")
    articles = world("judge", copies=1 if options.quick else options.copies)
    print("\n".join(against_the_studies(articles)))
    if options.quick:
        _write(machine, {_OFTEN: compare(articles, 1 / 12)})
        return
    scores = {f"a run every {minutes} minutes": compare(articles, minutes / 60) for minutes in (15, 5)}
    by_kind(articles, 1 / 12, _price_for(scores[_OFTEN]["NewsDiffs"].requests, _redline_curve(scores[_OFTEN])))
    if options.plot:
        plot(scores, options.plot)
    print("\nwithout live blogs and headline tests:")
    calm = world("judge", [replace(outlet, live=0.0, tested=0.0) for outlet in OUTLETS], options.copies)
    scores[f"{_OFTEN}, calm"] = compare(calm, 1 / 12)
    _write(machine, scores)


def _write(machine: dict[str, str], scores: dict[str, dict[str, Score]]) -> None:
    write(
        "schedule",
        machine,
        {world: {name: _row(each) for name, each in rows.items()} for world, rows in scores.items()},
    )


def _row(each: Score) -> dict[str, float | None]:
    """Return a score as JSON has it, which knows no infinity: null."""
    return {name: None if value == math.inf else value for name, value in asdict(each).items()}


if __name__ == "__main__":
    main()
