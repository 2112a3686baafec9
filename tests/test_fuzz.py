"""What must hold of any input (`fuzz.targets`), on every crash of the past, on where searches begin, and on inputs that
are made to fit. A crash that `make fuzz` finds becomes a small file in tests/data/crashes/TARGET/.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.targets import DATA, SEEDS, TARGETS, crashes, seeds

CRASHES = [(name, path) for name in TARGETS for path in crashes(name)]


@pytest.mark.parametrize(("name", "path"), CRASHES, ids=[f"{name}-{path.name}" for name, path in CRASHES])
def test_what_crashed_once_does_so_no_more(name, path):
    TARGETS[name](path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_every_promise_holds_where_the_search_for_a_breach_begins(name):
    for seed in seeds(name):
        TARGETS[name](seed)


def test_every_folder_of_crashes_has_its_target():
    assert {path.name for path in (DATA / "crashes").iterdir()} <= TARGETS.keys()
    assert SEEDS.keys() == TARGETS.keys()


def pieces(text: str, *others: str, join: str = "") -> st.SearchStrategy[bytes]:
    """Bytes put together from the words of `text` and `others`, and from what is no text at all."""
    known = st.sampled_from([*text.split(), *others]).map(lambda piece: piece.encode("utf-8", "surrogatepass"))
    return st.lists(known | st.binary(max_size=4), max_size=25).map(join.encode().join)


PAGES = pieces(
    "<html> <head> <body> <main> <article> <div> <div hidden> <p> </p> <h1> </h1> <h2> <ul> <li> <table> <tr> <td>"
    " <figure> <figcaption> <img> <a> </a> <br> <time> <script> </script> <svg> <template> <!-- --> <blockquote>"
    " &amp; &#0; &#xD800; &shy;",
    "<img src=x srcset='a 1x'>",
    "<time datetime=0001-01-01>",
    "<meta name=author content='By Ann Bee, Editor'>",
    '<script type="application/ld+json">{"@type":"NewsArticle"}</script>',
    "<link rel=canonical href=//[>",
    "<p>Correction: the bridge was opened in 1950, and not in 1940 as was said.</p>",
    "<p>A sentence of the article that is long enough to be taken for its prose, and so it is.</p>" * 3,
    "\ud800",
    "\ufeff",
    "\u202e",
)
FEEDS = pieces(
    "<rss> <channel> <item> </item> <title> </title> <link> </link> <guid> <pubDate> <description> <content:encoded>"
    " <feed> <entry> <id> <updated> <urlset> <url> <loc> <sitemapindex> <sitemap> <lastmod> <?xml <!DOCTYPE [ ]>"
    " <![CDATA[ ]]> <html> <a",
    "<feed xmlns='http://www.w3.org/2005/Atom' xml:base='//'>",
    "https://example.org/2026/a-b-c-d",
    '{"items":[{"id":1e999,"url":"https://example.org/a","title":"\\ud800"}]}',
    "9999-12-31T23:59:59-14:00",
    "\x00",
    "\ufeff",
)
HEADERS = pieces(
    "Sat, 28 Nov 2026 Jan 31 12:00:00 GMT -9999 +2400 max-age = ; , : 99999999999999999999 -1 1.5 redline: noarchive"
    ' noindex unavailable_after: W/"a" charset=utf-16 text/html http:// // \\ https:a <meta name=robots content=a>',
    join=" ",
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(["NewsArticle", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-01:00", "\ud800", "\0", "http://["])
    | st.text(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                "@type @graph @id author name url headline datePublished dateModified image keywords correction"
                " publisher articleSection articleBody jobTitle isAccessibleForFree description".split()
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(PAGES)
def test_f5_any_page_is_read_and_stored_and_reads_the_same_again(data):
    TARGETS["page"](data)


@given(st.sampled_from("utf-8 utf-7 utf-16 windows-1251 x rot13 iso-2022-jp shift_jis".split()), PAGES)
def test_f5_any_charset_may_be_said_of_any_page(name, data):
    TARGETS["charset"](f"text/html; charset={name}\n".encode() + data)


@given(JSON)
def test_any_json_ld_leaves_an_article_that_can_be_stored(value):
    said = {"@type": "NewsArticle", **value} if isinstance(value, dict) else {"@type": "NewsArticle", "author": value}
    TARGETS["json_ld"](json.dumps(said).encode())
    TARGETS["json_ld"](json.dumps(value).encode())


@given(FEEDS)
def test_any_feed_is_read_or_refused(data):
    TARGETS["feed"](data)


@given(pieces("<opml> <body> <outline <outline> </outline> /> > xmlUrl='feed://a.example/' text='&lt;' htmlUrl=''"))
def test_any_list_of_feeds_is_read_or_refused(data):
    TARGETS["opml"](data)


@given(
    pieces(
        "http:// https:// // : / ? # @ \\ % %2e %2F .. . ; & = www. m. amp .amp example.org [::1] 127.0.0.1 0x7f 1 :443"
        " utm_source=a ref=b ;jsessionid=1 ü 東京 ß xn-- \u3002",
        "\u00a0",
        "\x01",
        " ",
        "\t",
        "\n",
    )
)
def test_any_address_is_cleaned_once_and_keeps_its_key(data):
    TARGETS["url"](data)


@given(HEADERS)
def test_any_header_is_read(data):
    TARGETS["headers"](data)


@given(
    pieces(
        "User-agent: Disallow: Allow: Crawl-delay: * / $ nan inf -1 1e400 0.5 redline Sitemap: Request-rate: 1/0", "\n"
    )
)
def test_any_robots_txt_is_read(data):
    TARGETS["robots"](data)


SIDE = pieces(
    "<ins> </ins> <del> </del> <p> </p> <script> &lt; & < > [- -] {+ +} {moved: } said claimed not 1.5% 東京 it’s it's",
    " ",
    " ",
    "\n",
    "One sentence of six words here. ",
    "\u00ad",
    "\x1b[31m",
    "\u202e",
    "e\u0301",
)


@given(SIDE, SIDE)
def test_s8_any_two_texts_are_rebuilt_from_a_difference_that_is_text_only(old, new):
    TARGETS["difference"](old + b"\x1e" + new)


@given(pieces("\" ' * - ( ) : ^ + AND OR NOT NEAR headline: 東京 a é", " "), SIDE)
def test_s19_whatever_is_searched_for_is_text(query, text):
    TARGETS["words"](query.replace(b"\n", b" ") + b"\n" + text)
