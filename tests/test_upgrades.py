"""F10: an archive of each released schema is brought up to date with everything in it; others are left as they are."""

from __future__ import annotations

import gzip
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from crawler import migrations
from crawler.archive import Archive
from crawler.items import Outcome
from tests.conftest import Command, at, findings, page, visit
from tests.history import SITE, account, store
from tests.test_crawl import press, publish  # noqa: F401 - a fixture

STORED = sorted((Path(__file__).parent / "data" / "archives").glob("*.db.gz"))
_TABLES = (
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '*sqlite_*' AND name NOT GLOB '*_search*'"
)


@pytest.fixture(params=STORED, ids=[path.name.removesuffix(".db.gz") for path in STORED])
def stored(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def unpacked(stored: Path, folder: Path) -> Path:
    path = folder / "archive.db"
    path.write_bytes(gzip.decompress(stored.read_bytes()))
    return path


def beside(stored: Path) -> Path:
    """Return where what an archive had to tell is stored."""
    return stored.with_name(stored.name.replace(".db.", ".json."))


def contents(path: Path) -> dict[str, list[dict[str, object]]]:
    """Return every row of every table, by column."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = [row["name"] for row in connection.execute(_TABLES)]
        return {table: [dict(row) for row in connection.execute(f"SELECT * FROM {table}")] for table in tables}


def kept(before: object, after: object) -> object:
    """Return `after` with the fields alone that `before` has: a later schema and later values may say more."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {name: kept(before[name], after.get(name)) for name in before}
    if isinstance(before, list) and isinstance(after, list):
        return [kept(old, new) for old, new in zip(before, after, strict=True)]
    return after


def test_f10_everything_in_an_older_archive_is_there_after_the_upgrade(stored: Path, tmp_path: Path) -> None:
    path = unpacked(stored, tmp_path)
    rows = contents(path)
    told = json.loads(gzip.decompress(beside(stored).read_bytes()))
    with Archive(path) as archive:
        now = account(archive)
    assert kept(told, now) == told
    for table, before in rows.items():
        assert kept(before, contents(path)[table]) == before, table
    assert findings(path) == []


def test_f10_a_crawl_goes_on_with_an_older_archive(stored: Path, redline: Command, press, tmp_path: Path) -> None:  # noqa: F811
    path = unpacked(stored, tmp_path)
    feed = publish(press, ["/new"])
    assert redline("accept", "1").returncode == 0
    assert redline("pause", "1").returncode == 0
    assert redline("add", feed).returncode == 0
    assert redline("crawl").returncode == 0
    with Archive(path) as archive:
        wall, flap = (archive.find(f"{SITE}/{name}").id for name in ("wall", "flap"))
        assert archive.find(press.url("", "/new")).versions == 1
        before = len(archive.versions(wall))
        assert archive.record(visit(wall, 99, page("All is new."), url=f"{SITE}/wall")) is Outcome.CHANGED
        assert archive.record(visit(flap, 99, status=304, url=f"{SITE}/flap")) is Outcome.NOT_MODIFIED
        assert len(archive.versions(wall)) == before + 1
        list(archive.reextract(at(101), write=True))
    assert findings(path) == []


def test_f10_the_history_is_stored_with_what_it_has_to_tell(tmp_path: Path) -> None:
    assert {path.name.removesuffix(".db.gz") for path in STORED} <= set(migrations.known())
    written = store(tmp_path)
    with Archive(unpacked(written, tmp_path)) as archive:
        assert account(archive) == json.loads(gzip.decompress(beside(written).read_bytes()))


# An upgrade that dies when half of it is done. What it did before is in the log of the file, and must not count.
KILLED = """
import os, signal, sys
from pathlib import Path
from crawler import migrations
from crawler.archive import Archive

@migrations.step
def a_step_that_dies(db):
    db.execute("ALTER TABLE articles ADD COLUMN mood TEXT")
    db.execute("UPDATE versions SET headline = 'half'")
    db.execute("CREATE TABLE filler (text TEXT)")
    db.execute("INSERT INTO filler SELECT hex(randomblob(4000)) FROM blocks")
    os.kill(os.getpid(), signal.SIGKILL)

Archive(Path(sys.argv[1]))
"""


def test_f10_an_upgrade_that_is_killed_leaves_the_old_archive(stored: Path, tmp_path: Path) -> None:
    path = unpacked(stored, tmp_path)
    with Archive(path):
        pass  # with all that was released behind it
    before = contents(path)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=Path(__file__).parent.parent, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert contents(path) == before
    assert findings(path) == []
    with Archive(path) as archive:
        assert archive.find(f"{SITE}/wall").versions == 5


def test_f10_an_archive_of_a_newer_redline_is_left_byte_for_byte(tmp_path: Path, redline: Command) -> None:
    path = unpacked(STORED[-1], tmp_path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('redline', 'from_the_future', '')"
        )
    before = path.read_bytes()
    for command in (["crawl"], ["log"], ["verify"], ["backup", "copy.db"], ["prune"], ["vacuum"]):
        refused = redline(*command)
        assert refused.returncode == 1, command
        assert "made by a newer Redline (its schema has from_the_future)" in refused.stderr, command
        assert "pip install -U redline" in refused.stderr, command
    assert path.read_bytes() == before
    assert sorted(left.name for left in tmp_path.iterdir()) == ["archive.db"]
