"""What visits teach: how often the articles of a feed change, how often one of them does, how often a feed has news."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from crawler import schedule
from crawler.archive.file import File
from crawler.items import Outcome
from crawler.rows import known_moment, moment
from crawler.schedule import Habits, Pace, Rhythm, Tally


def learn(
    file: File, known: sqlite3.Row, now: datetime, outcome: Outcome, *, last_good: datetime | None
) -> tuple[datetime, Habits, Pace, bool]:
    """Take in a visit to an article; return its birth, its feed's habits, its pace, and whether it flaps.

    `known` is its row before the visit, `last_good` the good visit before this one: None if there was none, or if this
    one was not good; then nothing is learned.
    """
    born = schedule.birth(known_moment(known["found_at"]), _published(file, known))
    habits, pace = _habits(file, known["feed_id"]), Pace(seen=known["pace_seen"], expected=known["pace_expected"])
    latest = file.row("SELECT reverts_to FROM changes WHERE article_id = ? ORDER BY id DESC LIMIT 1", known["id"])
    is_return = latest is not None and latest["reverts_to"] is not None
    if last_good is not None:
        has_changed = outcome is Outcome.CHANGED and not is_return
        # First the pace, by the habits as they were.
        pace = pace.updated(habits, born=born, last_visit=last_good, now=now, has_changed=has_changed)
        habits = habits.updated(born=born, last_visit=last_good, now=now, has_changed=has_changed)
        _keep(file, known["id"], known["feed_id"], habits, pace)
    return born, habits, pace, _is_flapping(file, known["id"]) or (is_return and _returns(file, known["id"]) > 1)


def rhythm(old: sqlite3.Row, now: datetime, *, new: int, is_good: bool) -> Rhythm:
    """Return how many new entries a feed brings, after a visit that brought `new` of them."""
    known = Rhythm(new=old["new_entries"], hours=old["watched_hours"])
    return known.updated(last_visit=moment(old["last_good_at"]), now=now, new=new) if is_good else known


def count_more(file: File, feed_id: int, new: int) -> None:
    """Count new entries that further pages of a feed brought at the same visit; at its first they tell nothing."""
    file.run("UPDATE feeds SET new_entries = new_entries + ? WHERE id = ? AND watched_hours > 0", new, feed_id)


def _published(file: File, known: sqlite3.Row) -> datetime | None:
    """Return the publisher's date as its first version had it: a date that is moved makes no old article new."""
    first = file.row("SELECT date_published FROM versions WHERE article_id = ? AND number = 1", known["id"])
    return moment((first["date_published"] if first else None) or known["date_published"])


def _habits(file: File, feed_id: int) -> Habits:
    row = file.row("SELECT * FROM feeds WHERE id = ?", feed_id)
    assert row is not None
    return Habits(
        fresh=Tally(seen=row["fresh_seen"], expected=row["fresh_expected"]),
        day=Tally(seen=row["day_seen"], expected=row["day_expected"]),
        late=Tally(seen=row["late_seen"], expected=row["late_expected"]),
    )


def _keep(file: File, article_id: int, feed_id: int, habits: Habits, pace: Pace) -> None:
    file.run("UPDATE articles SET pace_seen = ?, pace_expected = ? WHERE id = ?", pace.seen, pace.expected, article_id)
    file.run(
        "UPDATE feeds SET fresh_seen = ?, fresh_expected = ?, day_seen = ?, day_expected = ?, late_seen = ?,"
        " late_expected = ? WHERE id = ?",
        *(habits.fresh.seen, habits.fresh.expected, habits.day.seen, habits.day.expected),
        *(habits.late.seen, habits.late.expected, feed_id),
    )


def _is_flapping(file: File, article_id: int) -> bool:
    row = file.row("SELECT flap_id FROM articles WHERE id = ?", article_id)
    return row is not None and row["flap_id"] is not None


def _returns(file: File, article_id: int) -> int:
    row = file.row("SELECT count(*) AS n FROM changes WHERE article_id = ? AND reverts_to IS NOT NULL", article_id)
    return int(row["n"]) if row else 0
