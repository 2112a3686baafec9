"""Bytes of a page -> `Article`. One pass: read, judge, put together."""

from __future__ import annotations

from collections.abc import Mapping

from crawler.extract import body as bodies
from crawler.extract import metadata
from crawler.extract.page import Page, read
from crawler.items import Article, Block, BlockKind, Headlines

_KINDS = {
    "li": BlockKind.LIST_ITEM,
    "blockquote": BlockKind.QUOTE,
    "tr": BlockKind.TABLE_ROW,
    "figcaption": BlockKind.CAPTION,
}


def article(body: bytes, url: str, *, encoding: str | None = None, headers: Mapping[str, str] | None = None) -> Article:
    """Return the article that a page holds, with a verdict on the capture. Never raises; the same bytes, the same article."""
    page = read(body, encoding=encoding, headers=headers)
    meta = metadata.read(page, url)
    h1 = _h1(page, meta)
    body_found = bodies.find(
        page, bodies.Known(headline=h1, authors=tuple(a.name for a in meta.authors), text=meta.body)
    )
    headline = h1 or meta.headline or meta.og_title or page.title
    return Article(
        url=url,
        headline=headline,
        description=meta.description,
        authors=tuple(meta.authors),
        blocks=tuple(Block(text=part.line.text, kind=part.kind) for part in body_found.parts),
        date_published=meta.date_published,
        date_modified=meta.date_modified,
        section=meta.section,
        tags=tuple(meta.tags),
        language=meta.language,
        headlines=Headlines(h1=h1, title=page.title, og=meta.og_title, json_ld=meta.headline),
        canonical_url=meta.canonical_url,
        amp_url=meta.amp_url,
        is_paywalled=meta.is_free is False,
    )


def _kind(tag: str) -> BlockKind:
    return BlockKind.HEADING if tag[0] == "h" and tag[1:].isdigit() else _KINDS.get(tag, BlockKind.PARAGRAPH)


def _h1(page: Page, meta: metadata.Metadata) -> str:
    found = [line.text for line in page.lines if line.box.tag == "h1"]
    return found[0] if found else ""
