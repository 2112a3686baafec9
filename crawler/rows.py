"""Rows and values: how what we know is written down in the archive, and how it is read back. Pure.

A row is anything that gives a column by its name: the archive's own, or what Datasette hands out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from datetime import UTC, datetime
from typing import Any, Protocol

from crawler.items import (
    Article,
    Author,
    Block,
    BlockKind,
    Headlines,
    Image,
    Notice,
    NoticeKind,
    Quality,
    Related,
    Version,
)

_HEADLINES = tuple(field.name for field in fields(Headlines))


class Row(Protocol):
    """A row of a table or of a query."""

    def __getitem__(self, column: str, /) -> Any: ...


def version(row: Row, *, url: str, blocks: Iterable[Row], images: Iterable[Row]) -> Version:
    """Put a version together: its row of `versions`, the article's address, its blocks and its images in order."""
    article = Article(
        url=url,
        headline=row["headline"],
        description=row["description"],
        authors=tuple(Author(**author) for author in json.loads(row["authors"])),
        blocks=tuple(Block(kind=BlockKind(b["kind"]), text=b["text"], at=moment(b["at"])) for b in blocks),
        images=tuple(Image(url=i["url"], caption=i["caption"], credit=i["credit"]) for i in images),
        date_published=moment(row["date_published"]),
        date_modified=moment(row["date_modified"]),
        section=row["section"],
        tags=tuple(json.loads(row["tags"])),
        language=row["language"],
        headlines=Headlines(**dict.fromkeys(_HEADLINES, row["headline"]) | json.loads(row["headlines"])),
        canonical_url=row["canonical_url"],
        notices=tuple(Notice(kind=NoticeKind(n["kind"]), text=n["text"]) for n in json.loads(row["notices"])),
        related=tuple(Related(**link) for link in json.loads(row["related"])),
        is_paywalled=bool(row["is_paywalled"]),
        quality=Quality(row["quality"]),
    )
    return Version(
        id=row["id"],
        article_id=row["article_id"],
        number=row["number"],
        article=article,
        digest=row["digest"],
        appeared_after=moment(row["appeared_after"]),
        first_seen=known_moment(row["first_seen"]),
        last_seen=known_moment(row["last_seen"]),
        checks=row["checks"],
    )


def other_headlines(article: Article) -> dict[str, str]:
    """Return the page's headlines that are other than the article's: one that is left out reads as that does.

    Most pages say the same one five times; with all of them a row of `versions` is a sixth larger.
    """
    return {name: title for name, title in asdict(article.headlines).items() if title != article.headline}


def as_json(value: object) -> str:
    """Return JSON as it stands in a column: compact, every script as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_text(time: datetime | None) -> str | None:
    """Return a time as it stands in a column: UTC, whole seconds, `Z`."""
    return None if time is None else time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def known_moment(text: str) -> datetime:
    """Read a time from a column that is never null."""
    return datetime.fromisoformat(text)


def moment(text: str | None) -> datetime | None:
    """Read a time from a column."""
    return None if text is None else datetime.fromisoformat(text)
