"""Feeds of every format: one small file per behaviour in `data/feeds/`, its expectation in the `.json` beside it.

An expectation names the `url` it was read at and the fields of the `Feed` that the file is about; `entries` lists the
fields of each entry that matter. `error` is a pattern for the message of the `FeedError` instead.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
from dataclasses import fields
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler import feeds, urls
from crawler.errors import FeedError
from crawler.feeds.body import printable
from crawler.items import FeedLink
from tests.growth import assert_linear

URL = "https://example.com/feed"

DATA = Path(__file__).parent / "data" / "feeds"
CASES = sorted(path for path in DATA.iterdir() if not path.name.endswith(".expected.json"))


def plainly(value: object) -> Any:
    """Return what JSON would hold."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [plainly(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: plainly(getattr(value, field.name)) for field in fields(value)}
    return value


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_a_feed_is_read_as_expected(path):
    expected = json.loads((DATA / f"{path.name}.expected.json").read_text(encoding="utf-8"))
    url, content_type = expected.pop("url", "https://example.com/feed"), expected.pop("content_type", None)
    expected.pop("about")
    if "error" in expected:
        with pytest.raises(FeedError) as caught:
            feeds.parse(path.read_bytes(), url, content_type=content_type)
        assert re.search(expected["error"], str(caught.value))
        return
    feed = plainly(feeds.parse(path.read_bytes(), url, content_type=content_type))
    entries = expected.pop("entries", None)
    assert {name: feed[name] for name in expected} == expected
    assert [{name: got[name] for name in want} for got, want in zip(feed["entries"], entries or [], strict=False)] == (
        entries or []
    )
    if entries is not None:
        assert len(feed["entries"]) == len(entries)
    assert feed["warnings"] == expected.get("warnings", [])


RSS = "<rss version='2.0'><channel><link>https://example.com/</link>{}</channel></rss>"
ITEM = "<item><title>{0}</title><link>https://example.com/{0}</link></item>"


def test_s14_fifty_thousand_items_are_capped():
    feed = feeds.parse(RSS.format("".join(map(ITEM.format, range(50_000)))).encode(), URL)
    assert [entry.title for entry in feed.entries] == [str(number) for number in range(2_000)]
    assert feed.warnings == ("48,000 entries over the limit of 2,000, left out",)


def test_s14_of_a_large_sitemap_the_newest_are_kept_in_order():
    lines = [f"<url><loc>https://example.com/{n}</loc><lastmod>20{n:02}-01-01</lastmod></url>" for n in range(10, 50)]
    feed = feeds.parse(f"<urlset>{''.join(lines)}</urlset>".encode(), URL, max_entries=3)
    assert [entry.url for entry in feed.entries] == [f"https://example.com/{n}" for n in (47, 48, 49)]
    assert feed.warnings == ("37 entries over the limit of 3, left out",)


def test_s14_a_title_of_ten_megabytes_is_cut_and_the_rest_is_kept():
    feed = feeds.parse(RSS.format(ITEM.format("x" * 10_000_001) + ITEM.format("next")).encode(), URL)
    assert [entry.title for entry in feed.entries] == ["next"]
    long = ITEM.format("next").replace("next</title>", "x" * 10_000_001 + "</title>")
    feed = feeds.parse(RSS.format(long + ITEM.format("last")).encode(), URL)
    assert [len(entry.title) for entry in feed.entries] == [1_000, 4]
    assert any("cut at" in warning for warning in feed.warnings)


@pytest.mark.parametrize("size", [100_000_000, 40_000_000])
def test_s12_a_gzip_bomb_is_refused(size):
    with pytest.raises(FeedError, match="larger than 32 MiB"):
        feeds.parse(gzip.compress(bytes(size)), URL)


def test_damaged_gzip_is_a_feed_error():
    with pytest.raises(FeedError, match="gzip"):
        feeds.parse(b"\x1f\x8b" + b"nonsense" * 9, URL)


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<a ",
        "<a>",
        "&",
        "<!--",
        "<![CDATA[",
        "<?",
        "<!DOCTYPE [",
        "\n<!ENTITY ",
        "]>",
        "[",
        '{"a":',
        "\0",
        "&#9",
        "<p>",
    ],
)
@pytest.mark.parametrize("start", ["", "<rss><channel><item><title>", "<html><body>", "<urlset><url><loc>", "<opml>"])
def test_s17_hostile_repetition_takes_time_in_proportion_to_it(start, piece):
    def read(body):
        for reader in (feeds.parse, feeds.discover, lambda body, _: feeds.read_opml(body)):
            with contextlib.suppress(FeedError):
                reader(body, URL)

    assert_linear(read, lambda n: (start + piece * n).encode(), 3_000 // len(piece))


LINK = "<link>https://example.com/2026/a</link>"


@pytest.mark.parametrize("nested", ["<div>", "<a href=/2026/05/06/one-two-three-four><div>", "<h2><a href=/a-b-c-d>x"])
def test_s16_a_page_that_nests_without_end_takes_time_in_proportion_to_it(nested):
    def refuse(body):
        with pytest.raises(FeedError):
            feeds.parse(body, URL)

    assert_linear(refuse, lambda n: ("<html><body>" + nested * (600 + n)).encode(), 2_000)


def test_s11_entities_in_entities_take_no_time_and_no_room():
    names = "abcdefghijklmnop"
    laughs = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(names))  # 10 ** 15 letters
    long = f'<!ENTITY long "{"x" * 100_000}">'
    item = f"<item><title>{{}}</title>{LINK}</item>"
    body = f'<!DOCTYPE rss [<!ENTITY a "ha">{laughs}{long}]><rss><channel>{item}</channel></rss>'

    laughing, long_winded = (feeds.parse(body.format(text).encode(), URL) for text in ("&p;", "&long;" * 1000))

    assert laughing.entries[0].title == "&p;"
    assert len(long_winded.entries[0].title) <= 1000
    assert_linear(lambda text: feeds.parse(text, URL), lambda n: body.format("&long;" * n).encode(), 5_000)


@pytest.mark.parametrize("document", ["rss", "opml", "urlset", "feed"])
def test_s10_no_file_and_no_address_is_read_for_an_xml_document(document, tmp_path, monkeypatch):
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret")
    asked = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: asked.append(address))
    dtd = (
        f'<!DOCTYPE {document} SYSTEM "http://127.0.0.1:9/{document}.dtd" [<!ENTITY % outer SYSTEM "{secret.as_uri()}">'
        f'%outer; <!ENTITY inner SYSTEM "{secret.as_uri()}"><!ENTITY web SYSTEM "http://127.0.0.1:9/web">]>'
    )
    # An XInclude and a stylesheet ask for files without any entity.
    reach = f'<include xmlns="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}" parse="text"/>'
    body = (
        f'<?xml-stylesheet href="{secret.as_uri()}" type="text/xsl"?>{dtd}<{document}><channel><item>'
        f"<title>&inner;&web;{reach}</title>{LINK}</item></channel><url><loc>https://example.com/&inner;</loc></url>"
        f'<outline xmlUrl="https://example.com/f" text="&inner;"/><entry><id>&inner;</id>{LINK}</entry></{document}>'
    ).encode()

    read = []
    for reader in (feeds.parse, feeds.discover, lambda body, _: feeds.read_opml(body)):
        with contextlib.suppress(FeedError):
            read.append(reader(body, URL))

    assert read
    assert "secret" not in repr(read).replace("secret.txt", "")
    assert asked == []


PIECES = st.sampled_from(
    "<rss> <channel> <item> <title> </title> <link> </link> https://example.com/a <guid> </item> <feed> <entry> <id> x"
    " <urlset> <url> <loc> </loc> <sitemapindex> <sitemap> <opml> <outline xmlUrl='https://example.com/f'/> <html> <a"
    ' href=/a-b-c-d> </a> <h2> <![CDATA[ ]]> &amp; &nbsp; &#0; <!DOCTYPE {"items":[ {"id":1e999 } ] \ud800 \0 base64'
    " <pubDate>9999 </pubDate> <category> <author> <media:x> <ttl>99999999999 <link/>"
    " type='text/html' xml:base='//'".split()
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(PIECES, max_size=25).map(lambda pieces: " ".join(pieces).encode("utf-8", "surrogatepass")),
)


@settings(max_examples=200, deadline=None)
@given(BODIES, st.one_of(st.just("https://example.com/feed"), st.text(max_size=20)), st.one_of(st.none(), st.text()))
def test_no_input_raises_anything_but_a_feed_error(body, url, content_type):
    with contextlib.suppress(FeedError):
        feed = feeds.parse(body, url, content_type=content_type, max_entries=3)
        assert len({entry.id for entry in feed.entries}) == len(feed.entries) <= 3
        assert all(entry.url.startswith(("http://", "https://")) for entry in feed.entries)
        assert all("\0" not in entry.title + entry.summary + entry.id for entry in feed.entries)
    with contextlib.suppress(FeedError):
        feeds.read_opml(body)
    feeds.discover(body, url)
    feeds.guesses(url)


def test_the_feeds_of_a_page_are_found_in_order():
    page = b"""<?xml version="1.0" encoding="utf-8"?><!DOCTYPE html><html><head><base href="https://example.com/">
      <link rel="stylesheet" href="/feed.xml">
      <link rel="alternate" type="application/rss+xml" title="Comments" href="/comments/feed/">
      <link rel="alternate" type="application/rss+xml" title="All &amp; more" href="feed/">
      <link rel="ALTERNATE" type="application/atom+xml; charset=utf-8" href="https://example.com/atom.xml">
      <link rel="alternate" type="application/feed+json" href="/feed.json">
      <link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">
      <link rel="alternate" type="application/json+oembed" href="/oembed?url=x">
      <link rel="alternate" hreflang="uk" href="/uk/">
      <link rel="alternate" type="application/rss+xml" href="javascript:alert(1)"></head>
      <body><a href="feed://example.com/sport.rss">Sport</a>
      <a href="/feed/">All again</a><a href="/feedback">No</a><a href="/news-feed/">No</a></body>"""
    assert [(link.url, link.title) for link in feeds.discover(page, "https://www.example.com/news")] == [
        ("https://example.com/feed/", "All & more"),
        ("https://example.com/atom.xml", ""),
        ("https://example.com/feed.json", ""),
        ("http://example.com/sport.rss", "Sport"),
        ("https://example.com/comments/feed/", "Comments"),
    ]


def test_guesses_start_below_the_section():
    guesses = feeds.guesses("https://example.com/news/?page=2")
    assert guesses[:3] == [
        "https://example.com/news/feed/",
        "https://example.com/news/rss.xml",
        "https://example.com/feed/",
    ]
    assert len(guesses) == len(set(guesses)) <= 15
    assert feeds.guesses("javascript:alert(1)") == []


def test_opml_folders_are_opened_and_feeds_listed_once():
    opml = b"""<?xml version="1.0"?><!DOCTYPE opml [<!ENTITY a "aaaa">]><opml version="1.0"><body>
      <outline text="News &amp; co"><outline text="One" xmlUrl="https://example.com/feed" htmlUrl="https://example.com/"/>
      <outline text="Deeper"><outline title="Two" text="x" XMLURL="feed:https://example.org/rss"/></outline></outline>
      <outline text="Again" xmlUrl="http://www.example.com/feed/"/><outline text="Bad" xmlUrl="file:///etc/passwd"/>
      <outline text="AT&T &a;" xmlUrl="https://example.net/f"/></body></opml>"""
    assert feeds.read_opml(opml) == [
        FeedLink(url="https://example.com/feed", title="One", site_url="https://example.com/"),
        FeedLink(url="https://example.org/rss", title="Two"),
        FeedLink(url="https://example.net/f", title="AT&T &a;"),
    ]


def test_what_is_no_opml_says_so():
    with pytest.raises(FeedError, match="not an OPML list"):
        feeds.read_opml(b"<rss/>")


LINKS = st.builds(
    FeedLink,
    url=st.from_regex(r"https://[a-z]{1,8}\.example/[a-z0-9?=&-]{0,10}", fullmatch=True).map(urls.clean),
    title=st.text(max_size=30).map(lambda text: " ".join(printable(text).split())),
    site_url=st.one_of(st.none(), st.just("https://example.com/")),
)


@given(st.lists(LINKS, unique_by=lambda link: urls.key(link.url), max_size=8))
def test_opml_round_trips(links):
    assert feeds.read_opml(feeds.write_opml(links)) == links


def test_the_starter_set_is_a_dozen_feeds():
    links = feeds.read_opml((Path(__file__).parents[1] / "feeds.opml").read_bytes())
    assert len(links) >= 12
    assert "https://kyivindependent.com/feed/" in [link.url for link in links]
    assert all(link.title and link.site_url for link in links)
