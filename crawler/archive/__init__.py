"""The archive: one SQLite file, opened, written and read here and nowhere else. One public write is one transaction.

Callers see values of `crawler.items`, never SQL, a connection or a row. The SQL keeps to what SQLite and PostgreSQL
share, but for JSON and the search. `record` is where a visit becomes history; read it first.

    file          the file itself: opened with care, transactions, errors in our words
    rules         what every archive keeps to, as queries that find where it does not
    diagnosis     what can be said of a file that may not even open
    rollup        old visits become numbers
    soundness     every rule asked, every text and page read again
    feeds         the list of feeds, and what feeds said of articles
    hosts         how to behave towards each host, and whether its word is good
    merges        articles that turned out to be one
    learning      what visits teach of a feed's habits and an article's pace
    articles      how each stands after a visit, what it was called, what became of it
    addresses     every address of every article
    versions      texts block by block, the pages behind them
    clock         what to mend when this machine's clock was set back
    rereading     kept pages, read by today's extractor
    surroundings  what stands around articles: whether a difference is an edit at all
    health        what ails feeds although they answer
    state         how the whole fares: read beside a crawl
    log           the steps from version to version, judged; flaps; the brake
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType

from crawler import extract, manners, schedule, search, visits
from crawler.archive import (
    addresses,
    articles,
    clock,
    feeds,
    health,
    hosts,
    learning,
    log,
    merges,
    rereading,
    rollup,
    versions,
)
from crawler.archive.file import File
from crawler.archive.surroundings import Surroundings
from crawler.diff import diff
from crawler.errors import NotFound
from crawler.extract.sites import SiteRule
from crawler.items import (
    Ailment,
    Article,
    Budget,
    Capture,
    Change,
    DueArticle,
    Fate,
    FeedCapture,
    FeedLink,
    Freed,
    Hit,
    Hold,
    Host,
    KnownArticle,
    Merge,
    Outcome,
    Quality,
    Reread,
    Title,
    Touch,
    Verdict,
    Version,
    WatchedFeed,
)
from crawler.rows import as_text, known_moment, moment

# Cron is not punctual: what is due within a minute is due now, or a 15-minute rhythm would become one of 30.
_SLACK = timedelta(minutes=1)
_NO_LIMIT = Budget()
_VISITED = (
    "SELECT a.id, a.current_url, a.feed_id, a.last_visit, a.next_visit, a.etag, a.last_modified, a.not_modified,"
    " a.failures"
    " FROM articles AS a JOIN feeds AS f ON f.id = a.feed_id"
    " WHERE f.paused_at IS NULL AND f.removed_at IS NULL AND a.merged_into IS NULL"
)
_MISSED = frozenset({Outcome.FAILED, Outcome.BLOCKED})


class Archive:
    """An open archive. Use it as a context manager.

    Opening makes the file where there is none (unless told not to: then NotFound) and brings an older one up to date.
    Raises ArchiveError for a file that is damaged, of another program or of a newer Redline, and leaves it untouched.
    """

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self.path = path
        self._file = File(path, create=create)
        self._surroundings = Surroundings(self._file)
        self._crawl_id: int | None = None
        self._hosts: dict[str, Host] = {}  # as they stand in the file; each is taken out before it is written

    def __enter__(self) -> Archive:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    # Feeds ------------------------------------------------------------------------------------------------------------

    def add_feed(self, link: FeedLink, now: datetime) -> tuple[WatchedFeed, bool]:
        """Watch a feed; return it, and whether it is new on the list (a removed one comes back with its history)."""
        with self._file.transaction():
            feed_id, is_new = feeds.add(self._file, link, now)
            return feeds.one(self._file, feed_id), is_new

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
        return feeds.watched(self._file)

    def due_feeds(self, now: datetime, *, everything: bool = False) -> list[WatchedFeed]:
        """Return the feeds to visit now, the longest overdue first; with `everything`, all that are not paused.

        Those of hosts that asked us to wait stay due, in either case.
        """
        return feeds.due(self._file, now + _SLACK, now, everything=everything)

    def record_feed(self, capture: FeedCapture) -> tuple[Outcome, list[DueArticle]]:
        """Record a visit to a feed; return what it showed, and the articles to visit for it now.

        These are the ones that it lists for the first time, and those of which it tells another title or summary.
        """
        with self._file.transaction():
            old = self._file.row("SELECT * FROM feeds WHERE id = ?", capture.feed_id)
            if old is None:
                raise NotFound(f"there is no feed {capture.feed_id}")
            listed = feeds.Listed()
            if capture.feed is not None:
                listed = feeds.record_entries(self._file, capture.feed_id, capture.feed.entries, capture.captured_at)
                is_first = old["format"] is None
                outcome, error = (
                    Outcome.NEW if is_first else Outcome.CHANGED if listed.is_news else Outcome.UNCHANGED,
                    None,
                )
                if outcome is Outcome.CHANGED and capture.url == old["url"]:
                    self._hosts.clear()
                    hosts.judge(self._file, old, capture)
            else:
                outcome, error = visits.feed_outcome_without_entries(capture)
            if capture.url == old["url"]:  # and not a further page of it
                feeds.update(self._file, old, capture, error, new=len(listed.new))
            else:
                learning.count_more(self._file, capture.feed_id, len(listed.new))
                feeds.add_warnings(self._file, old, capture)
            self._insert_capture(capture, outcome, error, feed_id=capture.feed_id, body_bytes=capture.body_bytes)
            self._count("feeds")
        return outcome, listed.new + listed.edited

    # Hosts ------------------------------------------------------------------------------------------------------------

    def host(self, name: str) -> Host:
        """Return how to behave towards a host: its name, with the port where it is not the usual one."""
        if name not in self._hosts:
            self._hosts[name] = hosts.named(self._file, name)
        return self._hosts[name]

    def hosts(self) -> list[Host]:
        """Return every host that was met, by name."""
        return list(hosts.every(self._file).values())

    def keep_host(self, host: Host) -> None:
        """Write down what a host asks of its visitors. What its validators are worth, visits show (`record`)."""
        with self._file.transaction():
            self._write_host(host)

    # Articles ---------------------------------------------------------------------------------------------------------

    def due_articles(
        self, now: datetime, *, everything: bool = False, budget: Budget = _NO_LIMIT
    ) -> Iterator[DueArticle]:
        """Yield the articles to visit now in the order in which to ask, the most urgent first, fair between feeds and
        hosts, as many as the budget has room for beside the feeds that are due; with `everything`, all that are not
        gone.

        Articles whose only feed is paused or removed rest with it. Those of hosts that asked us to wait stay due. Of a
        host whose latest visits brought nothing, one article is asked first that was there before, due or not.
        """
        # One of two conditions, and not both with a switch between them, which no index serves.
        if everything:
            rows = self._file.rows(f"{_VISITED} AND a.state <> 'gone'")
        else:
            rows = self._file.rows(f"{_VISITED} AND a.next_visit <= ?", as_text(now + _SLACK))
        known = hosts.every(self._file)
        witnesses = hosts.witnesses(self._file, known.values(), now)
        rows = [*witnesses.values(), *(row for row in rows if row["id"] not in witnesses)]
        due = {row["id"]: row for row in rows}
        waiting = {name for name, host in known.items() if manners.is_waiting(host, now)}
        candidates = (
            schedule.Candidate(
                article_id=row["id"],
                feed_id=row["feed_id"],
                host=host,
                last_visit=None if row["id"] in witnesses else moment(row["last_visit"]),
                next_visit=known_moment(row["next_visit"]),
            )
            for row in rows
            if (host := hosts.of(row["current_url"])) not in waiting
        )
        feeds_due = Counter(hosts.of(feed.url) for feed in self.due_feeds(now, everything=everything))
        per_host = budget.per_host or len(rows) + feeds_due.total()
        rooms = {host: hosts.room(known.get(host, Host(name=host)), budget, per_host) for host in known}
        chosen = schedule.choose(
            candidates,
            now=now,
            per_host=per_host,
            total=None if budget.requests is None else max(0, budget.requests - feeds_due.total()),
            used={host: feeds_due[host] + per_host - rooms.get(host, per_host) for host in {*feeds_due, *rooms}},
        )
        return (hosts.due_article(due[candidate.article_id], known, now) for candidate in chosen)

    def record(self, capture: Capture) -> Outcome:
        """Record a visit to an article, and the new version if it showed one; return what it showed.

        Everything that follows from the visit is one transaction: a crash leaves all of it or nothing.
        """
        with self._file.transaction():
            known = self._file.row("SELECT * FROM articles WHERE id = ?", capture.article_id)
            if known is None:
                raise NotFound(f"there is no article {capture.article_id}")
            latest = versions.latest_row(self._file, capture.article_id)
            text = self._text_beside(capture, latest)
            capture = self._unless_for_all(visits.as_whole(capture, text), latest)
            is_at_home = addresses.was_read_at(self._file, capture.article_id, capture.final_url)
            missing = visits.missing_by(capture, None if is_at_home else text)
            host = self.host(hosts.of(capture.url))
            without_text = visits.outcome_without_text(
                capture,
                latest_quality=Quality(latest["quality"]) if latest else None,
                was_missing=known["state"] in ("suspect", "gone"),
                missing=missing,
                is_well=None if missing is None else hosts.is_well(self._file, host, known, capture.captured_at),
                is_storm=manners.is_storm(host, capture.captured_at),
            )
            error, version_id, wavered = None, None, 0
            if without_text is not None:
                outcome, error = without_text
                if outcome is Outcome.NOT_MODIFIED and latest is not None:
                    version_id = self._shown(known, latest["id"])
            else:
                assert capture.article is not None
                article, digest = capture.article, extract.digest(capture.article)
                if latest is not None and digest != latest["digest"]:
                    capture, article = self._in_its_charset(capture, article, latest)
                    digest = extract.digest(article)
                self._surroundings.look(known["host"], capture, article)
                outcome, version_id, wavered = self._record_text(known, capture, article, digest, latest)
                addresses.note_own(self._file, known, capture, article)
                articles.note_titles(self._file, capture, article)
            if outcome in visits.SAME_TEXT:
                assert latest is not None
                assert version_id is not None
                self._count_check(known, latest["id"], version_id, capture.captured_at)
            if (
                version_id is not None
                and addresses.follow_move(self._file, known, capture)
                and outcome in visits.SAME_TEXT
            ):
                outcome = Outcome.MOVED
            host = self._note_host(host, known, capture, outcome, missing or error)
            left_until = None
            if outcome in _MISSED and not capture.refused:
                left_until = manners.left_alone_until(host, capture.captured_at)
            turn = articles.update(self._file, known, capture, outcome, latest, missing, left_until)
            if outcome is Outcome.CHANGED and version_id is not None:
                log.ask_again_soon(self._file, capture.article_id, version_id, capture.captured_at)
            capture_id = self._insert_capture(
                capture,
                outcome,
                error,
                article_id=capture.article_id,
                version_id=version_id,
                quality=capture.article.quality if capture.article else None,
                wavered=wavered or None,
                date_modified=as_text(capture.article.date_modified) if capture.article else None,
                robots=", ".join(capture.robots) or None,
                body_bytes=len(capture.body) if capture.body is not None else None,
            )
            if turn is not None:
                evidence = error or f"the server answered {capture.status}, with its text"
                self._file.run(
                    "INSERT INTO fates (article_id, fate, since, capture_id, evidence) VALUES (?, ?, ?, ?, ?)",
                    *(known["id"], turn, as_text(capture.captured_at), capture_id, evidence),
                )
            if without_text is None and capture.article is not None:
                merges.look(self._file, known, capture, capture.article)
            if outcome in visits.NEW_TEXT:
                if capture.keeps_page:
                    versions.keep_payload(self._file, capture_id, capture)
                self._surroundings.keep(known["host"], capture.article_id)
            self._count("articles", outcome)
        return outcome

    def merges(self) -> list[Merge]:
        """Return every merge of two articles, the oldest first, those undone too."""
        return merges.every(self._file)

    def unmerge(self, article_id: int, now: datetime) -> None:
        """Take an article that was merged into another for one of its own again; the two are never merged any more.

        It keeps the history from before the merge and is visited from now on. Raises NotFound if it is not merged.
        """
        with self._file.transaction():
            merges.undo(self._file, article_id, now)

    # Crawls -----------------------------------------------------------------------------------------------------------

    def begin_crawl(self, now: datetime) -> int:
        """Open a row for a run: the visits recorded from here on belong to it. First close those that were killed."""
        with self._file.transaction():
            clock.mend(self._file, now)
            for cut in self._file.rows("SELECT id FROM crawls WHERE ended_at IS NULL AND reason IS NULL"):
                log.hold_redesigns(self._file, cut["id"], now)
                self._file.run("UPDATE crawls SET reason = 'cut short' WHERE id = ?", cut["id"])
            row = self._file.row(
                "INSERT INTO crawls (started_at, extractor) VALUES (?, ?) RETURNING id",
                *(as_text(now), extract.EXTRACTOR_VERSION),
            )
            assert row is not None
            self._crawl_id = int(row["id"])
        return self._crawl_id

    def end_crawl(self, now: datetime, reason: str) -> dict[str, int]:
        """Close the row of this run and return its counts by column (`feeds`, `articles`, `new`, `changed`, ...)."""
        assert self._crawl_id is not None
        with self._file.transaction():
            log.hold_redesigns(self._file, self._crawl_id, now)
            row = self._file.row(
                "UPDATE crawls SET ended_at = max(started_at, ?), reason = ?, bytes = (SELECT (page_count -"
                " freelist_count) * page_size FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size())"
                " WHERE id = ? RETURNING *",
                *(as_text(now), reason, self._crawl_id),
            )
            assert row is not None
            self._crawl_id = None
        return {name: row[name] for name in ("feeds", "articles", *(outcome.value for outcome in Outcome))}

    def examine_feeds(self, now: datetime) -> list[Ailment]:
        """Look at the feeds that the latest run visited, write down what ails them, and return what to tell of it:
        what is new in this run, and in the first run of a day (UTC) everything.
        """
        with self._file.transaction():
            return health.examine(self._file, now)

    def ailments(self) -> list[Ailment]:
        """Return what ails feeds although they answer, by feed; held changes too."""
        return health.ailments(self._file)

    def holds(self) -> list[Hold]:
        """Return the holds that wait for a person, the oldest first."""
        return log.open_holds(self._file)

    def accept(self, feed: str, now: datetime) -> list[Hold]:
        """Settle the open holds of a feed: its changes were edits, and are told from now on. Return the holds."""
        with self._file.transaction():
            settled = log.open_holds(self._file, feeds.named(self._file, feed))
            for hold in settled:
                log.settle_hold(self._file, hold.id, now)
        return settled

    # Reading ----------------------------------------------------------------------------------------------------------

    def find(self, address: str) -> KnownArticle:
        """Return the article at `address`: any form of any URL that it ever had, or its number. Raises NotFound."""
        article_id = int(address) if address.isdecimal() else addresses.article_at(self._file, address)
        row = self._file.row("SELECT * FROM articles WHERE id = ?", article_id)
        if row is None:
            raise NotFound(f"no article at {address} in {self.path}; `redline search WORDS` finds one by its text")
        return articles.known(row)

    def versions(self, article_id: int) -> list[Version]:
        """Return all versions of an article, the first one first."""
        rows = self._file.rows("SELECT * FROM versions WHERE article_id = ? ORDER BY number", article_id)
        return [versions.load(self._file, row) for row in rows]

    def version(self, article_id: int, number: int) -> Version:
        """Return one version of an article; a negative number counts from the latest. Raises NotFound."""
        known = self._file.row("SELECT count(*) AS n FROM versions WHERE article_id = ?", article_id)
        count = known["n"] if known else 0
        wanted = number if number > 0 else count + 1 + number
        row = self._file.row("SELECT * FROM versions WHERE article_id = ? AND number = ?", article_id, wanted)
        if row is None:
            raise NotFound(f"it has no version {number}; it has {count} version{'' if count == 1 else 's'}")
        return versions.load(self._file, row)

    def payload(self, version_id: int) -> bytes:
        """Return what was received when a version was first seen. Raises NotFound if it is not kept (any more)."""
        return versions.payload(self._file, version_id)[0]

    def titles(self, article_id: int) -> list[Title]:
        """Return every title that feeds and the page itself gave an article, beside its headline, in order of time."""
        return articles.titles(self._file, article_id)

    def fates(self, article_id: int) -> list[Fate]:
        """Return what became of an article, turn by turn, each with its evidence."""
        return articles.fates(self._file, article_id)

    def touches(self, article_id: int) -> list[Touch]:
        """Return when the publisher moved the modified date and left the text as it was."""
        return articles.touches(self._file, article_id)

    def changes(
        self,
        *,
        limit: int,
        since: datetime | None = None,
        feed: str | None = None,
        article_id: int | None = None,
        min_weight: int = 0,
        kind: str | None = None,
        verdict: Verdict | None = None,
    ) -> list[Change]:
        """Return the latest `limit` changes, newest first, of those that are told (not held back).

        Only those seen since, of a feed (URL or number), of an article, of at least this weight, of a kind, judged so.
        """
        return log.latest(
            self._file,
            limit=limit,
            since=since,
            feed_id=None if feed is None else feeds.named(self._file, feed),
            article_id=article_id,
            min_weight=min_weight,
            kind=kind,
            verdict=verdict,
        )

    def search(self, query: str, *, limit: int) -> list[Hit]:
        """Return the latest `limit` texts of any version in which all words of `query` stand, newest first.

        A text is a paragraph (or other block), or a headline with its standfirst.
        """
        expression = search.match_expression(query)
        if not expression:
            return []
        rows = self._file.rows(
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
                seen_at=known_moment(row["first_seen"]),
            )
            for row in rows
        ]

    # Keeping house ----------------------------------------------------------------------------------------------------

    def reextract(self, now: datetime, *, write: bool, rules: Sequence[SiteRule] = ()) -> Iterator[Reread]:
        """Read the kept page behind each article's latest version again, with today's extractor; yield each result.

        `rules` are those for single sites; of each, what held when the page was received is applied.

        With `write`, a text that reads otherwise becomes a version of its own that is no edit (`reread_of`), and the
        open holds are settled: what reads the same on both pages was no edit.
        """
        yield from rereading.reread(self._file, write=write, rules=rules)
        if write:
            for hold in self.holds():
                with self._file.transaction():
                    held = log.held_versions(self._file, hold.id)
                    edits = [version_id for version_id in held if rereading.is_edit(self._file, version_id, rules)]
                    log.settle_hold(self._file, hold.id, now, edits=edits)

    def read_articles(self) -> int:
        """Return how many articles have a version."""
        row = self._file.row("SELECT count(*) AS n FROM articles WHERE versions > 0")
        assert row is not None
        return int(row["n"])

    def prune_payloads(self, before: datetime, *, dry_run: bool = False) -> Freed:
        """Free the kept pages of visits before a moment; with `dry_run`, only say what that would free. Texts stay.

        The page behind an article's latest version stays too: the next reading is settled against it.
        """
        with self._file.rehearsal() if dry_run else self._file.transaction():
            free = self._file.free_bytes()
            number = versions.prune_payloads(self._file, before)
            return Freed(number=number, room=self._file.free_bytes() - free)

    def visits_before(self, before: datetime) -> rollup.Steps:
        """Return the steps in which `roll_up_visits` looks through the visits before a moment."""
        return rollup.steps(self._file, before)

    def roll_up_visits(self, steps: rollup.Steps, before: datetime, *, dry_run: bool = False) -> Iterator[Freed]:
        """Roll visits before a moment up by month, step by step; with `dry_run`, only say what that would free.

        Of a row of visits that showed the same, the first and the last stay, and whatever made or ended a version, was
        a turn, or moved the publisher's date: see `rollup`. A step is one short transaction: a crawl may go on.
        """
        for step in steps:
            with self._file.rehearsal() if dry_run else self._file.transaction():
                free = self._file.free_bytes()
                number = rollup.roll_up(self._file, step, before)
                freed = Freed(number=number, room=self._file.free_bytes() - free)
            yield freed

    # What a visit changes ---------------------------------------------------------------------------------------------

    def _text_beside(self, capture: Capture, latest: sqlite3.Row | None) -> Article | None:
        """Return the text of the latest version where it says what a visit showed: an answer from elsewhere, a teaser.

        None for every other visit, which is nearly all of them: no text is read for it.
        """
        is_teaser = capture.article is not None and capture.article.quality is Quality.STUB
        if latest is None or (capture.final_url in (None, capture.url) and not is_teaser):
            return None
        return versions.load(self._file, latest).article

    def _record_text(
        self, known: sqlite3.Row, capture: Capture, article: Article, digest: str, row: sqlite3.Row | None
    ) -> tuple[Outcome, int, int]:
        """Compare a text with the latest version (its row) and append it if it differs.

        Return the outcome, the version that the visit showed, and how many pieces of the text only wavered.
        """
        if row is None:
            return Outcome.NEW, versions.append(self._file, capture, article, digest, None), 0
        if digest == row["digest"]:
            return Outcome.UNCHANGED, row["id"], 0
        latest = versions.load(self._file, row)
        if digest == versions.digest_today(latest):
            return Outcome.UNCHANGED, latest.id, 0
        capture = _not_before(latest.last_seen, capture)
        settled = self._surroundings.settle(known["host"], capture, article, latest)
        if settled.wavered:
            article, digest = settled.article, extract.digest(settled.article)
            if digest == versions.digest_today(latest):
                return Outcome.UNCHANGED, latest.id, settled.wavered
        difference = diff(latest.article, article)
        if difference.is_empty:
            return Outcome.UNCHANGED, latest.id, settled.wavered
        if (shown := log.flap(self._file, capture, digest, latest)) is not None:
            return Outcome.UNCHANGED, shown, settled.wavered
        self._hosts.clear()
        if hosts.judge(self._file, known, capture):
            latest = versions.seen_in_full(self._file, latest)
        if known["flap_id"] is not None:
            flap = self._file.row("UPDATE flaps SET shown = shown WHERE id = ? RETURNING last_seen", known["flap_id"])
            assert flap is not None
            latest = replace(latest, last_seen=max(latest.last_seen, known_moment(flap["last_seen"])))
            self._file.run("UPDATE articles SET flap_id = NULL WHERE id = ?", known["id"])
            capture = _not_before(latest.last_seen, capture)
        version_id = log.append(self._file, capture, article, digest, latest, difference)
        after = replace(latest, id=version_id, article=article, first_seen=capture.captured_at)
        log.look_twice(self._file, self._crawl_id, known, latest, after, difference)
        return Outcome.CHANGED, version_id, settled.wavered

    def _unless_for_all(self, capture: Capture, latest: sqlite3.Row | None) -> Capture:
        """Return a visit, as one that brought no article if it brought the page that stands at another address too.

        That is a notice of the site in words that no list has, long enough for an article. Only a page is looked at
        that shares neither headline nor text with the version known: those of one article at two addresses do.
        """
        article = capture.article
        if article is None or article.quality is not Quality.OK:
            return capture
        if latest is None or article.headline == latest["headline"]:
            return capture
        if visits.is_same_article(article, versions.load(self._file, latest).article):
            return capture
        other = versions.stands_at(self._file, capture.article_id, extract.digest(article))
        if other is None:
            return capture
        no_article = replace(article, quality=Quality.NOT_ARTICLE, quality_reason=f"the same page as at {other}")
        return replace(capture, article=no_article)

    def _in_its_charset(self, capture: Capture, article: Article, latest: sqlite3.Row) -> tuple[Capture, Article]:
        """Return a visit and its article as read in the charset of the latest version's page, if its own fits it worse.

        A charset that comes and goes with a server's settings makes other letters of the same bytes: that is no edit.
        """
        said = versions.content_type(self._file, latest["id"])
        if capture.body is None or said is None or said == (capture.content_type or ""):
            return capture, article
        known = {extract.comparable(block.text) for block in versions.load(self._file, latest).article.blocks}

        def in_common(article: Article) -> int:
            return sum(extract.comparable(block.text) in known for block in article.blocks)

        again, lines = extract.read(capture.body, article.url, headers={"Content-Type": said})
        if in_common(again) <= in_common(article):
            return capture, article
        again = replace(again, quality=article.quality, quality_reason=article.quality_reason)
        return replace(capture, article=again, lines=lines, content_type=said or None), again

    def _write_host(self, host: Host) -> None:
        self._hosts.pop(host.name, None)
        hosts.keep(self._file, host)

    def _note_host(self, host: Host, known: sqlite3.Row, capture: Capture, outcome: Outcome, error: str | None) -> Host:
        """Note what a visit to an article says of its host; return the host as it is after it.

        `error` is how it failed. What we refused to ask for says nothing of it, nor does what was gone and still is.
        """
        is_missed = outcome in _MISSED or outcome is Outcome.GONE
        if is_missed and (capture.refused or known["state"] == "gone"):
            return host
        after = manners.after_visit(
            host,
            capture.captured_at,
            missed=(error or outcome.value) if is_missed else None,
            was_there=known["failures"] == 0 and known["state"] != "suspect",
            articles=hosts.articles(self._file, known, manners.STORM_FROM) if is_missed else 0,
        )
        if after != host:
            self._write_host(after)
        return after

    def _shown(self, known: sqlite3.Row, latest_id: int) -> int:
        """Return the version that the latest visit showed: the latest, but for a flap."""
        flap = self._file.row("SELECT shown FROM flaps WHERE id = ?", known["flap_id"])
        return latest_id if flap is None else int(flap["shown"])

    def _count_check(self, known: sqlite3.Row, latest_id: int, version_id: int, seen: datetime) -> None:
        """Count a visit that showed a version again. The other state of a flap is counted by the flap alone."""
        if version_id == latest_id:
            log.confirm(self._file, latest_id, seen)
            self._file.run(
                "UPDATE versions SET last_seen = max(last_seen, ?), checks = checks + 1 WHERE id = ?",
                *(as_text(seen), version_id),
            )
            if known["flap_id"] is not None:
                log.count_flap(self._file, known["flap_id"], version_id, seen)

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
        wavered: int | None = None,
        date_modified: str | None = None,
        robots: str | None = None,
        body_bytes: int | None = None,
    ) -> int:
        row = self._file.row(
            "INSERT INTO captures (crawl_id, feed_id, article_id, captured_at, outcome, status, url, final_url,"
            " version_id, quality, wavered, error, date_modified, robots, body_bytes, elapsed_ms,"
            " tls_unverified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
            *(self._crawl_id, feed_id, article_id, as_text(capture.captured_at), outcome, capture.status, capture.url),
            *(capture.final_url if capture.final_url != capture.url else None, version_id, quality, wavered, error),
            *(date_modified, robots, body_bytes, capture.elapsed_ms, 1 if capture.is_tls_unverified else None),
        )
        assert row is not None
        return int(row["id"])

    def _count(self, visited: str, outcome: Outcome | None = None) -> None:
        """Count a visit in the row of this run, in the visit's own transaction: a killed run has its counts too."""
        for column in filter(None, (visited, outcome)):
            self._file.run(f"UPDATE crawls SET {column} = {column} + 1 WHERE id = ?", self._crawl_id)  # noqa: S608 - ours

    def _mark_feed(self, feed: str, statement: str, now: datetime) -> WatchedFeed:
        with self._file.transaction():
            feed_id = feeds.named(self._file, feed)
            self._file.run(statement, as_text(now), feed_id)
            return feeds.one(self._file, feed_id)


def _not_before(moment: datetime, capture: Capture) -> Capture:
    """Return a visit as one that came after `moment`, whatever our clock showed: it may have been set back.

    So a version never begins before the one that it replaced. The visit's own row says what the clock showed.
    """
    return replace(capture, captured_at=max(moment, capture.captured_at))
