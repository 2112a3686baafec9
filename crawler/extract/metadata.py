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
from itertools import islice
from typing import Any
from urllib.parse import urljoin, urlsplit

from crawler.extract import wordings
from crawler.extract.page import Page
from crawler.items import Author

Json = Any

_ARTICLE_TYPE = re.compile(r"(?:article|posting|reportage|report|review|story)$", re.IGNORECASE)
_TAGS = re.compile(r"<[^<>]{1,500}>")
# JSON can escape what no text holds and SQLite cannot store: "\\u0000", half of a surrogate pair ("\\ud83d").
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_TRAILING_COMMA = re.compile(r",(\s{0,200}[}\]])")
_LOOSE_MOMENT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d))?(?:\.\d{1,9})?\s?(Z|UTC|[+-]\d\d:?\d\d)?"
)
_SEPARATORS = re.compile(r"[:._-]")
# Names of `<meta>` without separators, in the order in which they were right on real pages.
_PUBLISHED = (
    "articlepublishedtime", "datepublished", "ogarticlepublishedtime", "date", "pubdate", "publishdate",
    "publisheddate", "dcdate", "dcdateissued", "dctermscreated", "dctermsdate", "parselypubdate", "sailthrudate",
    "cxenseparserecspublishtime",
)  # fmt: skip
_MODIFIED = (
    "articlemodifiedtime",
    "ogupdatedtime",
    "datemodified",
    "lastmodified",
    "lastmod",
    "dctermsmodified",
    "revised",
)
# 2026-01-31, 2026.1.31, 2026年1月31日, 31.01.2026; with the time that follows. 01/02/2026 can be read in two ways.
_WRITTEN = re.compile(
    r"(?:\b(20\d\d)(?:[-.]|년\s?|年)(\d{1,2})(?:[-.]|월\s?|月)(\d{1,2})|\b(\d{1,2})\.(\d{1,2})\.(20\d\d))"
    r"(?:[^\d]{1,6}(\d{1,2})[:.](\d\d))?"
)
_DAY_IN_ADDRESS = re.compile(r"/(20\d\d)[/-]?([01]\d)[/-]?([0-3]\d)(?:/|-|\b)")
_BY = re.compile(
    r"^(?:written by|words by|story by|by|von|par|por|di|door|av|af|da|de|ved|autore?(?:a|en|in|in/autor)?|auteur"
    r"|author|text|tekst|от|автор(?:ы)?)"
    r"(?:\s{0,3}:\s{0,3}|\s{1,3})",
    re.IGNORECASE,
)
_FIGURES = re.compile(r"\d")
# Far more than any page has. Each is compared with all others: one that named 20,000 authors took 24 s.
_MOST_AUTHORS = 100
_MOST_CORRECTIONS = 50
_ASIDES = re.compile(r"\([^()]{0,80}\)")
_BETWEEN = re.compile(r"\s{0,3}(?:,|;|\||/|&|\s(?:and|und|et|y|e|en|og|och|ve|и|та|i)\s)\s{0,3}", re.IGNORECASE)


@dataclass(slots=True)
class Metadata:
    """What JSON-LD and `<meta>` say, "" and None where they say nothing."""

    headline: str = ""
    og_title: str = ""
    descriptions: list[str] = field(default_factory=list)  # the best first
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
    corrections: list[str] = field(default_factory=list)
    is_free: bool | None = None  # None where the page does not say
    types: set[str] = field(default_factory=set)  # every @type of the page's JSON-LD


def plain(value: Json) -> str:
    """Return a JSON value as plain text on one line: entities read, tags taken out; "" for what is not text."""
    if not isinstance(value, str):
        return ""
    text = value
    if "&" in text:
        text = unescape(unescape(text))
    if "<" in text:
        text = _TAGS.sub(" ", text)
    return " ".join(_NOT_TEXT.sub("", text).split())


def _each(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _objects(texts: list[str]) -> Iterator[dict[str, Json]]:
    """Yield every object of the page's JSON-LD that stands on its own; broken ones are repaired or skipped."""
    for text in texts:
        todo = [_load(text)]  # the next one last
        while todo:
            value = todo.pop()
            if isinstance(value, list):
                todo += reversed(value)
            elif isinstance(value, dict):
                yield value
                for key in ("@graph", "mainEntity", "mainEntityOfPage"):
                    inner = value.get(key)
                    if isinstance(inner, list | dict):
                        todo += reversed(_each(inner))


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
    """Return a publisher's date as an aware datetime; UTC where it names no offset; None if it is none.

    None as well for a date that cannot be, as systems write it for "no date" (0001-01-01) or "for ever" (9999-12-31).
    """
    at = _moment(value)
    # The oldest paper still printed is from 1703.
    return at if at is not None and 1700 <= at.year <= 2100 else None


def _moment(value: Json) -> datetime | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = value / 1000 if 1e11 < value < 1e13 else value
        return datetime.fromtimestamp(value, UTC) if 1e8 < value < 1e10 else None
    if not isinstance(value, str):
        return None
    text = value.strip()[:60]
    if text.isdecimal() and len(text) in (10, 13):
        return _moment(int(text))
    for reader in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = reader(text)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    loose = _LOOSE_MOMENT.match(text)
    if not loose:
        return None
    zone = (loose[7] or "Z").replace("UTC", "Z")
    try:
        return datetime.fromisoformat(
            f"{loose[1]}-{loose[2]}-{loose[3]}T{loose[4]}:{loose[5]}:{loose[6] or '00'}{zone}"
        )
    except ValueError:
        return None


def written_moment(text: str) -> datetime | None:
    """Return a date that stands in a line in figures and in an order that all read alike; None if there is none."""
    found = _WRITTEN.search(text[:200])
    if not found:
        return None
    day, month, year = (found[3], found[2], found[1]) if found[1] else (found[4], found[5], found[6])
    return moment(f"{year}-{int(month):02}-{int(day):02}T{int(found[7] or 0):02}:{found[8] or '00'}:00")


def moment_in_address(url: str) -> datetime | None:
    """Return the day in an address such as /2026/01/31/story, None if there is none."""
    found = _DAY_IN_ADDRESS.search(url)
    return moment(f"{found[1]}-{found[2]}-{found[3]}T00:00:00") if found else None


def read(page: Page, url: str) -> Metadata:
    """Return what the page's JSON-LD and `<meta>` say."""
    objects = list(_objects(page.json_ld))
    by_id = {o["@id"]: o for o in objects if isinstance(o.get("@id"), str) and len(o) > 1}
    articles = [o for o in objects if any(_ARTICLE_TYPE.search(kind) for kind in _types(o))]
    articles.sort(
        key=lambda o: -sum(bool(o.get(key)) for key in ("headline", "datePublished", "author", "articleBody"))
    )
    metas: dict[str, list[str]] = {}
    for name, content in page.metas:
        text = plain(content)
        if text:
            metas.setdefault(_SEPARATORS.sub("", name), []).append(text)

    def first(*names: str) -> str:
        return next((metas[name][0] for name in names if name in metas), "")

    def ld(key: str) -> Json:
        return next((o[key] for o in articles if o.get(key) not in (None, "", [], {})), None)

    meta = Metadata(types={kind for o in objects for kind in _types(o)})
    meta.headline = plain(ld("headline")) or plain(ld("name"))
    meta.og_title = first("ogtitle", "twittertitle")
    said = [plain(ld("description")), first("ogdescription"), first("description"), first("twitterdescription")]
    meta.descriptions = list(dict.fromkeys(filter(None, said)))
    meta.body = plain(ld("articleBody"))
    publishers = [by_id.get(str(p.get("@id")), p) for p in _each(ld("publisher")) if isinstance(p, dict)]
    meta.publisher = next((plain(p.get("name")) for p in publishers if plain(p.get("name"))), "") or first("ogsitename")
    meta.authors = _authors(articles, by_id, metas, url)
    meta.date_published = moment(ld("datePublished")) or _first_moment(metas, _PUBLISHED)
    meta.date_modified = moment(ld("dateModified")) or _first_moment(metas, _MODIFIED)
    sections = [plain(section) for section in _each(ld("articleSection"))]
    meta.section = next(filter(None, sections), "") or first("articlesection", "section", "parselysection")
    words = [plain(word) for word in _each(ld("keywords"))]
    if len(words) < 2:
        words = (
            words[0].split(",") if words else metas.get("articletag") or first("newskeywords", "keywords").split(",")
        )
    meta.tags = list(dict.fromkeys(filter(None, map(str.strip, words))))[:50]
    meta.language = page.language or plain(ld("inLanguage")) or first("oglocale", "contentlanguage").replace("_", "-")
    meta.canonical_url = next((absolute(h, url) for rel, h in page.links if "canonical" in rel.split()), None)
    meta.canonical_url = meta.canonical_url or absolute(first("ogurl"), url)
    meta.amp_url = next((absolute(h, url) for rel, h in page.links if "amphtml" in rel.split()), None)
    meta.is_free = _is_free(ld("isAccessibleForFree"), first("articlecontenttier"))
    for correction in (c for o in articles for c in _each(o.get("correction"))):
        text = (
            plain(correction.get("text") or correction.get("description"))
            if isinstance(correction, dict)
            else plain(correction)
        )
        if text:
            meta.corrections.append(text)
    meta.corrections = list(dict.fromkeys(meta.corrections))[:_MOST_CORRECTIONS]
    return meta


def _types(o: dict[str, Json]) -> list[str]:
    return [kind for kind in _each(o.get("@type")) if isinstance(kind, str)]


def _is_free(said: Json, tier: str) -> bool | None:
    if said is not None:
        return str(said).strip().lower().rsplit("/", 1)[-1] not in ("false", "no", "0")
    return tier.lower() not in ("locked", "metered") if tier else None


def absolute(href: str | None, url: str) -> str | None:
    """Return `href` as an absolute http(s) address; None if it is none."""
    if not href:
        return None
    try:
        joined = urljoin(url, _NOT_TEXT.sub("", href).strip())
        return joined if urlsplit(joined).scheme in ("http", "https") and len(joined) < 4000 else None
    except ValueError:
        return None


def _first_moment(metas: dict[str, list[str]], names: tuple[str, ...]) -> datetime | None:
    found = (moment(text) for name in names for text in metas.get(name, ()))
    return next((at for at in found if at), None)


def names(text: str) -> list[tuple[str, str]]:
    """Return the (name, role) pairs of a byline: "By Ada Byron, Senior Editor, and Jo Roe" gives two."""
    if "@" in text or "http" in text or len(text) > 300:
        return []
    text = _BY.sub("", _ASIDES.sub(" ", " ".join(text.split()))).strip()
    found: list[tuple[str, str]] = []
    for part in _BETWEEN.split(text):
        part = wordings.without_profession(_BY.sub("", part).strip(" .·-–—:|*"))
        if not 1 < len(part) < 60 or any(map(str.isdigit, part)):
            continue
        if wordings.names_role(part):
            if found and not found[-1][1]:
                found[-1] = (found[-1][0], part)
            continue
        found.append((part, ""))
    return found


def _authors(
    articles: list[dict[str, Json]], by_id: dict[str, dict[str, Json]], metas: dict[str, list[str]], url: str
) -> list[Author]:
    found: list[Author] = []
    for person in (p for o in articles for key in ("author", "creator") for p in _each(o.get(key))):
        if isinstance(person, str):
            found += [Author(name=name, role=role) for name, role in names(plain(person))]
        elif isinstance(person, dict):
            if "name" not in person:
                person = by_id.get(str(person.get("@id")), person)
            link = next((u for u in _each(person.get("url")) if isinstance(u, str)), None)
            role = plain(person.get("jobTitle"))
            for value in _each(person.get("name")):
                for name, said in names(plain(value)):
                    found.append(Author(name=name, role=role or said, url=absolute(link, url)))
    if found:
        return _unique(found)
    for key in ("author", "articleauthor", "parselyauthor", "dccreator", "sailthruauthor", "byl", "dcsextauthor"):
        found += [Author(name=name, role=role) for text in metas.get(key, ()) for name, role in names(text)]
        if found:
            return _unique(found)
    for label in ("1", "2", "3"):
        if any(wordings.says_by(text) for text in metas.get("twitterlabel" + label, ())):
            found += [Author(name=n, role=r) for text in metas.get("twitterdata" + label, ()) for n, r in names(text)]
    return _unique(found)


def bylines(page: Page, url: str, start: int, stop: int) -> list[Author]:
    """Return the authors that the page names within page.lines[start:stop], by its marks or by words such as "By"."""
    found: list[Author] = []
    for mark in page.marks:
        if mark.kind == "author" and start <= mark.line < stop:
            found += [Author(name=n, role=r, url=absolute(mark.href, url)) for n, r in names(mark.text) if " " in n]
    if not found:
        for line in page.lines[start:stop]:
            if len(line.text) < 120 and _BY.match(line.text) and line.box.tag[0] != "h":
                said = _FIGURES.split(line.text, 1)[0]  # the date that often follows on the same line
                found += [Author(name=n, role=r) for n, r in names(said) if n[0].isupper() and " " in n]
    return _unique(found)


def _unique(found: list[Author]) -> list[Author]:
    kept: dict[str, Author] = {}
    for author in found:
        known = kept.get(author.name.casefold())
        if known is None or ((author.role or author.url) and not (known.role or known.url)):
            kept[author.name.casefold()] = author
    # "Ada Byron" and "Ada Byron Ada Byron and Jo Roe" come from the same byline, marked twice.
    first = dict(islice(kept.items(), _MOST_AUTHORS))
    return [a for key, a in first.items() if not any(other != key and other in key for other in first)]


def people(authors: list[Author], publisher: str, url: str) -> list[Author]:
    """Return the authors without the outlet itself; no one where only the outlet signs."""
    host = (urlsplit(url).hostname or "").replace("-", "").split(".")
    outlet = _SEPARATORS.sub("", publisher.casefold()).replace(" ", "")
    kept = []
    for author in authors:
        key = _SEPARATORS.sub("", author.name.casefold()).replace(" ", "")
        if key != outlet and key not in host and key != "".join(host[-2:]):
            kept.append(author)
    return kept
