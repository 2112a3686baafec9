"""Old visits become numbers: of a row of visits that showed the same, the first and the last stay.

Those between say nothing that these two do not; how many there were, and what they showed, is kept by month. What any
rule, page or later visit relies on stays: what made a version or ended one, a turn, a move, a touched date.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise

from crawler.archive.file import File
from crawler.items import Outcome
from crawler.rows import Row, as_text, known_moment

# What a visit may have shown to be no more than one of many. What went wrong stays: it is rare, as such visits are put
# off, and pages tell how often an article was looked for. To a feed "changed" is that it listed something new, which
# stands in `entries`; to an article it is a version.
_ORDINARY = frozenset({Outcome.UNCHANGED, Outcome.NOT_MODIFIED})
_ORDINARY_OF_FEEDS = _ORDINARY | {Outcome.CHANGED}
_WRONG = frozenset({Outcome.FAILED, Outcome.BLOCKED, Outcome.GONE})
# Articles in one transaction: short enough that a crawl beside it need not wait.
_A_STEP = 100


# ("article_id" or "feed_id", its number), some at a time
Steps = list[list[tuple[str, int]]]


def steps(file: File, before: datetime) -> Steps:
    """Return the articles and feeds that were visited before a moment, often enough to have something to roll up."""
    told = [
        (column, row[column])
        for column in ("article_id", "feed_id")
        for row in file.rows(
            f"SELECT {column} FROM captures WHERE {column} IS NOT NULL GROUP BY {column}"  # noqa: S608 - ours
            " HAVING count(*) > 2 AND min(captured_at) < ?",
            as_text(before),
        )
    ]
    return [told[start : start + _A_STEP] for start in range(0, len(told), _A_STEP)]


def roll_up(file: File, step: Sequence[tuple[str, int]], before: datetime) -> int:
    """Roll the visits to some articles and feeds before a moment up, in the caller's transaction; return how many."""
    rolled = 0
    for column, number in step:
        visits = file.rows(f"SELECT * FROM captures WHERE {column} = ? ORDER BY id", number)  # noqa: S608 - ours
        article_id = number if column == "article_id" else None
        needed = file.rows(
            "SELECT capture_id AS id FROM fates WHERE article_id = ? UNION SELECT c.id FROM versions AS v"
            " JOIN captures AS c ON c.version_id = v.id AND c.captured_at = v.last_seen WHERE v.article_id = ?",
            *(article_id, article_id),
        )
        ordinary = _ORDINARY if column == "article_id" else _ORDINARY_OF_FEEDS
        found = superfluous(visits, before, ordinary, {row["id"] for row in needed})
        _write(file, column, number, found)
        rolled += len(found)
    return rolled


def superfluous(
    visits: Sequence[Row], before: datetime, ordinary: Collection[str], needed: Collection[int]
) -> list[Row]:
    """Return the visits before a moment that say nothing which those around them do not: pure.

    `visits` are all of one article or feed in the order in which they were made, `ordinary` the outcomes that may go,
    `needed` the visits that others refer to.
    """
    kept = set(needed)
    # A server that lies is found out by its last full answer; an address at which a text was read is known by one.
    kept.update({visit["version_id"]: visit["id"] for visit in visits if visit["status"] != 304}.values())
    kept.update({visit["final_url"]: visit["id"] for visit in visits if visit["version_id"]}.values())
    # The publisher's date, each time that it moved.
    dated = sorted(
        (visit["captured_at"], visit["id"], visit["date_modified"]) for visit in visits if visit["date_modified"]
    )
    kept.update(later[1] for earlier, later in pairwise([("", 0, ""), *dated]) if earlier[2] != later[2])
    return [
        visit
        for earlier, visit, later in zip(visits, visits[1:], visits[2:], strict=False)
        if known_moment(visit["captured_at"]) < before
        and visit["outcome"] in ordinary
        and visit["id"] not in kept
        and earlier["version_id"] == visit["version_id"] == later["version_id"]
        and not {earlier["outcome"], later["outcome"]} & _WRONG
    ]


def _write(file: File, column: str, number: int, found: Sequence[Row]) -> None:
    months = Counter((visit["captured_at"][:7], visit["outcome"], visit["version_id"]) for visit in found)
    for (month, outcome, version_id), visits in months.items():
        file.run(
            f"INSERT INTO captures_by_month ({column}, month, outcome, version_id, visits) VALUES (?, ?, ?, ?, ?)"  # noqa: S608 - ours
            " ON CONFLICT (coalesce(article_id, 0), coalesce(feed_id, 0), month, outcome, coalesce(version_id, 0))"
            " DO UPDATE SET visits = visits + excluded.visits",
            *(number, month, outcome, version_id, visits),
        )
    for crawl_id, visits in Counter(visit["crawl_id"] for visit in found).items():
        file.run("UPDATE crawls SET rolled_up = rolled_up + ? WHERE id = ?", visits, crawl_id)
    for visit in found:
        file.run("DELETE FROM captures WHERE id = ?", visit["id"])
