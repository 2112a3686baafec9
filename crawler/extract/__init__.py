"""A page's bytes -> `Article`: `article()`; whether two articles read the same: `digest()`, `comparable()`.

Nothing here knows a publisher. What a single site needs beyond that is data, given as `site`: `crawler.extract.sites`.

`text` and `digest` are free of parsers, so that who only compares need not load one; a parser is loaded at the first
page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from crawler.extract.digest import DIGEST_VERSION, digest
from crawler.extract.text import comparable

if TYPE_CHECKING:
    from crawler.extract.sites import SiteRule
    from crawler.items import Article

__all__ = [
    "DIGEST_VERSION",
    "EXTRACTOR_VERSION",
    "article",
    "comparable",
    "digest",
    "read",
    "visible_text",
]

# Raised when the same bytes may give another article.
EXTRACTOR_VERSION = 2


def article(
    body: bytes,
    url: str,
    *,
    encoding: str | None = None,
    headers: Mapping[str, str] | None = None,
    site: SiteRule | None = None,
) -> Article:
    """Return the article in `body`, fetched from `url`; see `crawler.extract.reading.read`."""
    return read(body, url, encoding=encoding, headers=headers, site=site)[0]


def read(
    body: bytes,
    url: str,
    *,
    encoding: str | None = None,
    headers: Mapping[str, str] | None = None,
    site: SiteRule | None = None,
) -> tuple[Article, tuple[str, ...]]:
    """Return the article in `body` and all text of the page that a reader can see, a line of it a line."""
    from crawler.extract import reading

    return reading.read(body, url, encoding=encoding, headers=headers, site=site)


def visible_text(body: bytes, *, encoding: str | None = None, headers: Mapping[str, str] | None = None) -> str:
    """Return all text of a page that a reader can see, menus and boxes too, one line of it a line."""
    from crawler.extract import page

    return "\n".join(line.text for line in page.read(body, encoding=encoding, headers=headers).lines)
