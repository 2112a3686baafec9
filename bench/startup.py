"""How long a command takes to begin: `python bench/startup.py [--repeat 15]`.

CPU of the whole process, user and system, the least of several runs: what other work on the machine adds is not ours.
The baselines are Python alone (with what the environment's .pth files cost it) and Python with the two libraries that
every command needs.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from report import about, write

from crawler.archive import Archive

REDLINE = str(Path(sys.executable).with_name("redline"))
BASELINE = "python, click, sqlite3"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=15, help="how often each is run")
    repeat = parser.parse_args().repeat
    machine = about("click", "scrapy", "datasette")
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "archive.db"
        Archive(archive).close()
        runs = {
            "python without site-packages": [sys.executable, "-I", "-S", "-c", "pass"],
            "python": [sys.executable, "-c", "pass"],
            BASELINE: [sys.executable, "-c", "import click, sqlite3"],
            "redline --help": [REDLINE, "--help"],
            "redline log": [REDLINE, "--archive", str(archive), "log"],
            "redline feeds": [REDLINE, "--archive", str(archive), "feeds"],
            "redline crawl --help": [REDLINE, "crawl", "--help"],
            "redline, import scrapy": [sys.executable, "-c", "import crawler.spiders.news"],
        }
        seconds = {name: min(cpu(command) for _ in range(repeat)) for name, command in runs.items()}
    print(f"{'':30}{'cpu s':>8}{'ratio':>8}")
    for name, spent in seconds.items():
        print(f"{name:30}{spent:8.3f}{spent / seconds[BASELINE]:8.2f}")
    write("startup", machine, seconds)


def cpu(command: list[str]) -> float:
    """Run a command and return its CPU in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
