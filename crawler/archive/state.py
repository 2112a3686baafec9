"""How the archive fares as a whole: read beside a crawl that writes, without a lock, in a fraction of a second."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

from crawler import extract, manners
from crawler.archive import feeds, health, hosts
from crawler.archive.file import File
from crawler.items import Growth, Outcome, Run, State, Trust
from crawler.rows import as_text, known_moment, moment

GROWTH_DAYS = (1, 7, 30)
# A month of a run every 10 minutes.
_MOST_RUNS = 4_320


def look(path: Path, now: datetime) -> State:
    """Return how the archive fares. Raises NotFound where there is none, ArchiveError where it is not one of ours."""
    file = File(path, is_read_only=True)
    try:
        with file.snapshot():
            if pending := file.pending():
                return State(at=now, pending=tuple(pending))
            return _state(file, now)
    finally:
        file.close()


def _state(file: File, now: datetime) -> State:
    watched = feeds.watched(file)
    active = [feed for feed in watched if feed.paused_at is None]
    due = _one(
        file,
        "SELECT count(*) AS articles, min(a.next_visit) AS since FROM articles AS a JOIN feeds AS f ON f.id = a.feed_id"
        " WHERE a.next_visit <= ? AND a.merged_into IS NULL AND f.paused_at IS NULL AND f.removed_at IS NULL",
        as_text(now),
    )
    due_feeds = [feed.next_visit for feed in active if feed.next_visit <= now]
    counts = _one(
        file, "SELECT (SELECT count(*) FROM articles) AS articles, (SELECT count(*) FROM versions) AS versions"
    )
    visits = _one(file, "SELECT min(started_at) AS since, sum(feeds + articles) AS visits FROM crawls")
    size = _one(
        file,
        "SELECT (page_count - freelist_count) * page_size AS used, freelist_count * page_size AS free"
        " FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()",
    )
    # The newest rows are the latest visits: an index on the time alone would cost each of them more than this.
    latest = _one(
        file, "SELECT max(captured_at) AS at FROM (SELECT captured_at FROM captures ORDER BY id DESC LIMIT 100)"
    )
    return State(
        at=now,
        since=moment(visits["since"]),
        runs=_runs(file, now - timedelta(days=max(GROWTH_DAYS))),
        feeds=len(active),
        paused=len(watched) - len(active),
        addresses=tuple(feed.url for feed in active),
        failing=tuple(feed for feed in active if feed.last_error),
        due_feeds=len(due_feeds),
        due_articles=due["articles"],
        due_since=min([*due_feeds, *([known_moment(due["since"])] if due["since"] else [])], default=None),
        articles=counts["articles"],
        versions=counts["versions"],
        visits=visits["visits"] or 0,
        grown={days: _growth(file, now - timedelta(days=days)) for days in GROWTH_DAYS},
        used_bytes=size["used"],
        free_bytes=size["free"],
        latest_capture=moment(latest["at"]),
        ailments=tuple(health.ailments(file)),
        hosts=tuple(
            host
            for host in hosts.every(file).values()
            if manners.is_waiting(host, now) or manners.trust(host, now) is Trust.LYING
        ),
        older_extractor=_older_extractor(file),
    )


def _runs(file: File, since: datetime) -> tuple[Run, ...]:
    """Return the runs since a moment, the newest first; the latest one whenever it was."""
    rows = file.rows("SELECT * FROM crawls ORDER BY id DESC LIMIT ?", _MOST_RUNS)
    names = ("feeds", "articles", *(outcome.value for outcome in Outcome))
    runs = [
        Run(
            started_at=known_moment(row["started_at"]),
            ended_at=moment(row["ended_at"]),
            reason=row["reason"],
            counts={name: row[name] for name in names},
            archive_bytes=row["bytes"],
        )
        for row in rows
    ]
    return tuple(run for run in runs if run is runs[0] or run.started_at >= since)


def _growth(file: File, since: datetime) -> Growth:
    row = _one(
        file,
        "SELECT coalesce(sum(new), 0) AS articles, coalesce(sum(new + changed), 0) AS versions,"
        " coalesce(sum(feeds + articles), 0) AS visits FROM crawls WHERE started_at >= ?",
        as_text(since),
    )
    return Growth(articles=row["articles"], versions=row["versions"], visits=row["visits"])


def _older_extractor(file: File) -> int:
    """Return how many articles have a latest version that was read by an earlier extractor than today's."""
    row = _one(
        file,
        "SELECT count(*) AS articles FROM articles WHERE last_changed < coalesce((SELECT min(started_at) FROM crawls"
        " WHERE extractor = ?), '9') AND EXISTS (SELECT 1 FROM crawls WHERE extractor IS NULL OR extractor < ?)",
        *(extract.EXTRACTOR_VERSION, extract.EXTRACTOR_VERSION),
    )
    return int(row["articles"])


def _one(file: File, statement: str, *parameters: object) -> sqlite3.Row:
    row = file.row(statement, *parameters)
    assert row is not None
    return row
