"""Sitemaps: Google News sitemaps, plain ones, and the indexes that list them (sitemaps.org)."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from lxml import etree

from crawler import urls
from crawler.feeds import body
from crawler.feeds.entries import Entries, instant
from crawler.items import Feed, FeedFormat

MAX_SITEMAPS = 20  # of one index; the newest ones hold the news, the rest is the outlet's past

_NEVER = datetime.min.replace(tzinfo=UTC)
# Sitemaps of what is no article, by the names that common systems give them (Yoast, Arc, Ghost, Drupal).
_NOT_ARTICLES = re.compile(
    r"(?<![a-z])(?:image|video|author|user|tag|categor|taxonom|topic|page|section|product|podcast|event)[a-z]*(?![a-z])"
)

_DATE_IN_NAME = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?:[-_.]?([0-9]{1,2}))?(?:[-_.]?([0-9]{1,2}))?(?![0-9])")


def read(text: str, url: str, max_entries: int) -> Feed:
    """Return a sitemap's articles; over `max_entries` the newest of them, in the order of the document."""
    entries = Entries(url, max_entries)
    listed = [_fields(element) for element in body.tree(text).iter() if body.local_name(element) == "url"]
    home = urls.key(urls.clean("/", url) or url)
    articles = [fields for fields in listed if urls.key(fields.get("loc", "")) != home]
    if len(articles) > max_entries:
        entries.note(f"over the limit of {max_entries:,}, left out", len(articles) - max_entries)
        newest = sorted(articles, key=_newest, reverse=True)[:max_entries]
        chosen = set(map(id, newest))
        articles = [fields for fields in articles if id(fields) in chosen]
    for fields in articles:
        entries.add(
            url=fields.get("loc", ""),
            title=fields.get("title", ""),
            published=fields.get("publication_date", ""),
            modified=fields.get("lastmod", ""),
        )
    first = next((fields for fields in articles if "name" in fields), {})
    return Feed(
        url=url,
        format=FeedFormat.SITEMAP,
        title=first.get("name", "")[:1000],
        site_url=urls.clean("/", url),
        language=first.get("language"),
        entries=entries.result(),
        warnings=entries.warnings(),
    )


def read_index(text: str, url: str) -> Feed:
    """Return the sitemaps of an index as `more`: of the same site, of articles, the newest first."""
    seen, listed, left_out = {urls.key(url)}, [], 0
    for element in body.tree(text).iter():
        if body.local_name(element) != "sitemap":
            continue
        fields = _fields(element)
        address = urls.clean(fields.get("loc", ""), url)
        if address is None or urls.key(address) in seen:
            continue
        seen.add(urls.key(address))
        name = address.rpartition("/")[2].lower()
        if not urls.same_site(address, url) or (_NOT_ARTICLES.search(name) and "news" not in name):
            left_out += 1
            continue
        # Where the index gives no dates, the names often do: sitemap-2026-11.xml.
        dated = _DATE_IN_NAME.search(name)
        in_name = tuple(int(digits or 0) for digits in dated.groups()) if dated else (0,)
        listed.append((_newest(fields), in_name, address))
    listed.sort(key=lambda one: one[:2], reverse=True)
    warnings = []
    if left_out:
        warnings.append(f"{left_out:,} sitemaps of pictures, authors, tags or other sites left out")
    if len(listed) > MAX_SITEMAPS:
        warnings.append(f"{len(listed) - MAX_SITEMAPS:,} older sitemaps left out, the newest {MAX_SITEMAPS} are read")
    return Feed(
        url=url,
        format=FeedFormat.SITEMAP_INDEX,
        site_url=urls.clean("/", url),
        more=tuple(address for _, _, address in listed[:MAX_SITEMAPS]),
        warnings=tuple(warnings),
    )


def _fields(element: etree._Element) -> dict[str, str]:
    """Return the texts below an element by local name, the first of each: `loc`, `lastmod`, `publication_date` ..."""
    fields: dict[str, str] = {}
    for child in element.iterdescendants():
        if child.text and (text := " ".join(child.text[:10_000].split())):
            fields.setdefault(body.local_name(child), text)
    return fields


def _newest(fields: dict[str, str]) -> datetime:
    dates = [instant(fields[name]) for name in ("publication_date", "lastmod") if name in fields]
    return max((date for date in dates if date is not None), default=_NEVER)
