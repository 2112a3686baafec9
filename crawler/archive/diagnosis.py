"""What can be said of an archive that may not even open, and of the SQLite that would open it. Nothing is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from crawler import extract
from crawler.archive.file import File, refuse_what_is_not_ours
from crawler.archive.soundness import Verification
from crawler.errors import ArchiveError, RedlineError
from crawler.items import Finding, Level

# RETURNING came with 3.35; what the schema needs beside it (FTS5, JSON) is asked for by using it.
_SQLITE = (3, 35, 0)
_MAGIC = b"SQLite format 3\0"
_RECOVER = "restore a backup, or save what can be read with: sqlite3 {path} .recover | sqlite3 recovered.db"


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


def archive(path: Path, *, watched: Callable[[Verification], Iterable[list[Finding]]] = iter) -> Iterator[Finding]:
    """Say what is wrong with an archive as a file: whether it opens, how it is written, whether it is sound.

    A file that is missing, damaged, foreign or of a newer Redline is a finding, not an error.
    `watched` passes the steps of the long look on, to show how far it is.
    """
    if (unusable := _unusable(path)) is not None:
        yield unusable
        return
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
        found = [finding for findings in watched(verification) for finding in findings]
    yield from found
    if not any(finding.level is Level.ERROR for finding in found):
        what = "the file is sound, as far as a quick look can tell (redline verify reads everything)"
        yield Finding(level=Level.OK, what=what, check="file")


def _unusable(path: Path) -> Finding | None:
    """Return why a file is no archive that could be opened; None if it may be one."""
    try:
        if not path.exists():
            return _broken(f"there is no archive {path}", "begin one with: redline add https://example.org/")
        if not path.is_file():
            return _broken(f"{path} is no file", "name the archive with --archive")
        with path.open("rb") as file:
            header = file.read(100)
        length = path.stat().st_size
    except OSError as error:
        return _broken(f"{path} cannot be read ({error.strerror})", "check its permissions and its folder's")
    if not header:
        mend = "the next command makes it an archive; if it was one, restore a backup"
        return Finding(level=Level.WARNING, what=f"{path} is empty", mend=mend, check="archive")
    if not header.startswith(_MAGIC):
        return _broken(
            f"{path} is no SQLite file: its first bytes are {header[:16]!r}",
            "is it the right file (--archive)? If it was the archive, its beginning is damaged: restore a backup, or"
            f" save what can be read with: sqlite3 {path} .recover | sqlite3 recovered.db",
        )
    page = int.from_bytes(header[16:18], "big")
    expected = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    if length < expected:
        return _broken(f"{path} ends after {length:,} of {expected:,} bytes", _RECOVER.format(path=path))
    try:
        refuse_what_is_not_ours(path)
    except ArchiveError as error:
        return _broken(str(error), "")
    except sqlite3.Error as error:
        return _broken(f"{path} is damaged ({error})", _RECOVER.format(path=path))
    return None


def _broken(what: str, mend: str) -> Finding:
    return Finding(level=Level.ERROR, what=what, mend=mend, check="archive")


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
