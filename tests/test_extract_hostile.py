"""No page raises, takes long or says two things: hostile pages, mangled pages, growing input."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler import extract
from crawler.extract import notices, pictures
from crawler.extract.metadata import moment, names, written_moment
from crawler.extract.text import comparable
from crawler.items import Author, Quality
from tests.growth import TIMES, assert_linear, seconds

URL = "https://example.org/story"
PAGES = [path.read_bytes() for path in sorted((Path(__file__).parent / "data/articles").glob("*.html"))]
SENTENCE = "This is a sentence of an article that is long enough to be taken for its prose, and so it is."
PARAGRAPHS = f"<h1>A headline</h1>{f'<p>{SENTENCE}</p>' * 5}"


def _json_ld(fields: object) -> str:
    said = {"@type": "NewsArticle", **fields} if isinstance(fields, dict) else fields
    return f'<script type="application/ld+json">{json.dumps(said)}</script>' + PARAGRAPHS


def _letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


# Each as a function of its size: at 8 these are pages of up to 5 MB.
HOSTILE: dict[str, Callable[[int], str]] = {
    "nested boxes": lambda n: "<div>" * 12_500 * n + PARAGRAPHS,
    "nested boxes, each closed": lambda n: "<div>" * 6_000 * n + PARAGRAPHS + "</div>" * 6_000 * n,
    "boxes closed by others": lambda n: "<div></x>" * 6_000 * n + "</div>" * 6_000 * n,
    "nested lists": lambda n: "<ul><li>" * 6_000 * n + PARAGRAPHS,
    "nested tables": lambda n: "<table><tr><td>" * 2_500 * n + PARAGRAPHS,
    "nested formatting": lambda n: "".join(f"<font a{i}>" for i in range(1_250 * n)) + f"<p>{SENTENCE}" * 25 * n,
    "nested links": lambda n: "<a href=x><p>" * 2_500 * n,
    "a long attribute": lambda n: f'<div title="{"x" * 625_000 * n}">' + PARAGRAPHS,
    "many attributes": lambda n: "<div " + " ".join(f"a{i}=1" for i in range(6_000 * n)) + ">" + PARAGRAPHS,
    "many paragraphs": lambda n: f"<article>{f'<p>{SENTENCE}</p>' * 1_250 * n}</article>",
    "many empty elements": lambda n: "<p>" * 37_000 * n,
    "many boxes": lambda n: "<div>x</div>" * 25_000 * n,
    "many line breaks": lambda n: "<div>" + "word<br>" * 25_000 * n,
    "many sentences": lambda n: "<div>" + "A word.<br>" * 25_000 * n,
    "many headings": lambda n: "<h1>A headline of many</h1>" * 2_500 * n,
    "many links": lambda n: f"<p>{'<a href=/x>link</a> ' * 6_000 * n}</p>",
    "many captions": lambda n: PARAGRAPHS + "<figure><img><figcaption>A picture</figcaption></figure>" * 625 * n,
    "no white space": lambda n: "<p>" + "x" * 375_000 * n,
    "white space": lambda n: "<p>" + " \n" * 125_000 * n + "</p>" + PARAGRAPHS,
    "open brackets": lambda n: "<" * 125_000 * n,
    "references": lambda n: "&amp" * 125_000 * n,
    "deep json": lambda n: f'<script type="application/ld+json">{"[" * 25_000 * n}</script>' + PARAGRAPHS,
    "deep objects": lambda n: '<script type="application/ld+json">' + '{"a":' * 12_500 * n + "</script>",
    "long dates": lambda n: f'<meta property="article:published_time" content="{"1" * 125_000 * n}">' + PARAGRAPHS,
    "long bylines": lambda n: f'<meta name="author" content="{"and " * 25_000 * n}">' + PARAGRAPHS,
    "a long title": lambda n: f"<title>{' | a' * 25_000 * n}</title>" + PARAGRAPHS,
    "a list in json": lambda n: _json_ld([0] * 25_000 * n),
    "many authors": lambda n: _json_ld({"author": [f"Ann {_letters(i)}" for i in range(2_500 * n)]}),
    "many corrections": lambda n: _json_ld({"correction": [f"Correction: {i} was wrong" for i in range(2_500 * n)]}),
    "data in scripts": lambda n: '<script>self.__next_f.push([1,"' + "\\n1:T5,<p>" * 2_500 * n + '"])</script>',
}  # fmt: skip


def read(page: bytes) -> None:
    extract.digest(extract.article(page, URL))


@pytest.fixture(scope="module")
def prose_seconds() -> float:
    """What a megabyte of prose takes on this machine."""
    page = HOSTILE["many paragraphs"](TIMES).encode()
    read(page)
    return min(seconds(read, page) for _ in range(3))


@pytest.mark.parametrize("attack", HOSTILE)
def test_s16_no_page_takes_more_time_than_its_length_allows(attack, prose_seconds):
    assert_linear(read, lambda n: HOSTILE[attack](n).encode(), 1)
    assert seconds(read, HOSTILE[attack](TIMES).encode()) < 10 * prose_seconds


@pytest.mark.parametrize("attack", ["nested boxes", "nested boxes, each closed", "nested lists", "many attributes"])
def test_s16_the_article_inside_a_hostile_page_is_still_read(attack):
    article = extract.article(HOSTILE[attack](TIMES).encode(), URL)
    assert [block.text for block in article.blocks] == [SENTENCE] * 5


@pytest.mark.parametrize(
    "read", [comparable, moment, written_moment, names, notices.kind_of, lambda text: pictures.split(text, [])]
)
@pytest.mark.parametrize("piece", [" ", "a", "1", "(", "Photo ", "correction ", "31.01.", "and ", ", ", "\u200b", "é"])
def test_s17_reading_a_text_takes_time_in_proportion_to_it(read, piece):
    assert_linear(read, lambda n: piece * n, 12_500)


@pytest.mark.parametrize(
    "body",
    [
        b"\x00" * 1000,
        b"<p>\x00\x01\x02\xff\xfe</p>",
        b"\xff\xfe<\x00p\x00",
        b"\xef\xbb\xbf",
        b"<p>&#xD800;&#x110000;&#0;&#128;</p>",
        "<p>\ud800 lone</p>".encode("utf-8", "surrogatepass"),
        b"<meta charset=unicode_escape><p>\\ud800 \xff",
        b"<meta charset=utf-7><p>+2AA- \xff",
        b"<meta charset=rot13><p>\xff",
        b"<meta charset=" + b"x" * 10_000 + b"><p>\xff",
        b"<!--", b"<![CDATA[", b"<script>", b"<title>", b"<svg><p>", b"<template>", b"</html></html>", b"<plaintext>",
    ],
)  # fmt: skip
def test_f5_broken_bytes_give_an_article_that_can_be_stored(body):
    article = extract.article(body, URL)
    for text in [article.headline, article.description, *(block.text for block in article.blocks)]:
        assert text.encode("utf-8").decode() == text
        assert "\0" not in text


@pytest.mark.parametrize(
    "said",
    [
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "²²²²²²²²²²",
        10**400, -(10**400), 1e308, float("nan"), "Mon, 01 Jan 1601 00:00:00 +1400", "2026-13-41", "2026-01-01T24:61",
    ],
)  # fmt: skip
def test_f4_a_date_that_cannot_be_is_none(said):
    page = _json_ld({"headline": "A headline", "datePublished": said, "dateModified": said}).encode()

    article = extract.article(page, URL)

    assert (article.date_published, article.date_modified) == (None, None)
    assert len(article.blocks) == 5


def test_f4_a_date_without_a_zone_is_utc_and_one_with_a_zone_keeps_it():
    for said, meant in [
        ("2026-03-29T02:30:00", "2026-03-29T02:30:00+00:00"),  # an hour that Berlin's clocks leave out
        ("2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+01:00"),  # one that they show twice
        ("2026-03-29", "2026-03-29T00:00:00+00:00"),
        ("Sun, 29 Mar 2026 02:30:00 +0200", "2026-03-29T02:30:00+02:00"),
    ]:
        assert str(moment(said)).replace(" ", "T") == meant


def test_f5_what_json_escapes_and_no_text_holds_is_left_out():
    said = {
        "headline": "A \ud83d headline\0", "description": "\udfff of it", "keywords": ["a\ud800", "b\0"],
        "author": {"name": "Ann \udbff Bee", "url": "https://example.org/\ud800", "jobTitle": "Editor\udc00"},
        "correction": "Correction: it was wrong \ud800, and is not", "articleSection": "\ud800News",
    }  # fmt: skip
    page = _json_ld(said).replace("<h1>A headline</h1>", "").encode()

    article = extract.article(page, URL)

    assert article.headline == "A headline"
    assert article.authors == (Author(name="Ann Bee", role="Editor", url="https://example.org/"),)
    assert (article.description, article.section, article.tags) == ("of it", "News", ("a", "b"))
    assert article.notices[0].text == "Correction: it was wrong , and is not"


PIECES = [b"<", b">", b"</p>", b"<div>", b"&", b'"', b"\0", b"<!--"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_mangled_page_gives_an_article(data):
    page = bytearray(data.draw(st.sampled_from(PAGES)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(page) - 1))
        what = data.draw(st.sampled_from(["cut", "drop", "repeat", "put"]))
        if what == "cut":
            del page[max(at, 1) :]
        elif what == "drop":
            del page[at : at + data.draw(st.integers(1, 400))]
        elif what == "repeat":
            page[at:at] = page[at : at + 300] * 3
        else:
            page[at:at] = data.draw(
                st.binary(max_size=40) | st.sampled_from([b"<", b">", b"</p>", b"<div>", b"&", b'"', b"\0", b"<!--"])
            )
        if not page:
            break
    body = bytes(page)

    article = extract.article(body, URL)

    assert extract.digest(article) == extract.digest(extract.article(body, URL))
    assert all(block.text.strip() for block in article.blocks)
    assert all(at is None or at.tzinfo for at in (article.date_published, article.date_modified))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_folding_twice_is_folding_once(text):
    assert comparable(comparable(text)) == comparable(text)


@settings(max_examples=200, deadline=None)
@given(
    st.text(max_size=60),
    st.dictionaries(st.sampled_from(["Content-Type", "Content-Length", "x"]), st.text(max_size=20)),
)
def test_no_address_and_no_header_raises(url, headers):
    extract.article(PAGES[0], url, headers=headers)


KEYS = (
    "@type @graph @id author name headline datePublished image url keywords publisher correction articleSection "
    "isAccessibleForFree jobTitle"
).split()
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(JSON)
def test_no_json_ld_raises(value):
    for data in (
        value,
        {"@type": "NewsArticle", "author": value, "datePublished": value, "keywords": value, "publisher": value},
    ):
        script = f'<script type="application/ld+json">{json.dumps(data)}</script>'
        extract.article((script + PARAGRAPHS).encode(), URL)


def test_the_same_bytes_give_the_same_article_in_every_process():
    program = (
        "import sys; from pathlib import Path; from crawler import extract\n"
        "for path in sorted(Path(sys.argv[1]).glob('*.html')):\n"
        "    print(repr(extract.article(path.read_bytes(), 'https://example.org/')))\n"
    )
    folder = Path(__file__).parent / "data/articles"
    seen = {
        subprocess.run(
            [sys.executable, "-c", program, folder],
            capture_output=True, check=True, env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(folder.parents[2])},
        ).stdout
        for seed in ("0", "1")
    }  # fmt: skip
    assert len(seen) == 1


def test_importing_the_package_loads_no_parser():
    program = (
        "import sys, crawler.extract as extract\n"
        "extract.comparable('a'), extract.digest\n"
        "print([name for name in sys.modules if 'lxml' in name or 'selectolax' in name])"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("unit", ["<p>A word.", "A word.<br><br>", "<div>A</div>"])
def test_s16_a_page_of_more_than_is_read_of_any_is_called_truncated(unit):
    article = extract.article(PARAGRAPHS.encode() + unit.encode() * 90_000, URL)
    assert (article.quality, article.quality_reason) == (Quality.TRUNCATED, "more elements than are read of one page")
