"""The log of changes in the file: each step judged, flaps as one fact, and the brake on what is no edit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta

from crawler import changes, extract
from crawler.archive import versions
from crawler.archive.file import File
from crawler.diff import Diff, diff
from crawler.diff.summary import summary
from crawler.items import Article, Capture, Change, Hold, Notice, Verdict, Version
from crawler.rows import as_json, as_text, known_moment
from crawler.wavering import furniture_key, may_be_passing, passing_lines

# When this share of a feed's articles, and at least so many, change in one run, it is no day of so many edits: a third
# of articles is edited in their whole lives, and a run sees minutes to hours of it.
_HOLD_SHARE = 0.6
_HOLD_ARTICLES = 8
# A notice explains an edit that was made in silence within the week before.
_NOTICE_REACHES = timedelta(days=7)
# How soon to look again at what may be passing: the shortest wait there is between two visits.
_SECOND_LOOK = timedelta(minutes=5)
_TOLD = (
    "SELECT c.*, v.number, v.headline, a.url, a.host, f.title AS feed, f.url AS feed_url,"
    " later.seen_at AS explained_at, p.flips, p.seen_a, p.seen_b FROM changes AS c"
    " JOIN versions AS v ON v.id = c.version_id JOIN articles AS a ON a.id = c.article_id"
    " JOIN feeds AS f ON f.id = a.feed_id LEFT JOIN holds AS h ON h.id = c.hold_id"
    " LEFT JOIN changes AS later ON later.id = c.explained_by"
    " LEFT JOIN flaps AS p ON p.article_id = c.article_id AND p.version_b = c.version_id"
    " WHERE (c.hold_id IS NULL OR h.settlement = 'accepted')"
)


def append(file: File, capture: Capture, article: Article, digest: str, before: Version, difference: Diff) -> int:
    """Store a text as a new version and the step that led to it, with what it is judged to be; return its id."""
    earlier = _earlier(file, before, digest)
    headlines = file.rows(
        "SELECT DISTINCT headline FROM versions WHERE article_id = ? AND number < ?", before.article_id, before.number
    )
    judgement = changes.classify(
        before.article, article, difference, earlier_headlines=[row["headline"] for row in headlines]
    )
    version_id = versions.append(file, capture, article, digest, before)
    row = file.row(
        "INSERT INTO changes (article_id, version_id, seen_at, appeared_after, kinds, weight, verdict, words_added,"
        " words_removed, summary, reverts_to, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        *(before.article_id, version_id, as_text(capture.captured_at), as_text(before.last_seen)),
        *(as_json([finding.kind for finding in judgement.kinds]), judgement.weight, judgement.verdict),
        *(difference.words_added, difference.words_removed, summary(difference)),
        *(earlier["number"] if earlier else None, as_json(_evidence(judgement))),
    )
    assert row is not None
    notice = judgement.verdict_evidence.notice
    if notice is not None and not changes.explains(notice, difference):
        _explain(file, notice, before.article_id, row["id"], capture.captured_at)
    return version_id


def flap(file: File, capture: Capture, digest: str, latest: Version) -> int | None:
    """Count a visit to an article that shows two states in turn; return the version that it showed.

    A, B, A are three versions. From the next B on it is a flap: one growing row, and each capture says which of the
    two it showed. None: this visit is no part of one.
    """
    other = _earlier(file, latest, digest)
    if other is None or other["number"] != latest.number - 1:
        return None
    step = file.row("SELECT reverts_to FROM changes WHERE version_id = ?", latest.id)
    if step is None or step["reverts_to"] != latest.number - 2:
        return None
    row = file.row(
        "SELECT id FROM flaps WHERE article_id = ? AND version_a = ? AND version_b = ?",
        *(latest.article_id, other["id"], latest.id),
    )
    if row is None:
        counts = file.row(
            "SELECT sum(checks) FILTER (WHERE id = ?) AS a, sum(checks) FILTER (WHERE id <> ?) AS b, min(first_seen)"
            " AS since FROM versions WHERE article_id = ? AND number >= ?",
            *(other["id"], other["id"], latest.article_id, latest.number - 2),
        )
        assert counts is not None
        row = file.row(
            "INSERT INTO flaps (article_id, version_a, version_b, shown, flips, seen_a, seen_b, first_seen, last_seen)"
            " VALUES (?, ?, ?, ?, 2, ?, ?, ?, ?) RETURNING id",
            *(latest.article_id, other["id"], latest.id, latest.id, counts["a"], counts["b"], counts["since"]),
            as_text(capture.captured_at),
        )
        assert row is not None
        file.run("UPDATE articles SET flap_id = ? WHERE id = ?", row["id"], latest.article_id)
    count_flap(file, row["id"], other["id"], capture.captured_at)
    return int(other["id"])


def count_flap(file: File, flap_id: int, version_id: int, seen: datetime) -> None:
    """Count a visit that showed one of the two states of a flap."""
    file.run(
        "UPDATE flaps SET flips = flips + (shown <> ?), seen_a = seen_a + (version_a = ?),"
        " seen_b = seen_b + (version_b = ?), shown = ?, last_seen = max(last_seen, ?) WHERE id = ?",
        *(version_id, version_id, version_id, version_id, as_text(seen), flap_id),
    )


def look_twice(
    file: File, crawl_id: int | None, known: sqlite3.Row, before: Version, after: Version, difference: Diff
) -> None:
    """Hold back a change that may be passing until a second look, and settle the one before it, if it waits for one.

    A line that came, and at the next visit is gone or other, is volatile: neither change is told, and such lines are
    the site's furniture from then on. One that stays was an edit, and is told.
    """
    is_passing = may_be_passing(difference) and after.article.notices == before.article.notices
    waiting = _waits_for_a_look(file, before.id)
    settlement = "second look" if is_passing else None
    if waiting is not None:
        older, _ = versions.step(file, before.id)
        stays = _has_stayed(older.article, before.article, after.article)
        _settle_look(file, waiting, "accepted" if stays else "passing", after.first_seen)
        if is_passing and not stays:
            settlement = "passing"
            for line in passing_lines(diff(older.article, before.article)) + passing_lines(difference):
                file.run(
                    "INSERT INTO furniture (host, key, example, pages, learned_at) VALUES (?, ?, ?, 0, ?)"
                    " ON CONFLICT DO NOTHING",
                    *(known["host"], furniture_key(line), line, as_text(after.first_seen)),
                )
    if settlement is not None:
        hold = file.row(
            "INSERT INTO holds (feed_id, crawl_id, held_at, visited, changed, settled_at, settlement)"
            " VALUES (?, ?, ?, 1, 1, ?, ?) RETURNING id",
            *(known["feed_id"], crawl_id, as_text(after.first_seen), as_text(after.first_seen), settlement),
        )
        assert hold is not None
        file.run("UPDATE changes SET hold_id = ? WHERE version_id = ?", hold["id"], after.id)


def confirm(file: File, version_id: int, seen: datetime) -> None:
    """Tell a change that waited for a second look: the text still reads so."""
    waiting = _waits_for_a_look(file, version_id)
    if waiting is not None:
        _settle_look(file, waiting, "accepted", seen)


def ask_again_soon(file: File, article_id: int, version_id: int, now: datetime) -> None:
    """Bring the next visit forward where a second look is waited for."""
    if _waits_for_a_look(file, version_id) is not None:
        soon = as_text(now + _SECOND_LOOK)
        file.run(
            "UPDATE articles SET next_visit = ?, next_visit_reason = 'a second look at what may be passing'"
            " WHERE id = ? AND next_visit > ?",
            *(soon, article_id, soon),
        )


def hold_redesigns(file: File, crawl_id: int, now: datetime) -> None:
    """Hold back the changes of each feed most of whose articles seemed to change in a run."""
    feeds = file.rows(
        "SELECT a.feed_id, sum(c.outcome = 'changed') AS changed, count(*) AS visited FROM captures AS c"
        " JOIN articles AS a ON a.id = c.article_id"
        " WHERE c.crawl_id = ? AND c.outcome IN ('changed', 'unchanged', 'not_modified', 'moved')"
        " GROUP BY a.feed_id HAVING sum(c.outcome = 'changed') >= ? AND sum(c.outcome = 'changed') >= ? * count(*)",
        *(crawl_id, _HOLD_ARTICLES, _HOLD_SHARE),
    )
    for feed in feeds:
        hold = file.row(
            "INSERT INTO holds (feed_id, crawl_id, held_at, visited, changed) VALUES (?, ?, ?, ?, ?) RETURNING id",
            *(feed["feed_id"], crawl_id, as_text(now), feed["visited"], feed["changed"]),
        )
        assert hold is not None
        file.run(
            "UPDATE changes SET hold_id = ? WHERE version_id IN (SELECT c.version_id FROM captures AS c"
            " JOIN articles AS a ON a.id = c.article_id"
            " WHERE c.crawl_id = ? AND c.outcome = 'changed' AND a.feed_id = ?)",
            *(hold["id"], crawl_id, feed["feed_id"]),
        )


def open_holds(file: File, feed_id: int | None = None) -> list[Hold]:
    rows = file.rows(
        "SELECT h.*, f.title, f.url, (SELECT json_group_array(summary) FROM (SELECT summary FROM changes AS c"
        " WHERE c.hold_id = h.id LIMIT 3)) AS examples FROM holds AS h JOIN feeds AS f ON f.id = h.feed_id"
        " WHERE h.settled_at IS NULL AND (? IS NULL OR h.feed_id = ?) ORDER BY h.id",
        *(feed_id, feed_id),
    )
    return [
        Hold(
            id=row["id"],
            feed_id=row["feed_id"],
            feed=row["title"] or row["url"],
            held_at=known_moment(row["held_at"]),
            visited=row["visited"],
            changed=row["changed"],
            examples=tuple(json.loads(row["examples"])),
        )
        for row in rows
    ]


def settle_hold(file: File, hold_id: int, now: datetime, *, edits: Sequence[int] | None = None) -> None:
    """Settle a hold: all its changes were edits, or only those that led to the versions `edits`."""
    if edits is None:
        file.run("UPDATE holds SET settled_at = ?, settlement = 'accepted' WHERE id = ?", *(as_text(now), hold_id))
        return
    file.run("UPDATE holds SET settled_at = ?, settlement = 'reread' WHERE id = ?", *(as_text(now), hold_id))
    for version_id in edits:
        file.run("UPDATE changes SET hold_id = NULL WHERE version_id = ?", version_id)


def held_versions(file: File, hold_id: int) -> list[int]:
    return [row["version_id"] for row in file.rows("SELECT version_id FROM changes WHERE hold_id = ?", hold_id)]


def latest(
    file: File,
    *,
    limit: int,
    since: datetime | None,
    feed_id: int | None,
    article_id: int | None,
    min_weight: int,
    kind: str | None,
    verdict: Verdict | None,
) -> list[Change]:
    """Return the latest changes that are told, newest first; see `Archive.changes`."""
    narrowed = {
        "c.seen_at >= ?": as_text(since),
        "a.feed_id = ?": feed_id,
        "c.article_id = ?": article_id,
        "+c.weight >= ?": min_weight or None,  # not along its index: most changes fit, and would have to be sorted
        "c.verdict = ?": verdict,
        "EXISTS (SELECT 1 FROM json_each(c.kinds) AS k WHERE k.value = ?)": kind,
    }
    # Only the conditions that narrow: one with a switch in it ("? IS NULL OR ...") is served by no index.
    asked = {condition: value for condition, value in narrowed.items() if value is not None}
    condition = "".join(f" AND {condition}" for condition in asked)
    rows = file.rows(f"{_TOLD}{condition} ORDER BY c.seen_at DESC, c.id DESC LIMIT ?", *asked.values(), limit)
    return [_change(row) for row in rows]


def _waits_for_a_look(file: File, version_id: int) -> int | None:
    row = file.row(
        "SELECT h.id FROM changes AS c JOIN holds AS h ON h.id = c.hold_id"
        " WHERE c.version_id = ? AND h.settlement = 'second look'",
        version_id,
    )
    return None if row is None else int(row["id"])


def _settle_look(file: File, hold_id: int, settlement: str, seen: datetime) -> None:
    file.run("UPDATE holds SET settled_at = ?, settlement = ? WHERE id = ?", *(as_text(seen), settlement, hold_id))


def _has_stayed(older: Article, before: Article, now: Article) -> bool:
    """Return whether all that came and went from `older` to `before` is still so."""
    was, then, reads = ({extract.comparable(b.text) for b in article.blocks} for article in (older, before, now))
    return then - was <= reads and not (was - then) & reads


def _earlier(file: File, before: Version, digest: str) -> sqlite3.Row | None:
    """Return the latest of the versions before `before` that have this digest."""
    return file.row(
        "SELECT id, number FROM versions WHERE article_id = ? AND digest = ? AND number < ?"
        " ORDER BY number DESC LIMIT 1",
        *(before.article_id, digest, before.number),
    )


def _explain(file: File, notice: Notice, article_id: int, notice_change: int, seen: datetime) -> None:
    """Link the latest silent edit that a notice speaks of, by the words they share, to the change that brought it."""
    silent = file.rows(
        "SELECT c.id, c.version_id FROM changes AS c WHERE c.article_id = ? AND c.id < ? AND c.verdict <> 'declared'"
        " AND c.explained_by IS NULL AND c.seen_at >= ? ORDER BY c.id DESC",
        *(article_id, notice_change, as_text(seen - _NOTICE_REACHES)),
    )
    for change in silent:
        before, after = versions.step(file, change["version_id"])
        if changes.explains(notice, diff(before.article, after.article)):
            file.run("UPDATE changes SET explained_by = ? WHERE id = ?", notice_change, change["id"])
            return


def _evidence(judgement: changes.Judgement) -> dict[str, object]:
    """Return why a change is judged as it is, as it stands in the archive."""
    rests_on = judgement.verdict_evidence
    return {
        "kinds": {finding.kind: finding.evidence for finding in judgement.kinds},
        "weight": judgement.reasons,
        "old_date": as_text(rests_on.old_date),
        "new_date": as_text(rests_on.new_date),
        "notice": rests_on.notice.text if rests_on.notice else None,
    }


def _change(row: sqlite3.Row) -> Change:
    seen_at = known_moment(row["seen_at"])
    flips = row["flips"] or 0
    return Change(
        article_id=row["article_id"],
        version_id=row["version_id"],
        number=row["number"],
        url=row["url"],
        host=row["host"],
        feed=row["feed"] or row["feed_url"],
        headline=row["headline"],
        seen_at=seen_at,
        appeared_after=known_moment(row["appeared_after"]),
        kinds=tuple(json.loads(row["kinds"])),
        weight=row["weight"],
        verdict=Verdict(row["verdict"]),
        words_added=row["words_added"],
        words_removed=row["words_removed"],
        summary=row["summary"],
        reverts_to=row["reverts_to"],
        explained_after=known_moment(row["explained_at"]) - seen_at if row["explained_at"] else None,
        flips=flips,
        share=row["seen_b"] / (row["seen_a"] + row["seen_b"]) if flips else 1.0,
    )
