"""What the archive costs as it grows: `python bench/archive.py [--versions 300000] [--written 20000]`.

A made-up press in five scripts is written through `Archive.record`, visit by visit in order of time: texts of 6 to 8 kB
whose words fall as in a language, edited in the kinds and sizes in which news is, 3.6 versions an article as in
NewsEdits (4.61 million versions of 1.28 million articles), now and then a live blog of fifty. Each version is
looked at again once, by a 304 or in full. `--written` versions are written so; where more are asked for, the archive
grows between the two halves by copies of the first, made in SQL with addresses and times of their own. At 1,000,
10,000, 100,000 and 300,000 versions it says, each beside a baseline of the same run:

    size      bytes a version beside its plain text: headline, standfirst and blocks of every version in UTF-8. Counted
              are the pages of all tables and indexes but the two that do not grow with versions: `payloads` (pages as
              received) and `captures` (visits), which are printed beside it. The baseline is one table of full texts
    writing   processor time of a visit by what it showed, in tenths of what is written. The baseline is an INSERT of
              the full text
    reading   processor time of the statements that commands and pages really send, all rows fetched, warm, the median
              of 31 runs. The baselines are a row by its number, and LIKE over the texts

`--keep` leaves the archive in bench/out/ to be looked at.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sqlite3
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from html import escape
from itertools import accumulate
from pathlib import Path
from typing import Any

import report

from crawler.archive import Archive
from crawler.archive.file import File
from crawler.browse import listing
from crawler.diff import diff
from crawler.items import (
    Article,
    Author,
    Block,
    BlockKind,
    Capture,
    DueArticle,
    Entry,
    Feed,
    FeedCapture,
    FeedFormat,
    FeedLink,
    Headlines,
    Image,
    Outcome,
    Related,
)
from crawler.search import index_text

BEGIN = datetime(2025, 11, 1, tzinfo=UTC)
SIZES = (1_000, 10_000, 100_000, 300_000)
HOSTS = 60
ARTICLES_A_DAY = 60
REPEAT = 31
# What does not grow with versions: pages as received (pruned at will), and visits (a row each, whatever they showed).
APART = {"payloads": "pages as received", "captures": "visits"}

# Script, its share of articles, the letters of its syllables, whether words stand apart.
SCRIPTS = (
    ("en", 0.6, ("bcdfghklmnprstvw", "aeiou"), True),
    ("uk", 0.15, ("бвгджзклмнпрст", "аеиоу"), True),
    ("ar", 0.1, ("بتجحدرسشعفقكلمن", "اويةى"), True),
    ("zh", 0.1, ("的一是不了人我在有他这中大来上国个到说们", "为子和你地出道也时年得就那要下以生会自着"), False),
    ("ja", 0.05, ("日東京新聞社会大学生産業政治経済", "のにはをがでとしたます"), False),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--versions", type=int, default=30_000, help="how large it grows (default 30000)")
    parser.add_argument("--written", type=int, default=3_000, help="of them through Archive.record (default 3000)")
    parser.add_argument("--per-article", type=float, default=3.6, help="versions an article, on average (default 3.6)")
    parser.add_argument("--keep", action="store_true", help="leave bench/out/archive.db to be looked at")
    arguments = parser.parse_args()
    about = report.about("zstandard")
    report.OUT.mkdir(exist_ok=True)
    path = report.OUT / "archive.db"
    remove(path)
    figures = run(path, arguments.versions, arguments.written, arguments.per_article)
    report.write("archive", about, figures)
    if not arguments.keep:
        remove(path)


def run(path: Path, versions: int, written: int, per_article: float) -> dict[str, Any]:
    """Write the archive and measure it at each size; return the figures."""
    written = min(written, versions)
    writing, plain = Writing(written), Plain()
    figures: dict[str, Any] = {"versions": versions, "written": written, "versions_per_article": per_article}
    figures["sizes"] = {}
    with Archive(path) as archive:
        press = Press(archive, per_article)

        def write(until: int) -> None:
            while writing.versions < until:
                visit = press.next_visit()
                if writing.record(archive, visit):
                    plain.add(visit.capture)

        def measure() -> None:
            print(
                f"\n{writing.versions:,} versions of {writing.articles:,} articles, {writing.visits:,} visits;"
                f" {writing.versions - writing.copied:,} versions written by Archive.record, the rest copied",
                flush=True,
            )
            figures["sizes"][writing.versions] = {
                "written": writing.versions - writing.copied,
                "size": measure_size(path, writing, plain),
                "reading": measure_reading(archive, path),
            }

        half = written if versions == written else written // 2
        for size in sorted({size for size in SIZES if size < half} | {half}):
            write(size)
            measure()
        if half < written:
            copies = Copies(path, writing)
            for size in sorted({size for size in SIZES if half < size < versions} | {versions}):
                while writing.versions < size - (written - half if size == versions else 0):
                    press.wait(copies.add())
                if size < versions:
                    measure()
            write(writing.versions + written - half)
            measure()
    figures["writing"] = writing.figures(plain)
    return figures


# What is written ------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Visit:
    """A visit to come, and the text that stands there then."""

    capture: Capture
    text: Article


@dataclass(slots=True, kw_only=True)
class Story:
    """An article of the press: what is left of its life, and how it reads now."""

    id: int
    url: str
    host: int
    source: random.Random
    article: Article
    edits: int
    is_live: bool
    page: bytes = b""
    lines: tuple[str, ...] = ()


class Press:
    """Outlets, their articles and edits, in order of time and the same in every run."""

    def __init__(self, archive: Archive, per_article: float) -> None:
        self._archive = archive
        self._source = random.Random(1)
        self._per_article = per_article
        self._coming: list[tuple[float, int, int, str, Story]] = []  # hour, tie, script, what, story
        self._ties = 0
        self._hour = 0.0
        self._listed = 0
        self._feeds = [
            archive.add_feed(FeedLink(url=f"https://site{n}.example/feed", title=f"Outlet {n}"), BEGIN)[0].id
            for n in range(HOSTS)
        ]

    def next_visit(self) -> Visit:
        # A day's articles are listed before the first visit that is later than they are.
        while not self._coming or self._coming[0][0] >= self._hour:
            self._list_articles()
        hour, _, script, shows, story = heapq.heappop(self._coming)
        if shows in ("first", "edit"):
            if shows == "edit":
                story.article = edited(story.article, story.source, SCRIPTS[script], is_live=story.is_live)
            story.lines, story.page = page_of(story)
            again = story.source.choice(("304", "same"))
            gap = story.source.expovariate(1 / (0.4 if story.is_live else 4)) + 0.3
            self._push(hour + gap / 2, script, again, story)
            if story.edits:
                story.edits -= 1
                self._push(hour + gap, script, "edit", story)
        text = {"article": story.article, "lines": story.lines, "body": story.page, "content_type": "text/html"}
        capture = Capture(
            article_id=story.id,
            url=story.url,
            captured_at=at(hour),
            status=304 if shows == "304" else 200,
            etag=f'"{story.id}-{story.edits}"',
            elapsed_ms=120,
            **({} if shows == "304" else text),  # type: ignore[arg-type]
        )
        return Visit(capture, story.article)

    def wait(self, hours: float) -> None:
        """Let time go by in which nothing is written."""
        self._hour += hours
        self._coming = [(hour + hours, *rest) for hour, *rest in self._coming]

    def _push(self, hour: float, script: int, shows: str, story: Story) -> None:
        self._ties += 1
        heapq.heappush(self._coming, (hour, self._ties, script, shows, story))

    def _list_articles(self) -> None:
        """Let one outlet's feed list its articles of an hour or more."""
        source = self._source
        host = min(int(source.expovariate(1) * HOSTS / 5), HOSTS - 1)
        stories = []
        for _ in range(source.randint(1, 9)):
            self._listed += 1
            stories.append(f"https://site{host}.example/2026/news/{slug(source)}-{self._listed}")
        entries = tuple(Entry(id=url, url=url, title=sentence(source, SCRIPTS[0], 9)) for url in stories)
        feed = self._feeds[host]
        document = Feed(url=f"https://site{host}.example/feed", format=FeedFormat.RSS, entries=entries)
        capture = FeedCapture(feed_id=feed, url=document.url, captured_at=at(self._hour), status=200, feed=document)
        _, listed = self._archive.record_feed(capture)
        script = host % 20 / 20
        number = next(n for n, share in enumerate(accumulate(s[1] for s in SCRIPTS)) if script < share)
        for due in listed:
            own = random.Random(due.id)
            is_live = own.random() < 0.004
            edits = 50 if is_live else min(int(own.expovariate(1 / (self._per_article - 1.2)) + 0.5), 30)
            story = Story(
                id=due.id,
                url=due.url,
                host=host,
                source=own,
                article=first_article(due.url, own, SCRIPTS[number], at(self._hour)),
                edits=edits,
                is_live=is_live,
            )
            self._push(self._hour + 0.1, number, "first", story)
        self._hour += 24 / ARTICLES_A_DAY * len(stories)


def first_article(url: str, source: random.Random, script: Any, published: datetime) -> Article:
    headline = sentence(source, script, 9).rstrip(".。")
    size, blocks = source.randint(6_000, 8_000), []
    while size > 0:
        paragraph = " ".join(sentence(source, script, source.randint(8, 26)) for _ in range(source.randint(1, 3)))
        blocks.append(Block(text=paragraph))
        size -= len(paragraph.encode())
        if source.random() < 0.06:
            blocks.append(Block(text=sentence(source, script, 5).rstrip(".。"), kind=BlockKind.HEADING))
    name = f"{word(source, script).capitalize()} {word(source, script).capitalize()}"
    return Article(
        url=url,
        headline=headline,
        description=sentence(source, script, 20),
        authors=(Author(name=name, url=f"https://site.example/by/{slug(source)}"),),
        blocks=tuple(blocks),
        images=tuple(
            Image(url=f"https://img.example/{slug(source)}.jpg", caption=sentence(source, script, 12), credit=name)
            for _ in range(source.randint(1, 2))
        ),
        date_published=published,
        date_modified=published,
        section=word(source, script),
        tags=tuple(word(source, script) for _ in range(4)),
        language=script[0],
        headlines=Headlines(h1=headline, title=f"{headline} | Outlet", og=headline, json_ld=headline),
        canonical_url=url,
        related=tuple(
            Related(url=f"https://site.example/2026/{slug(source)}", title=sentence(source, script, 8))
            for _ in range(3)
        ),
    )


def edited(article: Article, source: random.Random, script: Any, *, is_live: bool) -> Article:
    """Return an article after one more edit: most change a word or a sentence, some add, few rewrite."""
    blocks = list(article.blocks)
    if is_live:
        new = (
            Block(text=sentence(source, script, 4), kind=BlockKind.POST, at=article.date_modified),
            *(Block(text=" ".join(sentence(source, script, 15) for _ in range(2))) for _ in range(2)),
        )
        return dated(replace(article, blocks=(*new, *blocks)), source)
    draw = source.random()
    place = source.randrange(len(blocks))
    if draw < 0.45:
        blocks[place] = with_words(blocks[place], source, script, source.choice((1, 1, 1, 2, 4)))
    elif draw < 0.6:
        text = f"{blocks[place].text} {sentence(source, script, source.randint(8, 26))}"
        blocks[place] = replace(blocks[place], text=text)
    elif draw < 0.68:
        first, _, rest = blocks[place].text.partition(". ")
        blocks[place] = replace(blocks[place], text=rest or first + "!")
    elif draw < 0.83:
        for _ in range(source.choice((1, 1, 2, 3))):
            text = " ".join(sentence(source, script, source.randint(8, 26)) for _ in range(2))
            blocks.insert(place, Block(text=text))
    elif draw < 0.87:
        del blocks[place]
        blocks = blocks or [Block(text=sentence(source, script, 20))]
    elif draw < 0.97:
        # Another headline with some words of the text: 7.5 % of articles have one.
        headline = sentence(source, script, 9).rstrip(".。")
        headlines = Headlines(h1=headline, title=f"{headline} | Outlet", og=headline, json_ld=headline)
        article = replace(article, headline=headline, headlines=headlines)
        blocks[place] = with_words(blocks[place], source, script, 1)
    else:
        blocks = [with_words(b, source, script, 6) if source.random() < 0.5 else b for b in blocks]
    return dated(replace(article, blocks=tuple(blocks)), source)


def dated(article: Article, source: random.Random) -> Article:
    """Return an article whose modified date moved, as it does with a third of edits."""
    assert article.date_modified is not None
    moves = source.random() < 0.35
    return replace(article, date_modified=article.date_modified + timedelta(hours=1)) if moves else article


def with_words(block: Block, source: random.Random, script: Any, count: int) -> Block:
    words = block.text.split(" ") if script[3] else list(block.text)
    for _ in range(count):
        words[source.randrange(len(words))] = word(source, script)
    return replace(block, text=(" " if script[3] else "").join(words))


def page_of(story: Story) -> tuple[tuple[str, ...], bytes]:
    """Return all lines that a reader of the story's page sees, and the page: what stands around it is its outlet's."""
    around = surroundings(story.host)
    article = story.article
    own = (article.headline, article.description, *(block.text for block in article.blocks))
    body = "\n".join(f'<p class="article__paragraph" data-component="text">{escape(line)}</p>' for line in own)
    menu = "\n".join(f'<li class="menu__item"><a href="/s/{n}">{line}</a></li>' for n, line in enumerate(around))
    document = (
        f"<!doctype html><html><head><title>{escape(article.headline)}</title><style>{STYLE}</style>"
        f"</head><body><ul>{menu}</ul><article>{body}</article></body></html>"
    )
    return (*around, *own), document.encode()


STYLE = "\n".join(f".c{n:x}{{margin:{n}px;color:#{n * 7919 % 4096:03x}}}" for n in range(300))


@cache
def surroundings(host: int) -> tuple[str, ...]:
    source = random.Random(host)
    return tuple(sentence(source, SCRIPTS[0], source.randint(1, 8)) for _ in range(80))


@cache
def vocabulary(language: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return the words of a language and how often they fall, added up: the n-th about 1/n as often as the first."""
    _, _, (onsets, ends), is_spaced = next(script for script in SCRIPTS if script[0] == language)
    source = random.Random(language)
    words = []
    for rank in range(40_000):
        syllables = 1 + (rank > 30) + (rank > 1_000 and source.random() < 0.7) + (source.random() < 0.3)
        if not is_spaced:
            words.append("".join(source.choice(onsets + ends) for _ in range(min(syllables, 3))))
        else:
            words.append("".join(source.choice(onsets) + source.choice(ends) for _ in range(syllables)))
    return tuple(words), tuple(accumulate(1 / (rank + 2.7) for rank in range(len(words))))


def word(source: random.Random, script: Any) -> str:
    words, weights = vocabulary(script[0])
    return source.choices(words, cum_weights=weights)[0]


def sentence(source: random.Random, script: Any, length: int) -> str:
    words, weights = vocabulary(script[0])
    chosen = source.choices(words, cum_weights=weights, k=length)
    if not script[3]:
        return "".join(chosen) + "。"
    # Names and figures are what a language has no end of.
    chosen[source.randrange(length)] = str(source.randint(2, 9_999)) if source.random() < 0.3 else chosen[0]
    return f"{' '.join(chosen).capitalize()}."


def slug(source: random.Random) -> str:
    return "-".join(word(source, SCRIPTS[0]) for _ in range(5))


def at(hour: float) -> datetime:
    return (BEGIN + timedelta(hours=hour)).replace(microsecond=0)


# What it costs --------------------------------------------------------------------------------------------------------


class Writing:
    """The time that visits take, by what they showed and by tenths of the run."""

    def __init__(self, versions: int) -> None:
        self._goal = versions
        self._processor: defaultdict[tuple[int, str], float] = defaultdict(float)
        self._wall: defaultdict[tuple[int, str], float] = defaultdict(float)
        self._count: Counter[tuple[int, str]] = Counter()
        self._pace: defaultdict[int, list[float]] = defaultdict(list)
        self.versions = self.articles = self.visits = self.text_bytes = self.copied = 0

    def record(self, archive: Archive, visit: Visit) -> bool:
        """Record a visit; return whether it brought a version."""
        began, began_wall = time.process_time(), time.perf_counter()
        outcome = archive.record(visit.capture)
        key = min((self.versions - self.copied) * 10 // self._goal, 9), str(outcome)
        self._processor[key] += time.process_time() - began
        self._wall[key] += time.perf_counter() - began_wall
        self._count[key] += 1
        if self.visits % 20 == 0:
            self._pace[key[0]].append(seconds_of_fixed_work())
        self.visits += 1
        self.articles += outcome is Outcome.NEW
        if outcome not in (Outcome.NEW, Outcome.CHANGED):
            return False
        self.versions += 1
        self.text_bytes += len(text_of(visit.text).encode())
        return True

    def figures(self, plain: Plain) -> dict[str, Any]:
        """Print and return what a visit of each kind costs, first and last tenth.

        The speed kept is freed from the machine's own: beside each twentieth visit a fixed piece of work is timed.
        """
        paces = [statistics.fmean(self._pace[tenth]) for tenth in range(10)]
        title = f"a visit, CPU ms ({sum(self._count.values())})"
        print(f"\n{title:26}{'all':>8}{'first tenth':>13}{'last tenth':>12}{'speed kept':>12}{'wall ms':>9}")
        found: dict[str, Any] = {"plain_insert_cpu_ms": plain.cpu_ms, "fixed_work_ms": [1000 * pace for pace in paces]}
        for shows in ("new", "changed", "unchanged", "not_modified", "version"):
            kinds = ("new", "changed") if shows == "version" else (shows,)
            ms = [self._mean(self._processor, tenth, kinds) for tenth in range(10)]
            overall, wall = self._mean(self._processor, None, kinds), self._mean(self._wall, None, kinds)
            kept = ms[0] / paces[0] * paces[9] / ms[9] if ms[9] else 0.0
            found[shows] = {"cpu_ms": overall, "wall_ms": wall, "tenths_cpu_ms": ms, "speed_kept": kept}
            print(f"{shows:26}{overall:8.2f}{ms[0]:13.2f}{ms[9]:12.2f}{kept:12.2f}{wall:9.2f}")
        print(f"{'INSERT of full text':26}{plain.cpu_ms:8.2f}   (with its index of words, a commit each)")
        return found

    def _mean(self, times: dict[tuple[int, str], float], tenth: int | None, kinds: Sequence[str]) -> float:
        """Return milliseconds a visit; kinds are weighed as in the whole run, so that tenths compare."""
        total = sum(self._count[t, kind] for t in range(10) for kind in kinds)
        mean = 0.0
        for kind in kinds:
            tenths = range(10) if tenth is None else (tenth,)
            count = sum(self._count[t, kind] for t in tenths)
            weight = sum(self._count[t, kind] for t in range(10)) / total
            mean += weight * 1000 * sum(times[t, kind] for t in tenths) / count if count else 0.0
        return mean


# Of each table, what is a number of a row of which table; lists of numbers are JSON.
_NUMBERS = {
    "articles": {"id": "articles"},
    "urls": {"id": "urls", "article_id": "articles"},
    "entries": {"id": "entries", "article_id": "articles"},
    "versions": {"id": "versions", "article_id": "articles"},
    "blocks": {"id": "blocks", "article_id": "articles"},
    "images": {"id": "images", "article_id": "articles"},
    "captures": {"id": "captures", "article_id": "articles", "version_id": "versions"},
    "changes": {"id": "changes", "article_id": "articles", "version_id": "versions", "explained_by": "changes"},
    "titles": {"id": "titles", "article_id": "articles"},
    "page_lines": {"article_id": "articles"},
}
_LISTS = {"block_ids": "blocks", "image_ids": "images"}
_ADDRESSES = {"url", "current_url", "key", "canonical_url", "entry_id", "final_url"}
_TIMES = {"appeared_after", "last_visit", "last_changed", "next_visit", "last_came"}
_NOTHING = {"flap_id", "merged_into", "hold_id"}


class Copies:
    """Copies of all that an archive holds now, each with numbers, addresses and times of its own, without its pages."""

    def __init__(self, path: Path, writing: Writing) -> None:
        self._writing = writing
        self._counts = writing.versions, writing.articles, writing.visits, writing.text_bytes
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.create_function("index_text", 1, index_text, deterministic=True)
        self._connection.execute("PRAGMA synchronous = OFF")
        self._last = {table: self._one(f"SELECT max(rowid) FROM {table}") for table in _NUMBERS}
        span = self._one("SELECT (julianday(max(captured_at)) - julianday(min(captured_at))) * 24 FROM captures")
        self._hours = int(span) + 1
        self._copies = 0

    def add(self) -> float:
        """Add a copy, later than all there is; return by how many hours."""
        self._copies += 1
        self._connection.execute("BEGIN IMMEDIATE")
        for table in _NUMBERS:
            columns = [row[1] for row in self._connection.execute(f"PRAGMA table_info({table})")]
            values = ", ".join(self._value(table, column) for column in columns)
            of_articles = " AND article_id IS NOT NULL" if table == "captures" else ""
            self._connection.execute(
                f"INSERT INTO {table} SELECT {values} FROM {table} WHERE rowid <= {self._last[table]}{of_articles}"
            )
        blocks, versions = (self._last[table] * self._copies for table in ("blocks", "versions"))
        self._connection.execute(
            "INSERT INTO block_search (rowid, text) SELECT id, index_text(text) FROM blocks WHERE id > ?", (blocks,)
        )
        self._connection.execute(
            "INSERT INTO version_search (rowid, text) SELECT v.id, index_text(v.headline || char(10) || v.description)"
            " FROM versions AS v LEFT JOIN versions AS o ON o.article_id = v.article_id AND o.number = v.number - 1"
            " WHERE v.id > ? AND (o.headline, o.description) IS NOT (v.headline, v.description)",
            (versions,),
        )
        self._connection.execute("COMMIT")
        versions, articles, visits, text_bytes = self._counts
        self._writing.versions += versions
        self._writing.copied += versions
        self._writing.articles += articles
        self._writing.visits += visits
        self._writing.text_bytes += text_bytes
        return self._hours

    def _value(self, table: str, column: str) -> str:
        if number := _NUMBERS[table].get(column):
            return f"{column} + {self._last[number] * self._copies}"
        if column in _LISTS:
            shift = self._last[_LISTS[column]] * self._copies
            return f"(SELECT json_group_array(j.value + {shift}) FROM json_each({column}) AS j)"
        if column in _ADDRESSES:
            return f"replace({column}, '.example/', '.example/{self._copies}/')"
        if column in _TIMES or column.endswith(("_at", "_seen")):
            return f"strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '+{self._hours * self._copies} hours')"
        return "NULL" if column in _NOTHING else column

    def _one(self, statement: str) -> Any:
        return self._connection.execute(statement).fetchone()[0]


class Plain:
    """The baseline: one table with the full text of each version and an index of its words, for a first stretch."""

    LIMIT = 10_000

    def __init__(self) -> None:
        self._path = report.OUT / "archive-plain.db"
        remove(self._path)
        self._connection = sqlite3.connect(self._path, isolation_level=None)
        self._connection.executescript(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE texts (id INTEGER PRIMARY KEY, url TEXT, seen_at TEXT, text TEXT);"
            "CREATE VIRTUAL TABLE search USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2')"
        )
        self._seconds = 0.0
        self.versions = self.text_bytes = 0

    def add(self, capture: Capture) -> None:
        if self.versions == self.LIMIT:
            return
        assert capture.article is not None
        text = text_of(capture.article)
        began = time.process_time()
        self._connection.execute("BEGIN IMMEDIATE")
        row = (capture.url, str(capture.captured_at), text)
        added = self._connection.execute("INSERT INTO texts (url, seen_at, text) VALUES (?, ?, ?)", row)
        self._connection.execute("INSERT INTO search (rowid, text) VALUES (?, ?)", (added.lastrowid, text))
        self._connection.execute("COMMIT")
        self._seconds += time.process_time() - began
        self.versions += 1
        self.text_bytes += len(text.encode())

    @property
    def cpu_ms(self) -> float:
        return 1000 * self._seconds / self.versions

    def sizes(self) -> dict[str, int]:
        return pages(self._connection)


def text_of(article: Article) -> str:
    return "\n".join((article.headline, article.description, *(block.text for block in article.blocks)))


def measure_size(path: Path, writing: Writing, plain: Plain) -> dict[str, Any]:
    connection = sqlite3.connect(path)
    try:
        by_object = pages(connection)
        owner = dict(connection.execute("SELECT name, tbl_name FROM sqlite_master"))
    finally:
        connection.close()
    by_table: Counter[str] = Counter()
    for name, size in by_object.items():
        by_table[owner.get(name, name)] += size
    is_search = {name: name.startswith(("block_search", "version_search")) for name in by_table}
    kept = sum(size for name, size in by_table.items() if name not in APART and not is_search[name])
    searched = kept + sum(size for name, size in by_table.items() if is_search[name])
    text = writing.text_bytes
    baseline = plain.sizes()
    full = baseline["texts"] / plain.text_bytes
    full_searched = sum(baseline.values()) / plain.text_bytes
    each = writing.versions
    print(
        f"  plain text {text / each:,.0f} bytes a version; kept in {kept / each:,.0f},"
        f" with search {searched / each:,.0f}"
    )
    print(f"  of the plain text: {kept / text:.2f} without search, {searched / text:.2f} with it", end="")
    print(f" (full texts in one table: {full:.2f} and {full_searched:.2f})")
    for table, words in APART.items():
        per = each if table == "payloads" else writing.visits
        print(f"  apart: {words} {by_table[table] / per:,.0f} bytes each")
    largest = [
        (name, size) for name, size in sorted(by_object.items(), key=lambda item: -item[1]) if size > 0.004 * text
    ]
    print("  " + ", ".join(f"{name} {size / each:,.0f}" for name, size in largest))
    return {
        "plain_text_bytes": text,
        "without_search": kept / text,
        "with_search": searched / text,
        "full_texts_without_search": full,
        "full_texts_with_search": full_searched,
        "visit_bytes": by_table["captures"] / writing.visits,
        "payload_bytes": by_table["payloads"] / each,
        "bytes_by_object": by_object,
    }


def pages(connection: sqlite3.Connection) -> dict[str, int]:
    """Return how many bytes of the file each table and index takes; by `dbstat` where SQLite has it."""
    return dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))


def measure_reading(archive: Archive, path: Path) -> dict[str, Any]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    edited_ones = connection.execute(
        "SELECT article_id FROM versions WHERE number = 2 ORDER BY article_id % 997 LIMIT 31"
    )
    some = [row["article_id"] for row in edited_ones]
    words, _ = vocabulary("en")
    chinese, _ = vocabulary("zh")
    two = next(candidate for candidate in chinese[200:] if len(candidate) == 2)

    def of_archive(call: Callable[[], object]) -> float:
        return timed(connection, caught(call))

    def version(article: int, number: int) -> Callable[[], object]:
        return lambda: archive.version(article, number)

    def searched(words: str) -> float:
        return of_archive(lambda: archive.search(words, limit=50))

    rows = {
        "latest changes, redline log": of_archive(lambda: archive.changes(limit=50)),
        "latest changes, Atom": timed(
            connection, traced(connection, lambda c: listing.latest(c, listing.Filter(), 50))
        ),
        "latest changes, a page of 400": timed(
            connection, traced(connection, lambda c: listing.changes(c, listing.Filter(), groups=50))
        ),
        "changes of an article, redline log": of_archive(lambda: archive.changes(limit=50, article_id=some[0])),
        "changes of a kind, redline log": of_archive(lambda: archive.changes(limit=50, kind="headline")),
        "one version": statistics.median(of_archive(version(article, -1)) for article in some),
        "one difference, two versions": statistics.median(
            of_archive(version(article, 1)) + of_archive(version(article, -1)) for article in some
        ),
        "search, a common word": searched(words[2]),
        "search, a medium word": searched(words[700]),
        "search, a rare word": searched(words[30_000]),
        "search, two words": searched(f"{words[40]} {words[90]}"),
        "search, two Chinese letters": searched(two),
        "search, a page": timed(connection, traced(connection, lambda c: listing.hits(c, words[2], limit=50))),
        "facet of articles by host": timed(connection, [(facet("articles", "host"), ())]),
        "facet of changes by verdict": timed(connection, [(facet("changes", "verdict"), ())]),
        "facet of changes by kind": timed(connection, [(FACET_BY_KIND, ())]),
        "facet of latest_changes by host": timed(connection, [(facet("latest_changes", "host"), ())], repeat=3),
    }
    for name, call in {
        "a run that has nothing to do": lambda: idle(archive),
        "due articles chosen, none": lambda: due(archive, BEGIN),
    }.items():
        rows[name] = 1000 * median_seconds(call)
    rows["due articles chosen, all"] = 1000 * median_seconds(lambda: due(archive, BEGIN + timedelta(days=99_999)), 3)
    pair = [archive.version(some[0], number).article for number in (1, -1)]
    computing = 1000 * median_seconds(lambda: diff(*pair))
    row = timed(connection, [("SELECT * FROM versions WHERE id = 500", ())])
    like = timed(
        connection,
        [("SELECT id FROM blocks WHERE text LIKE ? ORDER BY id DESC LIMIT 50", (f"% {words[30_000]} %",))],
        repeat=3,
    )
    print(f"  {'reading, ms':34}{'SQL':>8}{'x a row':>10}")
    for name, ms in rows.items():
        print(f"  {name:34}{ms:8.3f}{ms / row:10.0f}")
    print(
        f"  baselines: a row by its number {row:.4f}, LIKE over the blocks {like:.1f};"
        f" computing a difference {computing:.2f}"
    )
    connection.close()
    return {"ms": rows, "row_by_number_ms": row, "like_scan_ms": like, "computing_a_difference_ms": computing}


def idle(archive: Archive) -> None:
    """Begin and end a run in the archive."""
    archive.begin_crawl(BEGIN)
    archive.end_crawl(BEGIN, "finished")


def due(archive: Archive, now: datetime) -> list[DueArticle]:
    return list(archive.due_articles(now))


def facet(table: str, column: str) -> str:
    """Return what Datasette asks for a facet."""
    return (  # names of ours
        f"SELECT {column} AS value, count(*) AS count FROM (SELECT * FROM {table}) WHERE {column} IS NOT NULL"
        f" GROUP BY {column} ORDER BY count DESC, value LIMIT 31"
    )


FACET_BY_KIND = (
    "SELECT j.value AS value, count(*) AS count FROM (SELECT * FROM changes) AS c, json_each(c.kinds) AS j"
    " GROUP BY j.value ORDER BY count(*) DESC, j.value LIMIT 31"
)


Statement = tuple[str, Sequence[object]]


def caught(call: Callable[[], object]) -> list[Statement]:
    """Return the statements that a call to the archive sends."""
    sent: list[Statement] = []
    run = File.run

    def listen(self: File, statement: str, *parameters: object) -> sqlite3.Cursor:
        sent.append((statement, parameters))
        return run(self, statement, *parameters)

    File.run = listen  # type: ignore[method-assign]
    try:
        call()
    finally:
        File.run = run  # type: ignore[method-assign]
    return sent


def traced(connection: sqlite3.Connection, call: Callable[[Any], object]) -> list[Statement]:
    """Return the statements that a page sends over its connection."""
    sent: list[Statement] = []
    # What FTS5 asks of its own tables comes as a comment.
    connection.set_trace_callback(
        lambda statement: None if statement.startswith("--") else sent.append((statement, ()))
    )
    call(connection)
    connection.set_trace_callback(None)
    return sent


def timed(connection: sqlite3.Connection, statements: Sequence[Statement], repeat: int = REPEAT) -> float:
    """Return the milliseconds that statements take together, warm, rows fetched: the median of the runs."""

    def ask() -> None:
        for statement, parameters in statements:
            connection.execute(statement, parameters).fetchall()

    return 1000 * median_seconds(ask, repeat)


def median_seconds(call: Callable[[], object], repeat: int = REPEAT) -> float:
    call()
    times = []
    for _ in range(repeat):
        began = time.process_time()  # all is in memory when warm; the clock on the wall has other programs in it
        call()
        times.append(time.process_time() - began)
    return statistics.median(times)


def seconds_of_fixed_work() -> float:
    began = time.process_time()
    sha256(b"".join(n.to_bytes(4, "big") for n in range(3_000))).hexdigest()
    return time.process_time() - began


def remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


if __name__ == "__main__":
    main()
