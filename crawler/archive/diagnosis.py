"""What can be said of an archive that may not even open, and of the SQLite that would open it. Nothing is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from crawler import extract
from crawler.archive.file import File
from crawler.archive.soundness import Verification
from crawler.errors import ArchiveError, RedlineError
from crawler.items import Finding, Level

# RETURNING came with 3.35; what the schema needs beside it (FTS5, JSON) is asked for by using it.
_SQLITE = (3, 35, 0)


def engine() -> Finding:
    """Say whether this Python's SQLite can do what an archive needs."""
    version = f"SQLite {sqlite3.sqlite_version}"
    mend = "use a Python with a newer SQLite: that of python.org or of a current distribution"
    if sqlite3.sqlite_version_info < _SQLITE:
        needed = ".".join(map(str, _SQLITE))
        return Finding(level=Level.ERROR, what=f"{version} is too old: {needed} is needed", mend=mend, check="sqlite")
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE VIRTUAL TABLE words USING fts5(text)")
        connection.execute("SELECT value FROM json_each('[1]')")
    except sqlite3.Error as error:
        return Finding(level=Level.ERROR, what=f"{version} lacks a part: {error}", mend=mend, check="sqlite")
    finally:
        connection.close()
    return Finding(level=Level.OK, what=f"{version}, with full-text search", check="sqlite")


def archive(path: Path) -> Iterator[Finding]:
    """Say what is wrong with an archive as a file: whether it opens, how it is written, whether it is sound.

    A file that is missing, damaged, foreign or of a newer Redline is a finding, not an error.
    """
    try:
        file = File(path, is_read_only=True)
    except RedlineError as error:
        yield Finding(level=Level.ERROR, what=str(error), check="archive")
        return
    try:
        yield from _file(file)
    except ArchiveError as error:
        yield Finding(level=Level.ERROR, what=str(error), check="archive")
        return
    finally:
        file.close()
    with Verification(path, is_quick=True) as verification:
        found = [finding for findings in verification for finding in findings]
    yield from found
    if not any(finding.level is Level.ERROR for finding in found):
        what = "the file is sound, as far as a quick look can tell (redline verify reads everything)"
        yield Finding(level=Level.OK, what=what, check="file")


def _file(file: File) -> Iterator[Finding]:
    (mode,) = tuple(file.rows("PRAGMA journal_mode")[0])
    if mode != "wal" and not file.pending():
        what = f"the archive is written with journal mode {mode}, not WAL: readers and the crawl stop each other"
        mend = "put it on a local disk (WAL works on no network file system); the next crawl sets the mode again"
        yield Finding(level=Level.WARNING, what=what, mend=mend, check="journal")
    if file.pending():
        return
    rules = {row["rule"]: row["n"] for row in file.rows(_DIGESTS)}
    older = sum(number for rule, number in rules.items() if rule != str(extract.DIGEST_VERSION))
    what = f"{sum(rules.values()):,} versions, {older:,} of them compared by an older rule"
    yield Finding(
        level=Level.OK, what=what + " (their texts are compared again when they are visited)", check="digests"
    )


_DIGESTS = "SELECT substr(digest, 1, instr(digest, ':') - 1) AS rule, count(*) AS n FROM versions GROUP BY 1"
