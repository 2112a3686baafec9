"""A short history with everything in it that an archive can hold: what the tests of keeping house work on.

Before a step of the schema is appended, `python -m tests.history` stores it as the code of today writes it, for the
tests of upgrades: tests/data/archives/<latest step>.db.gz, with what it has to tell beside it.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from crawler import migrations
from crawler.archive import Archive
from crawler.errors import NotFound
from crawler.items import (
    Author,
    Block,
    BlockKind,
    Entry,
    Feed,
    FeedCapture,
    FeedFormat,
    FeedLink,
    Headlines,
    Host,
    Image,
    Notice,
    NoticeKind,
    Quality,
    Related,
)
from tests.conftest import FEED, at, page, visit

SITE = "https://example.org"
NOTICE = Notice(kind=NoticeKind.CORRECTION, text="Correction: an earlier version said the ferry had 38 seats, not 58.")
MARKUP = (
    "<!doctype html><html><head><title>{headline}</title></head><body><nav>News Sport Weather</nav><main><article>"
    "<h1>{headline}</h1>{paragraphs}</article></main><footer>You have {n} free articles left</footer></body></html>"
)
LONG = (
    "The harbour master said on Monday that the new wall would stand until the end of the century, come what may.",
    "Fishing crews, who had asked for a survey since the spring, were told that it would begin in the autumn instead.",
    "The council will vote on the plan next week, and its members expect a majority for it, several of them said.",
)
SCRIPTS = {
    "ja": (
        "港の壁",
        (
            "市長は月曜日、新しい防波堤は今世紀末まで持つだろうと述べた。",
            "市長は火曜日、新しい防波堤は来年まで持つだろうと述べた。",
        ),
    ),
    "ar": (
        "جدار الميناء",
        (
            "قال مدير الميناء يوم الاثنين إن الجدار سيبقى حتى نهاية القرن.",
            "قال مدير الميناء يوم الثلاثاء إن الجدار سيبقى عاما.",
        ),
    ),
    "uk": (
        "Стіна гавані",
        (
            "Начальник порту сказав у понеділок, що стіна простоїть століття.",
            "Начальник порту сказав у вівторок, що стіна простоїть рік.",
        ),
    ),
    "de": (
        "Die Hafenmauer",
        (
            "Der Hafenmeister sagte am Montag, die Mauer halte hundert Jahre.",
            "Der Hafenmeister sagte am Dienstag, die Mauer halte ein Jahr.",
        ),
    ),
}

PATHS = [
    *"wall headline ferry flap ended gone back moved merged detour lines passing clock walled reread".split(),
    *(f"story-{n}" for n in range(10)),
    *SCRIPTS,
]


def everything(archive: Archive) -> None:
    """Write the history: two runs of a redesign, flaps, holds, merges, fates, furniture, payloads, rereads, scripts."""
    feed, _ = archive.add_feed(FeedLink(url=FEED, title="Example"), at(0))
    archive.begin_crawl(at(0))
    ids = _list(archive, feed.id, PATHS, 0)
    archive.keep_host(
        Host(name="example.org", robots="User-agent: *\nCrawl-delay: 2\n", robots_status=200, crawl_delay=2.0)
    )

    def see(path: str, hours: float, *paragraphs: str, status: int = 200, **fields: object) -> None:
        url = f"{SITE}/{path}"
        taken = {
            name: fields.pop(name) for name in ("final_url", "is_permanent_move", "etag", "lines") if name in fields
        }
        if not paragraphs:
            archive.record(visit(ids[path], hours, status=status, url=url, **taken))
            return
        article = replace(page(*paragraphs, headline=str(fields.pop("headline", f"On {path}"))), url=url, **fields)  # type: ignore[arg-type]
        shown = "".join(f"<p>{text}</p>" for text in paragraphs)
        body = MARKUP.format(headline=article.headline, paragraphs=shown, n=int(hours)).encode()
        archive.record(
            visit(ids[path], hours, article, url=url, body=body, content_type="text/html; charset=utf-8", **taken)
        )

    # Everything that an article can say, and a page kept against another.
    whole = {
        "description": "It will stand.",
        "authors": (Author(name="Ada Lovell", role="author", url=f"{SITE}/ada"),),
        "section": "Harbour",
        "tags": ("sea", "wall"),
        "language": "en",
        "headlines": Headlines(h1="On wall", title="The wall | Example", og="Wall!"),
        "images": (Image(url=f"{SITE}/wall.jpg", caption="The wall", credit="A. Lovell"),),
        "related": (Related(url=f"{SITE}/ferry", title="The ferry"),),
        "canonical_url": f"{SITE}/wall",
        "date_published": at(-2),
        "date_modified": at(0),
    }
    for hour, text in enumerate([LONG[0], LONG[0].replace("Monday", "Tuesday"), LONG[0]]):
        see("wall", hour, text, *LONG[1:], etag=f'"{hour}"', **whole)
    see("wall", 3, LONG[0], *LONG[1:], etag='"2"', **(whole | {"date_modified": at(3), "images": ()}))
    see("wall", 4, status=304)
    see("headline", 0, *LONG, headline="Wall to stand")
    see("headline", 1, *LONG, headline="Wall to fall")
    posts = tuple(Block(kind=BlockKind.POST, text=f"Post {n}. {LONG[n]}", at=at(n)) for n in range(3))
    see("lines", 0, "Live", blocks=posts[:2])
    see("lines", 1, "Live", blocks=posts)

    # A silent edit and the notice that explains it; two states in turn, one of them ended by an edit.
    see("ferry", 0, "The ferry has 38 seats.", *LONG, date_modified=at(0))
    see("ferry", 1, "The ferry has 58 seats.", *LONG, date_modified=at(0))
    see("ferry", 6, "The ferry has 58 seats.", *LONG, NOTICE.text, date_modified=at(6), notices=(NOTICE,))
    for hour in range(8):
        see("flap", hour, f"Variant {'AB'[hour % 2]}.", *LONG)
        if hour < 6:
            see("ended", hour, f"Variant {'AB'[hour % 2]}.", *LONG)
    see("ended", 6, status=304)
    see("ended", 7, "Variant C.", *LONG)
    archive.end_crawl(at(8), "finished")

    # What becomes of articles; walls are no versions.
    see("gone", 0, *LONG)
    see("gone", 1, status=404)
    see("detour", 1.5, *LONG, final_url=f"{SITE}/behind/detour")  # its host answers for another
    see("gone", 2, status=404)
    for hour, status in enumerate([200, 404, 200, 410, 200]):
        see("back", hour, *(LONG if status == 200 else ()), status=status)
    see("moved", 0, *LONG)
    see("moved", 1, *LONG, final_url=f"{SITE}/moved-for-good", is_permanent_move=True)
    see("merged", 1, *LONG, headline="On wall", canonical_url=f"{SITE}/wall")
    see("detour", 2, "All is new.", headline="Anew", final_url=f"{SITE}/behind/detour")
    see("walled", 0, *LONG)
    see("walled", 1, "Are you a robot?", quality=Quality.BOT_WALL)
    see("walled", 2, status=503)

    # Lines around articles and short lines in them; a clock that was set back.
    for n in range(3):
        see(f"story-{n}", 8, *LONG, lines=("You have 4 free articles left",))
    see("passing", 8, *LONG)
    see("passing", 9, *LONG, "You have 5 free articles left")
    for hour in range(4):
        see("clock", 10 + hour, *LONG, f"Updated {hour + 2} minutes ago")
    see("lines", 9, "Live", blocks=(*posts, Block(text="More follows")))

    # Scripts; then a redesign that is accepted, one that is read again, and one that waits.
    for language, (headline, texts) in SCRIPTS.items():
        for hour, text in enumerate(texts):
            see(language, 8 + hour, text, headline=headline, language=language)
    see("reread", 8, "What a poor extractor took for the text.", headline="Poor")
    body = MARKUP.format(headline="On reread", paragraphs="".join(f"<p>{text}</p>" for text in LONG), n=1).encode()
    archive.record(visit(ids["reread"], 9, page("Poor again."), url=f"{SITE}/reread", body=body))
    for run in range(3):
        archive.begin_crawl(at(20 + run))
        for n in range(10):
            see(f"story-{n}", 20 + run, f"Story {n}.", *LONG, *([f"Menu of design {run}."] * bool(run)))
        archive.end_crawl(at(20 + run), "finished")
        if run == 1:
            archive.accept(FEED, at(21.5))
    _list(archive, feed.id, [*PATHS, "not-read-yet"], 23, title="Told anew")
    list(archive.reextract(at(24), write=True))
    archive.begin_crawl(at(25))
    archive.record_feed(FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(25), status=503))
    for n in range(10):
        see(f"story-{n}", 25, f"Story {n}.", *LONG, "The menu of yet another design.")
    archive.end_crawl(at(25), "finished")
    # A run that was killed.
    archive.begin_crawl(at(26))
    see("wall", 26, LONG[0], "A paragraph that came.", *LONG[1:], etag='"26"', **whole)


def _list(archive: Archive, feed_id: int, paths: list[str], hours: float, title: str = "") -> dict[str, int]:
    entries = tuple(Entry(id=path, url=f"{SITE}/{path}", title=title or f"On {path}") for path in paths)
    document = Feed(url=FEED, format=FeedFormat.RSS, title="Example", entries=entries)
    capture = FeedCapture(feed_id=feed_id, url=FEED, captured_at=at(hours), status=200, feed=document)
    archive.record_feed(capture)
    return {path: archive.find(f"{SITE}/{path}").id for path in paths}


def account(archive: Archive) -> list[dict[str, object]]:
    """Return what an archive has to tell by its own words, whatever its schema, as it comes out of JSON."""
    told: list[object] = [*archive.feeds(), *archive.hosts(), *archive.merges(), *archive.holds()]
    told += archive.changes(limit=999)
    for word in ("harbour", "Variant", "防波堤", "الميناء", "boats"):
        told += archive.search(word, limit=99)
    for path in (*PATHS, "not-read-yet"):
        article = archive.find(f"{SITE}/{path}")
        told += [article, *archive.fates(article.id), *archive.titles(article.id), *archive.touches(article.id)]
        for version in archive.versions(article.id):
            told.append(version)
            with suppress(NotFound):
                told.append(Page(version_id=version.id, sha256=hashlib.sha256(archive.payload(version.id)).hexdigest()))
    lines: list[dict[str, object]] = json.loads(json.dumps([asdict(value) for value in told], default=str))  # type: ignore[call-overload]
    return lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What is told of the page behind a version."""

    version_id: int
    sha256: str


def store(folder: Path) -> Path:
    """Write the history and its account into a folder, under the name of the latest step of the schema."""
    stored = folder / f"{migrations.known()[-1]}.db.gz"
    with TemporaryDirectory() as working:
        path = Path(working) / "archive.db"
        with Archive(path) as archive:
            everything(archive)
            told = json.dumps(account(archive), ensure_ascii=False)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("VACUUM")
        stored.write_bytes(gzip.compress(path.read_bytes(), 9, mtime=0))
    stored.with_suffix("").with_suffix(".json.gz").write_bytes(gzip.compress(told.encode(), 9, mtime=0))
    return stored


if __name__ == "__main__":
    print(store(Path(__file__).parent / "data" / "archives"))
