"""The archive held against the truth: what was planned and is found there, and what is there and was never planned."""

from __future__ import annotations

import bisect
import re
import sqlite3
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from .press import Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One planned edit, and `fault`: why the archive does not tell it as it was; empty where it does."""

    edit: Edit
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    findings: Sequence[Finding]
    invented: Sequence[str]  # a line each: what the archive tells and the newsroom never did

    @property
    def is_true(self) -> bool:
        return not self.invented and not any(finding.fault for finding in self.findings)

    @property
    def closing_line(self) -> str:
        found = sum(not finding.fault for finding in self.findings)
        return f"{len(self.findings)} edits planned, {found} found, {len(self.invented)} invented"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Version:
    article: int
    number: int
    round: int
    verdict: str | None  # None for the first version
    blocks: list[str]
    everything: str  # headline, standfirst, authors, body and captions


def compare(archive: Path, truth: Sequence[Edit], starts: Sequence[str], url: Callable[[str, str], str]) -> Report:
    """Hold an archive against the truth.

    `starts` are the times at which the crawl of each round began, as the archive writes times; each must be a whole
    second later than the end of the crawl before. `url` gives the address of an outlet's path.
    """

    def round_of(time: str) -> int:
        return bisect.bisect_right(starts, time) - 1

    with closing(sqlite3.connect(f"{archive.resolve().as_uri()}?mode=rw", uri=True)) as db:
        articles: dict[str, int] = dict(db.execute("SELECT url, article_id FROM urls"))
        articles |= dict(db.execute("SELECT url, id FROM articles"))
        versions = list(_versions(db, round_of))
        ends = {
            (article, round_of(at), outcome)
            for article, at, outcome in db.execute(
                "SELECT article_id, captured_at, outcome FROM captures WHERE outcome IN ('gone', 'moved')"
            )
        }

    by_round = {(version.article, version.round): version for version in versions}
    by_number = {(version.article, version.number): version for version in versions}

    def fault(edit: Edit) -> str:
        article = articles.get(url(edit.outlet, edit.path))
        if article is None:
            return "the archive does not know the article"
        if edit.kind in _OUTCOMES:
            is_told = (article, edit.round, _OUTCOMES[edit.kind]) in ends
            return "" if is_told else f"no visit of round {edit.round} is recorded as {_OUTCOMES[edit.kind]}"
        version = by_round.get((article, edit.round))
        if version is None:
            return f"no version of round {edit.round}"
        if edit.kind == "published":
            return "" if version.number == 1 else "it was seen before it was published"
        return _text_fault(edit, by_number.get((article, version.number - 1)), version)

    planned = {(articles.get(url(edit.outlet, edit.path)), edit.round) for edit in truth}
    addresses = {article: address for address, article in articles.items()}
    told = [(version.article, version.round) for version in versions if version.round or version.number > 1]
    told += [(article, round) for article, round, _ in ends]
    return Report(
        findings=[Finding(edit=edit, fault=fault(edit)) for edit in truth],
        invented=[f"round {round}: {addresses[who]}" for who, round in told if (who, round) not in planned],
    )


_OUTCOMES = {"removed": "gone", "moved": "moved"}


def _text_fault(edit: Edit, before: _Version | None, after: _Version) -> str:
    if before is None:
        return "there is no version before"
    if edit.kind == "move":
        places = [[block.startswith(_even(edit.old)) for block in version.blocks] for version in (before, after)]
        if sorted(before.blocks) != sorted(after.blocks) or places[0] == places[1]:
            return "the paragraph is not found elsewhere, with its words unchanged"
    else:
        if _even(edit.old) not in before.everything:
            return "the old words are not in the version before"
        if _even(edit.new) not in after.everything:
            return "the new words are not in the new version"
    return "" if after.verdict == edit.verdict else f"called {after.verdict}, and was {edit.verdict}"


def _versions(db: sqlite3.Connection, round_of: Callable[[str], int]) -> Iterator[_Version]:
    """Yield every version, oldest first."""
    rows = db.execute(
        """
        SELECT v.article_id, v.number, v.first_seen, c.verdict, t.text,
               v.headline, v.description,
               (SELECT group_concat(json_extract(value, '$.name'), ' ') FROM json_each(v.authors)),
               (SELECT group_concat(i.caption, ' ') FROM json_each(v.image_ids) AS j JOIN images AS i ON i.id = j.value)
          FROM versions AS v
          JOIN version_text AS t ON t.version_id = v.id
          LEFT JOIN changes AS c ON c.version_id = v.id
         ORDER BY v.id
        """
    )
    for article, number, first_seen, verdict, text, *fields in rows:
        yield _Version(
            article=article,
            number=number,
            round=round_of(first_seen),
            verdict=verdict,
            blocks=[_even(block) for block in (text or "").split("\n\n")],
            everything=_even(" ".join(filter(None, [*fields, text]))),
        )


def _even(text: str) -> str:
    """Return a text without what typography alone decides: kinds of spaces and quotation marks, widths of letters."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).translate(_QUOTES).strip()


_QUOTES = str.maketrans("‘’“”", "''\"\"")
