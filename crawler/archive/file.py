"""The SQLite file of an archive: opened with care, written in transactions, its errors said in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crawler import migrations
from crawler.errors import ArchiveError, Locked, NotFound
from crawler.migrations import APPLICATION_ID

# What the log is cut to when it has been written back: one reader that stayed for hours must not leave gigabytes.
_LOG_BYTES = 16 * 2**20


class File:
    """An open file with today's schema. See `Archive` for what opening promises and raises.

    `is_read_only`: nothing is written, the schema included; an older one is `pending` then, not brought up to date.
    """

    def __init__(self, path: Path, *, create: bool = False, is_read_only: bool = False) -> None:
        if not create and not path.exists():
            raise NotFound(f"there is no archive {path} yet; begin one with: redline add https://example.org/")
        self.path = path
        try:
            refuse_what_is_not_ours(path)
            if is_read_only:
                self._connection = connect_to_read(path)
            else:
                self._connection = sqlite3.connect(path, isolation_level=None, timeout=5)
        except sqlite3.Error as error:
            raise explained(error, path) from error
        self._connection.row_factory = sqlite3.Row
        if is_read_only:
            return
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a block as one transaction.

        It begins as a writer: one that begins as a reader fails under a second writer, however long the timeout.
        """
        self.run("BEGIN IMMEDIATE")
        try:
            yield
            self.run("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Run a block as a transaction that is taken back: what would it do?"""
        self.run("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def free_bytes(self) -> int:
        """Return the room in the file that is used again before the file grows."""
        return int(self.value("PRAGMA freelist_count") * self.value("PRAGMA page_size"))

    def run(self, statement: str, *parameters: object) -> sqlite3.Cursor:
        try:
            return self._connection.execute(statement, parameters)
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # a bug of ours, not a state of the file
        except sqlite3.DatabaseError as error:
            raise explained(error, self.path) from error

    def rows(self, statement: str, *parameters: object) -> list[sqlite3.Row]:
        try:
            return self.run(statement, *parameters).fetchall()
        except sqlite3.DatabaseError as error:
            raise explained(error, self.path) from error

    def row(self, statement: str, *parameters: object) -> sqlite3.Row | None:
        rows = self.rows(statement, *parameters)
        return rows[0] if rows else None

    def value(self, statement: str, *parameters: object) -> Any:
        """Return the only value of a statement that gives one."""
        return self.rows(statement, *parameters)[0][0]

    def copy_to(self, target: Path, pages: int, tell: Callable[[int, int], None]) -> None:
        """Copy the file as it is now into an empty one, so many pages at a time; `tell` is told (done, total) of them.

        What others write meanwhile is not in it. Without the snapshot SQLite would begin again after each of their
        writes, and never come to an end beside a crawl. The copy is left without a log. Raises sqlite3.Error.
        """
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            copy.execute("PRAGMA synchronous = OFF")  # the caller syncs it once, when it is whole
            with self.snapshot():
                self.row("SELECT 1 FROM sqlite_master LIMIT 1")
                self._connection.backup(
                    copy, pages=pages, progress=lambda _, left, total: tell(total - left, total), sleep=0.01
                )
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()

    def pending(self) -> list[str]:
        """Return the steps that the schema lacks, by name; none after opening it to write."""
        applied = migrations.applied(self._connection)
        return [step for step in migrations.known() if step not in applied]

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read in a block what the file was at its beginning, whatever others write meanwhile."""
        self.run("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _prepare(self) -> None:
        # FULL: with NORMAL up to 500 versions that were reported as kept were not yet on the disk.
        pragmas = ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON")
        for pragma in (*pragmas, f"journal_size_limit = {_LOG_BYTES}"):
            self.run(f"PRAGMA {pragma}")
        if self.pending():
            with self.transaction():
                migrations.apply(self._connection)
                self.run(f"PRAGMA application_id = {APPLICATION_ID}")


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Return a connection that cannot write."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, timeout=5)


def refuse_what_is_not_ours(path: Path) -> None:
    """Look at an existing file without touching it; raise ArchiveError if it cannot be ours as of today."""
    if not path.parent.is_dir():
        raise ArchiveError(f"there is no folder {path.parent} for {path.name}; make it, or name another with --archive")
    if not path.exists() or path.stat().st_size == 0:
        return
    connection = connect_to_read(path)
    try:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables == 0:
            return
        if application != APPLICATION_ID:
            raise ArchiveError(
                f"{path} is an SQLite file of another program, not an archive of Redline; name another with --archive"
            )
        if newer := set(migrations.applied(connection)) - set(migrations.known()):
            raise ArchiveError(
                f"{path} was made by a newer Redline (its schema has {', '.join(sorted(newer))}); it was not touched."
                " Upgrade with: pip install -U redline"
            )
    finally:
        connection.close()


def explained(error: sqlite3.Error, path: Path) -> ArchiveError | Locked:
    """Return what SQLite says in our words: what it means for the archive and what to do."""
    said = str(error)
    if "locked" in said or "busy" in said:
        return Locked(f"another program is writing to {path}; try again when it is done")
    if "full" in said:
        return ArchiveError(f"the disk is full: {path} is intact as of the last capture; make room and run again")
    if "disk I/O" in said:
        return ArchiveError(
            f"{path} cannot be written ({said}): look at the disk, its quota and its mount, and run again"
        )
    if "readonly" in said or "unable to open" in said:
        return ArchiveError(f"{path} cannot be opened or written ({said}); check its permissions and its folder's")
    return ArchiveError(
        f"{path} is damaged or not an archive ({said}); it was left as it is. Restore a backup, or save what can be"
        f" read with: sqlite3 {path} .recover | sqlite3 recovered.db"
    )
