"""Articles that turned out to be one. Both keep their history; one of them is visited in the other's stead.

Nothing is moved from one to the other, so a merge is undone by a word: versions and their numbers are never rewritten.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime

from crawler import urls, visits
from crawler.archive import addresses, versions
from crawler.archive.file import File
from crawler.errors import NotFound
from crawler.items import Article, Capture, Merge
from crawler.rows import as_text, known_moment, moment


def look(file: File, known: sqlite3.Row, capture: Capture, article: Article) -> None:
    """Merge the article into the one that has the address which its page calls its own, if the two read alike."""
    for url, evidence in _claims(known, capture, article):
        other = addresses.article_at(file, url)
        if other is not None and other != known["id"] and _is_one(file, known["id"], other, article):
            now = as_text(capture.captured_at)
            file.run(
                "INSERT INTO merges (article_id, into_id, merged_at, evidence) VALUES (?, ?, ?, ?)",
                *(known["id"], other, now, evidence),
            )
            file.run(
                "UPDATE articles SET merged_into = ?, next_visit = NULL, next_visit_reason = ? WHERE id = ?",
                *(other, f"one with article {other}, which is visited in its stead", known["id"]),
            )
            return


def undo(file: File, article_id: int, now: datetime) -> None:
    """Take two articles for two again, for good. Raises NotFound if the article is one with no other."""
    row = file.row(
        "UPDATE merges SET undone_at = ? WHERE article_id = ? AND undone_at IS NULL RETURNING id",
        *(as_text(now), article_id),
    )
    if row is None:
        raise NotFound(f"article {article_id} is merged into no other; the table merges has those that are")
    file.run(
        "UPDATE articles SET merged_into = NULL, next_visit = ?, next_visit_reason = 'its merge was undone'"
        " WHERE id = ?",
        *(as_text(now), article_id),
    )


def every(file: File) -> list[Merge]:
    rows = file.rows(
        "SELECT m.*, a.url, b.url AS into_url FROM merges AS m JOIN articles AS a ON a.id = m.article_id"
        " JOIN articles AS b ON b.id = m.into_id ORDER BY m.id"
    )
    return [
        Merge(
            article_id=row["article_id"],
            url=row["url"],
            into_id=row["into_id"],
            into_url=row["into_url"],
            merged_at=known_moment(row["merged_at"]),
            evidence=row["evidence"],
            undone_at=moment(row["undone_at"]),
        )
        for row in rows
    ]


def _claims(known: sqlite3.Row, capture: Capture, article: Article) -> Iterator[tuple[str, str]]:
    """Yield the addresses that a page, or a permanent redirect, calls the article's own, each with its evidence."""
    answered = capture.final_url or capture.url
    if capture.is_permanent_move:
        yield answered, f"{known['url']} moved for good to {answered}, which is the other's"
    canonical = article.canonical_url
    # Where a template is broken, every page calls the front page its own.
    if canonical and urls.same_site(answered, canonical) and not visits.is_front_page(canonical):
        yield canonical, f"the page at {answered} calls {canonical} its own, which is the other's"


def _is_one(file: File, article_id: int, other: int, article: Article) -> bool:
    """Whether two articles may be taken for one: both stand and are watched, they read alike, and nobody said no."""
    row = file.row(
        "SELECT 1 FROM articles AS a JOIN feeds AS f ON f.id = a.feed_id WHERE a.id = ? AND a.state <> 'gone'"
        " AND f.paused_at IS NULL AND f.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM merges AS m"
        " WHERE m.undone_at IS NOT NULL AND (m.article_id, m.into_id) IN ((?, ?), (?, ?)))",
        *(other, article_id, other, other, article_id),
    )
    latest = versions.latest(file, other) if row else None
    return latest is not None and visits.is_same_article(article, latest.article)
