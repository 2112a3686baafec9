"""F1, F2: a crawl that is killed, a full disk, another writer, many readers: nothing is lost, and no one is harmed."""

from __future__ import annotations

import os
import random
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from crawler.archive import Archive
from demo.newsroom import Newsroom
from tests.conftest import Command, command, crawl_environment, findings
from tests.test_crawl import publish, rows, wait_for, write

KILLS = 30
ARTICLES = 24


@pytest.fixture
def press() -> Iterator[Newsroom]:
    with Newsroom(outlets=()) as site:
        yield site


def start_crawl(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    # A pace at which a run is still at work some hundredths of a second after a capture was seen.
    given = ["crawl", "-s", "DOWNLOAD_DELAY=0.02", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=4", *arguments]
    return subprocess.Popen(
        [command(), *given], cwd=folder, env=crawl_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


# F1: killed


def test_f1_a_crawl_killed_at_30_moments_loses_no_capture_and_keeps_no_half_version(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    chance = random.Random(20261128)
    paths = [f"/article-{n}" for n in range(ARTICLES)]
    redline("add", publish(press, paths))
    path = tmp_path / "archive.db"
    # Where in a run each kill comes, in captures that another program can see: before the first, spread over all, and
    # at the end.
    moments = [0, 0, *(ARTICLES * place // (KILLS - 4) for place in range(KILLS - 4)), ARTICLES, ARTICLES + 1]
    chance.shuffle(moments)
    for run, moment in enumerate(moments, 1):
        for n in range(run % 3, ARTICLES, 3):
            write(press, paths[n], f"In round {run} the {n}th boat sank.")
        acknowledged = killed(tmp_path, run, moment, later=chance.random() * 0.03)
        with closing(sqlite3.connect(path)) as after:
            assert not lost(acknowledged, everything_in(after)), f"after the kill of run {run}"
            assert after.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert findings(path, is_quick=True) == []
    (cut_short,) = rows(tmp_path, "SELECT count(*) FROM crawls WHERE ended_at IS NULL")[0]
    assert isinstance(cut_short, int)
    assert cut_short > KILLS * 0.8, "most kills met a run at work"
    # 3: what changed in the run that was killed last may be held for a person.
    assert redline("crawl", "--all").returncode in (0, 3)
    assert findings(path) == []
    with Archive(path) as archive:
        for n, address in enumerate(paths):
            latest = archive.versions(archive.find(press.url("", address)).id)[-1]
            last = max(run for run in range(1, KILLS + 1) if run % 3 == n % 3)
            assert f"In round {last} the {n}th boat sank." in latest.article.blocks[0].text


def killed(folder: Path, run: int, moment: int, *, later: float) -> dict[str, set[tuple[object, ...]]]:
    """Kill a crawl some seconds after another program saw so many captures of it; return what that one could see."""
    crawl = start_crawl(folder, "--all")
    with closing(sqlite3.connect(folder / "archive.db", timeout=30)) as watcher:
        wait_for(lambda: crawls(watcher) == run or crawl.poll() is not None)
        wait_for(lambda: visits(watcher, run) >= moment or crawl.poll() is not None, every=0.001)
        time.sleep(later)  # into whatever comes next
        acknowledged = everything_in(watcher)
        crawl.kill()
        crawl.wait(60)
    return acknowledged


def crawls(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT count(*) FROM crawls").fetchone()[0])


def visits(connection: sqlite3.Connection, crawl: int) -> int:
    counted = connection.execute("SELECT count(*) FROM captures WHERE crawl_id = ? AND article_id > 0", (crawl,))
    return int(counted.fetchone()[0])


def everything_in(connection: sqlite3.Connection) -> dict[str, set[tuple[object, ...]]]:
    """Return the rows that are never altered, by table: what another program could see, and may rely on."""
    return {
        table: set(connection.execute(f"SELECT {columns} FROM {table}"))
        for table, columns in {
            "captures": "id, crawl_id, article_id, feed_id, captured_at, outcome, version_id",
            "versions": "id, article_id, number, digest, first_seen, block_ids",
            "blocks": "id, article_id, text, added_in",
            "changes": "id, version_id, summary, evidence",
            "payloads": "capture_id, base_id, body",
        }.items()
    }


def lost(before: dict[str, set[tuple[object, ...]]], after: dict[str, set[tuple[object, ...]]]) -> list[str]:
    return [f"{len(before[table] - after[table])} {table}" for table in before if before[table] - after[table]]


# F1: a full disk


def test_f1_a_disk_that_is_full_ends_the_run_clearly_and_the_next_goes_on_when_there_is_room(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    unshare = namespace()
    paths = [f"/article-{n}" for n in range(40)]
    redline("add", publish(press, paths))
    disk, out = tmp_path / "disk", tmp_path / "out"
    disk.mkdir()
    out.mkdir()
    # The disk exists for this script alone. It holds the archive and its log, and not all that the crawl brings.
    script = f"""
        mount -t tmpfs -o size=700k tmpfs {disk} && cp {tmp_path}/archive.db {disk}/ || exit 9
        {command()} --archive {disk}/archive.db crawl -s DOWNLOAD_DELAY=0 2>{out}/full; echo $? >{out}/full.code
        {command()} --archive {disk}/archive.db crawl -s DOWNLOAD_DELAY=0 2>{out}/still; echo $? >{out}/still.code
        mkdir {out}/full.db && cp {disk}/archive.db* {out}/full.db/
        mount -o remount,size=64m {disk}
        {command()} --archive {disk}/archive.db crawl -s DOWNLOAD_DELAY=0 2>{out}/room; echo $? >{out}/room.code
        cp {disk}/archive.db* {out}/
    """
    subprocess.run([*unshare, "sh", "-c", script], env=crawl_environment(), check=True, timeout=120)
    said = {
        name: ((out / name).read_text(), (out / f"{name}.code").read_text().strip())
        for name in ("full", "still", "room")
    }
    assert said["full"][1] == said["still"][1] == "1"
    assert "the disk is full" in said["full"][0]
    assert "make room and run again" in said["full"][0]
    assert "Traceback" not in said["full"][0] + said["still"][0]
    assert findings(out / "full.db" / "archive.db") == []
    with Archive(out / "full.db" / "archive.db") as full:
        assert 0 < full.read_articles() < 40, "what was recorded before is there"
    assert said["room"] == ("", "0")
    assert findings(out / "archive.db") == []
    with Archive(out / "archive.db") as archive:
        assert archive.read_articles() == 40


def namespace() -> list[str]:
    """Return how to run a command that may mount; skip where nobody may, but in CI (REDLINE_MOUNT_TESTS=1)."""
    for unshare in (["unshare", "--mount"], ["unshare", "--mount", "--map-root-user"]):
        trial = [*unshare, "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
        try:
            if subprocess.run(trial, capture_output=True, check=False).returncode == 0:
                return unshare
        except FileNotFoundError:
            break
    if os.environ.get("REDLINE_MOUNT_TESTS") == "1":
        pytest.fail("no disk can be mounted here for a test, and REDLINE_MOUNT_TESTS=1 says that there is to be one")
    pytest.skip("no disk can be mounted here for a test; RLIMIT_FSIZE in test_crawl.py shows the same in part")


# F2: others at the same file


def test_f2_a_writer_who_holds_the_lock_for_longer_than_we_wait_costs_no_visit(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = [f"/article-{n}" for n in range(5)]
    redline("add", publish(press, paths))
    redline("crawl")
    for path in paths:
        write(press, path, "Twelve boats sank.")
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE feeds SET title = 'by hand'")
        refused = redline("crawl", "--all")
        other.execute("COMMIT")
    assert refused.returncode == 75
    assert refused.stderr == "redline: another program is writing to archive.db; try again when it is done\n"
    assert redline("crawl", "--all").returncode in (0, 3)
    assert rows(tmp_path, "SELECT count(*) FROM captures WHERE outcome = 'changed' AND article_id > 0") == [(5,)]
    assert findings(tmp_path / "archive.db") == []


def test_f2_a_writer_who_takes_the_lock_in_the_middle_of_a_run_ends_it_with_75_and_the_next_goes_on(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = [f"/article-{n}" for n in range(30)]
    redline("add", publish(press, paths))
    with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None)) as other:
        crawl = start_crawl(tmp_path, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1", "-s", "DOWNLOAD_DELAY=0.05")
        wait_for(lambda: visits(other, 1) > 2)
        other.execute("BEGIN IMMEDIATE")
        recorded = visits(other, 1)
        assert crawl.wait(120) == 75
        assert visits(other, 1) == recorded
        other.execute("COMMIT")
    assert findings(tmp_path / "archive.db") == []
    assert redline("crawl").returncode == 0
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(30,)]


def test_f2_a_writer_who_comes_and_goes_is_waited_for(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    redline("add", publish(press, [f"/article-{n}" for n in range(20)]))
    writes, is_over = 0, threading.Event()

    def write_much() -> None:
        nonlocal writes
        with closing(sqlite3.connect(tmp_path / "archive.db", isolation_level=None, timeout=30)) as other:
            while not is_over.is_set():
                other.execute("BEGIN IMMEDIATE")
                other.execute("UPDATE feeds SET title = title || '.' WHERE id = 1")
                other.execute("COMMIT")
                writes += 1
                time.sleep(0.001)

    writer = threading.Thread(target=write_much)
    writer.start()
    try:
        assert redline("crawl").returncode == 0
    finally:
        is_over.set()
        writer.join()
    assert writes > 20
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(20,)]
    assert findings(tmp_path / "archive.db") == []


def test_f2_readers_meet_no_lock_and_wait_no_longer_than_on_a_quiet_archive(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = [f"/article-{n}" for n in range(ARTICLES)]
    redline("add", publish(press, paths))
    redline("crawl")
    path = tmp_path / "archive.db"
    quiet = sorted(read(path) for _ in range(300))
    for n, changed in enumerate(paths):
        write(press, changed, f"The {n}th boat sank.")
    busy = []
    # Datasette holds the file open. Where nobody does, the crawl puts the log away as the last one to close it, and who
    # comes in that instant and has no patience at all is told that the file is locked.
    with closing(sqlite3.connect(path)) as datasette:
        datasette.execute("SELECT count(*) FROM articles").fetchone()
        crawl = start_crawl(tmp_path, "--all")
        while crawl.poll() is None:
            busy.append(read(path))  # raises if the file is locked
    assert crawl.returncode in (0, 3)
    assert len(busy) > 100
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(2 * ARTICLES,)]
    # The crawl takes processor time from the reader; a lock would take hundreds of milliseconds.
    assert sorted(busy)[len(busy) // 2] < 20 * quiet[len(quiet) // 2]


def read(path: Path) -> float:
    """Ask as a person in Datasette does, on a connection of its own without patience; return the seconds it took."""
    started = time.perf_counter()
    with closing(sqlite3.connect(path, timeout=0)) as reader:
        reader.execute("SELECT * FROM latest_changes LIMIT 20").fetchall()
        reader.execute("SELECT text FROM version_text ORDER BY version_id DESC LIMIT 1").fetchall()
    return time.perf_counter() - started
