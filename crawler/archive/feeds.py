"""The list of feeds in the file, and what feeds said of articles."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from crawler import manners, schedule, urls
from crawler.archive import addresses, hosts, learning
from crawler.archive.file import File
from crawler.errors import UsageError
from crawler.items import DueArticle, Entry, FeedCapture, FeedFormat, FeedLink, Host, Trust, WatchedFeed
from crawler.rows import as_json, as_text, known_moment, moment

_FEEDS = (
    "SELECT f.*, (SELECT count(*) FROM articles AS a WHERE a.feed_id = f.id) AS articles,"
    " (SELECT count(*) FROM holds AS h WHERE h.feed_id = f.id AND h.settled_at IS NULL) AS holds FROM feeds AS f"
)


# Of one feed; each is a sentence on a whole document.
_MAX_WARNINGS = 50
# From so many on, and from half of a feed on, entries told anew are no edits.
_TEMPLATE_ENTRIES = 5


def watched(file: File) -> list[WatchedFeed]:
    return [_watched(row) for row in file.rows(f"{_FEEDS} WHERE f.removed_at IS NULL ORDER BY f.id")]


def due(file: File, by: datetime, now: datetime, *, everything: bool) -> list[WatchedFeed]:
    """Return the feeds that are due `by` a moment, but those whose hosts are not to be asked `now`."""
    rows = file.rows(
        f"{_FEEDS} WHERE f.removed_at IS NULL AND f.paused_at IS NULL AND (? OR f.next_visit <= ?)"
        " ORDER BY f.next_visit, f.id",
        *(everything, as_text(by)),
    )
    known = hosts.every(file)
    found = []
    for row in rows:
        host = known.get(hosts.of(row["url"]), Host(name=""))
        if not manners.is_waiting(host, now):
            in_full = manners.asks_in_full(row["not_modified"], manners.trust(host, now))
            found.append(replace(_watched(row), asks_in_full=in_full))
    return found


def one(file: File, feed_id: int) -> WatchedFeed:
    row = file.row(f"{_FEEDS} WHERE f.id = ?", feed_id)
    assert row is not None
    return _watched(row)


def named(file: File, feed: str) -> int:
    """Return the number of the feed that `feed` names: its number, its URL in any form. Raises UsageError."""
    rows = file.rows("SELECT id, url, former_urls FROM feeds WHERE removed_at IS NULL")
    exact = [row["id"] for row in rows if feed in (str(row["id"]), row["url"])]
    exact = exact or [row["id"] for row in rows if feed in _former(row)]
    alike = exact or [row["id"] for row in rows if urls.key(row["url"]) == urls.key(feed)]
    if len(alike) != 1:
        raise UsageError(f"no feed {feed} on the list; `redline feeds` shows it")
    return int(alike[0])


def add(file: File, link: FeedLink, now: datetime) -> tuple[int, bool]:
    """Put a feed on the list; return its number, and whether it was not on it."""
    row = file.row(
        "SELECT id, removed_at FROM feeds WHERE url = ? OR EXISTS (SELECT 1 FROM json_each(former_urls) AS j"
        " WHERE json_extract(j.value, '$.url') = ?) ORDER BY url <> ? LIMIT 1",
        *(link.url, link.url, link.url),
    )
    if row is None:
        added = file.row(
            "INSERT INTO feeds (url, title, site_url, added_at, next_visit) VALUES (?, ?, ?, ?, ?) RETURNING id",
            *(link.url, link.title, link.site_url, as_text(now), as_text(now)),
        )
        assert added is not None
        return int(added["id"]), True
    if row["removed_at"] is not None:
        file.run(
            "UPDATE feeds SET removed_at = NULL, paused_at = NULL, next_visit = ? WHERE id = ?",
            *(as_text(now), row["id"]),
        )
    return int(row["id"]), row["removed_at"] is not None


def update(file: File, old: sqlite3.Row, capture: FeedCapture, error: str | None, *, new: int) -> None:
    """Set a feed's state as of this visit, its validators and its next visit; `new` entries were new to us."""
    feed, now = capture.feed, capture.captured_at
    is_good = error is None
    host = hosts.named(file, hosts.of(old["url"]))
    left_until = None if is_good or capture.refused else manners.left_alone_until(host, now)
    failures = 0 if is_good else old["failures"] + (left_until is None)
    # A 304 may leave validators out; those of an answer that is no feed would make it one at the next visit.
    kept = (old["etag"], old["last_modified"]) if capture.status == 304 else (None, None)
    etag, modified = (capture.etag or kept[0], capture.last_modified or kept[1]) if is_good else (None, None)
    refresh = feed.refresh_minutes if feed else old["refresh_minutes"]
    max_age = old["max_age_seconds"] if capture.max_age is None else int(capture.max_age.total_seconds())
    entries = old["entries"] if feed is None else len(feed.entries)
    rhythm = learning.rhythm(old, now, new=new, is_good=is_good)
    is_believed = manners.trust(host, now) is not Trust.LYING
    appointment = schedule.next_feed_visit(
        now=now,
        failures=failures,
        refresh_minutes=refresh,
        max_age=None if max_age is None else timedelta(seconds=max_age),
        has_validators=bool(etag or modified) and is_believed,
        rhythm=rhythm,
        entries=entries,
    )
    if left_until is not None:
        appointment = schedule.Appointment(at=left_until, reason="its host answers for none; then it is asked again")
    file.run(
        "UPDATE feeds SET last_visit = ?, last_good_at = ?, last_error = ?, failures = ?, next_visit = ?,"
        " next_visit_reason = ?, etag = ?, last_modified = ?, not_modified = ?, refresh_minutes = ?,"
        " max_age_seconds = ?, entries = ?, new_entries = ?, watched_hours = ? WHERE id = ?",
        *(as_text(now), as_text(now) if is_good else old["last_good_at"], error, failures, as_text(appointment.at)),
        *(appointment.reason, etag, modified, old["not_modified"] + 1 if capture.status == 304 else 0, refresh),
        *(max_age, entries, rhythm.new, rhythm.hours, old["id"]),
    )
    if feed is not None:
        file.run(
            "UPDATE feeds SET title = ?, site_url = ?, format = ?, language = ?, hub = ?, warnings = ? WHERE id = ?",
            *(feed.title or old["title"], feed.site_url or old["site_url"], feed.format, feed.language, feed.hub),
            *(as_json(list(feed.warnings)), old["id"]),
        )
        _follow_move(file, old, capture)


def add_warnings(file: File, old: sqlite3.Row, capture: FeedCapture) -> None:
    """Add what a further document of a feed (a sitemap of an index) left out to what the first one did."""
    if capture.feed is None or not capture.feed.warnings:
        return
    further = [f"{capture.url}: {warning}" for warning in capture.feed.warnings]
    kept = [*json.loads(old["warnings"]), *further][:_MAX_WARNINGS]
    file.run("UPDATE feeds SET warnings = ? WHERE id = ?", as_json(kept), old["id"])


def _follow_move(file: File, old: sqlite3.Row, capture: FeedCapture) -> None:
    """Ask for a feed at its new address from now on if it moved for good, unless that is watched already."""
    new = urls.clean(capture.final_url or "")
    if new is None or not capture.is_permanent_move or file.row("SELECT 1 FROM feeds WHERE url = ?", new) is not None:
        return
    former = [*json.loads(old["former_urls"]), {"url": old["url"], "until": as_text(capture.captured_at)}]
    file.run("UPDATE feeds SET url = ?, former_urls = ? WHERE id = ?", new, as_json(former), old["id"])


@dataclass(slots=True, kw_only=True)
class Listed:
    """What a reading of a feed brought: articles new to us, known ones of which it tells otherwise, anything at all."""

    new: list[DueArticle] = field(default_factory=list)
    edited: list[DueArticle] = field(default_factory=list)
    is_news: bool = False


def record_entries(file: File, feed_id: int, entries: Sequence[Entry], seen: datetime) -> Listed:
    """Note what a feed says of articles; those of which it tells another title or summary are due from now on."""
    now = as_text(seen)
    listed, edited = Listed(), []
    for entry in entries:
        said = (entry.url, entry.title, entry.summary, as_text(entry.date_published), as_text(entry.date_modified))
        before = file.row(
            "SELECT * FROM entries WHERE feed_id = ? AND entry_id = ? ORDER BY id DESC LIMIT 1", feed_id, entry.id
        )
        columns = ("url", "title", "summary", "date_published", "date_modified")
        if before is not None and tuple(before[name] for name in columns) == said:
            file.run("UPDATE entries SET last_seen = max(last_seen, ?) WHERE id = ?", now, before["id"])
            continue
        listed.is_news = True
        article_id = addresses.article_at(file, entry.url)
        if article_id is None and before is not None:
            # The feed's own id stands for the article: a new address under it is a new slug, not a new article.
            article_id = addresses.standing_for(file, before["article_id"])
        if article_id is None:
            article_id = _add_article(file, feed_id, entry, seen)
            listed.new.append(DueArticle(id=article_id, url=entry.url, etag=None, last_modified=None))
        elif before is not None and (before["title"], before["summary"]) != (entry.title, entry.summary):
            edited.append(article_id)
        addresses.note(file, article_id, entry.url, "entry", seen)
        file.run(
            "INSERT INTO entries (feed_id, article_id, entry_id, url, title, summary, date_published,"
            " date_modified, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(feed_id, article_id, entry.id, *said, now, now),
        )
    # A feed that tells half of its entries anew has another template, not so many edits.
    if len(edited) < _TEMPLATE_ENTRIES or len(edited) < len(entries) / 2:
        listed.edited = _make_due(file, edited, seen)
    return listed


def _make_due(file: File, articles: Iterable[int], now: datetime) -> list[DueArticle]:
    """Visit articles now, because their feed says that they were edited; return those that were not due before."""
    known = hosts.every(file)
    found = []
    for article_id in articles:
        row = file.row(
            "UPDATE articles SET next_visit = ?, next_visit_reason = 'its feed tells another title or summary'"
            " WHERE id = ? AND next_visit > ? RETURNING *",
            *(as_text(now), article_id, as_text(now)),
        )
        if row is not None:
            found.append(hosts.due_article(row, known, now))
    return found


def _add_article(file: File, feed_id: int, entry: Entry, seen: datetime) -> int:
    now = as_text(seen)
    row = file.row(
        "INSERT INTO articles (url, current_url, host, feed_id, headline, date_published, found_at, next_visit,"
        " next_visit_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'not read yet') RETURNING id",
        *(entry.url, entry.url, urls.host(entry.url), feed_id, entry.title, as_text(entry.date_published), now, now),
    )
    assert row is not None
    return int(row["id"])


def _watched(row: sqlite3.Row) -> WatchedFeed:
    return WatchedFeed(
        id=row["id"],
        url=row["url"],
        title=row["title"],
        site_url=row["site_url"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        added_at=known_moment(row["added_at"]),
        paused_at=moment(row["paused_at"]),
        last_visit=moment(row["last_visit"]),
        last_good_at=moment(row["last_good_at"]),
        last_error=row["last_error"],
        failures=row["failures"],
        next_visit=known_moment(row["next_visit"]),
        articles=row["articles"],
        holds=row["holds"],
        format=FeedFormat(row["format"]) if row["format"] else None,
        entries=row["entries"],
        former_urls=tuple(_former(row)),
        warnings=tuple(json.loads(row["warnings"])),
    )


def _former(row: sqlite3.Row) -> list[str]:
    return [place["url"] for place in json.loads(row["former_urls"])]
