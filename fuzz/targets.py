"""What must hold of any input, one function a target: it takes bytes, and raises if a promise is broken.

Pure, and free of any fuzzer: the tests run them too. `SEEDS` says where a search begins.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

from protego import Protego

from crawler import changes, extract, feeds, manners, rows, search, urls, visits
from crawler.diff import BREAK, diff, new_text, old_text, render
from crawler.errors import FeedError
from crawler.extract.page import to_utf8
from crawler.items import Article, Block, Host

URL = "https://example.org/2026/03/story"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DATA = Path(__file__).parents[1] / "tests" / "data"
TARGETS: dict[str, Callable[[bytes], None]] = {}


def target(function: Callable[[bytes], None]) -> Callable[[bytes], None]:
    TARGETS[function.__name__] = function
    return function


@target
def page(data: bytes) -> None:
    """A page is read without an error, can be stored, and reads the same a second time."""
    article, lines = extract.read(data, URL)
    assert_storable(article)
    assert_storable(lines)
    again, _ = extract.read(data, URL)
    assert again == article
    assert diff(article, again).is_empty


@target
def charset(data: bytes) -> None:
    """What the first line calls a Content-Type may be any; the rest is a page, and is read as UTF-8."""
    head, _, body = data.partition(b"\n")
    article = extract.article(body, URL, headers={"Content-Type": head.decode("latin-1")})
    assert_storable(article)
    utf8 = to_utf8(body, headers={"content-type": head.decode("latin-1")})
    assert "\0" not in utf8.decode("utf-8")


@target
def json_ld(data: bytes) -> None:
    """Whatever JSON-LD says, a page with a body has it, and can be stored."""
    body = b"".join(
        b"<p>A sentence of the article that is long enough to be prose, and so it is.</p>" for _ in range(4)
    )
    html = b'<script type="application/ld+json">' + data + b"</script><h1>A headline of some words</h1>" + body
    assert_storable(extract.article(html, URL))


@target
def feed(data: bytes) -> None:
    """A document is a feed whose texts can be stored and whose ids are unique, or a FeedError."""
    with suppress(FeedError):
        read = feeds.parse(data, URL, max_entries=20)
        assert_storable(read)
        assert len({entry.id for entry in read.entries}) == len(read.entries) <= 20
        for entry in read.entries:
            assert urls.clean(entry.url) == entry.url
    with suppress(FeedError):
        for link in feeds.discover(data, URL):
            assert_storable(link)


@target
def opml(data: bytes) -> None:
    """A list of feeds is read, and what is read is written and read again as the same."""
    with suppress(FeedError):
        links = feeds.read_opml(data)
        assert_storable(links)
        written = feeds.write_opml(links)
        again = feeds.read_opml(written) if links else []
        assert [link.url for link in again] == [link.url for link in links]


@target
def url(data: bytes) -> None:
    """No address raises; cleaning is done once, and changes nothing about which article it is.

    Bytes that are no UTF-8 become lone surrogates.
    """
    one, _, base = data.decode("utf-8", "surrogateescape").partition("\n")
    for given in (None, base, URL):
        cleaned = urls.clean(one, given)
        if cleaned is not None:
            assert cleaned.isascii()
            assert re.match(r"https?://[^/?#@\\]+/", cleaned), cleaned
            assert urls.clean(cleaned) == cleaned
            assert urls.host(cleaned)
            assert urls.same_site(cleaned, cleaned)
            visits.is_front_page(cleaned)
    cleaned = urls.clean(one)
    if cleaned is not None:
        assert urls.key(cleaned) == urls.key(one)
    key = urls.key(one)
    assert urls.key(key) == key
    urls.same_site(one, base)


@target
def headers(data: bytes) -> None:
    """No header of an answer raises, whichever it is; a wait is never negative, and no longer than is kept."""
    text = data.decode("latin-1")
    for line in [text, *text.split("\n")[:5]]:
        wait = manners.retry_after(line, NOW)
        assert wait is None or wait >= timedelta(0)
        host = manners.turned_away(Host(name="example.org"), NOW, said="no", wish=wait)
        assert host.backoff_until is not None
        assert NOW <= host.backoff_until <= NOW + timedelta(days=7)
        age = manners.max_age(line)
        assert age is None or age >= timedelta(0)
        for said in manners.directives([line], b"", agent="redline"):
            assert said == said.strip() != ""
        urls.clean(line, URL)  # Location
        for old in (None, line):
            manners.judged((line, old), (old, line))
    assert_storable(manners.directives(text.split("\n"), data, agent="redline"))
    with suppress(FeedError):
        feeds.parse(b"<rss><channel><title>a</title></channel></rss>", URL, content_type=text)


@target
def robots(data: bytes) -> None:
    """Any robots.txt is read: it forbids or it does not, and what it asks for is a number that can be kept to."""
    text = data.decode("utf-8", "replace")
    host = manners.with_robots(Host(name="example.org"), NOW, status=200, text=text, agent="redline")
    seconds, _ = manners.delay(host, least=1, most=60)
    assert 1 <= seconds <= 60
    Protego.parse(host.robots or "").can_fetch(URL, "redline")


@target
def difference(data: bytes) -> None:
    """Two texts are rebuilt from their difference, it is judged, and no markup in it is anybody's but ours."""
    old, _, new = data.decode("utf-8", "replace").partition("\x1e")
    before, after = _article(old), _article(new)
    found = diff(before, after)
    assert found == diff(before, after)
    assert found.is_empty == (extract.digest(before) == extract.digest(after))
    sides: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for block in found.blocks:
        for side, indexes, text in ((0, block.old, old_text(block.spans)), (1, block.new, new_text(block.spans))):
            if indexes:
                sides[side].update(zip(indexes, text.split(BREAK), strict=True))
    for side, whole in enumerate((before, after)):
        assert [sides[side][index] for index in range(len(sides[side]))] == [block.text for block in whole.blocks]
    for mode in ("inline", "side-by-side", "changes"):
        assert_text_only(render.html(found, mode=mode))
    for text in (render.unified(found), render.terminal(found, colour=False, width=40)):
        assert_harmless(text)
    changes.classify(before, after, found)


@target
def words(data: bytes) -> None:
    """Whatever is typed to be searched for is valid, and marking what was found loses nothing of the text."""
    query, _, text = data.decode("utf-8", "replace").partition("\n")
    expression = search.match_expression(query)
    if expression:
        _index().execute("SELECT rowid FROM texts WHERE texts MATCH ? LIMIT 1", (expression,)).fetchall()
    assert "".join(piece for piece, _ in search.marked(text, query)) == text
    search.index_text(text)
    search.word_count(text)


# What is promised of every text -------------------------------------------------------------------------------------


def assert_storable(value: object) -> None:
    """Fail if a text could not be stored in SQLite and read back, or a time not be written down and read back."""
    for part in _parts(value):
        if isinstance(part, str):
            assert part.encode("utf-8").decode() == part
            assert "\0" not in part, part
        elif isinstance(part, datetime):
            assert part.tzinfo is not None
            stored = rows.as_text(part)
            assert abs(rows.known_moment(str(stored)) - part) < timedelta(seconds=1)


def assert_harmless(text: str) -> None:
    """Fail if a text holds what acts on a terminal: control characters but line ends, bidi overrides, surrogates."""
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text), repr(text)


def assert_text_only(html: str) -> None:
    """Fail if there is an element or attribute in a diff's HTML that is not ours, or if a tag is left open."""
    checker = _Checker()
    checker.feed(html)
    checker.close()
    assert not checker.open, checker.open
    assert_harmless(html)


class _Checker(HTMLParser):
    OURS = frozenset("div p dl dt dd table thead tbody tr th td ins del span br".split())
    ATTRIBUTES = frozenset("class dir lang data-mode data-move role aria-label scope".split())

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in self.OURS, tag
        assert self.ATTRIBUTES.issuperset(name for name, _ in attrs), attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def _parts(value: object) -> Iterator[object]:
    if is_dataclass(value):
        for field in fields(value):
            yield from _parts(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            yield from _parts(item)
    elif not isinstance(value, Enum):
        yield value


def _article(text: str) -> Article:
    headline, *paragraphs = (" ".join(line.split()) for line in text.split("\n"))
    return Article(url=URL, headline=headline, blocks=tuple(Block(text=text) for text in paragraphs if text))


@cache
def _index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    connection.execute('CREATE VIRTUAL TABLE texts USING fts5(text, tokenize="unicode61 remove_diacritics 2")')
    connection.execute("INSERT INTO texts VALUES ('a word or two')")
    return connection


# Where a search begins: a glob below tests/data, and the pieces that a fuzzer puts together.
SEEDS: dict[str, tuple[str, tuple[bytes, ...]]] = {
    "page": ("articles/*.html", ()),
    "charset": (
        "articles/*.html",
        (b"text/html; charset=windows-1251\n<p>\xcf\xf0", b"text/html; charset=utf-16\n\0<"),
    ),
    "json_ld": (
        "articles/*.json",
        (
            b'{"@context":"https://schema.org","@graph":[{"@type":"NewsArticle","@id":"a","headline":"H","author":{"@id":'
            b'"b"},"datePublished":"2026-03-01T12:00:00+01:00","keywords":"a,b","correction":{"text":"c"},"publisher":'
            b'{"name":"P"},"isAccessibleForFree":"False"},{"@id":"b","@type":"Person","name":"Ann Bee","url":"/b"}]}',
        ),
    ),
    "feed": ("feeds/*[!n]", ()),
    "opml": (
        "feeds/*opml*",
        (
            b'<opml version="2.0"><head><title>t</title></head><body><outline text="a"><outline type="rss" title="b"'
            b' xmlUrl="feed://example.org/f" htmlUrl="https://example.org/"/></outline></body></opml>',
        ),
    ),
    "url": (
        "",
        (
            b"https://www.example.org:443/a/../b;jsessionid=1/amp?utm_source=x&id=1#f\nhttps://example.org/",
            "http://b\u00fccher.example/\u00e4 \u00f6?q=%e4%F6".encode(),
            b"//[::1]:8080/%2e%2e/a\\b@c",
            b"https://a-b.cdn.ampproject.org/c/s/example.org/amp/story.amp.html?amp=1",
        ),
    ),
    "headers": (
        "",
        (
            b"Sat, 28 Nov 2026 12:00:00 GMT",
            b"120",
            b'public, max-age="600", s-maxage=10',
            b'unavailable_after: 25 Jun 2026 15:00:00 PST, redline: noarchive\n<meta name="robots" content="noindex">',
            b'W/"abc"\nhttps://example.org/b',
        ),
    ),
    "robots": (
        "",
        (
            b"User-agent: *\nDisallow: /a*b$\nAllow: /a/\nCrawl-delay: 2.5\nRequest-rate: 1/5m 0900-1700\n"
            b"Sitemap: https://example.org/s.xml\nVisit-time: 0600-0845\nHost: example.org",
        ),
    ),
    "difference": (
        "",
        (
            b"The <b>head</b>\nOne paragraph. And a 1.5% rise.\nTwo.\x1eThe <i>head</i>\nTwo.\nOne paragraph.",
            '\u6771\u4eac\n\u201ca\u201d b\x1e\u6771\u4eac\u90fd\n"a" b\u202e'.encode(),
        ),
    ),
    "words": ("", (b'a "word or" two\nA word or two, AND NOT', "\u6771\u4eac* -b\nin \u6771\u4eac".encode())),
}


def seeds(name: str) -> Iterator[bytes]:
    """Yield the inputs at which the search of a target begins: files of the tests, its pieces, crashes of the past."""
    pattern, pieces = SEEDS[name]
    for path in sorted(DATA.glob(pattern)) if pattern else ():
        yield path.read_bytes()
    yield from pieces
    for path in crashes(name):
        yield path.read_bytes()


def crashes(name: str) -> list[Path]:
    """Return the files of a target that crashed it once."""
    return sorted((DATA / "crashes" / name).glob("*"))
