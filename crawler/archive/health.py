"""The health of feeds in the file: what to hold against their past, and what was found to ail them."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from crawler import health
from crawler.archive import log
from crawler.archive.file import File
from crawler.items import Ailment, Sign
from crawler.rows import as_text, known_moment, moment

# Only a feed that was quiet for so long is asked for its longest silence: that takes a look at many articles.
_WORTH_A_LOOK = timedelta(days=1)
# Of so long. A month holds its weekends and most holidays.
_SILENCES = timedelta(days=60)


def examine(file: File, now: datetime) -> list[Ailment]:
    """Look at the feeds that the latest run visited and write down what ails them; return what is to be told of it.

    That is what is new since the run began and, in the first run of a day (UTC), all that is not over: a person hears
    of it at once, and then once a day.
    """
    runs = [known_moment(row["started_at"]) for row in file.rows("SELECT * FROM crawls ORDER BY id DESC LIMIT 2")]
    began = runs[0] if runs else now
    is_first_of_day = len(runs) < 2 or runs[1].date() < began.date()
    new: set[tuple[int, Sign]] = set()
    for feed in file.rows(
        "SELECT * FROM feeds WHERE removed_at IS NULL AND paused_at IS NULL AND last_visit >= ?", as_text(began)
    ):
        new |= {(feed["id"], sign) for sign in _keep(file, feed["id"], _signs(file, feed), now)}
    return [
        ailment
        for ailment in ailments(file)
        if is_first_of_day
        or (ailment.feed_id, ailment.sign) in new
        or (ailment.sign is Sign.HELD and ailment.since >= began)
    ]


def ailments(file: File) -> list[Ailment]:
    """Return what ails the feeds that are visited, held changes too, by feed."""
    rows = file.rows(
        "SELECT f.*, a.feed_id, a.sign, a.since, a.evidence FROM ailments AS a JOIN feeds AS f ON f.id = a.feed_id"
        " WHERE a.over_at IS NULL AND f.removed_at IS NULL AND f.paused_at IS NULL"
    )
    found = [
        Ailment(
            feed_id=row["feed_id"],
            feed=row["title"] or row["url"],
            sign=Sign(row["sign"]),
            since=known_moment(row["since"]),
            evidence=row["evidence"],
        )
        for row in rows
    ]
    found += (
        Ailment(
            feed_id=hold.feed_id,
            feed=hold.feed,
            sign=Sign.HELD,
            since=hold.held_at,
            evidence=f"{hold.changed} of {hold.visited} articles seem to have changed in one run, and are held back",
        )
        for hold in log.open_holds(file)
    )
    return sorted(found, key=lambda ailment: (ailment.feed_id, ailment.since, ailment.sign))


def _signs(file: File, feed: sqlite3.Row) -> dict[Sign, str]:
    rows = file.rows(
        "SELECT a.found_at, a.versions, v.authors, v.date_published, v.description, v.headline, v.quality, v.words"
        " FROM articles AS a LEFT JOIN versions AS v ON v.article_id = a.id AND v.number = 1"
        " WHERE a.feed_id = ? AND a.last_visit IS NOT NULL ORDER BY a.id DESC LIMIT ?",
        *(feed["id"], health.READINGS),
    )
    found = health.signs([_reading(row) for row in rows])
    last_good = moment(feed["last_good_at"])
    if not feed["failures"] and rows and last_good and last_good - known_moment(rows[0]["found_at"]) > _WORTH_A_LOOK:
        silent = health.silence(
            _found(file, feed["id"]),
            last_good=last_good,
            entries=feed["entries"],
        )
        if silent:
            found[Sign.SILENT] = silent
    return found


def _reading(row: sqlite3.Row) -> health.Reading:
    found_at = known_moment(row["found_at"])
    if row["headline"] is None:
        return health.Reading(found_at=found_at, is_read=False)
    return health.Reading(
        found_at=found_at,
        is_read=True,
        has_author=row["authors"] != "[]",
        has_date=row["date_published"] is not None,
        has_standfirst=bool(row["description"]),
        has_headline=bool(row["headline"]),
        is_whole=row["quality"] == "ok",
        words=row["words"],
    )


def _found(file: File, feed_id: int) -> list[datetime]:
    """Return when the articles of a feed were found, the newest first, as far back as silences are remembered."""
    times: list[datetime] = []
    for row in file.run("SELECT found_at FROM articles WHERE feed_id = ? ORDER BY id DESC", feed_id):
        times.append(known_moment(row["found_at"]))
        if times[0] - times[-1] > _SILENCES:
            break
    return times


def _keep(file: File, feed_id: int, signs: dict[Sign, str], now: datetime) -> set[Sign]:
    """Write down what ails a feed: what is new, what goes on with today's evidence, what is over; return the new."""
    rows = file.rows("SELECT id, sign FROM ailments WHERE feed_id = ? AND over_at IS NULL", feed_id)
    known = {Sign(row["sign"]): row["id"] for row in rows}
    for sign, evidence in signs.items():
        if sign in known:
            file.run("UPDATE ailments SET evidence = ? WHERE id = ?", evidence, known[sign])
        else:
            file.run(
                "INSERT INTO ailments (feed_id, sign, since, evidence) VALUES (?, ?, ?, ?)",
                *(feed_id, sign, as_text(now), evidence),
            )
    for sign in known.keys() - signs.keys():
        file.run("UPDATE ailments SET over_at = ? WHERE id = ?", as_text(now), known[sign])
    return signs.keys() - known.keys()
