"""Pages to measure with: saved ones from a folder, or ones written here that weigh what real pages weigh.

A page that is written here has 180 kB unless another size is asked for: 1,400 tags, 320 boxes, 250 lines, 11 kB of text
and 35 pictures, the rest styles and data of scripts. In the median, 117 saved pages of 90 publishers have 242 kB, 1,800
tags, 370 boxes, 170 lines, 9 kB of text and 13 pictures.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from functools import cache
from pathlib import Path

from crawler import extract
from crawler.items import BlockKind

USUAL_BYTES = 180_000
_SHELL_BYTES = 70_000  # of the menus, boxes and styles that each page of an outlet has around its article
_STATE_CHARS = 500_000
_SYLLABLES = "ba ce di fo gu la me ni po ru sa te vi zo an er in os ut th st pr".split()


def saved(folder: Path) -> list[bytes]:
    """Return the pages in a folder, *.html and *.html.gz, by name. Ends the benchmark if there are none."""
    files = sorted([*folder.glob("*.html"), *folder.glob("*.html.gz")])
    if not files:
        sys.exit(f"there is no *.html and no *.html.gz in {folder}; name a folder of saved pages")
    return [gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in files]


def written(number: int, size: int = USUAL_BYTES) -> bytes:
    """Return the article with that number, about `size` bytes of page; below 90 kB text and boxes shrink with it."""
    source = random.Random(number)
    share = min(1.0, size / 90_000)
    headline = _sentence(source, 9)
    paragraphs = [
        " ".join(_sentence(source, source.randint(8, 24)) for _ in range(3)) for _ in range(max(2, int(28 * share)))
    ]
    author = " ".join(_word(source).title() for _ in range(2))
    about = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": headline,
        "author": [{"@type": "Person", "name": author}],
        "datePublished": f"2026-11-{number % 28 + 1:02}T08:00:00Z",
        "articleSection": "News",
        "keywords": [_word(source) for _ in range(6)],
    }
    body = []
    for at, paragraph in enumerate(paragraphs):
        text = paragraph.replace(" ", f' <a class="link link--inline" href="/t/{at}">', 1).replace(" ", "</a> ", 2)
        text = paragraph if at % 3 else text
        body.append(f'<div class="text-block text-block--{at}"><p class="text-block__p">{text}</p></div>')
        if at % 7 == 6:
            body.append(f'<h2 class="text-block__heading">{_sentence(source, 4)[:-1]}</h2>')
            body.append(f'<div class="ad-slot ad-slot--inline" id="ad-{at}"><span>Advertisement</span></div>')
    top, middle, bottom = _shell(int(_SHELL_BYTES * share))
    page = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{headline[:-1]} | The Weight</title>'
        f'<meta property="og:title" content="{headline[:-1]}"><meta name="description" content="{paragraphs[0][:140]}">'
        f'<script type="application/ld+json">{json.dumps(about)}</script>{top}'
        f'<article class="story"><h1 class="story__headline">{headline[:-1]}</h1><p class="byline">By '
        f'<a rel="author" href="/a/1">{author}</a></p>{"".join(body)}</article>{middle}'
    )
    # What is left is the state that a page's scripts take over, as most of a real page is.
    missing = max(0, size - len(page) - len(bottom) - 40)
    at = source.randrange(_STATE_CHARS // 2)
    state = (_state()[at:] * (missing // (_STATE_CHARS // 2) + 1))[:missing]
    return f"{page}<script>window.state={state}</script>{bottom}".encode()


def edited(page: bytes) -> bytes | None:
    """Return the page with a word more in its longest paragraph that stands there unbroken; None if none does."""
    article = extract.article(page, "https://example.org/")
    texts = (block.text for block in article.blocks if block.kind is BlockKind.PARAGRAPH)
    for text in sorted(texts, key=len, reverse=True):
        start = text[:60].encode()
        if len(text) > 120 and b" " in start[20:] and start in page:
            cut = start.index(b" ", 20)
            other = page.replace(start, start[:cut] + b" unexpectedly" + start[cut:])
            if extract.digest(extract.article(other, "https://example.org/")) != extract.digest(article):
                return other
    return None


@cache
def _shell(size: int) -> tuple[str, str, str]:
    """Return what stands above, beside and below each article of the outlet."""
    source = random.Random(size)
    rule = ".c-{0}__item--wide{{display:flex;margin:0 {0}px;color:#0a0a0a}}"
    styles = "".join(rule.format(at) for at in range(size // 4 // len(rule)))
    menu = "".join(
        f'<li class="menu__item menu__item--{at}"><a class="menu__link" href="/s/{at}">{_word(source).title()}</a></li>'
        for at in range(size // 1000)
    )
    cards = "".join(
        f'<div class="card card--{at}" data-index="{at}" data-track="click:card"><a class="card__link" href="/c/{at}">'
        f'<picture class="card__picture"><source srcset="/i/{at}-2x.webp 2x" type="image/webp"><img '
        f'class="card__img" src="/i/{at}.jpg" alt="" loading="lazy" width="320" height="180"></picture><h3 '
        f'class="card__title"><span>{_sentence(source, 8)[:-1]}</span></h3></a><svg viewBox="0 0 24 24" '
        f'class="icon"><path d="M12 2C6 2 2 6 2 12s4 10 10 10 10-4 10-10S18 2 12 2z"/></svg><span class="card__time">'
        f"{at} hours ago</span></div>"
        for at in range(size // 2000)
    )
    top = (
        f'<style>{styles}</style></head><body class="page"><header class="header"><nav class="menu"><ul>{menu}</ul>'
        '</nav></header><div class="layout"><main class="layout__main">'
    )
    middle = f'</main><aside class="layout__aside"><h2>Most read</h2>{cards}</aside></div>'
    bottom = f'<footer class="footer"><ul>{menu}</ul><p>All rights reserved.</p></footer></body></html>'
    return top, middle, bottom


@cache
def _state() -> str:
    """Return data as scripts have it: it compresses to a third, as a page does."""
    source = random.Random(0)
    pieces = (
        f'"{_word(source)}-{source.getrandbits(24):x}":"{_sentence(source, 3)}",' for _ in range(_STATE_CHARS // 30)
    )
    return "".join(pieces)


def _word(source: random.Random) -> str:
    return "".join(source.choices(_SYLLABLES, k=source.randint(1, 4)))


def _sentence(source: random.Random, words: int) -> str:
    return " ".join(_word(source) for _ in range(words)).capitalize() + "."
