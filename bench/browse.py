"""How fast the pages are over a large archive: `python bench/browse.py [--versions 300000]`.

The archive is made once, by the real schema and with made-up words, and kept in bench/out/. Each page is asked through
Datasette's own client in one process, so the figures are the server's time: routing, reading, comparing, rendering.
`cpu` is the processor's time of all its threads, the figure to compare where other work shares the machine; `ratio` is
it beside Datasette's own page of 100 rows of the table `changes`. Writes bench/out/browse.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from report import about, write

from crawler.archive import Archive
from crawler.items import FeedLink
from crawler.search import index_text

OUT = Path(__file__).parent / "out"
BASELINE = "Datasette's own page of changes"
END = datetime.now(UTC).replace(microsecond=0)
DAYS = 365
HOSTS = 60
VERSIONS_PER_ARTICLE = 3
KINDS = "wording number headline name quotation text_added text_removed paragraph_added typo".split()
VERDICTS = ("stealth",) * 60 + ("dated",) * 34 + ("undated",) * 4 + ("declared",) * 2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=300_000, help="how many versions the archive has")
    parser.add_argument("--repeat", type=int, default=15, help="how often each page is asked")
    arguments = parser.parse_args()
    machine = about("redline", "datasette")
    path = OUT / f"browse-{arguments.versions}.db"
    if not path.exists():
        OUT.mkdir(exist_ok=True)
        began = time.perf_counter()
        build(path.with_suffix(".part"), arguments.versions)
        path.with_suffix(".part").rename(path)
        print(f"made {path.name}, {path.stat().st_size / 1e6:.0f} MB, in {time.perf_counter() - began:.0f} s")
    figures = asyncio.run(measure(path, arguments.repeat))
    write("browse", machine, {"versions": arguments.versions, "pages": figures})


async def measure(path: Path, repeat: int) -> dict[str, dict[str, float]]:
    """Ask for each page so many times, print and return its milliseconds and kilobytes by its name."""
    home = f"/-/redline/{path.stem}"
    busiest = END - timedelta(days=DAYS // 2)
    pages = {
        BASELINE: f"/{path.stem}/changes",
        "home": "/",
        "latest changes": f"{home}/changes",
        "  of a large outlet": f"{home}/changes?outlet=site0.example",
        "  of a small outlet": f"{home}/changes?outlet=site{HOSTS - 1}.example",
        "  of a rare kind": f"{home}/changes?kind=correction_notice",
        "  of a kind that is none": f"{home}/changes?kind=nothing",
        "  declared, weight 50 or more": f"{home}/changes?verdict=declared&weight=50",
        "  half a year ago": f"{home}/changes?until={busiest:%Y-%m-%d}",
        "  a common word added or removed": f"{home}/changes?words={word(3)}",
        "  as Atom": f"{home}/changes.atom",
        "an article": f"{home}/article/1000",
        "  side by side": f"{home}/article/1000?from=1&to=3&mode=side-by-side",
        "  a version": f"{home}/article/1000/2",
        "search: a common word": f"{home}/search?q={word(1)}",
        "search: two words": f"{home}/search?q={word(40)}+{word(90)}",
        "search: a rare word": f"{home}/search?q={word(19_000)}",
        "search: an address": f"{home}/search?q=https://site7.example/2026/story-1007",
        "a large outlet, 90 days": f"{home}/outlet/site0.example",
        "a small outlet, 90 days": f"{home}/outlet/site{HOSTS - 1}.example",
        "all outlets": f"{home}/outlets",
    }
    datasette = Datasette(files=[str(path)], settings={"suggest_facets": False})
    print(f"{'page':34}{'median ms':>10}{'worst ms':>10}{'cpu ms':>8}{'ratio':>7}{'KB':>7}")
    figures: dict[str, dict[str, float]] = {}
    for name, address in pages.items():
        times, processor = [], []
        for _ in range(repeat + 1):
            began, began_cpu = time.perf_counter(), time.process_time()
            response = await datasette.client.get(address)
            times.append((time.perf_counter() - began) * 1000)
            processor.append((time.process_time() - began_cpu) * 1000)
            assert response.status_code in (200, 302), f"{address}: {response.status_code}"
        # The first one reads the file: it is the disk's figure, not the page's.
        median, worst = statistics.median(times[1:]), max(times[1:])
        cpu, size = statistics.median(processor[1:]), len(response.content) / 1000
        ratio = cpu / figures[BASELINE]["cpu_ms"] if figures else 1.0
        figures[name] = {"median_ms": median, "worst_ms": worst, "cpu_ms": cpu, "ratio": ratio, "kB": size}
        print(f"{name:34}{median:10.1f}{worst:10.1f}{cpu:8.1f}{ratio:7.2f}{size:7.1f}", flush=True)
    for database in datasette.databases.values():
        database.close()
    return figures


def word(rank: int) -> str:
    """Return the word of a rank: made up, of two to five syllables, the same in every run."""
    source = random.Random(rank)
    return "".join(source.choice("bdfgklmnprstv") + source.choice("aeiou") for _ in range(source.randint(2, 5)))


def build(path: Path, versions: int) -> None:
    """Make an archive of `versions` versions, three an article, over a year."""
    path.unlink(missing_ok=True)
    with Archive(path) as archive:
        for number in range(HOSTS):
            archive.add_feed(FeedLink(url=f"https://site{number}.example/feed", title=f"Outlet {number}"), END)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("BEGIN")
    vocabulary = [word(rank) for rank in range(20_000)]
    source = random.Random(1)
    ranks = iter_ranks(source, len(vocabulary))

    def sentence(words: int) -> str:
        return " ".join(vocabulary[next(ranks)] for _ in range(words)).capitalize() + "."

    rows = Rows(connection)
    for article in range(1, versions // VERSIONS_PER_ARTICLE + 1):
        add_article(rows, source, sentence, article, versions // VERSIONS_PER_ARTICLE)
        if article % 2_000 == 0:
            rows.flush()
    rows.flush()
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def iter_ranks(source: random.Random, size: int) -> Iterator[int]:
    """Yield ranks as words fall in a language: the n-th most common about 1/n as often."""
    weights = [1 / (rank + 2) for rank in range(size)]
    while True:
        yield from source.choices(range(size), weights, k=100_000)


class Rows:
    """Rows waiting to be written, by table."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.waiting: dict[str, list[dict[str, Any]]] = {}
        self.last = dict.fromkeys(("blocks", "versions", "changes", "captures"), 0)

    def add(self, table: str, **row: Any) -> int:
        if table in self.last:
            self.last[table] += 1
            row = {"id": self.last[table], **row}
        self.waiting.setdefault(table, []).append(row)
        return int(row.get("id", 0))

    def flush(self) -> None:
        for table, rows in self.waiting.items():
            columns = ", ".join(rows[0])
            values = ", ".join(f":{column}" for column in rows[0])
            self.connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)
        self.waiting.clear()


def add_article(rows: Rows, source: random.Random, sentence: Any, article: int, of: int) -> None:
    # A few outlets have most articles, as in life.
    host = min(int(source.expovariate(1) * HOSTS / 5), HOSTS - 1)
    found = END - timedelta(days=DAYS) * (1 - article / of) - timedelta(days=1)
    seen = [found + timedelta(minutes=5)]
    for _ in range(VERSIONS_PER_ARTICLE - 1):
        seen.append(min(seen[-1] + timedelta(hours=source.expovariate(1 / 6) + 0.1), END))
    headlines = [sentence(9)] * VERSIONS_PER_ARTICLE
    if source.random() < 0.15:
        headlines[-1] = sentence(9)
    url = f"https://site{host}.example/2026/story-{article}"
    rows.add(
        "articles",
        id=article,
        headline=headlines[-1],
        url=url,
        current_url=url,
        host=f"site{host}.example",
        feed_id=host + 1,
        state="up",
        versions=VERSIONS_PER_ARTICLE,
        language="en",
        section="News",
        found_at=text(found),
        last_visit=text(seen[-1]),
        last_changed=text(seen[-1]),
    )
    key = f"site{host}.example/2026/story-{article}"
    seen_at = {"first_seen": text(found), "last_seen": text(seen[-1])}
    rows.add("urls", article_id=article, url=url, key=key, source="entry", **seen_at)
    body = [block(rows, article, sentence(45), 1) for _ in range(6)]
    for number in range(1, VERSIONS_PER_ARTICLE + 1):
        if number > 1:
            place = source.randrange(len(body))
            old, words = body[place]
            changed = words.split(" ")
            changed[source.randrange(len(changed))] = sentence(1).rstrip(".").lower()
            gone = next(row for row in reversed(rows.waiting["blocks"]) if row["id"] == old)
            gone["removed_in"] = number
            body[place] = block(rows, article, " ".join(changed), number)
        first, last = seen[number - 1], seen[number] - timedelta(minutes=15) if number < len(seen) else seen[-1]
        last = max(first, last)
        version = rows.add(
            "versions",
            article_id=article,
            number=number,
            headline=headlines[number - 1],
            description="",
            authors="[]",
            section="News",
            tags="[]",
            language="en",
            words=270,
            digest=f"1:{article:08x}{number:02x}",
            first_seen=text(first),
            last_seen=text(last),
            appeared_after=None if number == 1 else text(max(seen[number - 2], first - timedelta(minutes=15))),
            checks=4,
            quality="ok",
            is_paywalled=0,
            headlines="{}",
            notices="[]",
            related="[]",
            block_ids=json.dumps([number for number, _ in body]),
            image_ids="[]",
        )
        if number == 1 or headlines[number - 1] != headlines[number - 2]:
            rows.add("version_search", rowid=version, text=index_text(headlines[number - 1]))
        for visit in range(3):
            outcome = ("new" if number == 1 else "changed") if visit == 0 else "not_modified"
            rows.add(
                "captures",
                article_id=article,
                captured_at=text(first + (last - first) * visit / 3),
                outcome=outcome,
                status=304 if visit else 200,
                url=url,
                version_id=version,
            )
        if number > 1:
            verdict = source.choice(VERDICTS)
            kinds = source.sample(KINDS, source.randint(1, 3))
            kinds += ["correction_notice"] if verdict == "declared" else []
            rows.add(
                "changes",
                article_id=article,
                version_id=version,
                seen_at=text(first),
                verdict=verdict,
                appeared_after=text(max(seen[number - 2], first - timedelta(minutes=15))),
                kinds=json.dumps(kinds),
                weight=source.randrange(100),
                words_added=1,
                words_removed=1,
                summary=f"… {sentence(6)} [-{sentence(1)}-]{{+{sentence(1)}+}} {sentence(6)} …",
                evidence=json.dumps({"weight": [f"{kind} 10: {sentence(8)}" for kind in kinds]}),
            )


def block(rows: Rows, article: int, words: str, number: int) -> tuple[int, str]:
    made = {"article_id": article, "kind": "paragraph", "text": words, "added_in": number, "removed_in": None}
    added = rows.add("blocks", **made)
    rows.add("block_search", rowid=added, text=index_text(words))
    return added, words


def text(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"


if __name__ == "__main__":
    main()
