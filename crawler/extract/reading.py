"""Bytes of a page -> `Article`. One pass: read, judge, put together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from crawler.extract import body as bodies
from crawler.extract import metadata, pictures, scripts, wordings
from crawler.extract.page import Page, parse, read
from crawler.extract.text import comparable
from crawler.items import Article, Block, BlockKind, Headlines, Image

_OUTLET = re.compile(r" [|–—-] ")


def article(body: bytes, url: str, *, encoding: str | None = None, headers: Mapping[str, str] | None = None) -> Article:
    """Return the article that a page holds, with a verdict on the capture. Never raises; the same bytes, the same article."""
    page = read(body, encoding=encoding, headers=headers)
    meta = metadata.read(page, url)
    top = _top(page, meta)
    h1 = page.lines[top].text.lstrip(":|– ") if top is not None else ""
    signed = metadata.people(meta.authors, meta.publisher, url)
    if not signed and top is not None:
        signed = metadata.bylines(page, url, max(0, top - 8), top + 15)
    authors = signed or meta.authors
    names = tuple(author.name for author in authors)
    known = bodies.Known(headline=h1 or meta.headline, authors=names, text=meta.body)
    found = bodies.find(page, known)
    drawn = None if found.parts else _drawn(page, known)
    prose = {part.line.index for part in found.parts}
    start = found.first if top is None or top > found.first else top
    figures = pictures.find(page, url, max(0, start - 15), min(len(page.lines), found.last + 4), prose, names)
    description = _standfirst(page, meta, start, found, figures) or next(iter(meta.descriptions), "")
    return Article(
        url=url,
        headline=_headline(h1, page, meta),
        description=description,
        authors=tuple(authors),
        blocks=drawn or _blocks(found, figures),
        images=tuple(Image(url=f.url, caption=f.caption, credit=f.credit) for f in figures),
        date_published=meta.date_published or _shown_date(page, start, url),
        date_modified=meta.date_modified,
        section=meta.section,
        tags=tuple(meta.tags),
        language=meta.language,
        headlines=Headlines(h1=h1, title=page.title, og=meta.og_title, json_ld=meta.headline),
        canonical_url=meta.canonical_url,
        amp_url=meta.amp_url,
        is_paywalled=meta.is_free is False,
    )


def _headline(h1: str, page: Page, meta: metadata.Metadata) -> str:
    """Return the headline as a reader sees it, with the kicker above it where the publisher counts that to it."""
    if not h1:
        return meta.headline or _without_outlet(meta.og_title or page.title)
    full, key = meta.og_title or meta.headline, comparable(h1).casefold()
    if comparable(full).casefold().endswith(": " + key):
        return f"{full[: len(full) - len(h1)].rstrip(': ')}: {h1}" if full.endswith(h1) else full
    return h1


def _without_outlet(title: str) -> str:
    """Return a `<title>` without the outlet's name at its end: "Bridge closed | The Example"."""
    parts = _OUTLET.split(title)
    while len(parts) > 1 and len(parts[-1].split()) < 5 and sum(map(len, parts[:-1])) > len(parts[-1]):
        parts.pop()
    return title[: sum(map(len, parts)) + 3 * (len(parts) - 1)] if len(parts) > 1 else parts[0]


def _drawn(page: Page, known: bodies.Known) -> tuple[Block, ...] | None:
    """Return the blocks of an article that the page's scripts draw, None if they hold none."""
    html = scripts.article_html(page.scripts)
    return _blocks(bodies.find(parse(html), known), []) if html else None


def _blocks(found: bodies.Body, figures: list[pictures.Figure]) -> tuple[Block, ...]:
    placed = [(part.line.index, Block(text=part.line.text, kind=part.kind)) for part in found.parts]
    placed += [(figure.line, Block(text=figure.text, kind=BlockKind.CAPTION)) for figure in figures]
    placed.sort(key=lambda pair: pair[0])
    return tuple(block for _, block in placed)


def _top(page: Page, meta: metadata.Metadata) -> int | None:
    """Return the index of the line that is the article's headline; None if the page shows none."""
    known = [comparable(text).casefold() for text in (meta.headline, meta.og_title, page.title) if text]
    best: tuple[float, int] | None = None
    for line in page.lines:
        if line.box.tag != "h1" and line.box.tag != "h2":
            continue
        key = comparable(line.text).casefold()
        score = max((_likeness(key, other) for other in known), default=0.0) + (0.3 if line.box.tag == "h1" else 0.0)
        if len(key.split()) < 3 and known and not any(key in other and len(key) * 2 > len(other) for other in known):
            score = min(score, 0.4)  # a section's or the outlet's name
        if score > 0.45 and (score > 0.8 or line.box.tag == "h1") and (best is None or score > best[0]):
            best = (score, line.index)
    return best[1] if best else None


def _shown_date(page: Page, start: int, url: str) -> datetime | None:
    """Return the first date that the page gives beside its headline, else one in its address, None if it gives none."""
    near = [metadata.moment(text) for text, line in page.times if start - 8 <= line <= start + 15]
    near += [metadata.written_moment(line.text) for line in page.lines[max(0, start - 8) : start + 15]]
    near += [metadata.written_moment(line.text) for line in page.lines[start + 15 :] if len(line.text) < 60]
    return next((at for at in near if at), None) or metadata.moment_in_address(url)


def _likeness(a: str, b: str) -> float:
    """Return how many of the shorter text's words are in the other, 0 to 1."""
    ours, theirs = set(a.split()), set(b.split())
    return len(ours & theirs) / max(1, min(len(ours), len(theirs)))


def _standfirst(
    page: Page, meta: metadata.Metadata, start: int, found: bodies.Body, figures: list[pictures.Figure]
) -> str:
    """Return the standfirst that a reader sees between headline and body, "" if there is none."""
    prose = {part.line.index for part in found.parts}
    captions = {figure.line for figure in figures}
    stop = min((part.line.index for part in found.parts), default=found.first)
    best = (0.0, "")
    for line in page.lines[max(0, start - 5) : stop]:
        size = bodies.size(line.text)
        if line.index in captions or line.index in prose or line.index == start or size < 30 or size > 1200:
            continue
        if line.link_chars * 2 > len(line.text) or any(b.tag in ("figure", "nav", "figcaption", "aside", "form", "button") for b in line.box.ancestors()):
            continue
        key = comparable(line.text).casefold()
        score = max((_likeness(key, comparable(d).casefold()) for d in meta.descriptions), default=0.0)
        if score < 0.6 and line.index > start and not wordings.makes_offer(line.text):
            score = 0.6 if any(wordings.names_standfirst(b.name) for b in (line.box, line.box.parent) if b) else 0.0
        if score > best[0] and score >= 0.6:
            best = (score, line.text)
    return best[1]


