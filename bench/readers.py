"""Do readers notice that a crawl is at work? The same questions asked of a quiet archive, and of one that is written.

    python bench/readers.py              10,000 reads each
    python bench/readers.py 1000         fewer

A local press edits all its articles again and again, the real command crawls them without a pause, and a backup is made
now and then. Meanwhile one reader asks what Datasette's pages ask, each time on a connection of its own that waits for
no lock: a lock would be an error, and is counted.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from bench.report import about, write  # noqa: E402
from demo.newsroom import Newsroom  # noqa: E402

READS = 10_000
ARTICLES = 60
BACKUP_EVERY = 5  # runs
PAGE = """<!doctype html><html lang=en><head><title>Harbour {n}</title></head><body><main><article>
<h1>Harbour {n}</h1><p>In edit {edit} boat {n} sank. {filler}</p><p>{filler}</p><p>{filler}</p><p>{filler}</p>
</article></main></body></html>"""
FILLER = "The harbour master said on Monday that the new wall would stand until the end of the century, come what may."
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour</title>{items}</channel></rss>'
QUESTIONS = (
    "SELECT * FROM latest_changes LIMIT 20",
    "SELECT * FROM articles ORDER BY last_changed DESC LIMIT 50",
    "SELECT text FROM version_text WHERE version_id = (SELECT max(id) FROM versions)",
    "SELECT count(*) FROM captures",
)


@dataclass(slots=True)
class Measured:
    """Seconds that each read took, and how many failed because the file was locked."""

    seconds: list[float] = field(default_factory=list)
    locked: int = 0

    def shown(self) -> dict[str, float]:
        cuts = statistics.quantiles(self.seconds, n=1000)
        return {
            "reads": len(self.seconds),
            "median_ms": round(cuts[499] * 1000, 2),
            "p99_ms": round(cuts[989] * 1000, 2),
            "longest_ms": round(max(self.seconds) * 1000, 2),
            "locked": self.locked,
        }


def read(path: Path, reads: int) -> Measured:
    measured = Measured()
    for number in range(reads):
        started = time.perf_counter()
        try:
            with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=0)) as reader:
                reader.execute(QUESTIONS[number % len(QUESTIONS)]).fetchall()
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            measured.locked += 1
        measured.seconds.append(time.perf_counter() - started)
    return measured


@contextmanager
def at_work(press: Newsroom, path: Path) -> Iterator[dict[str, int]]:
    """Crawl without a pause during a block; what is given counts the runs, the backups and the largest log."""
    is_over = threading.Event()
    done = {"runs": 0, "backups": 0, "log_bytes": 0}

    def work() -> None:
        for run in count(1):
            if is_over.is_set():
                return
            publish(press, run)
            crawl(path)
            done["runs"] = run
            done["log_bytes"] = max(done["log_bytes"], path.with_name(f"{path.name}-wal").stat().st_size)
            if run % BACKUP_EVERY == 0:
                redline(path, "backup", "-q", "--force", f"{path}.copy")
                done["backups"] += 1

    # Held open, as Datasette holds it: so the log stays between the runs.
    with closing(sqlite3.connect(path)) as datasette:
        datasette.execute("SELECT count(*) FROM articles").fetchall()
        worker = threading.Thread(target=work)
        worker.start()
        try:
            yield done
        finally:
            is_over.set()
            worker.join()


def publish(press: Newsroom, edit: int) -> str:
    items = ""
    for n in range(ARTICLES):
        url = press.page(f"/story-{n}", PAGE.format(n=n, edit=edit, filler=FILLER))
        items += f"<item><title>Harbour {n}</title><link>{url}</link><guid>{n}</guid></item>"
    return press.page("/feed.xml", FEED.format(items=items), content_type="application/rss+xml")


def crawl(path: Path) -> None:
    redline(path, "crawl", "--all", "-s", "DOWNLOAD_DELAY=0", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=4")


def redline(path: Path, *arguments: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REDLINE_")}
    environment |= {"REDLINE_ALLOW_NETWORKS": "127.0.0.0/8", "REDLINE_CONTACT": "mailto:bench@example.org"}
    command = [Path(sys.executable).with_name("redline"), "--archive", path, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):  # 3: so many edits at once are held
        raise SystemExit(done.stderr)


def main() -> None:
    reads = int(sys.argv[1]) if len(sys.argv) > 1 else READS
    machine = about("datasette")
    with tempfile.TemporaryDirectory() as folder, Newsroom(outlets=()) as press:
        path = Path(folder) / "archive.db"
        redline(path, "add", publish(press, 0))
        for edit in range(1, 4):
            publish(press, edit)
            crawl(path)
        quiet = read(path, reads).shown()
        with at_work(press, path) as done:
            reading = read(path, reads)
            while done["runs"] < BACKUP_EVERY:  # a quick reader meets several runs and a backup too
                more = read(path, 100)
                reading.seconds += more.seconds
                reading.locked += more.locked
        busy = reading.shown()
    ratio = {name: round(busy[name] / quiet[name], 2) for name in ("median_ms", "p99_ms")}
    for name, figures in (("a quiet archive", quiet), ("a crawl at work", busy)):
        times = "  ".join(f"{cut[:-3]} {figures[cut]:.2f} ms" for cut in ("median_ms", "p99_ms", "longest_ms"))
        print(f"{name}: {figures['reads']:,} reads  {times}  locked {figures['locked']}")
    print(f"at work / quiet: median {ratio['median_ms']}, p99 {ratio['p99_ms']}")
    log = done["log_bytes"] / 2**20
    print(f"meanwhile: {done['runs']} runs, {done['backups']} backups, the log at most {log:.1f} MiB")
    write("readers", machine, {"quiet": quiet, "busy": busy, "ratio": ratio, "meanwhile": done})


if __name__ == "__main__":
    main()
