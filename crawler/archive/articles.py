"""Articles in the file: how each stands after a visit, what it was called, what became of it."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from crawler import extract, schedule, visits
from crawler.archive import learning
from crawler.archive.file import File
from crawler.items import Article, Capture, Fate, KnownArticle, Outcome, Title, Touch
from crawler.rows import as_json, as_text, known_moment, moment


def update(
    file: File,
    known: sqlite3.Row,
    capture: Capture,
    outcome: Outcome,
    latest: sqlite3.Row | None,
    missing: str | None,
    left_until: datetime | None,
) -> str | None:
    """Set an article's state as of this visit, its validators and its next visit; return the turn that it took.

    `latest` is the row of the version from before the visit, `missing` what `visits.missing_by` says of it.
    `left_until` is when its host is asked again, if the visit says something of that alone.
    """
    now, article = capture.captured_at, capture.article
    is_good = outcome in visits.NEW_TEXT or outcome in visits.SAME_TEXT
    missing = missing if left_until is None else None
    state, turn = visits.state_after(known["state"], outcome, is_good=is_good, missing=missing)
    is_missing = state in ("suspect", "gone")
    gone_since = (known["gone_since"] or as_text(now)) if is_missing else None
    failures = 0 if is_good or outcome is Outcome.GONE else known["failures"] + (left_until is None)
    last_changed = now if outcome in visits.NEW_TEXT else known_moment(latest["first_seen"]) if latest else None
    last_good = known_moment(latest["last_seen"]) if latest and is_good else None
    born, habits, pace, is_flapping = learning.learn(file, known, now, outcome, last_good=last_good)
    appointment = schedule.next_visit(
        last_changed=last_changed or known_moment(known["found_at"]),
        now=now,
        born=born,
        habits=habits,
        pace=pace,
        is_flapping=is_flapping,
        failures=failures,
        is_gone=state == "gone",
        gone_since=moment(gone_since),
    )
    if left_until is not None:
        appointment = schedule.Appointment(at=left_until, reason="its host answers for none; then it is asked again")
    # A 304 may leave validators out; an answer that brought no text must not be asked for with the old ones.
    keeps = capture.status == 304
    etag = capture.etag or (known["etag"] if keeps else None)
    modified = capture.last_modified or (known["last_modified"] if keeps else None)
    after: dict[str, object] = {
        "state": state,
        "gone_since": gone_since,
        "failures": failures,
        "last_visit": as_text(now),
        "last_changed": as_text(last_changed),
        "next_visit": as_text(appointment.at),
        "next_visit_reason": appointment.reason,
        "etag": etag if is_good else None,
        "last_modified": modified if is_good else None,
        "not_modified": known["not_modified"] + 1 if keeps and is_good else 0,
    }
    if is_good and article is not None:
        after["date_modified"] = as_text(article.date_modified)
    if outcome in visits.NEW_TEXT and article is not None:
        after |= {
            "versions": known["versions"] + 1,
            "headline": article.headline or known["headline"],
            "section": article.section or None,
            "authors": as_json([author.name for author in article.authors]),
            "tags": as_json(article.tags),
            "language": article.language or None,
            "date_published": as_text(article.date_published),
        }
    # Only what differs: SQLite writes the index of a column anew that is set, to what it was too.
    differing = {column: value for column, value in after.items() if value != known[column]}
    if differing:
        columns = ", ".join(f"{column} = ?" for column in differing)
        file.run(f"UPDATE articles SET {columns} WHERE id = ?", *differing.values(), known["id"])  # noqa: S608
    return turn


def note_titles(file: File, capture: Capture, article: Article) -> None:
    """Note the page's other headlines where they differ from those that stood there."""
    rows = file.rows(
        "SELECT id, source, title FROM titles WHERE article_id = ? ORDER BY last_came, id", capture.article_id
    )
    standing = {row["source"]: row["title"] for row in rows}
    known = {(row["source"], row["title"]): row["id"] for row in rows}
    seen = as_text(capture.captured_at)
    for source in ("h1", "title", "og", "json_ld"):
        title = getattr(article.headlines, source)
        if not title or extract.comparable(title) == extract.comparable(standing.get(source, "")):
            continue
        if (source, title) in known:
            file.run("UPDATE titles SET last_came = ? WHERE id = ?", seen, known[source, title])
        else:
            file.run(
                "INSERT INTO titles (article_id, source, title, first_seen, last_came) VALUES (?, ?, ?, ?, ?)",
                *(capture.article_id, source, title, seen, seen),
            )


def known(row: sqlite3.Row) -> KnownArticle:
    """Return the article of a row of `articles`."""
    return KnownArticle(
        id=row["id"],
        url=row["url"],
        current_url=row["current_url"],
        headline=row["headline"],
        state=row["state"],
        versions=row["versions"],
        found_at=known_moment(row["found_at"]),
        last_visit=moment(row["last_visit"]),
        next_visit=moment(row["next_visit"]),
        next_visit_reason=row["next_visit_reason"],
    )


def titles(file: File, article_id: int) -> list[Title]:
    """Return every title that feeds and the page itself gave an article, beside its headline, in order of time."""
    rows = file.rows(
        "SELECT source, title, first_seen FROM titles WHERE article_id = ? UNION ALL"
        " SELECT 'feed', title, min(first_seen) FROM entries WHERE article_id = ? AND title <> '' GROUP BY title"
        " ORDER BY 3, 1",
        *(article_id, article_id),
    )
    return [Title(source=row["source"], title=row["title"], first_seen=known_moment(row["first_seen"])) for row in rows]


def fates(file: File, article_id: int) -> list[Fate]:
    """Return what became of an article, turn by turn, each with its evidence."""
    rows = file.rows("SELECT fate, since, evidence FROM fates WHERE article_id = ? ORDER BY id", article_id)
    return [Fate(fate=r["fate"], since=known_moment(r["since"]), evidence=r["evidence"]) for r in rows]


def touches(file: File, article_id: int) -> list[Touch]:
    """Return when the publisher moved the modified date and left the text as it was."""
    rows = file.rows(
        "SELECT date_modified, captured_at FROM (SELECT date_modified, captured_at, outcome,"
        " lag(date_modified) OVER (ORDER BY captured_at, id) AS before FROM captures"
        " WHERE article_id = ? AND date_modified IS NOT NULL)"
        " WHERE outcome IN ('unchanged', 'moved') AND date_modified > before",
        article_id,
    )
    return [
        Touch(date_modified=known_moment(row["date_modified"]), seen_at=known_moment(row["captured_at"]))
        for row in rows
    ]
