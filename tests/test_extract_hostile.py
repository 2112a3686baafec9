"""No page raises, takes long or says two things: hostile pages, mangled pages, growing input."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crawler import extract
from crawler.extract import notices, pictures
from crawler.extract.metadata import moment, names, written_moment
from crawler.extract.text import comparable
from crawler.items import Quality

URL = "https://example.org/story"
PAGES = [path.read_bytes() for path in sorted((Path(__file__).parent / "data/articles").glob("*.html"))]
SENTENCE = "This is a sentence of an article that is long enough to be taken for its prose, and so it is."
PARAGRAPHS = f"<h1>A headline</h1>{f'<p>{SENTENCE}</p>' * 5}"

HOSTILE = {
    "nested boxes": "<div>" * 100_000 + PARAGRAPHS,
    "nested boxes, each closed": "<div>" * 50_000 + PARAGRAPHS + "</div>" * 50_000,
    "boxes closed by others": "<div></x>" * 50_000 + "</div>" * 50_000,
    "nested lists": "<ul><li>" * 50_000 + PARAGRAPHS,
    "nested tables": "<table><tr><td>" * 20_000 + PARAGRAPHS,
    "nested formatting": "".join(f"<font a{i}>" for i in range(10_000)) + f"<p>{SENTENCE}" * 200,
    "nested links": "<a href=x><p>" * 20_000,
    "a long attribute": f'<div title="{"x" * 5_000_000}">' + PARAGRAPHS,
    "many attributes": "<div " + " ".join(f"a{i}=1" for i in range(50_000)) + ">" + PARAGRAPHS,
    "many paragraphs": f"<article>{f'<p>{SENTENCE}</p>' * 10_000}</article>",
    "many empty elements": "<p>" * 300_000,
    "many boxes": "<div>x</div>" * 200_000,
    "many line breaks": "<div>" + "word<br>" * 200_000,
    "many sentences": "<div>" + "A word.<br>" * 200_000,
    "many headings": "<h1>A headline of many</h1>" * 20_000,
    "many links": f"<p>{'<a href=/x>link</a> ' * 50_000}</p>",
    "many captions": PARAGRAPHS + "<figure><img><figcaption>A picture</figcaption></figure>" * 5000,
    "no white space": "<p>" + "x" * 3_000_000,
    "white space": "<p>" + " \n" * 1_000_000 + "</p>" + PARAGRAPHS,
    "open brackets": "<" * 1_000_000,
    "references": "&amp" * 1_000_000,
    "deep json": f'<script type="application/ld+json">{"[" * 200_000}</script>' + PARAGRAPHS,
    "deep objects": '<script type="application/ld+json">' + '{"a":' * 100_000 + "</script>",
    "long dates": f'<meta property="article:published_time" content="{"1" * 1_000_000}">' + PARAGRAPHS,
    "long bylines": f'<meta name="author" content="{"and " * 200_000}">' + PARAGRAPHS,
}  # fmt: skip


@pytest.mark.parametrize("attack", HOSTILE)
def test_no_page_takes_a_second(attack):
    page = HOSTILE[attack].encode()
    extract.article(PARAGRAPHS.encode(), URL)  # what is loaded once is not the page's time
    start = time.process_time()
    extract.digest(extract.article(page, URL))
    assert time.process_time() - start < 1


@pytest.mark.parametrize("attack", ["nested boxes", "nested boxes, each closed", "nested lists", "many attributes"])
def test_the_article_inside_a_hostile_page_is_still_read(attack):
    article = extract.article(HOSTILE[attack].encode(), URL)
    assert [block.text for block in article.blocks] == [SENTENCE] * 5


@pytest.mark.parametrize(
    "read", [comparable, moment, written_moment, names, notices.kind_of, lambda text: pictures.split(text, [])]
)
@pytest.mark.parametrize("piece", [" ", "a", "1", "(", "Photo ", "correction ", "31.01.", "and ", ", ", "\u200b", "é"])
def test_reading_a_text_takes_time_in_proportion_to_it(read, piece):
    def seconds(length: int) -> float:
        text = piece * length
        start = time.process_time()
        read(text)
        return time.process_time() - start

    seconds(10)
    # Twenty times the text: a quadratic reader would take four hundred times as long.
    assert seconds(200_000) < 100 * max(seconds(10_000), 0.002)


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
def test_broken_bytes_give_an_article_that_can_be_stored(body):
    article = extract.article(body, URL)
    for text in [article.headline, article.description, *(block.text for block in article.blocks)]:
        assert text.encode("utf-8").decode() == text
        assert "\0" not in text


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
def test_a_page_of_more_than_is_read_of_any_is_called_truncated(unit):
    article = extract.article(PARAGRAPHS.encode() + unit.encode() * 90_000, URL)
    assert (article.quality, article.quality_reason) == (Quality.TRUNCATED, "more elements than are read of one page")
