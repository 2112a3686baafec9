"""Versions in the file: texts appended block by block, the pages behind them, and how both are read back."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from crawler import extract, rows, search
from crawler.archive.file import File
from crawler.errors import NotFound
from crawler.items import Article, Capture, Version
from crawler.payloads import Payload
from crawler.rows import as_json, as_text

Value = tuple[object, ...]


def load(file: File, row: sqlite3.Row) -> Version:
    """Return the version of a row of `versions`."""
    article = file.row("SELECT url FROM articles WHERE id = ?", row["article_id"])
    assert article is not None
    return rows.version(
        row,
        url=article["url"],
        blocks=file.rows(
            "SELECT b.* FROM json_each(?) AS j JOIN blocks AS b ON b.id = j.value ORDER BY j.key", row["block_ids"]
        ),
        images=file.rows(
            "SELECT i.* FROM json_each(?) AS j JOIN images AS i ON i.id = j.value ORDER BY j.key", row["image_ids"]
        ),
    )


def latest(file: File, article_id: int) -> Version | None:
    row = latest_row(file, article_id)
    return None if row is None else load(file, row)


def latest_row(file: File, article_id: int) -> sqlite3.Row | None:
    """Return the row of an article's latest version: all that a visit needs that shows nothing new."""
    return file.row("SELECT * FROM versions WHERE article_id = ? ORDER BY number DESC LIMIT 1", article_id)


def stands_at(file: File, article_id: int, digest: str) -> str | None:
    """Return the address of another article of the same host whose latest version reads so; None if there is none."""
    row = file.row(
        "SELECT other.url FROM articles AS one JOIN articles AS other ON other.host = one.host AND other.id <> one.id"
        " JOIN versions AS v ON v.article_id = other.id AND v.digest = ? AND v.number = other.versions"
        " WHERE one.id = ? LIMIT 1",
        *(digest, article_id),
    )
    return None if row is None else str(row["url"])


def seen_in_full(file: File, version: Version) -> Version:
    """Take back what "not modified" said of a version after its last full answer: the server was found to lie."""
    row = file.row("SELECT max(captured_at) AS at FROM captures WHERE version_id = ? AND status <> 304", version.id)
    last_seen = rows.moment(row["at"]) if row else None
    if last_seen is None:
        return version
    last_seen = max(last_seen, version.first_seen)
    file.run("UPDATE versions SET last_seen = ? WHERE id = ?", as_text(last_seen), version.id)
    return replace(version, last_seen=last_seen)


def step(file: File, version_id: int) -> tuple[Version, Version]:
    """Return a version and the one before it, in order of time."""
    rows = file.rows(
        "SELECT * FROM versions WHERE article_id = (SELECT article_id FROM versions WHERE id = ?)"
        " AND number <= (SELECT number FROM versions WHERE id = ?) ORDER BY number DESC LIMIT 2",
        *(version_id, version_id),
    )
    after, before = (load(file, row) for row in rows)
    return before, after


def digest_today(version: Version) -> str:
    """Return the digest of a stored version under today's rule: a better rule is no edit."""
    if version.digest.startswith(f"{extract.DIGEST_VERSION}:"):
        return version.digest
    return extract.digest(version.article)


def append(
    file: File,
    capture: Capture,
    article: Article,
    digest: str,
    before: Version | None,
    reread_of: int | None = None,
) -> int:
    """Store a text as the next version; return its id. Blocks and images that stay are not stored again."""
    number = before.number + 1 if before else 1
    blocks = _carry(
        file,
        "SELECT id, kind, text, at FROM blocks WHERE article_id = ? AND removed_in IS NULL ORDER BY id",
        "INSERT INTO blocks (article_id, kind, text, at, added_in) VALUES (?, ?, ?, ?, ?) RETURNING id",
        "UPDATE blocks SET removed_in = ? WHERE id = ?",
        [(block.kind.value, block.text, as_text(block.at)) for block in article.blocks],
        *(capture.article_id, number),
    )
    images = _carry(
        file,
        "SELECT id, url, caption, credit FROM images WHERE article_id = ? AND removed_in IS NULL ORDER BY id",
        "INSERT INTO images (article_id, url, caption, credit, added_in) VALUES (?, ?, ?, ?, ?) RETURNING id",
        "UPDATE images SET removed_in = ? WHERE id = ?",
        [(image.url, image.caption, image.credit) for image in article.images],
        *(capture.article_id, number),
    )
    seen = as_text(capture.captured_at)
    row = file.row(
        "INSERT INTO versions (article_id, number, headline, description, authors, section, tags, language, words,"
        " digest, appeared_after, first_seen, last_seen, date_published, date_modified, quality, is_paywalled,"
        " headlines, notices, related, canonical_url, reread_of, block_ids, image_ids)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,"
        " (SELECT coalesce(reread_of, id) FROM versions WHERE id = ?), ?, ?) RETURNING id",
        *(capture.article_id, number, article.headline, article.description),
        *(as_json([asdict(author) for author in article.authors]), article.section, as_json(article.tags)),
        *(article.language, sum(search.word_count(block.text) for block in article.blocks), digest),
        *(as_text(before.last_seen) if before else None, seen, seen),
        *(as_text(article.date_published), as_text(article.date_modified), article.quality, article.is_paywalled),
        *(as_json(rows.other_headlines(article)), as_json([asdict(notice) for notice in article.notices])),
        *(as_json([asdict(link) for link in article.related]), article.canonical_url, reread_of),
        *(as_json([block_id for block_id, _, _ in blocks]), as_json([image_id for image_id, _, _ in images])),
    )
    assert row is not None
    for block_id, is_new, (_, text, _) in blocks:
        if is_new:
            _index(file, "block_search", block_id, str(text))
    heading = f"{article.headline}\n{article.description}"
    if before is None or heading != f"{before.article.headline}\n{before.article.description}":
        _index(file, "version_search", row["id"], heading)
    return int(row["id"])


def keep_payload(file: File, capture_id: int, capture: Capture) -> None:
    """Keep what was received, compressed against the article's latest payload that stands alone.

    A base never has a base: to read any payload takes two steps at most, and a base is known to be needed.
    """
    if capture.body is None:
        return
    row = file.row(
        "SELECT p.capture_id, p.body, p.bytes FROM captures AS c JOIN payloads AS p ON p.capture_id = c.id"
        " WHERE c.article_id = ? AND p.base_id IS NULL ORDER BY c.id DESC LIMIT 1",
        capture.article_id,
    )
    base = Payload(row["body"], row["bytes"]) if row else None
    packed, uses_base = Payload.pack(capture.body, base)
    file.run(
        "INSERT INTO payloads (capture_id, base_id, content_type, bytes, body) VALUES (?, ?, ?, ?, ?)",
        *(capture_id, row["capture_id"] if row and uses_base else None, capture.content_type),
        *(packed.size, packed.body),
    )


def payload(file: File, version_id: int) -> tuple[bytes, str | None]:
    """Return what was received when a version was first seen, and its content type. Raises NotFound if not kept."""
    row = file.row(
        "SELECT p.body, p.bytes, p.content_type, b.body AS base, b.bytes AS base_bytes FROM captures AS c"
        " JOIN payloads AS p ON p.capture_id = c.id LEFT JOIN payloads AS b ON b.capture_id = p.base_id"
        " WHERE c.version_id = (SELECT coalesce(reread_of, id) FROM versions WHERE id = ?)",
        version_id,
    )
    if row is None:
        raise NotFound(f"the page behind version {version_id} is not kept (any more)")
    base = None if row["base"] is None else Payload(row["base"], row["base_bytes"]).unpack()
    return Payload(row["body"], row["bytes"]).unpack(base), row["content_type"]


def content_type(file: File, version_id: int) -> str | None:
    """Return the Content-Type of the page behind a version, "" if it had none; None if the page is not kept."""
    row = file.row(
        "SELECT coalesce(p.content_type, '') AS said FROM captures AS c JOIN payloads AS p ON p.capture_id = c.id"
        " WHERE c.version_id = (SELECT coalesce(reread_of, id) FROM versions WHERE id = ?)",
        version_id,
    )
    return None if row is None else str(row["said"])


def prune_payloads(file: File, before: datetime) -> int:
    """Free the pages of visits before a moment, but those of latest versions and what they are compressed against."""
    old = (
        "SELECT p.capture_id FROM payloads AS p JOIN captures AS c ON c.id = p.capture_id"
        " JOIN versions AS v ON v.id = c.version_id WHERE c.captured_at < ? AND EXISTS"
        " (SELECT 1 FROM versions AS later WHERE later.article_id = v.article_id AND later.number > v.number"
        " AND later.reread_of IS NOT v.id)"
    )
    freed = 0
    for kind in ("base_id IS NOT NULL", "capture_id NOT IN (SELECT base_id FROM payloads WHERE base_id IS NOT NULL)"):
        freed += file.run(
            f"DELETE FROM payloads WHERE {kind} AND capture_id IN ({old})",  # noqa: S608 - ours
            as_text(before),
        ).rowcount
    return freed


def _carry(
    file: File, alive: str, insert: str, remove: str, wanted: Sequence[Value], article_id: int, number: int
) -> list[tuple[int, bool, Value]]:
    """Keep the rows that the new version shares with the one before, end the others, add what is new.

    Return (id, is_new, value) in the order of `wanted`. Equal rows are told apart by their order.
    """
    ids: defaultdict[Value, list[int]] = defaultdict(list)
    for row in reversed(file.rows(alive, article_id)):
        ids[tuple(row)[1:]].append(row["id"])
    carried = []
    for value in wanted:
        if ids[value]:
            carried.append((ids[value].pop(), False, value))
        else:
            added = file.row(insert, article_id, *value, number)
            assert added is not None
            carried.append((int(added["id"]), True, value))
    for left in ids.values():
        for row_id in left:
            file.run(remove, number, row_id)
    return carried


def _index(file: File, table: str, rowid: int, text: str) -> None:
    file.run(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", rowid, search.index_text(text))  # noqa: S608 - ours
