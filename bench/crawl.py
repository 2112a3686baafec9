"""What a visit costs: CPU of the whole process an article, beside Scrapy with an empty callback over the same pages.

    python bench/crawl.py [FOLDER]          a folder of saved pages, *.html or *.html.gz; default: pages written here
    python bench/crawl.py --memory [20000]  resident memory of one crawl over so many articles, by quarter of it

A server in a process of its own has every article on one of 16 hosts. In one run, in this order: Scrapy, as it comes,
whose callback does nothing; Redline's first visits; its second visits, answered by 304; by 200 without a validator,
with nothing new; and to articles that were all edited. Then what others would use: fetch and read, no archive.

"whole" is user and system time of a process from its start to its end by the number of articles; "less start-up" is
less that of the same command with nothing to visit. Ratios are to Scrapy's row in the same column. Newspaper4k and
news-please do not install beside what Redline needs: `make .venv-peers/ready` gives them an environment of their own,
where the rows come from. Writes bench/out/crawl.json or bench/out/crawl-memory.json.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pages
from report import about, write
from server import Press

HERE = Path(__file__).parent
REDLINE = str(Path(sys.executable).with_name("redline"))
PEERS_PYTHON = HERE.parent / ".venv-peers/bin/python"
BASELINE = "Scrapy, empty callback"
# Of Redline's visits, the column of `crawls` that counts them.
FIRST, BY_304, BY_200, EDITED = "first visit", "unchanged, by 304", "unchanged, by 200", "changed"
COUNTED = {FIRST: "new", BY_304: "not_modified", BY_200: "unchanged", EDITED: "changed"}
# In MB; a crawl of 20,000 articles stays below.
MOST_MEMORY = 300

SCRAPY = """
import sys
import scrapy
from scrapy.crawler import AsyncCrawlerProcess

class Empty(scrapy.Spider):
    name = "empty"
    async def start(self):
        for url in open(sys.argv[1]).read().split():
            yield scrapy.Request(url, dont_filter=True)
    def parse(self, response):
        pass

process = AsyncCrawlerProcess({"LOG_ENABLED": False, "TELNETCONSOLE_ENABLED": False, "REMOTE_CONTROL_ENABLED": False})
process.crawl(Empty)
process.start()
"""
# How each of the others is told to fetch a page and to give its title, authors, date and text.
PEERS = {
    "trafilatura": """
import sys, trafilatura
for url in open(sys.argv[1]).read().split():
    trafilatura.bare_extraction(trafilatura.fetch_url(url), url=url, with_metadata=True)
""",
    "newspaper4k": """
import sys, newspaper
for url in open(sys.argv[1]).read().split():
    newspaper.article(url)
""",
    "news-please": """
import sys
from newsplease import NewsPlease
for url in open(sys.argv[1]).read().split():
    NewsPlease.from_url(url)
""",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one process took, over `articles` of them; milliseconds an article."""

    name: str
    articles: int
    whole: float
    less_start_up: float
    showed: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--articles", type=int, default=400, help="how many are visited; default 400")
    parser.add_argument("--peer-articles", type=int, default=60, help="how many each of the others reads; 0: none")
    parser.add_argument("--memory", type=int, nargs="?", const=20_000, metavar="ARTICLES")
    asked = parser.parse_args()
    machine = about("redline", "scrapy", "selectolax", "trafilatura")
    if asked.memory:
        write("crawl-memory", machine, memory(asked.memory))
        return
    made = pages.saved(asked.folder) if asked.folder else [pages.written(number) for number in range(60)]
    size = sum(map(len, made)) / len(made) / 1000
    print(
        f"{asked.articles} articles, {len(made)} pages of {size:.0f} kB, {'saved' if asked.folder else 'written here'}"
    )
    both = (made, [pages.edited(page) or page for page in made])
    with tempfile.TemporaryDirectory() as folder, Press(partial(_one_of, both), articles=asked.articles) as press:
        rows = [*crawls(press, Path(folder)), *peers(press.articles()[: asked.peer_articles], Path(folder))]
    show(rows)
    write("crawl", machine, {"pages": len(made), "kB": size, "rows": [asdict(row) for row in rows]})


def _one_of(both: tuple[Sequence[bytes], Sequence[bytes]], number: int, is_edited: bool) -> bytes:
    states = both[is_edited]
    return states[number % len(states)]


def crawls(press: Press, folder: Path) -> list[Row]:
    """Measure Scrapy and the four kinds of visit, each in a process of its own, on one archive."""
    urls, none, script = folder / "urls", folder / "none", folder / "empty.py"
    urls.write_text("\n".join(press.articles()))
    none.write_text("")
    script.write_text(SCRAPY)
    start = min(spent([sys.executable, script, none]) for _ in range(3))
    rows = [_row(BASELINE, press.count, spent([sys.executable, script, urls]), start)]

    archive = watching(folder / "none.db", [])
    start = min(crawl(archive) for _ in range(3))
    archive = watching(folder / "archive.db", press.feeds)
    for name, validates, is_edited in (
        (FIRST, True, False),
        (BY_304, True, False),
        (BY_200, False, False),
        (EDITED, False, True),
    ):
        press.validates, press.is_edited = validates, is_edited
        each = crawl(archive)
        rows.append(_row(name, press.count, each, start, showed=_showed(archive, COUNTED[name])))
    return rows


def watching(archive: Path, feeds: Sequence[str]) -> Path:
    """Return a new archive that watches these feeds."""
    from crawler.archive import Archive
    from crawler.items import FeedLink

    with Archive(archive) as opened:
        for feed in feeds:
            opened.add_feed(FeedLink(url=feed), datetime.now(UTC))
    return archive


def crawl(archive: Path) -> float:
    return spent(crawl_command(archive), **CRAWL_ENVIRONMENT)


def crawl_command(archive: Path) -> list[str | Path]:
    # The delay is no work: with one of a second the same CPU would be spent over minutes.
    return [REDLINE, "--archive", archive, "crawl", "--all", "-s", "DOWNLOAD_DELAY=0.001"]


CRAWL_ENVIRONMENT = {"REDLINE_ALLOW_NETWORKS": "127.0.0.0/8", "REDLINE_CONTACT": "mailto:bench@example.org"}


def spent(command: Sequence[str | Path], **environment: str) -> float:
    """Run a command to its end and return its CPU in seconds. Raises SystemExit with what it said if it fails."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=os.environ | environment, stdout=said, stderr=said)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 3):  # 3: the brake holds, as nearly every article was edited in one run
            said.seek(0)
            sys.exit(f"{command} ended with {process.returncode}:\n{said.read().decode(errors='replace')[-2000:]}")
    return used.ru_utime + used.ru_stime


def _row(name: str, articles: int, each: float, start: float, showed: str = "") -> Row:
    return Row(
        name=name,
        articles=articles,
        whole=each / articles * 1000,
        less_start_up=(each - start) / articles * 1000,
        showed=showed,
    )


def _showed(archive: Path, wanted: str) -> str:
    """Return how many articles of the latest run showed what was wanted, and what the others did."""
    with sqlite3.connect(archive) as connection:
        connection.row_factory = sqlite3.Row
        run = connection.execute("SELECT * FROM crawls ORDER BY id DESC LIMIT 1").fetchone()
    others = [f"{run[name]} {name}" for name in COUNTED.values() if name != wanted and run[name]]
    return ", ".join([f"{run[wanted]} {wanted}", *others])


def peers(urls: Sequence[str], folder: Path) -> list[Row]:
    """Measure what others take to fetch and to read the same pages."""
    listed, none = folder / "peer-urls", folder / "none"
    listed.write_text("\n".join(urls))
    rows = []
    for name, text in PEERS.items() if urls else ():
        python = _python_with(name)
        if python is None:
            print(f"{name}: not installed")
            continue
        script = folder / "read.py"
        script.write_text(text)
        start = spent([python, script, none])
        rows.append(_row(name, len(urls), spent([python, script, listed]), start))
    return rows


def _python_with(package: str) -> str | Path | None:
    """Return a Python that has a package; None if neither this one nor that of the peers has it."""
    try:
        importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        asked = f"import importlib.metadata as m; m.version({package!r})"
        if (
            PEERS_PYTHON.exists()
            and not subprocess.run([PEERS_PYTHON, "-c", asked], stderr=subprocess.DEVNULL).returncode
        ):
            return PEERS_PYTHON
        return None
    return sys.executable


def show(rows: Sequence[Row]) -> None:
    base = next(row for row in rows if row.name == BASELINE)
    print(f"\n{'CPU ms an article':26}{'whole':>8}{'ratio':>7}{'less start-up':>16}{'ratio':>7}")
    for row in rows:
        print(
            f"{row.name:26}{row.whole:8.2f}{row.whole / base.whole:7.2f}{row.less_start_up:16.2f}"
            f"{row.less_start_up / base.less_start_up:7.2f}  {row.showed}"
        )
    by = {row.name: row for row in rows}
    kept, full = by[BY_304], by[BY_200]
    print(
        f"\na visit by 304 costs {kept.whole / full.whole:.2f} of one by 200 (whole), "
        f"{kept.less_start_up / full.less_start_up:.2f} (less start-up)"
    )


def memory(articles: int) -> dict[str, object]:
    """Crawl so many articles of 2 to 180 kB, made as they are asked for; print resident memory by quarter of them."""
    print(f"{articles} articles of 2 to 180 kB")
    samples: list[tuple[int, float]] = []  # articles served until then, MB
    with tempfile.TemporaryDirectory() as folder, Press(_of_every_size, articles=articles) as press:
        archive = watching(Path(folder) / "archive.db", press.feeds)
        process = subprocess.Popen(
            crawl_command(archive), env=os.environ | CRAWL_ENVIRONMENT, stderr=subprocess.PIPE, text=True
        )
        statm = Path(f"/proc/{process.pid}/statm")
        page = os.sysconf("SC_PAGE_SIZE")
        while process.poll() is None:
            try:
                samples.append((press.served, int(statm.read_text().split()[1]) * page / 1e6))
            except (OSError, IndexError):
                break  # it ends at this moment
            time.sleep(0.5)
        said = process.communicate()[1]
        if process.returncode:
            sys.exit(f"the crawl ended with {process.returncode}: {said}")
        showed = _showed(archive, "new")
    quarters = [[mb for at, mb in samples if at * 4 // (articles + 1) == quarter] for quarter in range(4)]
    found = [
        {"quarter": number, "median_mb": statistics.median(each), "most_mb": max(each)}
        for number, each in enumerate(quarters, 1)
        if each
    ]
    for each in found:
        print(f"quarter {each['quarter']}: {each['median_mb']:.0f} MB in the median, {each['most_mb']:.0f} at most")
    most = max(mb for _, mb in samples)
    print(f"{showed}; at most {most:.0f} MB, {most / MOST_MEMORY:.2f} of {MOST_MEMORY} MB")
    print(f"the last quarter has {found[-1]['median_mb'] / found[0]['median_mb']:.2f} times the first one's")
    return {"articles": articles, "most_mb": most, "quarters": found}


def _of_every_size(number: int, is_edited: bool) -> bytes:
    return pages.written(number, 2_000 + number * 7919 % 178_000)


if __name__ == "__main__":
    main()
