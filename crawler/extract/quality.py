"""Whether a capture holds the article at all: a wall, an error or a cut page must never become a version."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from importlib.resources import files

from crawler.extract.metadata import Metadata
from crawler.extract.page import Page
from crawler.extract.text import comparable
from crawler.items import Block, BlockKind, Quality

# The shortest bodies among 117 real articles have 500 characters; walls and error pages say less.
_SHORT = 500
# What a teaser has before a paywall, at most: 1,500 characters on the pages seen.
_TEASER = 1500


@cache
def _signs() -> dict[str, tuple[str, ...]]:
    data = json.loads(files("crawler.extract").joinpath("signs.json").read_text("utf-8"))
    return {name: tuple(comparable(p).casefold() for p in phrases) for name, phrases in data.items() if name != "about"}


def judge(
    page: Page, meta: Metadata, blocks: tuple[Block, ...], *, is_cut: bool, is_paywalled: bool
) -> tuple[Quality, str]:
    """Return the verdict on a capture and the sign that decided it."""
    text = sum(len(block.text) for block in blocks if block.kind is not BlockKind.CAPTION)
    seen = page.boxes[0].chars if page.boxes else 0
    if not seen and not text:
        return Quality.EMPTY, "no text on the page"
    if page.is_capped:
        return Quality.TRUNCATED, "more elements than are read of one page"
    if is_cut:
        return Quality.TRUNCATED, "the page ends before its elements do"
    says_article = any(kind.endswith(("Article", "Posting")) for kind in meta.types)
    if text < _SHORT or seen < 3 * _SHORT:
        verdict = _wall(page, says_article=says_article and text > 0)
        if verdict:
            return verdict
    if is_paywalled and text < _TEASER:
        return Quality.STUB, f"behind a paywall, {text} characters shown"
    if not text:
        if "VideoObject" in meta.types:
            return Quality.NOT_ARTICLE, "a video without text"
        if meta.is_free is False:
            return Quality.STUB, "behind a paywall, nothing shown"
        if says_article and seen < 3 * _SHORT:
            return Quality.EMPTY, "an article by its metadata, without text"
        return Quality.NOT_ARTICLE, "no prose on the page"
    if text < _SHORT and not says_article and meta.date_published is None:
        links = page.boxes[0].link_chars
        if links * 2 > seen or "CollectionPage" in meta.types or "ItemList" in meta.types:
            return Quality.NOT_ARTICLE, "mostly links, no date"
    return Quality.OK, f"{text} characters of text"


def says_missing(page: Page) -> str:
    """Return the words by which a page's title or headings say that nothing is there; "" if they do not."""
    return _begins_or_ends(_heads(page), _signs()["missing_heads"]) or ""


def _heads(page: Page) -> list[str]:
    heads = [page.title, *[line.text for line in page.lines if line.box.tag in ("h1", "h2", "title")][:5]]
    return [comparable(head).casefold() for head in heads]


def _begins_or_ends(heads: Sequence[str], phrases: Iterable[str]) -> str | None:
    return next((p for p in phrases if any(head.startswith(p) or head.endswith(p) for head in heads)), None)


def _wall(page: Page, *, says_article: bool) -> tuple[Quality, str] | None:
    """Return what stands in the article's way; None if nothing is known to."""
    heads = _heads(page)
    text = comparable(" ".join(line.text for line in page.lines[:200])).casefold()[:6000]
    for quality in (Quality.BOT_WALL, Quality.ERROR, Quality.CONSENT, Quality.LOGIN):
        said = _begins_or_ends(heads, _signs()[quality.value + "_heads"])
        if said is None and quality is Quality.ERROR:
            said = _begins_or_ends(heads, _signs()["missing_heads"])
        if said is not None:
            return quality, f"the headline says {said!r}"
        if not says_article:
            for phrase in _signs()[quality.value]:
                if phrase in text:
                    return quality, f"the page says {phrase!r}"
    if not says_article and page.has_password:
        return Quality.LOGIN, "a field for a password"
    return None
