"""The text of pages that draw themselves from data: `__NEXT_DATA__`, React's stream, a JSON state in a script."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

# React Server Components arrive as `self.__next_f.push([1,"..."])`, a stream cut into strings.
_PUSH = re.compile(r"self\.__next_f\.push\(\s{0,9}(?=\[)")
_ROW = re.compile(r"\n[0-9a-f]{1,6}:(?:T[0-9a-f]{1,8},)?")
_TEXT_KEYS = ("content", "text", "html", "value", "body", "paragraph", "data")
# Bytes, more than a teaser has: what a script must hold before it is believed to be the article.
_ENOUGH = 400
_DECODER = json.JSONDecoder(strict=False)


def article_html(scripts: list[str]) -> str:
    """Return the longest run of prose in the data of `scripts` as HTML, "" if there is none."""
    best, best_size = "", _ENOUGH
    for html in _candidates(scripts):
        size = len(html.encode("utf-8", "replace")) if html.count("<p") > 1 or html.count("<br") > 2 else 0
        if size > best_size:
            best, best_size = html, size
    return f"<article>{best}</article>".encode("utf-8", "replace").decode() if best else ""


def _candidates(scripts: list[str]) -> Iterator[str]:
    stream: list[str] = []
    for script in scripts:
        push = _PUSH.match(script.strip())
        if push:
            value = _value(script.strip()[push.end() :])
            if isinstance(value, list):
                stream += [part for part in value if isinstance(part, str)]
            continue
        start = script.find("{")
        if 0 <= start < 200 and len(script) > _ENOUGH:
            yield from _prose(_value(script[start:]))
    yield from _ROW.split("".join(stream))


def _value(text: str) -> Any:
    try:
        return _DECODER.raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _prose(value: Any) -> Iterator[str]:
    """Yield each string of HTML and each list of paragraphs in a JSON value."""
    todo = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, dict):
            todo += value.values()
        elif isinstance(value, list):
            todo += value
            paragraphs = [text for item in value if (text := _paragraph(item))]
            if len(paragraphs) > 2:
                yield "".join(paragraphs)
        elif isinstance(value, str) and len(value) > _ENOUGH and "<p" in value:
            yield value


def _paragraph(item: Any) -> str:
    """Return a block of a page builder (Arc, Sanity, Contentful ...) as HTML, "" if it is no text."""
    if not isinstance(item, dict):
        return ""
    text = next((item[key] for key in _TEXT_KEYS if isinstance(item.get(key), str)), "")
    children = item.get("children") or item.get("content")
    if not text and isinstance(children, list):
        text = "".join(escape(c["text"]) for c in children if isinstance(c, dict) and isinstance(c.get("text"), str))
    if not text or "{" in text[:2]:
        return ""
    kind = str(item.get("type") or item.get("_type") or item.get("style") or "")
    tag = "h2" if "head" in kind.lower() else "p"
    return text if text.lstrip().startswith("<p") else f"<{tag}>{text}</{tag}>"
