"""Is the archive sound? Every rule is asked, every text and page read again. Nothing is written.

A rule of one statement sees one moment of the file, an article is read in one snapshot: a crawl may go on meanwhile,
and no snapshot is held for long, which would make the log of a busy archive grow.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType

import zstandard

from crawler import extract, migrations, search, urls
from crawler.archive import versions
from crawler.archive.file import File
from crawler.archive.rules import RESTORE, RULES
from crawler.errors import ArchiveError
from crawler.items import Finding, Level
from crawler.payloads import Payload

# Of one kind of fault so many are told one by one; the rest is a number.
_TOLD = 10
# Texts that are looked up in the index by their words, evenly spread over all.
_SAMPLED_TEXTS = 500
_ADDRESSES_A_STEP = 1000
_BAD_DISK = "restore a backup, or save what can be read with: sqlite3 archive.db .recover | sqlite3 recovered.db"


class Verification:
    """A look at a whole archive: iterate to get, step by step, what was found; `len` is how many steps there are.

    `is_quick` leaves out what reads every text and page: the digests, the payloads, the words in the index, the keys of
    addresses. Use it as a context manager. Raises NotFound and ArchiveError where there is no archive of ours.
    """

    def __init__(self, path: Path, *, is_quick: bool = False) -> None:
        self._file = File(path, is_read_only=True)
        self._told: Counter[tuple[str, Level]] = Counter()
        self._older_digests: Counter[str] = Counter()
        self._parts: list[tuple[int, Callable[[], Iterator[list[Finding]]]]] = [
            (1, lambda: self._file_itself("quick_check" if is_quick else "integrity_check"))
        ]
        try:
            if self._file.pending():
                self._parts.append((1, self._older_schema))
                return
            self._parts.append((len(RULES), self._rules))
            if not is_quick:
                (articles, payloads, addresses, blocks) = self._file.rows(
                    "SELECT (SELECT count(*) FROM articles WHERE versions > 0), (SELECT count(*) FROM payloads),"
                    " (SELECT count(*) FROM urls), (SELECT count(*) FROM blocks)"
                )[0]
                self._parts += [
                    (articles, self._articles),
                    (payloads, self._payloads),
                    (-(-addresses // _ADDRESSES_A_STEP), self._addresses),
                    (min(blocks, _SAMPLED_TEXTS), self._words),
                ]
        except ArchiveError:
            # What is so damaged that it cannot be counted is told by the look at the file itself.
            del self._parts[1:]

    def __enter__(self) -> Verification:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __len__(self) -> int:
        return sum(steps for steps, _ in self._parts) + 1  # what is only a number at the end

    def __iter__(self) -> Iterator[list[Finding]]:
        """Yield the findings of each step, mostly none; at the end what is only a number."""
        for _, part in self._parts:
            try:
                for found in part():
                    yield [finding for finding in found if self._is_told(finding)]
            except ArchiveError as error:
                yield [_error("file", str(error), "")]  # it says the way out
        yield list(self._rest())

    def _is_told(self, finding: Finding) -> bool:
        self._told[finding.check, finding.level] += 1
        return self._told[finding.check, finding.level] <= _TOLD

    def _rest(self) -> Iterator[Finding]:
        for (check, level), found in self._told.items():
            if found > _TOLD:
                yield Finding(level=level, what=f"and {found - _TOLD:,} more like these ({check})", check=check)
        for rule, number in self._older_digests.items():
            what = f"{number:,} versions have a digest of an older rule ({rule}), and were not compared with it"
            yield Finding(level=Level.OK, what=what, check="digests")

    # The parts --------------------------------------------------------------------------------------------------------

    def _file_itself(self, pragma: str) -> Iterator[list[Finding]]:
        said = [row[0] for row in self._file.rows(f"PRAGMA {pragma}")]
        yield [_error("file", f"SQLite finds the file damaged: {line}", _BAD_DISK) for line in said if line != "ok"]

    def _older_schema(self) -> Iterator[list[Finding]]:
        if self._file.pending() == migrations.known():
            yield [_error("file", "the file is empty: there is no archive in it", "if it was one, restore a backup")]
            return
        lacks = ", ".join(self._file.pending())
        what = f"the schema is older than this Redline (it lacks {lacks}): only the file itself was checked"
        mend = "any other command brings it up to date (a copy before: redline backup FILE); verify again then"
        yield [Finding(level=Level.WARNING, what=what, mend=mend, check="schema")]

    def _rules(self) -> Iterator[list[Finding]]:
        for rule in RULES:
            yield [
                Finding(level=rule.level, what=rule.says.format_map(dict(row)), mend=rule.mend, check=rule.check)
                for row in map(_by_name, self._file.rows(rule.broken))
            ]

    def _articles(self) -> Iterator[list[Finding]]:
        """Read every version of every article as the archive does, and compare."""
        for article in self._file.rows("SELECT id FROM articles WHERE versions > 0 ORDER BY id"):
            with self._file.snapshot():
                rows = self._file.rows("SELECT * FROM versions WHERE article_id = ? ORDER BY number", article["id"])
                alive = {
                    table: self._file.rows(
                        f"SELECT id, added_in, removed_in FROM {table} WHERE article_id = ?",  # noqa: S608 - ours
                        article["id"],
                    )
                    for table in ("blocks", "images")
                }
                yield [finding for row in rows for finding in self._version(row, alive)]

    def _version(self, row: sqlite3.Row, alive: Mapping[str, Sequence[sqlite3.Row]]) -> Iterator[Finding]:
        name = f"version {row['number']} of article {row['article_id']}"
        for table, column in (("blocks", "block_ids"), ("images", "image_ids")):
            listed = json.loads(row[column])
            living = {
                piece["id"]
                for piece in alive[table]
                if piece["added_in"] <= row["number"] < (piece["removed_in"] or row["number"] + 1)
            }
            if len(listed) != len(living) or set(listed) != living:
                what = f"{name} lists {len(listed)} {table}, and {len(living)} live in it, or others"
                yield _error("lifetimes", what, RESTORE)
        rule = row["digest"].partition(":")[0]
        if rule != str(extract.DIGEST_VERSION):
            self._older_digests[rule] += 1
        elif extract.digest(versions.load(self._file, row).article) != row["digest"]:
            yield _error("digests", f"{name} does not read as it did when it was stored", RESTORE)

    def _payloads(self) -> Iterator[list[Finding]]:
        for capture in self._file.rows("SELECT capture_id FROM payloads ORDER BY capture_id"):
            row = self._file.row(
                "SELECT p.body, p.bytes, p.base_id, b.body AS base, b.bytes AS base_bytes FROM payloads AS p"
                " LEFT JOIN payloads AS b ON b.capture_id = p.base_id WHERE p.capture_id = ?",
                capture["capture_id"],
            )
            # Pruned since it was listed, or without its base, which the rule "references" tells.
            if row is None or (row["base_id"] is not None and row["base"] is None):
                yield []
                continue
            try:
                base = None if row["base"] is None else Payload(row["base"], row["base_bytes"]).unpack()
                is_whole = len(Payload(row["body"], row["bytes"]).unpack(base)) == row["bytes"]
            except zstandard.ZstdError:
                is_whole = False
            what = f"the page of visit {capture['capture_id']} cannot be unpacked to its {row['bytes']:,} bytes"
            yield [] if is_whole else [_error("payloads", what, RESTORE)]

    def _addresses(self) -> Iterator[list[Finding]]:
        last = 0
        while rows := self._file.rows(
            "SELECT id, article_id, url, key FROM urls WHERE id > ? ORDER BY id LIMIT ?", last, _ADDRESSES_A_STEP
        ):
            last = rows[-1]["id"]
            yield [
                _error(
                    "keys", f"article {row['article_id']} is not found by {row['url']}: its key is outdated", RESTORE
                )
                for row in rows
                if urls.key(row["url"]) != row["key"]
            ]

    def _words(self) -> Iterator[list[Finding]]:
        """Look a sample of texts up by all their words in order."""
        sampled = self._file.rows(
            "SELECT id, text FROM (SELECT id, text, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS n"
            " FROM blocks) WHERE (place - 1) % max(1, n / ?) = 0 LIMIT ?",
            *(_SAMPLED_TEXTS, _SAMPLED_TEXTS),
        )
        for row in sampled:
            words = search.index_text(row["text"]).replace('"', " ").replace("\0", " ")
            found = not search.match_expression(words) or self._file.row(
                "SELECT 1 FROM block_search WHERE block_search MATCH ? AND rowid = ?", f'"{words}"', row["id"]
            )
            what = f"the search index holds other words for block {row['id']} than stand in it"
            yield [] if found else [_error("search", what, "the texts themselves are whole. Report it")]


def _error(check: str, what: str, mend: str) -> Finding:
    return Finding(level=Level.ERROR, what=what, mend=mend, check=check)


def _by_name(row: sqlite3.Row) -> dict[str, object]:
    """Return a row by column, absence said in a word."""
    return {name: "none" if row[name] is None else row[name] for name in row.keys()}  # noqa: SIM118 - a row, no dict
