"""What a page says of itself in JSON-LD, `<meta>` and its byline: headlines, authors, dates, section, tags.

Measured on real pages, JSON-LD is right most often, then `<meta>`, then the page; except the headline, which is the
visible `<h1>`: a publisher who tests two headlines changes it first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.extract.page import Page
from crawler.items import Author

Json = Any

_ARTICLE_TYPES = re.compile(
    r"(?:article|blogposting|reportage|report|claimreview|review|story|posting)$", re.IGNORECASE
)
_TAGS = re.compile(r"<[^<>]{1,500}>")
_TRAILING_COMMA = re.compile(r",(\s{0,200}[}\]])")


@dataclass(slots=True)
class Metadata:
    """What JSON-LD and `<meta>` say, "" and None where they say nothing."""

    headline: str = ""
    og_title: str = ""
    description: str = ""
    descriptions: list[str] = field(default_factory=list)
    body: str = ""  # articleBody, often without line breaks and one in ten a teaser: an anchor, never the text
    authors: list[Author] = field(default_factory=list)
    publisher: str = ""
    date_published: datetime | None = None
    date_modified: datetime | None = None
    section: str = ""
    tags: list[str] = field(default_factory=list)
    language: str = ""
    canonical_url: str | None = None
    amp_url: str | None = None
    images: list[tuple[str, str]] = field(default_factory=list)  # (url, caption)
    corrections: list[str] = field(default_factory=list)
    is_free: bool | None = None
    is_article: bool = False
    types: set[str] = field(default_factory=set)


def plain(value: Json) -> str:
    """Return a JSON value as plain text on one line: entities read, tags taken out; "" for what is not text."""
    if not isinstance(value, str):
        return ""
    text = value
    if "&" in text:
        text = unescape(unescape(text))
    if "<" in text:
        text = _TAGS.sub(" ", text)
    return " ".join(text.replace("\0", "").split())


def _each(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _objects(texts: list[str]) -> Iterator[dict[str, Json]]:
    """Yield every object of the page's JSON-LD that stands on its own, in the order of the page; broken ones repaired or skipped."""
    for text in texts:
        todo = [_load(text)]
        while todo:
            value = todo.pop(0)
            if isinstance(value, list):
                todo[:0] = value
            elif isinstance(value, dict):
                yield value
                for key in ("@graph", "mainEntity", "mainEntityOfPage", "itemListElement", "hasPart"):
                    inner = value.get(key)
                    if isinstance(inner, list | dict) and key in ("@graph", "mainEntity", "mainEntityOfPage"):
                        todo[:0] = _each(inner)


def _load(text: str) -> Json:
    text = text.strip().removeprefix("<![CDATA[").removeprefix("//<![CDATA[").removeprefix("<!--").strip()
    text = text.removesuffix("-->").removesuffix("]]>").removesuffix("//").strip().rstrip(";")
    for attempt in (text, _TRAILING_COMMA.sub(r"\1", text), unescape(text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def moment(value: Json) -> datetime | None:
    """Return a publisher's date as an aware datetime; UTC where it names no offset; None if it is none."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = value / 1000 if value > 1e11 else value
        return datetime.fromtimestamp(value, UTC) if 1e8 < value < 1e10 else None
    if not isinstance(value, str):
        return None
    text = value.strip()[:60]
    if text.isdigit() and len(text) in (10, 13):
        return moment(int(text))
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = reader(text)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    loose = re.match(
        r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d{1,9})?\s?(Z|UTC|[+-]\d\d:?\d\d)?", text
    )
    if loose:
        try:
            return moment(
                f"{loose[1]}-{loose[2]}-{loose[3]}T{loose[4]}:{loose[5]}:{loose[6] or '00'}"
                + (loose[7] or "").replace("UTC", "Z")
            )
        except RecursionError:
            return None
    return None


def read(page: Page, url: str) -> Metadata:
    """Return what the page's JSON-LD and `<meta>` say."""
    meta = Metadata()
    objects = list(_objects(page.json_ld))
    by_id = {o["@id"]: o for o in objects if isinstance(o.get("@id"), str) and len(o) > 1}
    metas: dict[str, list[str]] = {}
    for name, content in page.metas:
        text = plain(content)
        if text:
            metas.setdefault(name, []).append(text)

    def first(*names: str) -> str:
        return next((metas[n][0] for n in names if n in metas), "")

    meta.og_title = first("og:title", "twitter:title")
    articles = []
    for o in objects:
        types = {t for t in _each(o.get("@type")) if isinstance(t, str)}
        meta.types |= types
        if any(_ARTICLE_TYPES.search(t) for t in types):
            articles.append(o)
    articles.sort(key=lambda o: -sum(bool(o.get(k)) for k in ("headline", "datePublished", "author", "articleBody")))
    meta.is_article = bool(articles)

    def ld(key: str) -> Json:
        return next((o[key] for o in articles if o.get(key) not in (None, "", [], {})), None)

    meta.headline = plain(ld("headline")) or plain(ld("name"))
    meta.descriptions = [
        d
        for d in dict.fromkeys(
            [first("description"), first("og:description"), first("twitter:description"), plain(ld("description"))]
        )
        if d
    ]
    meta.description = plain(ld("description")) or first("og:description", "description", "twitter:description")
    body = ld("articleBody")
    meta.body = plain(body)
    publisher = ld("publisher")
    for p in _each(publisher):
        if isinstance(p, dict):
            p = by_id.get(p.get("@id", ""), p) if "name" not in p else p
            meta.publisher = meta.publisher or plain(p.get("name"))
    meta.publisher = meta.publisher or first("og:site_name", "application-name")
    meta.authors = _authors(articles, by_id, metas, url)
    meta.date_published = moment(ld("datePublished")) or _date(
        metas,
        "article:published_time",
        "datepublished",
        "og:article:published_time",
        "date",
        "pubdate",
        "publishdate",
        "dc.date",
        "dc.date.issued",
        "dcterms.created",
        "parsely-pub-date",
        "sailthru.date",
        "cxenseparse:recs:publishtime",
        "last-modified-",
    )
    meta.date_modified = moment(ld("dateModified")) or _date(
        metas,
        "article:modified_time",
        "og:updated_time",
        "datemodified",
        "last-modified",
        "lastmod",
        "dcterms.modified",
        "revised",
    )
    meta.section = next((plain(s) for s in _each(ld("articleSection")) if plain(s)), "") or first(
        "article:section", "section", "parsely-section"
    )
    keywords = ld("keywords")
    words = [plain(k) for k in _each(keywords)] if isinstance(keywords, list) else plain(keywords).split(",")
    words = [w for w in words if w] or metas.get("article:tag", []) or first("news_keywords", "keywords").split(",")
    meta.tags = list(dict.fromkeys(w.strip() for w in words if w.strip()))[:50]
    meta.language = page.language or plain(ld("inLanguage")) or first("og:locale", "content-language").replace("_", "-")
    for rel, href in page.links:
        if "canonical" in rel.split() and not meta.canonical_url:
            meta.canonical_url = absolute(href, url)
        elif "amphtml" in rel.split():
            meta.amp_url = absolute(href, url)
    meta.canonical_url = meta.canonical_url or absolute(first("og:url"), url)
    free = ld("isAccessibleForFree")
    if free is not None:
        meta.is_free = str(free).strip().lower().rsplit("/", 1)[-1] not in ("false", "no", "0")
    tier = first("article:content_tier")
    if tier and meta.is_free is None:
        meta.is_free = tier.lower() not in ("locked", "metered")
    for o in articles:
        for c in _each(o.get("correction")):
            text = (
                plain(c)
                if isinstance(c, str)
                else plain(c.get("text") or c.get("description"))
                if isinstance(c, dict)
                else ""
            )
            if text:
                meta.corrections.append(text)
    for image in _each(ld("image")) + metas.get("og:image", [])[:1]:
        src = (
            image
            if isinstance(image, str)
            else image.get("url") or image.get("contentUrl")
            if isinstance(image, dict)
            else ""
        )
        where = absolute(src, url) if isinstance(src, str) else None
        if where:
            meta.images.append((where, plain(image.get("caption")) if isinstance(image, dict) else ""))
    return meta


def absolute(href: str | None, url: str) -> str | None:
    """Return `href` as an absolute http(s) address; None if it is none."""
    if not href:
        return None
    try:
        joined = urljoin(url, href.strip())
        return joined if urlsplit(joined).scheme in ("http", "https") and len(joined) < 4000 else None
    except ValueError:
        return None


def _date(metas: dict[str, list[str]], *names: str) -> datetime | None:
    for name in names:
        for text in metas.get(name, []):
            found = moment(text)
            if found:
                return found
    return None


_BY = re.compile(
    r"^(?:by|von|par|por|di|door|av|af|da|de|autor(?:in)?|author|words by|text|foto|от|автор)\s*:?\s+", re.IGNORECASE
)
_BETWEEN = re.compile(r"\s*(?:,|;|\||/|\band\b|\bund\b|\bet\b|\by\b|&| og | och | en | e )\s*")


def names(text: str) -> list[str]:
    """Return the names in a byline: "By Ada Byron and Jo Roe" gives two."""
    text = plain(text)
    if "@" in text or "http" in text or len(text) > 300:
        return []
    text = _BY.sub("", text)
    parts = [p.strip(" .·-–—:") for p in _BETWEEN.split(text)]
    return [p for p in parts if 1 < len(p) < 60]


def _authors(
    articles: list[dict[str, Json]], by_id: dict[str, dict[str, Json]], metas: dict[str, list[str]], url: str
) -> list[Author]:
    found: list[Author] = []
    for o in articles:
        for key in ("author", "creator"):
            for person in _each(o.get(key)):
                if isinstance(person, str):
                    found += [Author(name=n) for n in names(person)]
                elif isinstance(person, dict):
                    if "name" not in person:
                        person = by_id.get(str(person.get("@id")), person)
                    link = next((u for u in _each(person.get("url")) if isinstance(u, str)), None)
                    for value in _each(person.get("name")):
                        found += [
                            Author(name=n, role=plain(person.get("jobTitle")), url=absolute(link, url))
                            for n in names(value)
                            if isinstance(value, str)
                        ]
            if found:
                return _unique(found)
    for name in ("author", "article:author", "parsely-author", "dc.creator", "sailthru.author", "byl"):
        for text in metas.get(name, []):
            found += [Author(name=n) for n in names(text)]
        if found:
            return _unique(found)
    return []


def _unique(found: list[Author]) -> list[Author]:
    seen: dict[str, Author] = {}
    for author in found:
        seen.setdefault(author.name.casefold(), author)
    return list(seen.values())
