"""A list of changes as a feed, Atom (RFC 4287) or JSON Feed 1.1, with the difference inside each item.

Pure. What is archived enters as text or as the escaped HTML of a difference; the feed escapes it once more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from markupsafe import Markup

from crawler import urls
from crawler.browse import telling
from crawler.browse.reading import Edit

# What XML 1.0 cannot hold even as a reference.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Item:
    """One change: `address` is the absolute address of its difference, `html` the difference itself."""

    edit: Edit
    address: str
    html: Markup

    @property
    def id(self) -> str:
        """A tag URI (RFC 4151): the same on whatever host and path the archive is shown."""
        host = re.sub(r"[^a-z0-9.-]", "-", self.edit.host.lower())
        return f"tag:{host},{self.edit.seen_at:%Y-%m-%d}:redline/{self.edit.article_id}/{self.edit.number}"

    @property
    def title(self) -> str:
        return f"{_shown(self.edit.headline)} ({self.edit.verdict})"

    @property
    def content(self) -> str:
        kinds = ", ".join(map(telling.kind, self.edit.kinds)) or "wording"
        when = telling.between(self.edit.appeared_after, self.edit.seen_at)
        about = f"{escape(_shown(self.edit.feed))} · {self.edit.verdict} · {escape(kinds)} · weight {self.edit.weight}"
        return f"<p>{about}<br>{when} UTC</p>{self.html}"


def atom(items: Sequence[Item], own: str, page: str) -> str:
    entries = "".join(
        f"<entry><id>{_xml(item.id)}</id><title>{_xml(item.title)}</title>"
        f"<updated>{_time(item.edit.seen_at)}</updated><published>{_time(item.edit.seen_at)}</published>"
        f'<link rel="alternate" type="text/html" href="{_xml(item.address)}"/>{_via(item.edit.url)}'
        f"<author><name>{_xml(_shown(item.edit.feed))}</name></author>"
        + "".join(f'<category term="{_xml(term)}"/>' for term in (item.edit.verdict, *item.edit.kinds))
        + f'<content type="html">{_xml(item.content)}</content></entry>\n'
        for item in items
    )
    updated = max((item.edit.seen_at for item in items), default=datetime(1970, 1, 1, tzinfo=UTC))
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>{_xml(own)}</id><title>Changes seen by Redline</title><updated>{_time(updated)}</updated>"
        f'<link rel="self" type="application/atom+xml" href="{_xml(own)}"/>'
        f'<link rel="alternate" type="text/html" href="{_xml(page)}"/><generator>Redline</generator>\n'
        f"{entries}</feed>\n"
    )


def json_feed(items: Sequence[Item], own: str, page: str) -> str:
    return json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": "Changes seen by Redline",
            "home_page_url": page,
            "feed_url": own,
            "items": [
                {
                    "id": item.id,
                    "url": item.address,
                    **({"external_url": via} if (via := urls.clean(urls.without_secrets(item.edit.url))) else {}),
                    "title": item.title,
                    "content_html": item.content,
                    "date_published": _time(item.edit.seen_at),
                    "authors": [{"name": _shown(item.edit.feed)}],
                    "tags": [item.edit.verdict, *item.edit.kinds],
                }
                for item in items
            ],
        },
        ensure_ascii=False,
    )


FORMATS: dict[str, tuple[Callable[[Sequence[Item], str, str], str], str]] = {
    "atom": (atom, "application/atom+xml; charset=utf-8"),
    "json": (json_feed, "application/feed+json; charset=utf-8"),
}


def _shown(text: str) -> str:
    """Return a text of others as text, with what steers a terminal or the reading direction shown as signs."""
    return telling.plain(" ".join(text.split())).unescape()


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def _via(url: str) -> str:
    address = urls.clean(urls.without_secrets(url))
    return f'<link rel="via" href="{_xml(address)}"/>' if address else ""


def _time(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
