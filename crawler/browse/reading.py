"""Rows of an archive as values: each function takes a connection that reads and returns what a page shows.

The connection is Datasette's own, so a page never waits for a crawl and never makes one wait. SQL stands here, in
`listing` and in `figures`; every value is a parameter.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

from crawler import rows, urls
from crawler.items import Version
from crawler.payloads import Payload
from crawler.rows import Row, known_moment, moment


class Connection(Protocol):
    """What is needed of an SQLite connection: its rows are read by name (`row_factory = sqlite3.Row`)."""

    def execute(self, sql: str, parameters: Sequence[object] = ..., /) -> Iterable[Row]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An article as of now. `feed` is the title of the feed that found it, or its address."""

    id: int
    url: str
    current_url: str
    headline: str
    host: str
    feed: str
    state: str
    versions: int
    section: str
    authors: tuple[str, ...]
    tags: tuple[str, ...]
    language: str
    date_published: datetime | None
    found_at: datetime
    last_visit: datetime | None
    last_changed: datetime | None
    next_visit: datetime | None
    next_visit_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A change with what a list shows of it. It was made after `appeared_after` and not later than `seen_at`.

    `old_headline` is the headline of the version before, equal to `headline` where it was left alone. `reasons` are the
    parts of the weight, the heaviest first, `notice` is what the publisher said, `""` if nothing. `explained_after` is
    how long until a later version brought a notice on it, None if none did. `flips` counts how often this state and the
    one before were shown in turn, 0 if they were not; `share` of the visits meanwhile showed this one. `is_held` says
    that most articles of its feed seemed to change at once, so that it may be no edit.
    """

    id: int
    article_id: int
    number: int
    host: str
    feed: str
    url: str
    language: str
    headline: str
    old_headline: str
    seen_at: datetime
    appeared_after: datetime
    kinds: tuple[str, ...]
    weight: int
    verdict: str
    words_added: int
    words_removed: int
    summary: str
    reverts_to: int | None
    reasons: tuple[str, ...]
    notice: str
    explained_after: timedelta | None
    flips: int
    share: float
    is_held: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A version in an article's history.

    `edit` is the change that led to it: None for the first, and for one that a better extractor read from a page that
    was known (`is_reread`).
    """

    number: int
    headline: str
    digest: str
    words: int
    appeared_after: datetime | None
    first_seen: datetime
    last_seen: datetime
    checks: int
    is_reread: bool
    edit: Edit | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One visit to an article: what it showed. `number` is the version, None where no text was read."""

    captured_at: datetime
    outcome: str
    status: int | None
    number: int | None
    error: str | None
    body_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A run of visits that showed no text, from `since` to `until`; `back_at` is the one after them, None if none was.

    `is_missing`: the publisher said that it is gone, or had no such page. Else we failed, or were refused.
    """

    is_missing: bool
    since: datetime
    until: datetime
    visits: int
    back_at: datetime | None
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A text that stood somewhere from `first_seen` to `last_seen`: a feed's title for an article, an address."""

    text: str
    source: str
    first_seen: datetime
    last_seen: datetime


def subject(connection: Connection, article_id: int) -> Subject | None:
    """Return an article as of now; None if there is none of that number."""
    row = first(
        connection.execute(
            "SELECT a.*, f.title AS feed_title, f.url AS feed_url FROM articles AS a"
            " JOIN feeds AS f ON f.id = a.feed_id WHERE a.id = ?",
            (article_id,),
        )
    )
    if row is None:
        return None
    return Subject(
        id=row["id"],
        url=row["url"],
        current_url=row["current_url"],
        headline=row["headline"] or urls.without_secrets(row["url"]),
        host=row["host"],
        feed=row["feed_title"] or urls.without_secrets(row["feed_url"]),
        state=row["state"],
        versions=row["versions"],
        section=row["section"] or "",
        authors=tuple(json.loads(row["authors"])),
        tags=tuple(json.loads(row["tags"])),
        language=row["language"] or "",
        date_published=moment(row["date_published"]),
        found_at=known_moment(row["found_at"]),
        last_visit=moment(row["last_visit"]),
        last_changed=moment(row["last_changed"]),
        next_visit=moment(row["next_visit"]),
        next_visit_reason=row["next_visit_reason"],
    )


def steps(connection: Connection, article_id: int) -> list[Step]:
    """Return the versions of an article, the first one first, without their texts."""
    by_number = {
        edit.number: edit for edit in edits(connection, "WHERE c.article_id = ? ORDER BY v.number", article_id)
    }
    found = connection.execute(
        "SELECT number, headline, digest, words, appeared_after, first_seen, last_seen, checks, reread_of FROM versions"
        " WHERE article_id = ? ORDER BY number",
        (article_id,),
    )
    return [
        Step(
            number=row["number"],
            headline=row["headline"],
            digest=row["digest"],
            words=row["words"],
            appeared_after=moment(row["appeared_after"]),
            first_seen=known_moment(row["first_seen"]),
            last_seen=known_moment(row["last_seen"]),
            checks=row["checks"],
            is_reread=row["reread_of"] is not None,
            edit=by_number.get(row["number"]),
        )
        for row in found
    ]


def version(connection: Connection, article_id: int, number: int) -> Version | None:
    """Return one version of an article with its text; None if there is none of that number."""
    row = first(
        connection.execute(
            "SELECT v.*, a.url FROM versions AS v JOIN articles AS a ON a.id = v.article_id"
            " WHERE v.article_id = ? AND v.number = ?",
            (article_id, number),
        )
    )
    if row is None:
        return None
    blocks = connection.execute(
        "SELECT b.* FROM json_each(?) AS j JOIN blocks AS b ON b.id = j.value ORDER BY j.key", (row["block_ids"],)
    )
    images = connection.execute(
        "SELECT i.* FROM json_each(?) AS j JOIN images AS i ON i.id = j.value ORDER BY j.key", (row["image_ids"],)
    )
    return rows.version(row, url=row["url"], blocks=blocks, images=images)


def visits(connection: Connection, article_id: int, limit: int) -> list[Visit]:
    """Return the latest `limit` visits to an article, the latest first."""
    found = connection.execute(
        "SELECT c.captured_at, c.outcome, c.status, c.error, c.body_bytes, v.number FROM captures AS c"
        " LEFT JOIN versions AS v ON v.id = c.version_id WHERE c.article_id = ?"
        " ORDER BY c.captured_at DESC, c.id DESC LIMIT ?",
        (article_id, limit),
    )
    return [
        Visit(
            captured_at=known_moment(row["captured_at"]),
            outcome=row["outcome"],
            status=row["status"],
            number=row["number"],
            error=row["error"],
            body_bytes=row["body_bytes"],
        )
        for row in found
    ]


def absences(seen: Sequence[Visit]) -> list[Absence]:
    """Return when an article could not be read, the latest first; `seen` are its visits, the latest first."""
    found: list[Absence] = []
    back_at: datetime | None = None
    for is_away, run in groupby(seen, key=lambda visit: visit.outcome in ("gone", "failed", "blocked")):
        visits = list(run)
        if is_away:
            is_missing = any(visit.outcome == "gone" or visit.status == 404 for visit in visits)
            found.append(
                Absence(
                    is_missing=is_missing,
                    since=visits[-1].captured_at,
                    until=visits[0].captured_at,
                    visits=len(visits),
                    back_at=back_at,
                    said=visits[0].error or "",
                )
            )
        back_at = visits[-1].captured_at
    return found


def titles(connection: Connection, article_id: int) -> list[Said]:
    """Return the titles that feeds gave an article, and those that its page has elsewhere, as they came."""
    found = connection.execute(
        "SELECT e.title, coalesce(nullif(f.title, ''), f.url) AS source, min(e.first_seen) AS first_seen,"
        " max(e.last_seen) AS last_seen FROM entries AS e JOIN feeds AS f ON f.id = e.feed_id"
        " WHERE e.article_id = ? AND e.title <> '' GROUP BY e.feed_id, e.title"
        " UNION ALL SELECT title, source, first_seen, last_came FROM titles WHERE article_id = ? AND source <> 'feed'"
        " ORDER BY first_seen",
        (article_id, article_id),
    )
    return [_said(row, row["title"]) for row in found]


def addresses(connection: Connection, article_id: int) -> list[Said]:
    """Return the addresses of an article, in the order in which they were seen; `source` is who said so."""
    found = connection.execute(
        "SELECT url, source, first_seen, last_seen FROM urls WHERE article_id = ? ORDER BY first_seen, id",
        (article_id,),
    )
    return [_said(row, row["url"]) for row in found]


def payload(connection: Connection, article_id: int, number: int) -> bytes | None:
    """Return what was received when a version was first seen; None if it is not kept (any more)."""
    row = first(
        connection.execute(
            "SELECT p.body, p.bytes, b.body AS base, b.bytes AS base_bytes FROM versions AS v"
            " JOIN captures AS c ON c.version_id = coalesce(v.reread_of, v.id)"
            " JOIN payloads AS p ON p.capture_id = c.id"
            " LEFT JOIN payloads AS b ON b.capture_id = p.base_id WHERE v.article_id = ? AND v.number = ?"
            " ORDER BY c.id LIMIT 1",
            (article_id, number),
        )
    )
    if row is None:
        return None
    base = None if row["base"] is None else Payload(row["base"], row["base_bytes"]).unpack()
    return Payload(row["body"], row["bytes"]).unpack(base)


def _said(row: Row, text: str) -> Said:
    return Said(
        text=text,
        source=urls.without_secrets(row["source"]),
        first_seen=known_moment(row["first_seen"]),
        last_seen=known_moment(row["last_seen"]),
    )


# The headline before stands in the row of the version before: one more step in the index of (article_id, number).
_EDITS = (
    "SELECT c.id, c.article_id, c.seen_at, c.appeared_after, c.kinds, c.weight, c.verdict, c.words_added,"
    " c.words_removed, c.summary, c.reverts_to, v.number, v.headline, v.language, o.headline AS old_headline,"
    " a.host, a.url, f.title AS feed_title, f.url AS feed_url, c.evidence, later.seen_at AS explained_at, p.flips,"
    " p.seen_a, p.seen_b, c.hold_id IS NOT NULL AND h.settlement IS NOT 'accepted' AS is_held"
    " FROM changes AS c"
    " JOIN versions AS v ON v.id = c.version_id"
    " JOIN versions AS o ON o.article_id = v.article_id AND o.number = v.number - 1"
    " JOIN articles AS a ON a.id = c.article_id"
    " JOIN feeds AS f ON f.id = a.feed_id"
    " LEFT JOIN holds AS h ON h.id = c.hold_id"
    " LEFT JOIN changes AS later ON later.id = c.explained_by"
    " LEFT JOIN flaps AS p ON p.article_id = c.article_id AND p.version_b = c.version_id "
)


def edits(connection: Connection, condition: str, *parameters: object) -> list[Edit]:
    """Return the changes that fit; `condition` is the rest of the statement: its `WHERE` and `ORDER BY`."""
    return [_edit(row) for row in connection.execute(_EDITS + condition, parameters)]


def _edit(row: Row) -> Edit:
    evidence = json.loads(row["evidence"])
    seen_at, flips = known_moment(row["seen_at"]), row["flips"] or 0
    return Edit(
        id=row["id"],
        article_id=row["article_id"],
        number=row["number"],
        host=row["host"],
        feed=row["feed_title"] or urls.without_secrets(row["feed_url"]),
        url=row["url"],
        language=row["language"],
        headline=row["headline"],
        old_headline=row["old_headline"],
        seen_at=seen_at,
        appeared_after=known_moment(row["appeared_after"]),
        kinds=tuple(json.loads(row["kinds"])),
        weight=row["weight"],
        verdict=row["verdict"],
        words_added=row["words_added"],
        words_removed=row["words_removed"],
        summary=row["summary"],
        reverts_to=row["reverts_to"],
        reasons=tuple(map(str, evidence.get("weight") or ())),
        notice=evidence.get("notice") or "",
        explained_after=known_moment(row["explained_at"]) - seen_at if row["explained_at"] else None,
        flips=flips,
        share=row["seen_b"] / (row["seen_a"] + row["seen_b"]) if flips else 1.0,
        is_held=bool(row["is_held"]),
    )


def first(rows: Iterable[Row]) -> Row | None:
    return next(iter(rows), None)
