"""The publisher's own notes on a change: corrections, clarifications, updates, in about thirty languages."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files

from crawler.extract import wordings
from crawler.items import NoticeKind

# What may stand between the opening word and the text: "Correction (May 3):", "Update 2 -", "訂正:".
_AFTER_WORD = re.compile(r"([\s\w.,/()]{0,40}?)(?:\s?[:】\]]|\s[-\u2013\u2014])")
_LEADING = " \t*•_>【[(-–—"
_SHORTEST = 20
# A notice says so at once: what comes later in a long line is quoted.
_LOOK = 240


@cache
def _wordings() -> tuple[tuple[NoticeKind, tuple[str, ...], tuple[str, ...]], ...]:
    data = json.loads(files("crawler.extract").joinpath("notices.json").read_text("utf-8"))
    return tuple(
        (
            kind,
            tuple(sorted((word.casefold() for word in data[kind.value]["opens"]), key=len, reverse=True)),
            tuple(phrase.casefold() for phrase in data[kind.value]["holds"]),
        )
        for kind in (NoticeKind.CORRECTION, NoticeKind.CLARIFICATION, NoticeKind.UPDATE)
    )


def kind_of(text: str, names: str = "") -> NoticeKind | None:
    """Return what kind of notice a line is, None if it is none. `names` are the class and id of its box."""
    if not _SHORTEST <= len(text) <= 2000:
        return None
    key = text[:_LOOK].casefold().replace("\u2019", "'").replace("\u00a0", " ").replace("：", ":").lstrip(_LEADING)
    for kind, opens, holds in _wordings():
        if key.startswith(opens):
            word = next(word for word in opens if key.startswith(word))
            after = _AFTER_WORD.match(key, len(word))
            if after and (kind is not NoticeKind.UPDATE or not after[1].strip() or any(map(str.isdigit, after[1]))):
                return kind
        if wordings.holds(key, holds):
            return kind
    for kind in (NoticeKind.CORRECTION, NoticeKind.CLARIFICATION):
        if kind.value in names:
            return kind
    return None
