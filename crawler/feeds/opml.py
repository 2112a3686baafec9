"""OPML: the lists of feeds that feed readers exchange (opml.org)."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET  # to write only: what others wrote is read by `body.tree`
from collections.abc import Iterable

from crawler import urls
from crawler.errors import FeedError
from crawler.feeds import body
from crawler.feeds.entries import MAX_TITLE_CHARS
from crawler.feeds.pages import feed_address
from crawler.items import FeedLink

MAX_LINKS = 10_000

_ACTING = re.compile("[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def read_opml(document: bytes) -> list[FeedLink]:
    """Return the feeds of an OPML list, each once, folders opened. Raises `FeedError` when it is none."""
    text = body.text_of(body.gunzipped(document), None)
    if body.root_name(text) not in ("opml", "outline"):
        raise FeedError(
            "not an OPML list: export your feeds from the reader as OPML, or add one with `redline add URL`"
        )
    links: dict[str, FeedLink] = {}
    for element in body.tree(text).iter():
        if body.local_name(element) != "outline":
            continue
        # Readers spell it xmlUrl, xmlurl and XMLURL.
        attributes = {str(name).lower(): " ".join(str(value).split()) for name, value in element.attrib.items()}
        address = feed_address(attributes.get("xmlurl", ""), None)
        if address is None or len(links) >= MAX_LINKS:
            continue
        site = attributes.get("htmlurl")
        title = attributes.get("title") or attributes.get("text") or ""
        link = FeedLink(
            url=address,
            title=title[:MAX_TITLE_CHARS] if title != attributes["xmlurl"] else "",
            site_url=urls.clean(site) if site else None,
        )
        links.setdefault(urls.key(address), link)
    return list(links.values())


def write_opml(links: Iterable[FeedLink], title: str = "Redline") -> bytes:
    """Return an OPML 2.0 list that `read_opml` and every feed reader reads, one line a feed."""
    opml = ET.Element("opml", version="2.0")
    ET.SubElement(ET.SubElement(opml, "head"), "title").text = body.printable(title)
    outlines = ET.SubElement(opml, "body")
    for link in links:
        name = body.printable(link.title) or link.url
        attributes = {"type": "rss", "text": name, "title": body.printable(link.title), "xmlUrl": link.url}
        if link.site_url:
            attributes["htmlUrl"] = link.site_url
        ET.SubElement(outlines, "outline", {name: value for name, value in attributes.items() if value})
    ET.indent(opml)
    # A list is looked at in a terminal too: what would act there is written as its number, which readers of XML undo.
    written = _ACTING.sub(lambda found: f"&#{ord(found[0])};", ET.tostring(opml, encoding="unicode"))
    return f"<?xml version='1.0' encoding='UTF-8'?>\n{written}\n".encode()
