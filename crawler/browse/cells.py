"""Cells of Datasette's tables and queries as a person would write them. Pure: a row in, Markup out; None: as it is.

Cells are known by their column's name, so a query that someone writes shows them the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from markupsafe import Markup, escape

from crawler import urls
from crawler.browse import telling

# Columns with addresses in them, which may hold a key or a token.
_ADDRESSES = frozenset(
    "url current_url final_url site_url canonical_url former_urls hub key last_error error evidence trust_evidence"
    " backoff_reason".split()
)
_DIGEST = re.compile(r"[0-9]+:[0-9a-f]+")

# How a row's article is found, by table: the column with its number, and the one with the version's.
_ARTICLE = {"articles": ("id", None), "versions": ("article_id", "number")}


def cell(row: Any, value: Any, column: str, table: str | None, home: str) -> Markup | None:
    """Return how to show `value`; `home` is the path under which our pages of this database stand."""
    if value is None or value == "" or isinstance(value, (bytes, Mapping)):
        return None
    if column == "headline":
        return _headline(row, str(value), table, home)
    show = _BY_NAME.get(column)
    if show is None and isinstance(value, str) and len(value) == 20 and value.endswith("Z"):
        show = _time
    told = urls.without_secrets(value) if column in _ADDRESSES and isinstance(value, str) else value
    try:
        if show is not None:
            return show(told)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        pass  # a column of another make under the same name
    return None if told == value else escape(told)  # None: Datasette shows it as it is


def _headline(row: Any, text: str, table: str | None, home: str) -> Markup | None:
    names = set(row.keys())
    article_column, version_column = _ARTICLE.get(table or "", ("article_id", "version"))
    if article_column not in names:
        return None
    article, number = (_number(row[name]) if name in names else None for name in (article_column, version_column))
    if article is None:
        return None
    path = f"{home}/article/{article}"
    if number is not None:
        path += f"/{number}" if table == "versions" else f"?to={number}"
    return Markup('<a href="{}" dir="auto">{}</a>').format(path, telling.plain(text))


def _number(value: Any) -> int | None:
    """Return the number in a cell, beside which Datasette may have put the label of the row that it points to."""
    number = value["value"] if isinstance(value, Mapping) else value
    return number if isinstance(number, int) else None


def _time(value: Any) -> Markup:
    when = datetime.fromisoformat(value)
    return Markup('<span title="{}">{}</span>').format(f"{when:%Y-%m-%dT%H:%M:%SZ}", telling.stamp(when))


def _summary(value: Any) -> Markup:
    return Markup('<span class="rl-cell" dir="auto">{}</span>').format(telling.summary(value))


def _verdict(value: Any) -> Markup:
    return Markup('<span class="verdict verdict-{}" title="{}">{}</span>').format(value, telling.VERDICTS[value], value)


def _list(value: Any) -> Markup:
    """A JSON list of words, or of objects that have a name, a text or a title."""
    items = json.loads(value)
    if not isinstance(items, list):
        raise TypeError
    return Markup(", ").join(
        telling.plain(
            next((item[key] for key in ("name", "text", "title", "url") if item.get(key)), "")
            if isinstance(item, dict)
            else telling.kind(item)
        )
        for item in items
    ) or Markup("&nbsp;")


def _number_of(noun: str) -> Callable[[Any], Markup]:
    return lambda value: escape(telling.count(len(json.loads(value)), noun))


def _pairs(value: Any) -> Markup:
    """A JSON object, one line a key."""
    shown = json.loads(value)
    if not shown:
        return Markup("&nbsp;")
    return Markup("<br>").join(
        Markup("<b>{}</b> {}").format(
            telling.kind(str(key)),
            telling.plain(text if isinstance(text, str) else json.dumps(text, ensure_ascii=False)),
        )
        for key, text in shown.items()
        if text
    )


def _digest(value: Any) -> Markup:
    if not _DIGEST.fullmatch(value):
        raise ValueError
    return Markup('<code title="{}">{}</code>').format(value, telling.short_digest(value))


def _bytes(value: Any) -> Markup:
    size = float(int(value))
    for unit in ("B", "kB", "MB"):
        if size < 1000 or unit == "MB":
            break
        size /= 1000
    digits = 0 if size >= 10 or unit == "B" else 1
    return Markup('<span title="{} bytes">{}</span>').format(int(value), f"{size:.{digits}f} {unit}")


def _milliseconds(value: Any) -> Markup:
    return escape(f"{int(value):,} ms")


_BY_NAME: dict[str, Callable[[Any], Markup]] = {
    "summary": _summary,
    "verdict": _verdict,
    "kinds": _list,
    "authors": _list,
    "tags": _list,
    "notices": _list,
    "related": _list,
    "headlines": _pairs,
    "evidence": _pairs,
    "digest": _digest,
    "block_ids": _number_of("block"),
    "image_ids": _number_of("picture"),
    "body_bytes": _bytes,
    "bytes": _bytes,
    "elapsed_ms": _milliseconds,
}
