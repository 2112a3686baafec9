"""The file as a whole: the lock on it, a copy of it, its room given back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from crawler.archive.file import File
from crawler.archive.soundness import Verification
from crawler.errors import ArchiveError, Locked, UsageError
from crawler.items import Level

Tell = Callable[[int, int | None], None]

_PAGES_A_STEP = 2000
# Where SQLite keeps what belongs to a file: its log, the log's index, an older journal.
_COMPANIONS = ("-wal", "-shm", "-journal")
# How long the file's end waits to be cut off for those that still read it.
_READERS_MS = 1000


def lock(path: Path) -> FileLock:
    """Take the lock under which one program at a time crawls an archive or rebuilds it. Raises Locked, at once.

    It dies with the process; only a file of no meaning stays.
    """
    taken = FileLock(f"{path}.lock")
    try:
        taken.acquire(timeout=0)
    except Timeout as error:
        raise Locked(f"another crawl is at work on {path}; this one leaves it to that") from error
    return taken


# A copy --------------------------------------------------------------------------------------------------------------


def backup(path: Path, target: Path, now: datetime, *, overwrite: bool = False, tell: Tell = lambda *_: None) -> Path:
    """Copy an archive as it is at this moment, while others read and write it; return where the copy is.

    A `target` that is a folder gets a file named by the archive and `now`. The copy is written beside its name, looked
    at, synced and only then given the name: there is never half a file under it. It is one file without a log, to be
    moved and opened anywhere. `tell` is told the pages copied and their number.

    Raises UsageError for a target that cannot be meant, ArchiveError if the copy cannot be made or is not sound.
    """
    source = File(path, is_read_only=True)
    try:
        target = _named(path, target, now, overwrite=overwrite)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
        os.close(handle)
        part = Path(name)
        try:
            shutil.copymode(path, part)
            source.copy_to(part, _PAGES_A_STEP, tell)
            _refuse_what_is_not_sound(part, path)
            _sync(part)
            part.replace(target)
            _sync(target.parent)
        finally:
            for left in (part, *_companions(part)):
                left.unlink(missing_ok=True)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(
            f"no copy was made: {target} could not be written ({error}); look at the room and the permissions there."
            " The archive is untouched"
        ) from error
    finally:
        source.close()
    return target


def _named(path: Path, target: Path, now: datetime, *, overwrite: bool) -> Path:
    """Return the name of a copy. It is made from the archive's own and our clock, from nothing that was fetched."""
    if target.is_dir():
        target = target / f"{path.stem}-{now:%Y%m%dT%H%M%SZ}{path.suffix}"
    if not target.parent.is_dir():
        raise UsageError(f"there is no folder {target.parent} for {target.name}; make it, or name another")
    own = (path, *_companions(path), path.with_name(f"{path.name}.lock"))
    if target.resolve() in {file.resolve() for file in own} or (target.exists() and target.samefile(path)):
        raise UsageError(f"{target} is the archive itself or a part of it; name another file for the copy")
    if target.exists() and not target.is_file():
        raise UsageError(f"{target} is no file that could be written anew; name another for the copy")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} is there already; name another file, or say --force to write it anew")
    if open_logs := [log for log in _companions(target) if log.exists()]:
        raise UsageError(
            f"a program has {target} open, or left {open_logs[0].name} behind; name another file for the copy"
        )
    return target


def _refuse_what_is_not_sound(copy: Path, path: Path) -> None:
    with Verification(copy, is_quick=True) as verification:
        errors = [finding for found in verification for finding in found if finding.level is Level.ERROR]
    if errors:
        raise ArchiveError(
            f"no copy was made: it would not be sound ({errors[0].what}). Look at the archive with: redline --archive"
            f" {path} verify; to keep it as it is all the same, stop the crawl and copy {path} and {path}-wal"
        )


def _sync(path: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _companions(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in _COMPANIONS]


# Room ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Vacuumed:
    """What giving back the room brought: bytes on the disk before and after, the log included."""

    before: int
    after: int
    is_shrunk: bool  # false where a reader keeps the file from shrinking until it lets go


def vacuum(path: Path) -> Vacuumed:
    """Give the room of what was pruned back to the disk. Nothing in the archive changes.

    Raises Locked beside a crawl or another writer, ArchiveError where the disk has no room for the work.
    """
    with closing(File(path)) as file, lock(path):
        before = size(path)
        pages, free, page = (file.value(f"PRAGMA {name}") for name in ("page_count", "freelist_count", "page_size"))
        _refuse_without_room((pages - free) * page, path)
        file.run("VACUUM")
        file.run(f"PRAGMA busy_timeout = {_READERS_MS}")
        is_held, _, _ = file.rows("PRAGMA wal_checkpoint(TRUNCATE)")[0]
        return Vacuumed(before=before, after=size(path), is_shrunk=not is_held)


def size(path: Path) -> int:
    """Return the bytes that an archive takes on the disk, its log included."""
    return sum(file.stat().st_size for file in (path, *_companions(path)) if file.exists())


def _refuse_without_room(needed: int, path: Path) -> None:
    """Raise ArchiveError where `needed` bytes have no place: they are written to temporary files, then to the log."""
    places = {path.absolute().parent: needed}
    temporary = _temporary()
    same = next((place for place in places if place.stat().st_dev == temporary.stat().st_dev), temporary)
    places[same] = places.get(same, 0) + needed
    for place, wanted in places.items():
        if (free := shutil.disk_usage(place).free) < wanted:
            raise ArchiveError(
                f"this needs {wanted // 2**20 + 1:,} MiB free in {place}, and there are {free // 2**20:,}: make room"
                " (SQLITE_TMPDIR names another place for temporary files), and run it again. Nothing was changed"
            )


def _temporary() -> Path:
    """Return the folder in which SQLite makes its temporary files: the first of these that is there."""
    named = (os.environ.get(name) for name in ("SQLITE_TMPDIR", "TMPDIR"))
    places = (*named, "/var/tmp", "/usr/tmp", "/tmp", ".")  # noqa: S108 - looked at, nothing is made there by name
    return next(Path(place) for place in places if place and Path(place).is_dir())
