"""The file as a whole: a copy while it is in use, its room given back, what can be said of a damaged one."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crawler.archive import Archive, diagnosis, upkeep
from crawler.cli import main
from crawler.errors import ArchiveError, Locked, UsageError
from crawler.items import Level
from tests.conftest import at, command, crawl_environment, findings, page, visit
from tests.history import SITE, account, everything

NOW = datetime(2026, 11, 28, 3, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "archive.db"
    with Archive(path) as archive:
        everything(archive)
    return path


@pytest.fixture
def path(full: Path, tmp_path: Path) -> Path:
    """An archive with everything in it, in a folder of its own."""
    copied: Path = shutil.copy(full, tmp_path / "archive.db")
    return copied


def redline(path: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--archive", str(path), *arguments])


def names(folder: Path) -> list[str]:
    """Return the names in a folder, but those of the log that SQLite keeps beside a file that is read."""
    return sorted(file.name for file in folder.iterdir() if not file.name.startswith("archive.db-"))


# A copy


def test_a_backup_has_everything_and_is_one_file(path: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    done = redline(path, "backup", str(shelf / "copy.db"))
    assert (done.exit_code, done.stderr) == (0, "")
    assert "and sound" in done.stdout
    assert names(shelf) == ["copy.db"]
    assert findings(shelf / "copy.db") == []
    with Archive(path) as old, Archive(shelf / "copy.db") as new:
        assert account(new) == account(old)


def test_a_backup_is_of_one_moment_and_ends_although_others_write_meanwhile(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "_PAGES_A_STEP", 5)
    steps = []
    with Archive(path) as writer:
        wall = writer.find(f"{SITE}/wall")

        def write(done: int, total: int | None) -> None:
            steps.append((done, total))
            writer.record(visit(wall.id, 99 + len(steps), page(f"Edit {len(steps)}."), url=wall.url))

        upkeep.backup(path, tmp_path / "copy.db", NOW, tell=write)
        assert writer.find(wall.url).versions == wall.versions + len(steps)
    assert len(steps) > 10
    assert [done for done, _ in steps] == sorted({done for done, _ in steps}), "it never began again"
    assert findings(tmp_path / "copy.db") == []
    with Archive(tmp_path / "copy.db") as copy:
        assert copy.find(wall.url).versions == wall.versions, "as of the moment when it began"


def test_s21_a_backup_in_a_folder_is_named_by_the_archive_and_our_clock(path: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    with Archive(path) as archive, closing(sqlite3.connect(path)) as connection, connection:
        assert archive.feeds()
        connection.execute("UPDATE feeds SET title = '../../etc/passwd', url = 'https://example.org/../../x'")
        connection.execute("UPDATE articles SET headline = '../../x'")
    copy = upkeep.backup(path, shelf, NOW)
    assert copy == shelf / "archive-20261128T033000Z.db"
    assert names(tmp_path) == ["archive.db", "shelf"]


def test_a_backup_is_as_private_as_its_archive(path: Path, tmp_path: Path) -> None:
    path.chmod(0o640)
    assert stat.S_IMODE(upkeep.backup(path, tmp_path / "copy.db", NOW).stat().st_mode) == 0o640


def test_what_is_there_is_written_anew_only_when_that_is_said(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("precious")
    refused = redline(path, "backup", str(copy))
    assert (refused.exit_code, copy.read_text()) == (2, "precious")
    assert "--force" in refused.stderr
    assert redline(path, "backup", "--force", "-q", str(copy)).output == ""
    assert findings(copy) == []


@pytest.mark.parametrize("name", ["archive.db", "archive.db-wal", "./archive.db", "link.db", "archive.db.lock"])
def test_a_backup_onto_the_archive_itself_is_refused(path: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "link.db").symlink_to(path)
    before = path.read_bytes()
    with pytest.raises(UsageError, match="the archive itself"):
        upkeep.backup(path, tmp_path / name, NOW, overwrite=True)
    assert path.read_bytes() == before


def test_a_backup_onto_a_file_that_is_open_is_refused(path: Path, tmp_path: Path) -> None:
    copy = upkeep.backup(path, tmp_path / "copy.db", NOW)
    with Archive(copy) as opened:
        opened.pause_feed("1", at(0))
        with pytest.raises(UsageError, match="open"):
            upkeep.backup(path, copy, NOW, overwrite=True)


def test_a_backup_that_fails_leaves_nothing_and_what_was_there(path: Path, tmp_path: Path) -> None:
    def fail(done: int, total: int | None) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "copy.db").write_text("the copy of yesterday")
    with pytest.raises(ArchiveError, match=r"no copy was made.*No space left.*untouched"):
        upkeep.backup(path, tmp_path / "copy.db", NOW, overwrite=True, tell=fail)
    assert (tmp_path / "copy.db").read_text() == "the copy of yesterday"
    assert names(tmp_path) == ["archive.db", "copy.db"]


def test_f1_a_backup_that_is_killed_leaves_no_half_file_under_its_name(path: Path, tmp_path: Path) -> None:
    script = (
        "import os, signal, sys\nfrom datetime import datetime, UTC\nfrom pathlib import Path\n"
        "from crawler.archive import upkeep\nupkeep._PAGES_A_STEP = 5\n"
        "upkeep.backup(Path(sys.argv[1]), Path(sys.argv[2]), datetime.now(UTC),"
        " tell=lambda done, _: done > 40 and os.kill(os.getpid(), signal.SIGKILL))"
    )
    given = [sys.executable, "-c", script, str(path), str(tmp_path / "copy.db")]
    killed = subprocess.run(given, cwd=Path(__file__).parent.parent, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "copy.db").exists()
    assert findings(path) == []


def test_a_copy_that_would_not_be_sound_is_not_made(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE articles SET versions = 99 WHERE id = 1")
    with pytest.raises(ArchiveError, match=r"said to have 99 versions.*verify"):
        upkeep.backup(path, tmp_path / "copy.db", NOW)
    assert names(tmp_path) == ["archive.db"]


# What takes long is drawn on a terminal, and there alone


@pytest.mark.parametrize(
    ("arguments", "drawn"),
    [
        (["verify"], r"verifying.* (\d+)/\1\b"),
        (["backup", "copy.db"], r"copying.* (\d+)/\1\b"),
        (["reextract"], r"reading again.* (\d+)/\1\b"),
        (["prune", "--visits-older-than", "1d"], r"rolling up.* (\d+)/\1\b"),
    ],
)
def test_what_takes_long_shows_how_far_it_is_on_a_terminal_alone(path: Path, arguments: list[str], drawn: str) -> None:
    given, environment = [command(), "--archive", str(path), *arguments], crawl_environment()
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        running = subprocess.Popen(
            given, cwd=path.parent, stdout=subprocess.PIPE, stderr=theirs, env=crawl_environment()
        )
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # so Linux says that nobody writes any more
            while piece := terminal.read(4096):
                shown += piece
        printed, _ = running.communicate(timeout=60)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
    assert re.search(drawn, text), text
    assert b"\x1b" not in printed
    (path.parent / "copy.db").unlink(missing_ok=True)
    silent = subprocess.run(given, cwd=path.parent, capture_output=True, env=environment, check=True)
    assert silent.stderr == b""


# Room


def test_vacuum_gives_the_room_of_what_was_pruned_back(path: Path) -> None:
    with Archive(path) as archive:
        wall = archive.find(f"{SITE}/wall")
        for hours in range(99, 102):
            archive.record(visit(wall.id, hours, page(f"Text {hours}."), url=wall.url, body=os.urandom(200_000)))
        archive.prune_payloads(at(9999))
        told = account(archive)
    before = upkeep.size(path)
    done = redline(path, "vacuum")
    assert done.exit_code == 0
    assert "before" in done.stdout
    assert upkeep.size(path) < before - 300_000
    with Archive(path) as archive:
        assert account(archive) == told
    assert findings(path) == []


def test_f2_vacuum_beside_a_crawl_leaves_at_once_with_75(path: Path) -> None:
    held = upkeep.lock(path)
    try:
        refused = redline(path, "vacuum")
    finally:
        held.release()
    assert refused.exit_code == Locked.exit_code == 75
    assert "at work" in refused.stderr


def test_vacuum_without_room_changes_nothing_and_says_how_much_it_needs(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: shutil._ntuple_diskusage(10**9, 10**9, 1000))
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match=r"needs 1 MiB free in .* and there are 0.*make room"):
        upkeep.vacuum(path)
    assert path.read_bytes() == before


def test_vacuum_beside_a_reader_says_that_the_file_shrinks_later(path: Path) -> None:
    with Archive(path) as archive:
        archive.prune_payloads(at(9999))
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        assert reader.execute("SELECT count(*) FROM articles").fetchone()[0] > 9
        done = redline(path, "vacuum")
        assert done.exit_code == 0
        assert "still reading" in done.stdout
        assert reader.execute("SELECT count(*) FROM versions").fetchone()[0] > 9
    assert findings(path) == []


def test_f2_a_reader_that_stays_for_long_leaves_no_log_that_grew_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crawler.archive.file._LOG_BYTES", 2**20)
    log = path.with_name("archive.db-wal")
    with Archive(path) as archive, closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM articles").fetchone()
        wall = archive.find(f"{SITE}/wall")
        hours = 99
        while log.stat().st_size < 5 * 2**20:
            hours += 1
            archive.record(visit(wall.id, hours, page(f"Text {hours}."), url=wall.url, body=os.urandom(100_000)))
        reader.execute("ROLLBACK")
        for more in range(1, 4):
            archive.record(visit(wall.id, hours + more, page(f"After {more}."), url=wall.url))
        assert log.stat().st_size <= 2**20


# At all usable?


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100_000])


def overwrite(path: Path, at: int, with_: bytes) -> None:
    path.write_bytes(path.read_bytes()[:at] + with_ + path.read_bytes()[at + len(with_) :])


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def of_the_future(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('redline', 'from_the_future')")


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "there is no archive"),
    "a folder": (a_folder, "is no file"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "a letter": (lambda path: path.write_text("Dear Sir or Madam, " * 99), "is no SQLite file: its first bytes"),
    "header": (lambda path: overwrite(path, 0, b"\0" * 64), "is no SQLite file"),
    "first page": (lambda path: overwrite(path, 100, b"\xff" * 900), "is damaged"),
    "middle page": (lambda path: overwrite(path, 100 * 4096 // 2 * 2, b"\xff" * 4096), "is damaged"),
    "cut off": (cut, "ends after 100,000 of"),
    "another program's": (of_another_program, "another program"),
    "a newer Redline's": (of_the_future, "newer Redline"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_f10_a_damaged_archive_is_told_by_its_damage_with_the_way_out_and_left_as_it_is(path: Path, name: str) -> None:
    damage, expected = DAMAGES[name]
    damage(path)
    before = path.read_bytes() if path.is_file() else None
    found = [finding for finding in diagnosis.archive(path) if finding.level is not Level.OK]
    said = " ".join(f"{finding.what} {finding.mend}" for finding in found)
    assert expected in said
    assert {finding.level for finding in found} <= {Level.ERROR, Level.WARNING}
    assert any(way in said.lower() for way in ("restore a backup", "redline add", "--archive", "pip install -u"))
    assert (path.read_bytes() if path.is_file() else None) == before
    verified = redline(path, "verify")
    assert verified.exit_code in (1, 2)
    assert not isinstance(verified.exception, Exception), verified.exception


def test_f10_a_log_that_was_lost_or_is_another_files_harms_nothing(path: Path, tmp_path: Path) -> None:
    log = path.with_name("archive.db-wal")
    with Archive(path) as archive:
        archive.pause_feed("1", at(0))
        shutil.copy(path, tmp_path / "lost.db")
        shutil.copy(log, tmp_path / "kept-wal")
    assert findings(tmp_path / "lost.db") == [], "what was only in the log is lost, and nothing is half"
    shutil.copy(tmp_path / "kept-wal", log)
    log.write_bytes(log.read_bytes()[:-4096] + os.urandom(4096))
    assert findings(path) == []


def test_f3_a_transaction_that_was_left_open_is_as_if_it_never_was(path: Path) -> None:
    with Archive(path) as archive:
        told = account(archive)
        archive._file.run("BEGIN IMMEDIATE")
        archive._file.run("UPDATE articles SET headline = 'half'")
        archive._file.run("DELETE FROM changes")
    with Archive(path) as archive:
        assert account(archive) == told
    assert findings(path) == []
