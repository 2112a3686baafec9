"""What publishers write is text until it is escaped: hostile texts in every place, then every page is parsed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html

from crawler.archive import Archive
from crawler.browse import cells, telling
from crawler.items import (
    Article,
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
    Related,
)
from tests.browse.conftest import HOME, Browser
from tests.conftest import FEED, at, visit

# Every one of these holds "evil" where it would act: as an element, an attribute, a scheme.
HOSTILE = [
    "<script>evil()</script>",
    "<img src=x onerror=evil()>",
    '"><svg onload=evil()>',
    "' onmouseover=evil() x='",
    "</title></style></textarea><iframe src=//evil.example></iframe>",
    "<!--<evil>--><evil>",
    "&lt;script&gt;evil()&lt;/script&gt;",
    "[-<script>evil()</script>-]{+<b onclick=evil()>+}{moved: <evil>}",
    "{{ evil }}{% evil %}",
    "]]><evil/>",
    "\u202eevil\u202c\u2066\x1b[31m\x00\x07",
    "javascript:evil()//https://",
    "=HYPERLINK(evil)",
]
URLS = [
    "javascript:evil()",
    "data:text/html,<script>evil()</script>",
    'https://example.org/"onclick=evil()',
    "//evil/story",
]

# All that our pages may hold. A name that is not here came from what was archived.
ELEMENTS = set(
    "html head meta title link script body a header div nav form label input button main footer p h1 h2 h3 h4 section"
    " span time ol ul li q article svg rect line text defs pattern details summary table thead tbody tr th td dl dt dd"
    " ins del mark blockquote cite code strong select option br".split()
)
ATTRIBUTES = set(
    "class id href src rel type title lang dir name value content charset action method for placeholder maxlength role"
    " tabindex scope colspan datetime selected reversed defer aria-label aria-labelledby aria-current"
    " aria-hidden focusable viewbox x y x1 x2 y1 y2 width height rx patternunits patterntransform data-mode data-move"
    " data-side data-moved data-words color-scheme open".split()
)


def assert_harmless(page: str) -> None:
    """Parse a page as a browser would, and hold every element, attribute and address against what is ours."""
    tree = html.document_fromstring(page)
    for element in tree.iter():
        if not isinstance(element.tag, str):
            raise AssertionError(f"a comment or an instruction: {element}")
        assert element.tag in ELEMENTS, html.tostring(element)[:300]
        for name, value in element.attrib.items():
            assert name in ATTRIBUTES, f"{name} in {html.tostring(element)[:300]!r}"
            if name in ("href", "src", "action"):
                assert re.match(r"(https?://[^/?#\\]|/(?!/)|[?#]|$)", value), f"{name}={value}"
        if element.tag == "script":
            assert re.fullmatch(r"/-/static-plugins/redline/redline\.js(\?.*)?", element.get("src", ""))
            assert not (element.text or "").strip()
    for steering in "\u202e\u2066\x1b\x00\x07":
        assert steering not in page


def hostile_article(texts: list[str], step: int) -> Article:
    """An article that says nothing else: the places go round by one from version to version, so that all differ."""

    def text(place: int) -> str:
        return texts[(place + step) % len(texts)]

    return Article(
        url=URLS[step % len(URLS)],
        headline=f"{text(0)} {step}",
        description=text(1),
        authors=(Author(name=text(2), role=text(3), url=URLS[step % len(URLS)]),),
        blocks=tuple(Block(text=text(4 + place), kind=kind) for place, kind in enumerate(BlockKind)),
        images=(Image(url=URLS[(step + 1) % len(URLS)], caption=text(5), credit=text(6)),),
        section=text(7),
        tags=(text(8), text(9)),
        language=("en", text(10), '"><evil>')[step % 3],
        headlines=Headlines(h1=text(1), title=text(2), og=text(3), json_ld=text(4)),
        canonical_url=URLS[(step + 2) % len(URLS)],
        notices=(Notice(kind=NoticeKind.CORRECTION, text=text(11)),) if step % 2 else (),
        related=(Related(url=URLS[step % len(URLS)], title=text(12)),),
    )


def hostile_archive(path: Path, texts: list[str]) -> Archive:
    archive = Archive(path)
    feed, _ = archive.add_feed(FeedLink(url=FEED, title=texts[0], site_url="javascript:evil()"), at(0))
    entry = Entry(id=texts[1], url="https://evil.example/1", title=texts[2], summary=texts[3])
    document = Feed(url=FEED, format=FeedFormat.RSS, title=texts[4 % len(texts)], language=texts[0], entries=(entry,))
    seen = FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(0), status=200, feed=document)
    _, (article,) = archive.record_feed(seen)
    for step in range(4):
        archive.record(visit(article.id, step, hostile_article(texts, step), final_url=URLS[step % len(URLS)]))
    archive.record(visit(article.id, 5, status=None, error=texts[1], robots=(texts[5], texts[6])))
    host = Host(name=texts[7], robots=f"User-agent: {texts[8]}", delay_reason=texts[9], backoff_reason=texts[10])
    archive.keep_host(replace(host, backoff_until=at(9)))
    archive.record_feed(replace(seen, feed=None, status=None, error=texts[2], captured_at=at(6)))
    return archive


def pages(latest: int) -> list[str]:
    """Every page of the archive's one article with its `latest` versions, and those about all articles."""
    return [
        "/",
        HOME,
        f"{HOME}/changes",
        f"{HOME}/outlets",
        f"{HOME}/outlet/evil.example?days=365",
        f"{HOME}/article/1",
        *(f"{HOME}/article/1?from=1&to={latest}&mode={mode}" for mode in ("inline", "side-by-side", "changes")),
        *(f"{HOME}/article/1/{number}" for number in range(1, latest + 1)),
    ]


ECHOES = [
    f"{HOME}/search?q=",
    f"{HOME}/changes?words=",
    f"{HOME}/changes?outlet=",
    f"{HOME}/changes?kind=",
    f"{HOME}/outlet/",
    f"{HOME}/article/1?mode=",
    "/-/redline/",
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("hostile") / "archive.db"
    archive = hostile_archive(path, HOSTILE)
    browser = Browser(path)
    yield browser
    browser.close()
    archive.close()


@pytest.mark.parametrize("path", [*pages(4), f"{HOME}/search?q=evil"])
def test_s7_no_text_of_others_becomes_markup(hostile: Browser, path: str) -> None:
    page = hostile.get(path).text
    assert "evil" in page
    assert_harmless(page)


@pytest.mark.parametrize("text", [*HOSTILE, "//evil.example", "/\\evil.example"])
def test_s7_what_a_visitor_sends_comes_back_as_text(hostile: Browser, text: str) -> None:
    for path in ECHOES:
        response = hostile.ask(path + quote(text, safe=""))
        if response.status_code == 302:  # Datasette tries its own spelling of a path that it did not find
            assert response.headers["location"].startswith("/-/redline/")
            response = hostile.ask(response.headers["location"])
        assert response.status_code in (200, 404), path
        assert_harmless(response.text)


def test_s7_feeds_of_changes_are_well_formed_and_hold_text(hostile: Browser) -> None:
    feed = ElementTree.fromstring(hostile.get(f"{HOME}/changes.atom").content)
    contents = feed.findall("{*}entry/{*}content")
    assert contents
    for content in contents:
        assert content.get("type") == "html"
        assert_harmless(f"<html><body>{content.text}</body></html>")
    links = [link.get("href", "") for link in feed.iter("{http://www.w3.org/2005/Atom}link")]
    assert all(link.startswith("http") for link in links)
    for item in json.loads(hostile.get(f"{HOME}/changes.json").text)["items"]:
        assert_harmless(f"<html><body>{item['content_html']}</body></html>")
        assert item.get("external_url", "https://").startswith("http")


def test_s7_cells_of_the_tables_are_text_too(hostile: Browser) -> None:
    tables = {table["name"] for table in hostile.get("/archive.json").json()["tables"] if not table["hidden"]}
    assert {"feeds", "articles", "entries", "captures", "versions", "changes", "titles", "hosts"} <= tables
    for table in (*tables, "latest_changes", "version_text"):
        page = hostile.get(f"/archive/{table}").text
        tree = html.document_fromstring(page)
        assert not tree.xpath("//evil | //img | //iframe | //*[@*[starts-with(name(), 'on') and contains(., 'evil')]]")
        assert not [link for link in tree.xpath("//@href | //@src") if re.match(r"\s*(javascript|data):", link)], table
        assert "<script>evil" not in page


texts = st.lists(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(max_size=40),
        st.text(alphabet="<>&\"'`=/-!;{}[]+()abc \n\u2028\u202e\ufffe\x0b", max_size=60),
    ),
    min_size=13,
    max_size=13,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts)
def test_s7_no_text_at_all_becomes_markup(
    tmp_path_factory: pytest.TempPathFactory, opened: Callable[..., Browser], texts: list[str]
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "archive.db"
    with hostile_archive(path, texts) as archive:
        browser = opened(path)
        # Some texts make a visit that the archive takes for no article: a wall, an error page.
        for page in pages(len(archive.versions(1))):
            assert_harmless(browser.get(page).text)
        ElementTree.fromstring(browser.get(f"{HOME}/changes.atom").content)


@given(st.text(), st.text(alphabet="<>&\"'ab [-]{+}", max_size=30))
def test_s7_each_filter_escapes(text: str, marks: str) -> None:
    shown = [
        telling.plain(text),
        telling.headline(text, marks),
        telling.summary(marks),
        telling.summary(text),
        telling.marked(text, marks),
        telling.link(text, marks),
        telling.link(f"https://example.org/{text}"),
    ]
    for markup in shown:
        assert_harmless(f"<html><body><p>{markup}</p></body></html>")
    assert re.fullmatch(r'(lang="[A-Za-z0-9-]+" )?dir="(auto|rtl)"', telling.lang(text))


@given(
    st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.none()), st.sampled_from([*cells._BY_NAME, "x"])
)
def test_s7_a_cell_of_any_value_is_harmless(value: object, column: str) -> None:
    row = {"headline": value, "article_id": value}
    for name in (column, "headline"):
        shown = cells.cell(row, value, name, None, "/-/redline/archive")
        assert_harmless(f"<html><body><p>{shown or ''}</p></body></html>")
