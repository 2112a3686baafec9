"""Numbers of the whole archive and of one outlet: what is watched, how often it is edited, how soon, how openly.

An edit is only known to lie between two visits. Every figure of time keeps both ends: a least and a most.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crawler import urls
from crawler.browse.listing import is_small
from crawler.browse.reading import Connection, first
from crawler.rows import Row, as_text, known_moment, moment

# How long after an article was found an edit came: the upper ends, and what each is called.
AGES = (
    (timedelta(hours=1), "first hour"),
    (timedelta(hours=3), "1 to 3 hours"),
    (timedelta(hours=6), "3 to 6 hours"),
    (timedelta(hours=12), "6 to 12 hours"),
    (timedelta(days=1), "12 to 24 hours"),
    (timedelta(days=2), "2nd day"),
    (timedelta(days=7), "3rd to 7th day"),
    (timedelta.max, "later"),
)

# How many of an outlet's latest changes its figures are drawn from.
_MOST_CHANGES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SickFeed:
    """A feed whose latest visit went wrong."""

    id: int
    title: str
    failures: int
    last_error: str
    last_good_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Changes of a feed that wait for a person: `changed` of `visited` articles seemed to change in one run."""

    feed_id: int
    title: str
    held_at: datetime
    changed: int
    visited: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Crawl:
    """The latest run; `ended_at` is None while it is at work, or if it was killed."""

    started_at: datetime
    ended_at: datetime | None
    reason: str | None
    feeds: int
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The archive at a glance. `today` counts the changes of the last 24 hours by verdict, `visits` by outcome."""

    feeds: int
    paused: int
    sick: tuple[SickFeed, ...]
    holds: tuple[Held, ...]
    articles: int
    versions: int
    changes: int
    since: datetime | None
    crawl: Crawl | None
    today: dict[str, int]
    visits: dict[str, int]
    days: tuple[tuple[date, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlet:
    """A site that is watched: how many articles of it are kept; `changes` are those of the last seven days."""

    host: str
    name: str
    articles: int
    changes: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A median of delays, each known only to lie between a least and a most; both None where there is none."""

    count: int
    least: timedelta | None
    most: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutletFigures:
    """How an outlet edits, by its changes from `since` on; `is_cut` says that only the latest were counted. `articles`
    counts those that were changed.

    `ages` has for each of `AGES` how many edits surely fell into it and how many may have: their two visits lie in
    different ones. `delays` are those from a passage to the notice that replaced it.
    """

    changes: int
    articles: int
    is_cut: bool
    verdicts: dict[str, int]
    kinds: tuple[tuple[str, int], ...]
    headlines: int
    headline_articles: int
    most_headlines: int
    reverts: int
    ages: tuple[tuple[str, int, int], ...]
    days: tuple[tuple[date, int], ...]
    gap: timedelta | None
    delays: Delay

    @property
    def judged(self) -> int:
        """How many changes have a verdict on the publisher: those whose page has a date."""
        return sum(count for verdict, count in self.verdicts.items() if verdict != "undated")


def overview(connection: Connection, now: datetime, weeks: int) -> Overview:
    """Return the archive at a glance; `days` are those of the last `weeks` weeks, from a Monday on."""
    day_ago = as_text(now - timedelta(days=1))
    monday = now.date() - timedelta(days=now.weekday(), weeks=weeks - 1)
    counted = _only(
        connection,
        "SELECT (SELECT count(*) FROM feeds WHERE removed_at IS NULL) AS feeds,"
        " (SELECT count(*) FROM feeds WHERE removed_at IS NULL AND paused_at IS NOT NULL) AS paused,"
        " (SELECT count(*) FROM articles) AS articles, (SELECT count(*) FROM versions) AS versions,"
        " (SELECT count(*) FROM changes) AS changes, (SELECT min(first_seen) FROM versions) AS since",
    )
    sick = connection.execute(
        "SELECT id, title, url, failures, last_error, last_good_at FROM feeds"
        " WHERE removed_at IS NULL AND paused_at IS NULL AND last_error IS NOT NULL ORDER BY failures DESC, id LIMIT 20"
    )
    # Few, so they are found by their runs and taken off the counts: those come from indexes that know no holds.
    held = list(
        connection.execute(
            "SELECT c.seen_at, c.verdict FROM holds AS h CROSS JOIN captures AS p ON p.crawl_id = h.crawl_id"
            " CROSS JOIN changes AS c ON c.version_id = p.version_id AND c.hold_id = h.id"
            " WHERE h.settlement IS NOT 'accepted' AND p.outcome = 'changed'"
        )
    )
    holds = connection.execute(
        "SELECT h.feed_id, coalesce(nullif(f.title, ''), f.url) AS title, h.held_at, h.changed, h.visited"
        " FROM holds AS h JOIN feeds AS f ON f.id = h.feed_id WHERE h.settled_at IS NULL ORDER BY h.id DESC LIMIT 20"
    )
    crawl = first(connection.execute("SELECT * FROM crawls ORDER BY id DESC LIMIT 1"))
    today = connection.execute("SELECT verdict, count(*) AS n FROM changes WHERE seen_at >= ? GROUP BY 1", (day_ago,))
    by_day = connection.execute(
        "SELECT d.value AS day, (SELECT count(*) FROM changes AS c"
        " WHERE c.seen_at >= d.value AND c.seen_at < d.value || 'U') AS n FROM json_each(?) AS d",
        (json.dumps([(monday + timedelta(days=step)).isoformat() for step in range(weeks * 7)]),),
    )
    # By outcome, so that the index of (outcome, captured_at) answers: a scan by time has none.
    visits = connection.execute(
        "SELECT value AS outcome, (SELECT count(*) FROM captures AS c"
        " WHERE c.outcome = o.value AND c.captured_at >= ?) AS n FROM json_each(?) AS o",
        (day_ago, json.dumps(["new", "changed", "unchanged", "not_modified", "moved", "gone", "blocked", "failed"])),
    )
    return Overview(
        feeds=counted["feeds"],
        paused=counted["paused"],
        sick=tuple(
            SickFeed(
                id=row["id"],
                title=row["title"] or urls.without_secrets(row["url"]),
                failures=row["failures"],
                last_error=row["last_error"],
                last_good_at=moment(row["last_good_at"]),
            )
            for row in sick
        ),
        articles=counted["articles"],
        versions=counted["versions"],
        changes=counted["changes"] - len(held),
        since=moment(counted["since"]),
        crawl=None if crawl is None else _crawl(crawl),
        holds=tuple(
            Held(
                feed_id=row["feed_id"],
                title=urls.without_secrets(row["title"]),
                held_at=known_moment(row["held_at"]),
                changed=row["changed"],
                visited=row["visited"],
            )
            for row in holds
        ),
        today=_without(
            {row["verdict"]: row["n"] for row in today},
            Counter(row["verdict"] for row in held if row["seen_at"] >= day_ago),
        ),
        visits={row["outcome"]: row["n"] for row in visits if row["n"]},
        days=_days(
            _without({row["day"]: row["n"] for row in by_day}, Counter(row["seen_at"][:10] for row in held)),
            monday,
            now.date(),
        ),
    )


def _crawl(row: Row) -> Crawl:
    return Crawl(
        started_at=known_moment(row["started_at"]),
        ended_at=moment(row["ended_at"]),
        reason=row["reason"],
        feeds=row["feeds"],
        articles=row["articles"],
    )


def outlets(connection: Connection, now: datetime) -> list[Outlet]:
    """Return the sites that articles were found on, those with most articles first."""
    # Each part is answered by an index: to look into every article took 100 ms with 100,000 of them.
    counted = connection.execute(
        "SELECT s.host, s.articles, (SELECT f.title FROM articles AS a JOIN feeds AS f ON f.id = a.feed_id"
        " WHERE a.host = s.host LIMIT 1) AS name"
        " FROM (SELECT host, count(*) AS articles FROM articles GROUP BY host ORDER BY 2 DESC, 1 LIMIT 500) AS s"
    )
    recent = connection.execute(
        "SELECT a.host, count(*) AS n FROM changes AS c CROSS JOIN articles AS a ON a.id = c.article_id"
        " WHERE c.seen_at >= ? AND c.hold_id IS NULL GROUP BY a.host",
        (as_text(now - timedelta(days=7)),),
    )
    gone = connection.execute("SELECT host, count(*) AS n FROM articles WHERE state = 'gone' GROUP BY host")
    changes, lost = ({row["host"]: row["n"] for row in rows} for rows in (recent, gone))
    return [
        Outlet(
            host=row["host"],
            name=row["name"] or row["host"],
            articles=row["articles"],
            changes=changes.get(row["host"], 0),
            gone=lost.get(row["host"], 0),
        )
        for row in counted
    ]


def outlet(connection: Connection, host: str, now: datetime) -> Outlet | None:
    """Return one site; None if no article was found on it."""
    row = _only(
        connection,
        "SELECT (SELECT count(*) FROM articles WHERE host = ?) AS articles,"
        " (SELECT count(*) FROM articles WHERE state = 'gone' AND host = ?) AS gone,"
        " (SELECT f.title FROM articles AS a JOIN feeds AS f ON f.id = a.feed_id WHERE a.host = ? LIMIT 1) AS name,"
        " (SELECT count(*) FROM changes AS c CROSS JOIN articles AS a ON a.id = c.article_id"
        " WHERE c.seen_at >= ? AND c.hold_id IS NULL AND a.host = ?) AS changes",
        *(host, host, host, as_text(now - timedelta(days=7)), host),
    )
    if not row["articles"]:
        return None
    return Outlet(
        host=host,
        name=row["name"] or host,
        articles=row["articles"],
        changes=row["changes"],
        gone=row["gone"],
    )


def outlet_figures(connection: Connection, host: str, since: datetime, now: datetime) -> OutletFigures:
    """Return how an outlet edited from `since` to `now`."""
    source = _BY_ARTICLE if is_small(connection, host) else _BY_TIME
    rows = list(connection.execute(source, (host, as_text(since), _MOST_CHANGES + 1)))
    is_cut = len(rows) > _MOST_CHANGES
    rows = rows[:_MOST_CHANGES]
    kinds = Counter(kind for row in rows for kind in json.loads(row["kinds"]))
    headlines = Counter(row["article_id"] for row in rows if row["is_headline"])
    gaps = sorted(known_moment(row["seen_at"]) - known_moment(row["appeared_after"]) for row in rows)
    counted = Counter(row["seen_at"][:10] for row in rows)
    return OutletFigures(
        changes=len(rows),
        articles=len({row["article_id"] for row in rows}),
        is_cut=is_cut,
        verdicts=dict(Counter(row["verdict"] for row in rows)),
        kinds=tuple(kinds.most_common(12)),
        headlines=sum(headlines.values()),
        headline_articles=len(headlines),
        most_headlines=max(headlines.values(), default=0),
        reverts=sum(row["reverts_to"] is not None for row in rows),
        ages=_ages(rows),
        days=_days(counted, since.date(), now.date()),
        gap=gaps[len(gaps) // 2] if gaps else None,
        delays=_delays(connection, [row for row in rows if row["verdict"] == "declared"]),
    )


_COLUMNS = (
    "SELECT c.article_id, c.seen_at, c.appeared_after, c.verdict, c.kinds, c.reverts_to, a.found_at, v.number,"
    " v.headline <> o.headline AS is_headline"
)
_REST = (
    "CROSS JOIN versions AS v ON v.id = c.version_id"
    " CROSS JOIN versions AS o ON o.article_id = v.article_id AND o.number = v.number - 1"
    " LEFT JOIN holds AS h ON h.id = c.hold_id"
    " WHERE a.host = ? AND c.seen_at >= ? AND (c.hold_id IS NULL OR h.settlement = 'accepted')"
    " ORDER BY c.seen_at DESC LIMIT ?"
)
_BY_ARTICLE = " ".join((_COLUMNS, "FROM articles AS a CROSS JOIN changes AS c ON c.article_id = a.id", _REST))
_BY_TIME = " ".join((_COLUMNS, "FROM changes AS c CROSS JOIN articles AS a ON a.id = c.article_id", _REST))


def _ages(rows: Sequence[Row]) -> tuple[tuple[str, int, int], ...]:
    """Return for each age how many edits surely fell into it, and how many more may have."""
    sure, possible = Counter[int](), Counter[int]()
    for row in rows:
        found = known_moment(row["found_at"])
        begin, end = (_age(known_moment(row[name]) - found) for name in ("appeared_after", "seen_at"))
        if begin == end:
            sure[begin] += 1
        else:
            possible.update(range(begin, end + 1))
    return tuple((name, sure[index], possible[index]) for index, (_, name) in enumerate(AGES))


def _age(age: timedelta) -> int:
    return next(index for index, (end, _) in enumerate(AGES) if age < end)


def _delays(connection: Connection, declared: Sequence[Row]) -> Delay:
    """Return the median delay from a passage to the declared change that took it away.

    The passage came between two visits, and so did the change: the least delay is from the later end of the one to the
    earlier end of the other. Of several passages the one that stood longest counts.
    """
    least, most = list[timedelta](), list[timedelta]()
    for row in declared:
        wrong = first(
            connection.execute(
                "SELECT v.first_seen, v.appeared_after FROM blocks AS b"
                " JOIN versions AS v ON v.article_id = b.article_id AND v.number = b.added_in"
                " WHERE b.article_id = ? AND b.removed_in = ? ORDER BY b.added_in LIMIT 1",
                (row["article_id"], row["number"]),
            )
        )
        if wrong is not None:
            begin = known_moment(wrong["first_seen"])
            earliest = known_moment(wrong["appeared_after"] or row["found_at"])
            least.append(max(known_moment(row["appeared_after"]) - begin, timedelta()))
            most.append(known_moment(row["seen_at"]) - min(earliest, begin))
    least.sort()
    most.sort()
    middle = len(least) // 2
    return Delay(count=len(least), least=least[middle] if least else None, most=most[middle] if most else None)


def _without(counted: Mapping[str, int], held: Mapping[str, int]) -> dict[str, int]:
    return {name: left for name, count in counted.items() if (left := count - held.get(name, 0)) > 0}


def _days(counted: Mapping[str, int], begin: date, end: date) -> tuple[tuple[date, int], ...]:
    """Return each day from `begin` to `end` with its count, those without a change too."""
    days = (begin + timedelta(days=step) for step in range((end - begin).days + 1))
    return tuple((day, counted.get(day.isoformat(), 0)) for day in days)


def _only(connection: Connection, sql: str, *parameters: object) -> Row:
    row = first(connection.execute(sql, parameters))
    assert row is not None
    return row
