"""Bytes of a page -> `Article`. One pass: read, judge, put together."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from crawler.extract import body as bodies
from crawler.extract import metadata, notices, pictures, quality, scripts, wordings
from crawler.extract.page import HEADINGS, Box, Line, Page, data_scripts, parse, to_utf8
from crawler.extract.text import comparable
from crawler.items import Article, Block, BlockKind, Headlines, Image, Notice, NoticeKind, Quality, Related

if TYPE_CHECKING:
    from crawler.extract.sites import SiteRule

# Lines before and after the headline among which a page names its authors and the day; the names and days of other
# articles stand further off.
_ABOVE_HEADLINE = 8
_BELOW_HEADLINE = 15
_NO_STANDFIRST = frozenset(("figure", "figcaption", "nav", "aside", "form", "button", "footer"))
_OUTLET = re.compile(r" [|–—-] ")


def read(
    body: bytes,
    url: str,
    *,
    encoding: str | None = None,
    headers: Mapping[str, str] | None = None,
    site: SiteRule | None = None,
) -> tuple[Article, tuple[str, ...]]:
    """Return the article that a page holds, with a verdict on the capture; and all lines of the page, around it too.

    Never raises, and the same bytes always give the same article. `url` is where the page came from: links are made
    absolute by it. `encoding` is what a caller knows of the bytes; `headers` are the response's; `site` is the rule
    for the page's site, None for nearly every one (`crawler.extract.sites`).
    """
    html = to_utf8(body, encoding, headers)
    page = parse(html, site)
    meta = metadata.read(page, url)
    top = _top(page, meta)
    h1 = page.lines[top].text.lstrip(":|– ") if top is not None else ""
    signed = metadata.people(meta.authors, meta.publisher, url)
    if not signed and top is not None:
        signed = metadata.bylines(page, url, max(0, top - _ABOVE_HEADLINE), top + _BELOW_HEADLINE)
    authors = signed or meta.authors
    names = tuple(author.name for author in authors)
    known = bodies.Known(headline=h1 or meta.headline, authors=names, text=meta.body)
    found = bodies.find(page, known)
    drawn = None if found.parts else _drawn(html, known)
    prose = {part.line.index for part in found.parts}
    start = found.first if top is None or top > found.first else top
    figures = pictures.find(page, url, max(0, start - 15), found.last, prose, names)
    description = _standfirst(page, meta, top, found, figures) or next(iter(meta.descriptions), "")
    blocks = drawn or _blocks(found, figures, _declared(page, found, start), _posts(page, found))
    is_paywalled = meta.is_free is False or _shows_paywall(page, found)
    verdict, reason = quality.judge(
        page, meta, blocks, is_cut=_is_cut(html, len(body), headers or {}), is_paywalled=is_paywalled
    )
    article = Article(
        url=url,
        headline=_headline(h1, page, meta),
        description=description,
        authors=tuple(authors),
        blocks=blocks,
        images=tuple(Image(url=f.url, caption=f.caption, credit=f.credit) for f in figures),
        date_published=meta.date_published or _shown_date(page, start, url),
        date_modified=meta.date_modified,
        section=meta.section,
        tags=tuple(meta.tags),
        language=meta.language,
        headlines=Headlines(h1=h1, title=page.title, og=meta.og_title, json_ld=meta.headline),
        canonical_url=meta.canonical_url,
        amp_url=meta.amp_url,
        notices=_notices(blocks, meta.corrections),
        related=_related(found.related, url),
        is_paywalled=is_paywalled,
        quality=verdict,
        quality_reason=reason,
        says_missing=quality.says_missing(page) if verdict is Quality.ERROR else "",
    )
    return article, tuple(line.text for line in page.lines)


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
    letters = sum(map(len, parts))
    while len(parts) > 1 and len(parts[-1].split()) < 5 and letters > 2 * len(parts[-1]):
        letters -= len(parts.pop())
    return title[: sum(map(len, parts)) + 3 * (len(parts) - 1)] if len(parts) > 1 else parts[0]


def _drawn(html: bytes, known: bodies.Known) -> tuple[Block, ...] | None:
    """Return the blocks of an article that the page's scripts draw, None if they hold none."""
    drawn = scripts.article_html(data_scripts(html))
    return _blocks(bodies.find(parse(drawn.encode()), known), [], [], {}) if drawn else None


def _blocks(
    found: bodies.Body,
    figures: list[pictures.Figure],
    declared: list[Line],
    posts: dict[int, datetime],
) -> tuple[Block, ...]:
    """Return body, captions and notices in the order of the page."""
    placed: list[tuple[int, Block]] = []
    for part in found.parts:
        at = posts.get(part.line.index)
        placed.append((part.line.index, Block(text=part.line.text, kind=BlockKind.POST if at else part.kind, at=at)))
    placed += [(figure.line, Block(text=figure.text, kind=BlockKind.CAPTION)) for figure in figures]
    placed += [(line.index, Block(text=line.text)) for line in declared]
    placed.sort(key=lambda pair: pair[0])
    return tuple(block for _, block in placed)


def _declared(page: Page, found: bodies.Body, start: int) -> list[Line]:
    """Return the notices that stand around the body, in boxes of their own."""
    if not found.parts:
        return []
    prose = {part.line.index for part in found.parts}
    return [
        line
        for line in page.lines[start + 1 : found.last + 10]
        if line.index not in prose
        and line.box.tag not in HEADINGS
        and line.link_chars * 2 < len(line.text)
        and not bodies.is_count(line.text)
        and notices.kind_of(line.text, line.box.name)
        and not any(box.tag in ("nav", "form", "button", "figure") for box in line.box.ancestors())
    ]


def _notices(blocks: tuple[Block, ...], said: list[str]) -> tuple[Notice, ...]:
    """Return the notices among the blocks, and those that only JSON-LD gives."""
    found = {}
    for block in blocks:
        kind = notices.kind_of(block.text)
        if kind:
            found[comparable(block.text)] = Notice(kind=kind, text=block.text)
    for text in said:
        said_key = comparable(text)
        if not any(said_key in key for key in found):
            found[said_key] = Notice(kind=NoticeKind.CORRECTION, text=text)
    return tuple(found.values())


def _posts(page: Page, found: bodies.Body) -> dict[int, datetime]:
    """Return the times of a live blog's posts by the line of their heads; empty for any other article.

    A post begins with the heading beside its time; where posts have none, with the first text in the post's box.
    """
    times = {line: at for text, line in page.times if (at := metadata.moment(text))}
    headed: dict[int, datetime] = {}
    for part in found.parts:
        if part.kind is BlockKind.HEADING:
            near = next((i for i in (part.line.index, part.line.index - 1, part.line.index + 1) if i in times), None)
            if near is not None:
                headed[part.line.index] = times[near]
    posts = max(headed, _boxed_posts(page, found, times), key=len)
    # One time beside a heading may be the article's own; three are a rhythm.
    return posts if len(set(posts.values())) >= 3 else {}


def _boxed_posts(page: Page, found: bodies.Body, times: dict[int, datetime]) -> dict[int, datetime]:
    """Return the times in boxes of one shape that stand side by side, by the line of the first text in each box."""
    timed: dict[int, datetime] = {}  # of each box that holds a time, the first
    siblings: dict[tuple[int, str], list[Box]] = defaultdict(list)
    for line, at in times.items():
        if found.core is None or not found.core.first <= line < found.core.last:
            continue
        for box in page.lines[line].box.ancestors():
            if box is found.core or box.parent is None or box.index in timed:
                break
            timed[box.index] = at
            siblings[box.parent.index, box.shape].append(box)
    places = [part.line.index for part in found.parts]
    best: dict[int, datetime] = {}
    for boxes in siblings.values():
        starts = ((bisect_left(places, box.first), box) for box in boxes)
        heads = {places[at]: timed[box.index] for at, box in starts if at < len(places) and places[at] < box.last}
        best = max(best, heads, key=len)
    return best


def _related(links: list[tuple[str, str]], url: str) -> tuple[Related, ...]:
    found: dict[str, Related] = {}
    for href, title in links:
        address = metadata.absolute(href, url) if len(title) > 15 else None
        if address and address.split("#")[0] != url.split("#")[0]:
            found.setdefault(address, Related(url=address, title=title))
        if len(found) == 30:
            break
    return tuple(found.values())


def _shows_paywall(page: Page, found: bodies.Body) -> bool:
    """Whether an offer to subscribe stands in a box that is called a paywall, right after the text."""
    return any(
        "paywall" in box.name or "regwall" in box.name
        for line in page.lines[found.last : found.last + 6]
        if wordings.makes_offer(line.text)
        for box in line.box.ancestors()
    )


def _is_cut(html: bytes, received: int, headers: Mapping[str, str]) -> bool:
    """Whether the page ends too early: fewer bytes than announced, or elements open that may not be left open."""
    lower = {name.lower(): value for name, value in headers.items()}
    length = lower.get("content-length", "")
    if length.isdigit() and "content-encoding" not in lower and received < int(length):
        return True
    if b"</html" in html[-3000:].lower() or b"</body" in html[-3000:].lower():
        return False
    return any(html.count(b"<" + tag) - html.count(b"</" + tag) >= 3 for tag in (b"div", b"section")) or any(
        html.count(b"<" + tag) > html.count(b"</" + tag) for tag in (b"article", b"main", b"script")
    )


def _top(page: Page, meta: metadata.Metadata) -> int | None:
    """Return the index of the line that is the article's headline; None if the page shows none."""
    known = [comparable(text).casefold() for text in (meta.headline, meta.og_title, page.title) if text]
    best: tuple[float, int] | None = None
    for line in page.lines:
        if line.box.tag != "h1" and line.box.tag != "h2":
            continue
        key = comparable(line.text).casefold()
        is_h1 = line.box.tag == "h1"
        score = max((_likeness(key, other) for other in known), default=0.0) + (0.3 if is_h1 else 0.0)
        is_most_of_known = any(key in other and len(key) * 2 > len(other) for other in known)
        if len(key.split()) < 3 and known and not is_most_of_known:
            score = 0.0  # a section's or the outlet's name
        # An h1 need only not be about something else; an h2 must be what the metadata says.
        is_headline = (is_h1 and (score > 0.2 or not known)) or (score > 0.8)
        if is_headline and (best is None or score > best[0]):
            best = (score, line.index)
    return best[1] if best else None


def _shown_date(page: Page, start: int, url: str) -> datetime | None:
    """Return the first date that the page gives beside its headline, else one in its address, None if it gives none."""
    first, last = max(0, start - _ABOVE_HEADLINE), start + _BELOW_HEADLINE
    near = [metadata.moment(text) for text, line in page.times if first <= line <= last]
    near += [metadata.written_moment(line.text) for line in page.lines[first:last]]
    near += [metadata.written_moment(line.text) for line in page.lines[last:] if len(line.text) < 60]
    return next((at for at in near if at), None) or metadata.moment_in_address(url)


def _likeness(a: str, b: str) -> float:
    """Return how many of the shorter text's words are in the other, 0 to 1."""
    ours, theirs = set(a.split()), set(b.split())
    return len(ours & theirs) / max(1, min(len(ours), len(theirs)))


def _standfirst(
    page: Page, meta: metadata.Metadata, top: int | None, found: bodies.Body, figures: list[pictures.Figure]
) -> str:
    """Return the standfirst that a reader sees between headline and body, "" if there is none."""
    start = found.first if top is None or top > found.first else top
    taken = {part.line.index for part in found.parts} | {figure.line for figure in figures} | {start}
    stop = min((part.line.index for part in found.parts), default=found.first)
    said = [comparable(description).casefold() for description in meta.descriptions]
    words: set[str] = set()
    around = list(islice(page.lines[start].box.ancestors(), 5)) if start < len(page.lines) else []
    named: list[tuple[float, Line]] = []
    best = (0.0, "")
    for line in page.lines[max(0, start - (5 if top is not None else 12)) : stop]:
        if line.index in taken or not 30 <= bodies.size(line.text) <= 1200 or line.link_chars * 2 > len(line.text):
            continue
        chain = list(line.box.ancestors())
        if any(box.tag in _NO_STANDFIRST for box in chain) or wordings.makes_offer(line.text):
            continue
        score = max((_likeness(comparable(line.text).casefold(), text) for text in said), default=0.0)
        if top is None or start < line.index < start + 15:
            if any(wordings.names_standfirst(box.name) for box in chain[:2]):
                named.append((score, line))
            elif score < 0.6 and len(line.text) > 80 and not set(chain[1:3]).isdisjoint(around):
                # Beside the headline and in the article's own words: an advertisement has others.
                words = words or _long_words(" ".join([*said, *(part.line.text for part in found.parts[:20])]))
                own = _long_words(line.text)
                score = 0.6 if len(own & words) * 4 >= len(own) else 0.0
        if score > best[0] and score >= 0.6:
            best = (score, line.text)
    if not named:
        return best[1]
    # Some papers print two or three under each other, in one shape; what was put between them has another.
    likest = max(named, key=lambda pair: pair[0])[1].box
    lines = [line for _, line in named if line.box.shape == likest.shape or wordings.names_standfirst(line.box.name)]
    return " ".join(line.text for line in lines[:4])


def _long_words(text: str) -> set[str]:
    return {word for word in re.findall(r"\w{4,}", text.casefold()) if not word.isdigit()}
