"""The word lists of `phrases.json`, and what they say of a line. Words help; shape and place decide first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files

from crawler.extract.text import comparable

# Also at the end of a class in one word: "contentheaderdek", "articlesubtitle".
_LONG_STANDFIRST = ("dek", "subtitle", "standfirst", "subheadline", "summary", "abstract", "subhead")


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    data = json.loads(files("crawler.extract").joinpath("phrases.json").read_text("utf-8"))
    return {name: tuple(words) for name, words in data.items() if isinstance(words, list)}


@cache
def _set(name: str) -> frozenset[str]:
    return frozenset(_lists()[name])


def holds(key: str, phrases: Iterable[str]) -> bool:
    """Whether one of the phrases stands anywhere in `key`."""
    return any(map(key.__contains__, phrases))


def folded(text: str) -> str:
    """Return `text` as the lists have it: comparable, caseless, without what frames a label."""
    return comparable(text).casefold().strip(" :.-+>»*|•…!")


def is_label(text: str) -> bool:
    """Whether a short line is only a label: "Advertisement", "Teilen", "関連記事"."""
    return len(text) < 60 and ((key := folded(text)) in _set("labels") or key in _set("related"))


def starts_related(text: str) -> bool:
    """Whether a line begins as a pointer to another article does: "Read more:", "Lesen Sie auch"."""
    return folded(text[:60]).startswith(_lists()["related"])


def makes_offer(text: str) -> bool:
    """Whether a line asks to subscribe, register, follow or agree."""
    return holds(comparable(text).casefold(), _lists()["offers"])


def names_boilerplate(tokens: set[str]) -> bool:
    """Whether the words of a box's class and id are those of what surrounds articles."""
    return not tokens.isdisjoint(_set("names"))


def is_unseen(classes: Iterable[str]) -> bool:
    """Whether classes, in lower case, hide the element from the eye, as the common style sheets name it."""
    return not _set("unseen").isdisjoint(classes)


def is_embed(classes: str) -> bool:
    """Whether a class list marks another site's post, in the markup that the site hands out."""
    return not _set("embeds").isdisjoint(classes.lower().split())


def gives_credit(key: str) -> bool:
    """Whether a folded, caseless line says who else worked on the article, or whose text it is."""
    return holds(key, _lists()["credits"])


def names_standfirst(name: str) -> bool:
    """Whether a box's class and id call it the article's standfirst."""
    for token in name.replace("_", "-").replace(" ", "-").split("-"):
        if token in _set("standfirst") or token.endswith(_LONG_STANDFIRST):
            return True
    return False


def names_role(text: str) -> bool:
    """Whether a part of a byline is what somebody does, not who: "Senior News Editor"."""
    words = folded(text).split()
    return any(word in _set("roles") for word in words)


def without_profession(name: str) -> str:
    """Return a name without the profession that some languages put beside it: "신현주 기자" -> "신현주"."""
    for word in _lists()["professions"]:
        name = name.removesuffix(word).removeprefix(word + " ").strip()
    return name


def says_by(text: str) -> bool:
    """Whether a label introduces the author."""
    return folded(text) in _set("by")
