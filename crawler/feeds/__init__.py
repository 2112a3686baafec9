"""Feeds: bytes of a document -> `Feed`; a page -> the feeds it announces; OPML both ways.

    body         bytes -> text -> tree: charsets, gzip, hostile XML, all bounded
    entries      what all formats share: an entry made, checked, counted; plain text; dates
    syndication  RSS, RDF and Atom (by feedparser), JSON Feed
    sitemaps     news sitemaps, plain ones, indexes
    pages        a section page's articles; the feeds that a page announces; guesses where it announces none
    opml         lists of feeds

Nothing here fetches, and no input raises anything but `FeedError`.
"""

from __future__ import annotations

import re

from crawler import urls
from crawler.errors import FeedError
from crawler.feeds import body, pages, sitemaps, syndication
from crawler.feeds.opml import read_opml, write_opml
from crawler.feeds.pages import discover, guesses
from crawler.items import Feed

__all__ = ["discover", "guesses", "parse", "read_opml", "write_opml"]

# Systems print warnings, blank lines or comments before the XML; the feed behind them is whole.
_ROOT_BEHIND_JUNK = re.compile(r"<(?:[A-Za-z][\w-]{0,30}:)?(?:rss|feed|RDF|urlset|sitemapindex)[\s>]")
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|a|div|p|table|title|meta)[\s>]", re.IGNORECASE)


def parse(
    document: bytes,
    url: str,
    *,
    content_type: str | None = None,
    max_entries: int = 2000,
    max_bytes: int = body.MAX_BODY_BYTES,
) -> Feed:
    """Return the feed that a document holds: RSS, RDF, Atom, JSON Feed, a sitemap or a section page.

    `url` is where it was read, for links that are relative. Addresses are absolute http(s), ids unique, texts plain,
    dates UTC; what was left out or repaired is in `warnings`. A server's `content_type` says the charset; what the
    document is, the document says. Raises `FeedError` for what is no feed, with what to try next.
    """
    text = body.text_of(body.gunzipped(document, max_bytes), content_type)
    start = text.lstrip("\ufeff \t\r\n")
    if not start:
        raise FeedError("the document is empty; the next visit may bring it")
    if start.startswith(("{", "[")):
        return syndication.read_json(start, url, max_entries)
    root = body.root_name(text)
    if root not in ("rss", "feed", "rdf", "channel", "urlset", "sitemapindex", "html", "opml"):
        junk = _ROOT_BEHIND_JUNK.search(text[:20_000])
        if junk:
            text = text[junk.start() :]
            root = body.root_name(text)
    match root:
        case "rss" | "feed" | "rdf" | "channel":
            return syndication.read_xml(text, url, max_entries)
        case "urlset":
            return sitemaps.read(text, url, max_entries)
        case "sitemapindex":
            return sitemaps.read_index(text, url)
        case "opml":
            raise FeedError("this is an OPML list of feeds, not a feed: use `redline import FILE.opml`")
    if _HTML.search(text[:100_000]):
        return pages.read(text, url, max_entries)
    kind = f"XML with the root <{root}>" if root else "neither XML, JSON nor a web page"
    raise FeedError(
        f"this is {kind}, not a feed; `redline add {urls.clean('/', url) or url}` looks for the site's feeds"
    )
