"""The archive: one SQLite file, opened, written and read here and nowhere else. One public write is one transaction.

Callers see values of `crawler.items`, never SQL, a connection or a row. Writes begin with `BEGIN IMMEDIATE`: a
transaction that reads before it writes fails at once under a second writer if it begins deferred, however long the
timeout. The SQL keeps to what SQLite and PostgreSQL share, but for the search.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from sqlite_utils import Database

from crawler import changes, extract, schedule, search, urls, visits
from crawler.diff import diff, words
from crawler.diff.summary import summary
from crawler.errors import ArchiveError, Locked, NotFound, UsageError
from crawler.items import (
    Article,
    Author,
    Block,
    BlockKind,
    Capture,
    Change,
    DueArticle,
    Entry,
    FeedCapture,
    FeedLink,
    Headlines,
    Hit,
    Image,
    KnownArticle,
    Notice,
    NoticeKind,
    Outcome,
    Quality,
    Related,
    Verdict,
    Version,
    WatchedFeed,
)
from crawler.migrations import APPLICATION_ID, migrations
from crawler.payloads import Payload
from crawler.wavering import Settled, fingerprint, furniture_key, holds, settle

# Cron is not punctual: what is due within a minute is due now, or a 15-minute rhythm would become one of 30.
_SLACK = timedelta(minutes=1)
# A line is a site's furniture when it stands around three other articles of it; its latest 200 pages are looked at.
_FURNITURE_PAGES = 3
_PAGES_COMPARED = 200


class Archive:
    """An open archive. Use it as a context manager.

    Opening makes the file where there is none (unless told not to: then NotFound) and brings an older one up to date.
    Raises ArchiveError for a file that is damaged, of another program or of a newer Redline, and leaves it untouched.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        if not create and not path.exists():
            raise NotFound(f"there is no archive {path} yet; begin one with: redline add https://example.org/")
        self.path = path
        self._crawl_id: int | None = None
        # host -> article -> what stood around it at its latest visit by this process; furniture is learned from it too.
        self._seen_around: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        try:
            _refuse_what_is_not_ours(path)
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        except sqlite3.Error as error:
            raise _explained(error, path) from error
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    # Feeds ------------------------------------------------------------------------------------------------------------

    def add_feed(self, link: FeedLink, now: datetime) -> tuple[WatchedFeed, bool]:
        """Watch a feed; return it, and whether it is new on the list (a removed one comes back with its history)."""
        with self._transaction():
            row = self._row("SELECT id, removed_at FROM feeds WHERE url = ?", link.url)
            if row is None:
                added = self._row(
                    "INSERT INTO feeds (url, title, site_url, added_at, next_visit) VALUES (?, ?, ?, ?, ?)"
                    " RETURNING id",
                    *(link.url, link.title, link.site_url, _text(now), _text(now)),
                )
                assert added is not None
                return self._feed(added["id"]), True
            if row["removed_at"] is not None:
                self._run(
                    "UPDATE feeds SET removed_at = NULL, paused_at = NULL, next_visit = ? WHERE id = ?",
                    *(_text(now), row["id"]),
                )
            return self._feed(row["id"]), row["removed_at"] is not None

    def pause_feed(self, feed: str, now: datetime) -> WatchedFeed:
        """Stop visiting a feed and the articles that it brought, until `resume_feed`. `feed` is its URL or number."""
        return self._mark_feed(feed, "UPDATE feeds SET paused_at = coalesce(paused_at, ?) WHERE id = ?", now)

    def resume_feed(self, feed: str, now: datetime) -> WatchedFeed:
        """Visit a paused feed again, from now on."""
        return self._mark_feed(feed, "UPDATE feeds SET paused_at = NULL, next_visit = ? WHERE id = ?", now)

    def remove_feed(self, feed: str, now: datetime) -> WatchedFeed:
        """Take a feed off the list. What it brought stays in the archive and is no more visited."""
        return self._mark_feed(feed, "UPDATE feeds SET removed_at = ? WHERE id = ?", now)

    def feeds(self) -> list[WatchedFeed]:
        """Return the feeds on the list, paused ones too, in the order in which they were added."""
        return [_watched(row) for row in self._rows(f"{_FEEDS} WHERE f.removed_at IS NULL ORDER BY f.id")]

    def due_feeds(self, now: datetime, *, everything: bool = False) -> list[WatchedFeed]:
        """Return the feeds to visit now, the longest overdue first; with `everything`, all that are not paused."""
        rows = self._rows(
            f"{_FEEDS} WHERE f.removed_at IS NULL AND f.paused_at IS NULL AND (? OR f.next_visit <= ?)"
            " ORDER BY f.next_visit, f.id",
            *(everything, _text(now + _SLACK)),
        )
        return [_watched(row) for row in rows]

    def record_feed(self, capture: FeedCapture) -> tuple[Outcome, list[DueArticle]]:
        """Record a visit to a feed; return what it showed, and the articles that it listed for the first time."""
        feed = capture.feed
        with self._transaction():
            old = self._row("SELECT * FROM feeds WHERE id = ?", capture.feed_id)
            if old is None:
                raise NotFound(f"there is no feed {capture.feed_id}")
            new: list[DueArticle] = []
            error = capture.error
            if feed is not None:
                new, is_news = self._record_entries(capture.feed_id, feed.entries, capture.captured_at)
                is_first = old["format"] is None
                outcome = Outcome.NEW if is_first else Outcome.CHANGED if is_news else Outcome.UNCHANGED
                error = None
            elif capture.status == 304:
                outcome = Outcome.NOT_MODIFIED
            elif capture.refused or capture.status in (401, 402, 403, 429, 451):
                outcome, error = Outcome.BLOCKED, error or f"the server refused ({capture.status})"
            else:
                outcome, error = Outcome.FAILED, error or f"the server answered {capture.status}"
            is_further_page = capture.url != old["url"]
            if not is_further_page:
                self._update_feed(old, capture, error)
            self._insert_capture(capture, outcome, error, feed_id=capture.feed_id, body_bytes=capture.body_bytes)
            self._count("feeds")
        return outcome, new

    # Articles ---------------------------------------------------------------------------------------------------------

    def due_articles(self, now: datetime, *, everything: bool = False) -> Iterator[DueArticle]:
        """Yield the articles to visit now, the longest overdue first; with `everything`, all that are not gone.

        Articles whose only feed is paused or removed rest with it.
        """
        rows = self._rows(
            "SELECT a.id, a.current_url, a.etag, a.last_modified FROM articles AS a JOIN feeds AS f ON f.id = a.feed_id"
            " WHERE f.paused_at IS NULL AND f.removed_at IS NULL"
            " AND CASE WHEN ? THEN a.state <> 'gone' ELSE a.next_visit <= ? END ORDER BY a.next_visit, a.id",
            *(everything, _text(now + _SLACK)),
        )
        return (
            DueArticle(id=row["id"], url=row["current_url"], etag=row["etag"], last_modified=row["last_modified"])
            for row in rows
        )

    def record(self, capture: Capture) -> Outcome:
        """Record a visit to an article, and the new version if it showed one; return what it showed.

        Everything that follows from the visit is one transaction: a crash leaves all of it or nothing.
        """
        with self._transaction():
            known = self._row("SELECT * FROM articles WHERE id = ?", capture.article_id)
            wavered = 0
            if known is None:
                raise NotFound(f"there is no article {capture.article_id}")
            latest = self._latest(capture.article_id)
            without_text = visits.outcome_without_text(
                capture,
                latest_quality=latest.article.quality if latest else None,
                was_missing=known["state"] in ("suspect", "gone"),
            )
            if without_text is not None:
                outcome, error = without_text
                version_id = latest.id if latest and outcome is Outcome.NOT_MODIFIED else None
            else:
                assert capture.article is not None
                error = None
                self._look_around(known["host"], capture, capture.article)
                settled = self._settled(known["host"], capture, capture.article, latest)
                wavered = settled.wavered
                outcome, version_id = self._record_text(capture, settled.article, latest)
                self._note_own_addresses(capture, capture.article)
            if version_id is not None and self._follow_move(known, capture) and outcome in _SAME_TEXT:
                outcome = Outcome.MOVED
            if version_id is not None and outcome not in _NEW_TEXT:
                self._run(
                    "UPDATE versions SET last_seen = max(last_seen, ?), checks = checks + 1 WHERE id = ?",
                    *(_text(capture.captured_at), version_id),
                )
            self._update_article(known, capture, outcome, latest)
            capture_id = self._insert_capture(
                capture,
                outcome,
                error,
                article_id=capture.article_id,
                version_id=version_id,
                quality=capture.article.quality if capture.article else None,
                date_modified=_text(capture.article.date_modified) if capture.article else None,
                wavered=wavered or None,
                body_bytes=len(capture.body) if capture.body is not None else None,
            )
            if outcome in _NEW_TEXT:
                self._keep_payload(capture_id, capture)
                self._run(
                    "INSERT INTO page_lines (article_id, hashes) VALUES (?, ?)"
                    " ON CONFLICT (article_id) DO UPDATE SET hashes = excluded.hashes",
                    *(capture.article_id, self._seen_around[known["host"]][capture.article_id]),
                )
            self._count("articles", outcome)
        return outcome

    # Crawls -----------------------------------------------------------------------------------------------------------

    def begin_crawl(self, now: datetime) -> int:
        """Open a row for a run: the visits recorded from here on belong to it."""
        with self._transaction():
            row = self._row("INSERT INTO crawls (started_at) VALUES (?) RETURNING id", _text(now))
            assert row is not None
            self._crawl_id = int(row["id"])
        return self._crawl_id

    def end_crawl(self, now: datetime, reason: str) -> dict[str, int]:
        """Close the row of this run and return its counts by column (`feeds`, `articles`, `new`, `changed`, ...)."""
        with self._transaction():
            row = self._row(
                "UPDATE crawls SET ended_at = ?, reason = ? WHERE id = ? RETURNING *",
                _text(now),
                reason,
                self._crawl_id,
            )
            assert row is not None
            self._crawl_id = None
        return {name: row[name] for name in ("feeds", "articles", *_COUNTED)}

    # Reading ----------------------------------------------------------------------------------------------------------

    def find(self, address: str) -> KnownArticle:
        """Return the article at `address`: any form of any URL that it ever had, or its number. Raises NotFound."""
        row = None
        if address.isdecimal():
            row = self._row("SELECT * FROM articles WHERE id = ?", int(address))
        else:
            article_id = self._article_at(address)
            if article_id is not None:
                row = self._row("SELECT * FROM articles WHERE id = ?", article_id)
        if row is None:
            raise NotFound(f"no article at {address} in {self.path}; `redline search WORDS` finds one by its text")
        return KnownArticle(
            id=row["id"],
            url=row["url"],
            current_url=row["current_url"],
            headline=row["headline"],
            state=row["state"],
            versions=row["versions"],
            found_at=_moment(row["found_at"]),
            last_visit=_time(row["last_visit"]),
            next_visit=_time(row["next_visit"]),
            next_visit_reason=row["next_visit_reason"],
        )

    def versions(self, article_id: int) -> list[Version]:
        """Return all versions of an article, the first one first."""
        rows = self._rows("SELECT * FROM versions WHERE article_id = ? ORDER BY number", article_id)
        return [self._version(row) for row in rows]

    def version(self, article_id: int, number: int) -> Version:
        """Return one version of an article; a negative number counts from the latest. Raises NotFound."""
        if number < 0:
            row = self._row("SELECT max(number) AS latest FROM versions WHERE article_id = ?", article_id)
            number += (row["latest"] or 0) + 1 if row else 0
        row = self._row("SELECT * FROM versions WHERE article_id = ? AND number = ?", article_id, number)
        if row is None:
            known = self._row("SELECT count(*) AS n FROM versions WHERE article_id = ?", article_id)
            raise NotFound(f"it has no version {number}; it has {known['n'] if known else 0}")
        return self._version(row)

    def payload(self, version_id: int) -> bytes:
        """Return what was received when a version was first seen. Raises NotFound if it is not kept (any more)."""
        row = self._row(
            "SELECT p.body, p.bytes, b.body AS base, b.bytes AS base_bytes FROM captures AS c"
            " JOIN payloads AS p ON p.capture_id = c.id LEFT JOIN payloads AS b ON b.capture_id = p.base_id"
            " WHERE c.version_id = ?",
            version_id,
        )
        if row is None:
            raise NotFound(f"the page behind version {version_id} is not kept")
        base = None if row["base"] is None else Payload(row["base"], row["base_bytes"]).unpack()
        return Payload(row["body"], row["bytes"]).unpack(base)

    def changes(
        self, *, limit: int, since: datetime | None = None, feed: str | None = None, article_id: int | None = None
    ) -> list[Change]:
        """Return the latest `limit` changes, newest first; only those seen since, of a feed (URL or number), of an
        article.
        """
        feed_id = None if feed is None else self._feed_named(feed)["id"]
        rows = self._rows(
            "SELECT c.*, v.number, v.headline, a.url, a.host, f.title AS feed, f.url AS feed_url FROM changes AS c"
            " JOIN versions AS v ON v.id = c.version_id JOIN articles AS a ON a.id = c.article_id"
            " JOIN feeds AS f ON f.id = a.feed_id"
            " WHERE (? IS NULL OR c.seen_at >= ?) AND (? IS NULL OR a.feed_id = ?) AND (? IS NULL OR a.id = ?)"
            " ORDER BY c.seen_at DESC, c.id DESC LIMIT ?",
            *(_text(since), _text(since), feed_id, feed_id, article_id, article_id, limit),
        )
        return [
            Change(
                article_id=row["article_id"],
                version_id=row["version_id"],
                number=row["number"],
                url=row["url"],
                host=row["host"],
                feed=row["feed"] or row["feed_url"],
                headline=row["headline"],
                seen_at=_moment(row["seen_at"]),
                appeared_after=_moment(row["appeared_after"]),
                kinds=tuple(json.loads(row["kinds"])),
                weight=row["weight"],
                verdict=Verdict(row["verdict"]),
                words_added=row["words_added"],
                words_removed=row["words_removed"],
                summary=row["summary"],
                reverts_to=row["reverts_to"],
            )
            for row in rows
        ]

    def search(self, query: str, *, limit: int) -> list[Hit]:
        """Return the latest `limit` texts of any version in which all words of `query` stand, newest first.

        A text is a paragraph (or other block), or a headline with its standfirst.
        """
        expression = search.match_expression(query)
        if not expression:
            return []
        rows = self._rows(
            "SELECT b.article_id, b.text, b.added_in, b.removed_in, v.first_seen, a.url, a.headline"
            " FROM (SELECT rowid FROM block_search WHERE block_search MATCH ? ORDER BY rowid DESC LIMIT ?) AS found"
            " JOIN blocks AS b ON b.id = found.rowid JOIN articles AS a ON a.id = b.article_id"
            " JOIN versions AS v ON v.article_id = b.article_id AND v.number = b.added_in"
            " UNION ALL"
            " SELECT v.article_id, trim(v.headline || char(10) || v.description), v.number, NULL, v.first_seen,"
            " a.url, a.headline"
            " FROM (SELECT rowid FROM version_search WHERE version_search MATCH ? ORDER BY rowid DESC LIMIT ?) AS found"
            " JOIN versions AS v ON v.id = found.rowid JOIN articles AS a ON a.id = v.article_id"
            " ORDER BY 5 DESC, 1 DESC LIMIT ?",
            *(expression, limit, expression, limit, limit),
        )
        return [
            Hit(
                article_id=row["article_id"],
                url=row["url"],
                headline=row["headline"],
                text=row["text"],
                first_version=row["added_in"],
                gone_in=row["removed_in"],
                seen_at=_moment(row["first_seen"]),
            )
            for row in rows
        ]

    # What a readable page changes -------------------------------------------------------------------------------------

    def _look_around(self, host: str, capture: Capture, article: Article) -> None:
        """Remember what stands around an article, for the latest pages of each host."""
        seen = self._seen_around[host]
        seen.pop(capture.article_id, None)
        seen[capture.article_id] = fingerprint(capture.lines, article)
        if len(seen) > _PAGES_COMPARED:
            del seen[next(iter(seen))]

    def _settled(self, host: str, capture: Capture, article: Article, latest: Version | None) -> Settled:
        """Return a reading as it compares with the latest version: without what only wavered, and the site's furniture.

        Only a reading that differs costs anything: then the page behind the latest version is read once more.
        """
        if latest is None or extract.digest(article) == _digest_today(latest):
            return Settled(article, 0)
        try:
            old_lines = extract.visible_text(self.payload(latest.id)).split("\n")
        except NotFound:
            old_lines = []  # the payload was pruned: what wavers then shows as an edit
        there, here = ({extract.comparable(line) for line in lines} for lines in (old_lines, capture.lines))

        def is_furniture(text: str) -> bool:
            return self._is_furniture(host, text, capture)

        return settle(
            latest.article,
            article,
            was_there=lambda text: extract.comparable(text) in there or is_furniture(text),
            is_there=lambda text: extract.comparable(text) in here or is_furniture(text),
        )

    def _is_furniture(self, host: str, text: str, capture: Capture) -> bool:
        """Return whether a text belongs to the site; learn it if it stands on enough of the site's other pages."""
        key = furniture_key(text)
        if not key:
            return False
        learned = self._row("SELECT overruled_at FROM furniture WHERE host = ? AND key = ?", host, key)
        if learned is not None:
            return learned["overruled_at"] is None
        stored = self._rows(
            "SELECT l.article_id, l.hashes FROM page_lines AS l JOIN articles AS a ON a.id = l.article_id"
            " WHERE a.host = ? ORDER BY a.id DESC LIMIT ?",
            *(host, _PAGES_COMPARED),
        )
        around = [(row["article_id"], row["hashes"]) for row in stored] + list(self._seen_around[host].items())
        pages = len({other for other, hashes in around if other != capture.article_id and holds(hashes, key)})
        if pages < _FURNITURE_PAGES:
            return False
        self._run(
            "INSERT INTO furniture (host, key, example, pages, learned_at) VALUES (?, ?, ?, ?, ?)",
            *(host, key, text, pages, _text(capture.captured_at)),
        )
        return True

    def _record_text(self, capture: Capture, article: Article, latest: Version | None) -> tuple[Outcome, int]:
        """Compare a text with the latest version and append it if it differs; return the outcome and its version."""
        digest = extract.digest(article)
        if latest is None:
            return Outcome.NEW, self._append_version(capture, article, digest, None)
        if digest == _digest_today(latest):
            return Outcome.UNCHANGED, latest.id
        difference = diff(latest.article, article)
        if difference.is_empty:
            return Outcome.UNCHANGED, latest.id
        version_id = self._append_version(capture, article, digest, latest)
        judgement = changes.classify(latest.article, article, difference)
        earlier = self._row(
            "SELECT number FROM versions WHERE article_id = ? AND digest = ? AND number < ?"
            " ORDER BY number DESC LIMIT 1",
            *(latest.article_id, digest, latest.number),
        )
        self._run(
            "INSERT INTO changes (article_id, version_id, seen_at, appeared_after, kinds, weight, verdict, words_added,"
            " words_removed, summary, reverts_to, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(latest.article_id, version_id, _text(capture.captured_at), _text(latest.last_seen)),
            *(_json([str(kind) for kind in judgement.kinds]), judgement.weight, judgement.verdict),
            *(difference.words_added, difference.words_removed, summary(difference)),
            *(earlier["number"] if earlier else None, _json(judgement.evidence)),
        )
        return Outcome.CHANGED, version_id

    def _append_version(self, capture: Capture, article: Article, digest: str, before: Version | None) -> int:
        number = before.number + 1 if before else 1
        blocks = self._carry(
            "SELECT id, kind, text, at FROM blocks WHERE article_id = ? AND removed_in IS NULL ORDER BY id",
            "INSERT INTO blocks (article_id, kind, text, at, added_in) VALUES (?, ?, ?, ?, ?) RETURNING id",
            "UPDATE blocks SET removed_in = ? WHERE id = ?",
            [(block.kind.value, block.text, _text(block.at)) for block in article.blocks],
            *(capture.article_id, number),
        )
        images = self._carry(
            "SELECT id, url, caption, credit FROM images WHERE article_id = ? AND removed_in IS NULL ORDER BY id",
            "INSERT INTO images (article_id, url, caption, credit, added_in) VALUES (?, ?, ?, ?, ?) RETURNING id",
            "UPDATE images SET removed_in = ? WHERE id = ?",
            [(image.url, image.caption, image.credit) for image in article.images],
            *(capture.article_id, number),
        )
        for block_id, is_new, (_, text, _) in blocks:
            if is_new:
                self._run(
                    "INSERT INTO block_search (rowid, text) VALUES (?, ?)", block_id, search.index_text(str(text))
                )
        seen = _text(capture.captured_at)
        row = self._row(
            "INSERT INTO versions (article_id, number, headline, description, authors, section, tags, language, words,"
            " digest, appeared_after, first_seen, last_seen, date_published, date_modified, quality, is_paywalled,"
            " headlines, notices, related, canonical_url, block_ids, image_ids)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            *(capture.article_id, number, article.headline, article.description),
            *(_json([asdict(author) for author in article.authors]), article.section, _json(article.tags)),
            *(article.language, sum(_word_count(block.text) for block in article.blocks), digest),
            *(_text(before.last_seen) if before else None, seen, seen),
            *(_text(article.date_published), _text(article.date_modified), article.quality, article.is_paywalled),
            *(_json(asdict(article.headlines)), _json([asdict(notice) for notice in article.notices])),
            *(_json([asdict(link) for link in article.related]), article.canonical_url),
            *(_json([block_id for block_id, _, _ in blocks]), _json([image_id for image_id, _, _ in images])),
        )
        assert row is not None
        heading = f"{article.headline}\n{article.description}"
        if before is None or heading != f"{before.article.headline}\n{before.article.description}":
            self._run("INSERT INTO version_search (rowid, text) VALUES (?, ?)", row["id"], search.index_text(heading))
        return int(row["id"])

    def _carry(
        self, alive: str, insert: str, remove: str, wanted: Sequence[tuple[object, ...]], article_id: int, number: int
    ) -> list[tuple[int, bool, tuple[object, ...]]]:
        """Keep the rows that the new version shares with the one before, end the others, add what is new.

        Return (id, is_new, value) in the order of `wanted`. Equal rows are told apart by their order.
        """
        rows: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
        for row in reversed(self._rows(alive, article_id)):
            rows[tuple(row)[1:]].append(row["id"])
        carried = []
        for value in wanted:
            if rows[value]:
                carried.append((rows[value].pop(), False, value))
            else:
                added = self._row(insert, article_id, *value, number)
                assert added is not None
                carried.append((int(added["id"]), True, value))
        for left in rows.values():
            for row_id in left:
                self._run(remove, number, row_id)
        return carried

    def _keep_payload(self, capture_id: int, capture: Capture) -> None:
        """Keep what was received, compressed against the article's latest payload that stands alone.

        A base never has a base: to read any payload takes two steps at most, and a base is known to be needed.
        """
        if capture.body is None:
            return
        row = self._row(
            "SELECT p.capture_id, p.body, p.bytes FROM captures AS c JOIN payloads AS p ON p.capture_id = c.id"
            " WHERE c.article_id = ? AND p.base_id IS NULL ORDER BY c.id DESC LIMIT 1",
            capture.article_id,
        )
        base = Payload(row["body"], row["bytes"]).unpack() if row else None
        packed, uses_base = Payload.pack(capture.body, base)
        self._run(
            "INSERT INTO payloads (capture_id, base_id, content_type, bytes, body) VALUES (?, ?, ?, ?, ?)",
            *(capture_id, row["capture_id"] if row and uses_base else None, capture.content_type),
            *(packed.size, packed.body),
        )

    def _note_own_addresses(self, capture: Capture, article: Article) -> None:
        """Note the addresses that the page calls its own, where its site may speak for them."""
        answered = capture.final_url or capture.url
        if article.canonical_url and urls.same_site(answered, article.canonical_url):
            self._note_url(capture.article_id, article.canonical_url, "canonical", capture.captured_at)
        if article.amp_url and urls.same_site(answered, article.amp_url):
            self._note_url(capture.article_id, article.amp_url, "amp", capture.captured_at)

    def _follow_move(self, known: sqlite3.Row, capture: Capture) -> bool:
        """Visit the article at its new address from now on if it moved for good; return whether it did."""
        answered = capture.final_url or capture.url
        if answered == known["current_url"] or not capture.is_permanent_move:
            return False
        if not self._note_url(capture.article_id, answered, "redirect", capture.captured_at):
            return False
        self._run("UPDATE articles SET current_url = ? WHERE id = ?", answered, capture.article_id)
        return True

    def _note_url(self, article_id: int, url: str, source: str, seen: datetime) -> bool:
        """Note that `url` is the article's; return False, and note nothing, if it is another article's."""
        owner = self._article_at(url)
        if owner is not None and owner != article_id:
            return False
        self._run(
            "INSERT INTO urls (article_id, url, key, source, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (article_id, url, source) DO UPDATE SET last_seen = excluded.last_seen",
            *(article_id, url, urls.key(url), source, _text(seen), _text(seen)),
        )
        return True

    def _update_article(self, known: sqlite3.Row, capture: Capture, outcome: Outcome, latest: Version | None) -> None:
        """Set an article's state as of this visit, its validators and its next visit."""
        now, article = capture.captured_at, capture.article
        is_good = outcome in _NEW_TEXT or outcome in _SAME_TEXT
        if outcome is Outcome.GONE:
            state = "gone"
        elif capture.status == 404:
            state = "suspect"
        else:
            state = "up" if is_good else known["state"]
        failures = 0 if is_good or outcome is Outcome.GONE else known["failures"] + 1
        last_changed = now if outcome in _NEW_TEXT else latest.first_seen if latest else None
        appointment = schedule.next_visit(
            last_changed=last_changed or _moment(known["found_at"]),
            now=now,
            failures=failures,
            is_gone=state == "gone",
        )
        # A 304 may leave validators out; an answer that brought no text must not be asked for with the old ones.
        keeps = capture.status == 304
        etag = capture.etag or (known["etag"] if keeps else None)
        modified = capture.last_modified or (known["last_modified"] if keeps else None)
        self._run(
            "UPDATE articles SET state = ?, failures = ?, last_visit = ?, last_changed = ?, next_visit = ?,"
            " next_visit_reason = ?, etag = ?, last_modified = ? WHERE id = ?",
            *(state, failures, _text(now), _text(last_changed), _text(appointment.at), appointment.reason),
            *((etag, modified) if is_good else (None, None)),
            capture.article_id,
        )
        if is_good and article is not None:
            self._run("UPDATE articles SET date_modified = ? WHERE id = ?", _text(article.date_modified), known["id"])
        if outcome in _NEW_TEXT and article is not None:
            self._run(
                "UPDATE articles SET versions = versions + 1, headline = ?, section = ?, authors = ?, tags = ?,"
                " language = ?, date_published = ? WHERE id = ?",
                *(article.headline or known["headline"], article.section or None),
                *(_json([author.name for author in article.authors]), _json(article.tags), article.language or None),
                *(_text(article.date_published), capture.article_id),
            )

    # What a feed changes ----------------------------------------------------------------------------------------------

    def _record_entries(self, feed_id: int, entries: Iterable[Entry], seen: datetime) -> tuple[list[DueArticle], bool]:
        """Note what a feed says of articles; return those that are new to us, and whether anything was new at all."""
        now = _text(seen)
        new: list[DueArticle] = []
        is_news = False
        for entry in entries:
            said = (entry.url, entry.title, entry.summary, _text(entry.date_published), _text(entry.date_modified))
            before = self._row(
                "SELECT * FROM entries WHERE feed_id = ? AND entry_id = ? ORDER BY id DESC LIMIT 1", feed_id, entry.id
            )
            columns = ("url", "title", "summary", "date_published", "date_modified")
            if before is not None and tuple(before[name] for name in columns) == said:
                self._run("UPDATE entries SET last_seen = ? WHERE id = ?", now, before["id"])
                continue
            is_news = True
            article_id = self._article_at(entry.url)
            if article_id is None and before is not None:
                # The feed's own id stands for the article: a new address under it is a new slug, not a new article.
                article_id = before["article_id"]
            if article_id is None:
                article_id = self._add_article(feed_id, entry, seen)
                new.append(DueArticle(id=article_id, url=entry.url, etag=None, last_modified=None))
            self._note_url(article_id, entry.url, "entry", seen)
            self._run(
                "INSERT INTO entries (feed_id, article_id, entry_id, url, title, summary, date_published,"
                " date_modified, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(feed_id, article_id, entry.id, *said, now, now),
            )
        return new, is_news

    def _add_article(self, feed_id: int, entry: Entry, seen: datetime) -> int:
        now = _text(seen)
        row = self._row(
            "INSERT INTO articles (url, current_url, host, feed_id, headline, date_published, found_at, next_visit,"
            " next_visit_reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'not read yet') RETURNING id",
            *(entry.url, entry.url, urls.host(entry.url), feed_id, entry.title, _text(entry.date_published), now, now),
        )
        assert row is not None
        return int(row["id"])

    def _update_feed(self, old: sqlite3.Row, capture: FeedCapture, error: str | None) -> None:
        feed, now = capture.feed, capture.captured_at
        is_good = error is None
        failures = 0 if is_good else old["failures"] + 1
        etag = capture.etag or (old["etag"] if feed is None else None)
        modified = capture.last_modified or (old["last_modified"] if feed is None else None)
        refresh = feed.refresh_minutes if feed else old["refresh_minutes"]
        appointment = schedule.next_feed_visit(
            now=now, failures=failures, refresh_minutes=refresh, has_validators=bool(etag or modified)
        )
        self._run(
            "UPDATE feeds SET last_visit = ?, last_good_at = ?, last_error = ?, failures = ?, next_visit = ?,"
            " etag = ?, last_modified = ?, refresh_minutes = ? WHERE id = ?",
            *(_text(now), _text(now) if is_good else old["last_good_at"], error, failures, _text(appointment.at)),
            *(etag, modified, refresh, old["id"]),
        )
        if feed is not None:
            self._run(
                "UPDATE feeds SET title = ?, site_url = ?, format = ?, language = ?, hub = ? WHERE id = ?",
                *(feed.title or old["title"], feed.site_url or old["site_url"], feed.format, feed.language, feed.hub),
                old["id"],
            )

    # Rows and values --------------------------------------------------------------------------------------------------

    def _insert_capture(
        self,
        capture: Capture | FeedCapture,
        outcome: Outcome,
        error: str | None,
        *,
        feed_id: int | None = None,
        article_id: int | None = None,
        version_id: int | None = None,
        quality: Quality | None = None,
        date_modified: str | None = None,
        wavered: int | None = None,
        body_bytes: int | None = None,
    ) -> int:
        row = self._row(
            "INSERT INTO captures (crawl_id, feed_id, article_id, captured_at, outcome, status, url, final_url,"
            " version_id, quality, wavered, error, date_modified, body_bytes, elapsed_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            *(self._crawl_id, feed_id, article_id, _text(capture.captured_at), outcome, capture.status, capture.url),
            *(capture.final_url if capture.final_url != capture.url else None, version_id, quality, wavered),
            *(error, date_modified, body_bytes, capture.elapsed_ms),
        )
        assert row is not None
        return int(row["id"])

    def _count(self, visited: str, outcome: Outcome | None = None) -> None:
        if self._crawl_id is None:
            return
        self._run(f"UPDATE crawls SET {visited} = {visited} + 1 WHERE id = ?", self._crawl_id)  # noqa: S608 - a constant
        if outcome is not None:
            self._run(f"UPDATE crawls SET {outcome} = {outcome} + 1 WHERE id = ?", self._crawl_id)  # noqa: S608 - an enum

    def _feed(self, feed_id: int) -> WatchedFeed:
        row = self._row(f"{_FEEDS} WHERE f.id = ?", feed_id)
        assert row is not None
        return _watched(row)

    def _feed_named(self, feed: str) -> sqlite3.Row:
        row = self._row(
            "SELECT * FROM feeds WHERE removed_at IS NULL AND (url = ? OR id = ?)",
            *(feed, int(feed) if feed.isdecimal() else None),
        )
        if row is None:
            same = [
                f
                for f in self._rows("SELECT * FROM feeds WHERE removed_at IS NULL")
                if urls.key(f["url"]) == urls.key(feed)
            ]
            if len(same) != 1:
                raise UsageError(f"no feed {feed} on the list; `redline feeds` shows it")
            row = same[0]
        return row

    def _mark_feed(self, feed: str, statement: str, now: datetime) -> WatchedFeed:
        with self._transaction():
            feed_id = self._feed_named(feed)["id"]
            self._run(statement, _text(now), feed_id)
            return self._feed(feed_id)

    def _article_at(self, url: str) -> int | None:
        row = self._row("SELECT article_id FROM urls WHERE key = ? ORDER BY id LIMIT 1", urls.key(url))
        return None if row is None else int(row["article_id"])

    def _latest(self, article_id: int) -> Version | None:
        row = self._row("SELECT * FROM versions WHERE article_id = ? ORDER BY number DESC LIMIT 1", article_id)
        return None if row is None else self._version(row)

    def _version(self, row: sqlite3.Row) -> Version:
        blocks = self._rows(
            "SELECT b.* FROM json_each(?) AS j JOIN blocks AS b ON b.id = j.value ORDER BY j.key", row["block_ids"]
        )
        images = self._rows(
            "SELECT i.* FROM json_each(?) AS j JOIN images AS i ON i.id = j.value ORDER BY j.key", row["image_ids"]
        )
        url = self._row("SELECT url FROM articles WHERE id = ?", row["article_id"])
        assert url is not None
        article = Article(
            url=url["url"],
            headline=row["headline"],
            description=row["description"],
            authors=tuple(Author(**author) for author in json.loads(row["authors"])),
            blocks=tuple(Block(kind=BlockKind(b["kind"]), text=b["text"], at=_time(b["at"])) for b in blocks),
            images=tuple(Image(url=i["url"], caption=i["caption"], credit=i["credit"]) for i in images),
            date_published=_time(row["date_published"]),
            date_modified=_time(row["date_modified"]),
            section=row["section"],
            tags=tuple(json.loads(row["tags"])),
            language=row["language"],
            headlines=Headlines(**json.loads(row["headlines"])),
            canonical_url=row["canonical_url"],
            notices=tuple(Notice(kind=NoticeKind(n["kind"]), text=n["text"]) for n in json.loads(row["notices"])),
            related=tuple(Related(**link) for link in json.loads(row["related"])),
            is_paywalled=bool(row["is_paywalled"]),
            quality=Quality(row["quality"]),
        )
        return Version(
            id=row["id"],
            article_id=row["article_id"],
            number=row["number"],
            article=article,
            digest=row["digest"],
            appeared_after=_time(row["appeared_after"]),
            first_seen=_moment(row["first_seen"]),
            last_seen=_moment(row["last_seen"]),
            checks=row["checks"],
        )

    # The connection ---------------------------------------------------------------------------------------------------

    def _prepare(self) -> None:
        # FULL: with NORMAL up to 500 versions that were reported as kept were not yet on the disk.
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            self._run(f"PRAGMA {pragma}")
        db = Database(self._connection)
        if migrations.pending(db):
            with self._transaction():
                migrations.apply(db)
                self._run(f"PRAGMA application_id = {APPLICATION_ID}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._run("BEGIN IMMEDIATE")
        try:
            yield
            self._run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _run(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, parameters)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a bug of ours, not a state of the file
        except sqlite3.DatabaseError as error:
            raise _explained(error, self.path) from error

    def _rows(self, statement: str, *parameters: object) -> list[sqlite3.Row]:
        try:
            return self._run(statement, *parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise _explained(error, self.path) from error

    def _row(self, statement: str, *parameters: object) -> sqlite3.Row | None:
        rows = self._rows(statement, *parameters)
        return rows[0] if rows else None


_COUNTED = tuple(outcome.value for outcome in Outcome)
_NEW_TEXT = frozenset({Outcome.NEW, Outcome.CHANGED})
_SAME_TEXT = frozenset({Outcome.UNCHANGED, Outcome.NOT_MODIFIED, Outcome.MOVED})

_FEEDS = "SELECT f.*, (SELECT count(*) FROM articles AS a WHERE a.feed_id = f.id) AS articles FROM feeds AS f"


def _watched(row: sqlite3.Row) -> WatchedFeed:
    return WatchedFeed(
        id=row["id"],
        url=row["url"],
        title=row["title"],
        site_url=row["site_url"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        added_at=_moment(row["added_at"]),
        paused_at=_time(row["paused_at"]),
        last_visit=_time(row["last_visit"]),
        last_good_at=_time(row["last_good_at"]),
        last_error=row["last_error"],
        failures=row["failures"],
        next_visit=_moment(row["next_visit"]),
        articles=row["articles"],
    )


def _refuse_what_is_not_ours(path: Path) -> None:
    """Look at an existing file without touching it; raise ArchiveError if it cannot be ours as of today."""
    if not path.parent.is_dir():
        raise ArchiveError(f"there is no folder {path.parent} for {path.name}; make it, or name another with --archive")
    if not path.exists() or path.stat().st_size == 0:
        return
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            return
        if application != APPLICATION_ID:
            raise ArchiveError(
                f"{path} is an SQLite file of another program, not an archive of Redline; name another with --archive"
            )
        known = {step.name for step in migrations.pending(Database(memory=True))}
        applied = {step.name for step in migrations.applied(Database(connection))}
        if newer := applied - known:
            raise ArchiveError(
                f"{path} was made by a newer Redline (its schema has {', '.join(sorted(newer))}); it was not touched."
                " Upgrade with: pip install -U redline"
            )
    finally:
        connection.close()


def _explained(error: sqlite3.Error, path: Path) -> ArchiveError | Locked:
    """Return what SQLite says in our words: what it means for the archive and what to do."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return Locked(f"another program is writing to {path}; try again when it is done")
    if "full" in said:
        return ArchiveError(f"the disk is full: {path} is intact as of the last capture; make room and run again")
    if "readonly" in said or "unable to open" in said:
        return ArchiveError(f"{path} cannot be opened for writing ({said}); check its permissions and its folder's")
    return ArchiveError(
        f"{path} is damaged or not an archive ({said}); it was left as it is. Restore a backup, or save what can be"
        f" read with: sqlite3 {path} .recover | sqlite3 recovered.db"
    )


def _digest_today(version: Version) -> str:
    """Return the digest of a stored version under today's rule: a better rule is no edit."""
    if version.digest.startswith(f"{extract.DIGEST_VERSION}:"):
        return version.digest
    return extract.digest(version.article)


def _word_count(text: str) -> int:
    return sum(any(letter.isalnum() for letter in word) for word in words(text))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _text(time: datetime | None) -> str | None:
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: Any) -> datetime:
    return datetime.fromisoformat(text)


def _time(text: Any) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
