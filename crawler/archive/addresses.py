"""Every address of every article, so that any form of any of them finds it."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from crawler import urls
from crawler.archive.file import File
from crawler.items import Article, Capture
from crawler.rows import as_text


def article_at(file: File, url: str) -> int | None:
    """Return the number of the article that stands, or stood, at an address in any of its forms.

    Of two that are one, the one that is visited.
    """
    row = file.row("SELECT article_id FROM urls WHERE key = ? ORDER BY id LIMIT 1", urls.key(url))
    return None if row is None else standing_for(file, row["article_id"])


def standing_for(file: File, article_id: int) -> int:
    """Return the article that is visited in an article's stead; itself, unless it is one with another."""
    while row := file.row("SELECT merged_into FROM articles WHERE id = ? AND merged_into IS NOT NULL", article_id):
        article_id = row["merged_into"]
    return article_id


def was_read_at(file: File, article_id: int, url: str | None) -> bool:
    """Return whether an article's text came from an address before: some feeds list detours, and never the place."""
    return url is not None and bool(
        file.rows(
            "SELECT 1 FROM captures WHERE article_id = ? AND final_url = ? AND version_id IS NOT NULL LIMIT 1",
            *(article_id, url),
        )
    )


def note(file: File, article_id: int, url: str, source: str, seen: datetime) -> bool:
    """Note that `url` is the article's; return False, and note nothing, if it is another article's."""
    owner = article_at(file, url)
    if owner is not None and owner != article_id:
        return False
    file.run(
        "INSERT INTO urls (article_id, url, key, source, first_seen, last_seen) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (article_id, url, source) DO UPDATE SET last_seen = max(last_seen, excluded.last_seen)",
        *(article_id, url, urls.key(url), source, as_text(seen), as_text(seen)),
    )
    return True


def note_own(file: File, known: sqlite3.Row, capture: Capture, article: Article) -> None:
    """Note the addresses that a page calls its own, where its site may speak for them.

    Most name the one at which the article stands: that is known, and a visit that shows nothing new need not write it.
    """
    answered = capture.final_url or capture.url
    for own, source in ((article.canonical_url, "canonical"), (article.amp_url, "amp")):
        if own and own not in (known["url"], known["current_url"]) and urls.same_site(answered, own):
            note(file, capture.article_id, own, source, capture.captured_at)


def follow_move(file: File, known: sqlite3.Row, capture: Capture) -> bool:
    """Visit an article at its new address from now on if it moved for good; return whether it did."""
    answered = capture.final_url or capture.url
    if answered == known["current_url"] or not capture.is_permanent_move:
        return False
    if not note(file, capture.article_id, answered, "redirect", capture.captured_at):
        return False
    file.run("UPDATE articles SET current_url = ? WHERE id = ?", answered, capture.article_id)
    return True
