"""RSS, RDF and Atom, which feedparser reads, and JSON Feed."""

from __future__ import annotations

import io
import json
import re
from calendar import timegm
from datetime import UTC, datetime, timedelta
from time import struct_time
from typing import Any

from lxml import etree

from crawler import urls
from crawler.errors import FeedError
from crawler.feeds import body
from crawler.feeds.entries import MAX_TITLE_CHARS, Entries, plain
from crawler.items import Feed, FeedFormat

_NAMESPACES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "dcterms": "http://purl.org/dc/terms/",
    "feedburner": "http://rssnamespace.org/feedburner/ext/1.0",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}
# Not stored, and slow in feedparser: its address pattern takes quadratic time over a long author, its tags likewise.
_UNUSED = frozenset({"author", "creator", "contributor", "publisher", "managingeditor", "webmaster", "category", "tags",
                     "keywords", "image", "cloud", "textinput", "subject", "source", "group", "thumbnail"})  # fmt: skip
_PERIOD_MINUTES = {"hourly": 60, "daily": 1_440, "weekly": 10_080, "monthly": 43_200, "yearly": 525_600}
_NAME = re.compile(r"[A-Za-z_][\w.-]{0,99}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(?:[-_][A-Za-z0-9]{1,8}){0,4}")


def read_xml(text: str, url: str, max_entries: int) -> Feed:
    """Return an RSS, RDF or Atom feed."""
    import feedparser  # 60 ms, which `redline --help` need not wait for

    entries = Entries(url, max_entries)
    document = _tamed(text, entries)
    try:
        # A stream: feedparser would take bytes for a file's name and try to open it. No Content-Location: it would
        # make ids absolute, and they would change when the feed moves.
        parsed = feedparser.parse(
            io.BytesIO(document),
            response_headers={"content-type": "application/xml; charset=utf-8"},
            resolve_relative_uris=False,
            sanitize_html=False,
        )
    except Exception as cause:  # it promises none, and odd documents have brought ValueError, KeyError and more
        raise FeedError(f"feedparser stumbled over this feed ({cause!r}); please report the feed") from cause
    version, channel = parsed.get("version") or "", parsed["feed"]
    if version.startswith("atom"):
        format = FeedFormat.ATOM
    else:
        format = FeedFormat.RDF if body.root_name(text) == "rdf" else FeedFormat.RSS
    site_url = urls.clean(_text(channel.get("link")), url) if channel.get("link") else None
    # RSS does not say what relative links are relative to; its writers mean their site.
    base = site_url if site_url and format is not FeedFormat.ATOM else url
    for item in parsed["entries"]:
        entries.add(
            id=_text(item.get("id")),
            url=_address(item),
            base=base,
            title=_shown(item, "title"),
            summary=_shown(item, "summary"),
            published=_instant(item, "published") or _instant(item, "created"),
            modified=_instant(item, "updated"),
        )
    links = [link for link in channel.get("links") or [] if isinstance(link, dict)]
    hubs = [urls.clean(_text(link.get("href")), url) for link in links if link.get("rel") == "hub" and link.get("href")]
    return Feed(
        url=url,
        format=format,
        title=_shown(channel, "title")[:MAX_TITLE_CHARS],
        site_url=site_url,
        language=_language(channel.get("language")),
        entries=entries.result(),
        hub=next(filter(None, hubs), None),
        refresh_minutes=_refresh_minutes(channel),
        warnings=entries.warnings(),
    )


def _tamed(text: str, entries: Entries) -> bytes:
    """Return the feed as well-formed XML without what is not used, so that feedparser's work is bounded."""
    root = body.tree(text)
    kept = 0
    for element in list(root.iter()):
        name = body.local_name(element)
        parent = element.getparent()
        is_item = name in ("item", "entry")
        kept += is_item
        if parent is not None and (name in _UNUSED or (is_item and kept > entries.max_entries)):
            if is_item:
                entries.note(f"over the limit of {entries.max_entries:,}, left out")
            _remove(parent, element)
            continue
        if isinstance(element.tag, str) and ":" in element.tag.rpartition("}")[2]:  # a prefix that nobody declared
            prefix, _, local = element.tag.rpartition("}")[2].partition(":")
            if prefix in _NAMESPACES and _NAME.fullmatch(local):
                element.tag = f"{{{_NAMESPACES[prefix]}}}{local}"
            elif parent is not None:
                _remove(parent, element)
                continue
        if element.text and len(element.text) > body.MAX_TEXT_CHARS:
            entries.note(f"with a text cut at {body.MAX_TEXT_CHARS:,} characters")
            element.text = element.text[: body.MAX_TEXT_CHARS]
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def _remove(parent: etree._Element, element: etree._Element) -> None:
    element.tail = None
    parent.remove(element)


def _address(item: Any) -> str:
    """Return the article's own address: before FeedBurner's detour, by preference a page, last a permalink."""
    pages = [
        link.get("href")
        for link in item.get("links") or []
        if link.get("rel") == "alternate" and "html" in (link.get("type") or "html")
    ]
    found = [item.get("feedburner_origlink"), *pages, item.get("link"), _permalink(item.get("id"))]
    return next((text for text in map(_text, found) if text), "")


def _permalink(id: object) -> str:
    return id if isinstance(id, str) and re.match(r"https?://", id) else ""


def _shown(item: Any, field: str) -> str:
    text = _text(item.get(field))
    detail = item.get(f"{field}_detail")
    type = detail.get("type") if isinstance(detail, dict) else None
    return plain(text) if type != "text/plain" else text


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _instant(item: Any, field: str) -> datetime | str | None:
    """Return a date that feedparser could read, in UTC; the text of one that it could not; None for none."""
    parsed = item.get(f"{field}_parsed") if f"{field}_parsed" in item else None
    if isinstance(parsed, struct_time):
        try:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=timegm(parsed))
        except (OverflowError, ValueError):
            return "out of range"
    return _text(item.get(field)) if field in item else None


def _refresh_minutes(channel: Any) -> int | None:
    ttl = _text(channel.get("ttl"))
    if re.fullmatch("[0-9]{1,6}", ttl):
        return int(ttl) or None
    period = _PERIOD_MINUTES.get(_text(channel.get("sy_updateperiod")).lower())
    frequency = _text(channel.get("sy_updatefrequency")) or "1"
    if period is None or not re.fullmatch("[0-9]{1,6}", frequency) or not int(frequency):
        return None
    return max(1, period // int(frequency))


def _language(value: object) -> str | None:
    return value.replace("_", "-") if isinstance(value, str) and _LANGUAGE.fullmatch(value) else None


def read_json(text: str, url: str, max_entries: int) -> Feed:
    """Return a JSON Feed, version 1 or 1.1 (jsonfeed.org)."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise FeedError(f"the JSON is broken ({cause}); the next visit may be better") from cause
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise FeedError("JSON, but no JSON Feed: it has no list of items; watch the outlet's feed, not its API")
    entries = Entries(url, max_entries)
    for item in document["items"]:
        if not isinstance(item, dict):
            entries.note("without an http(s) address, left out")
            continue
        id, summary = item.get("id"), _text(item.get("summary")) or _text(item.get("content_text"))
        entries.add(
            id=str(id) if isinstance(id, int | float) else _text(id),
            url=_text(item.get("url")) or _text(item.get("external_url")) or _permalink(id),
            title=_text(item.get("title")),
            summary=summary or plain(_text(item.get("content_html"))),
            published=_text(item.get("date_published")),
            modified=_text(item.get("date_modified")),
        )
    hubs = document.get("hubs")
    hub = next((_text(hub.get("url")) for hub in hubs if isinstance(hub, dict)), "") if isinstance(hubs, list) else ""
    site = _text(document.get("home_page_url"))
    return Feed(
        url=url,
        format=FeedFormat.JSON,
        title=plain(_text(document.get("title")))[:MAX_TITLE_CHARS],
        site_url=urls.clean(site, url) if site else None,
        language=_language(document.get("language")),
        entries=entries.result(),
        hub=urls.clean(hub, url) if hub else None,
        warnings=entries.warnings(),
    )
