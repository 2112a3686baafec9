"""The words that matter in each language, from `words/*.json`, and which language a text is in."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from crawler.extract.text import comparable

_FOLDER = Path(__file__).parent / "words"
_UNSPACED = ("ja", "zh")
_SCRIPTS = (
    ("ja", re.compile("[\u3041-\u30ff]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("ar", re.compile("[\u0620-\u06ff]")),
    ("uk", re.compile("[іїєґІЇЄҐ]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
)


class Terms:
    """A list of words to look for. In a list "*" stands for any letters, "=" before a word for its exact case."""

    def __init__(self, terms: list[str], language: str, *, is_exact: bool = False) -> None:
        alternatives = []
        for term in sorted(terms, key=len, reverse=True):
            pattern = re.escape(comparable(term.removeprefix("="))).replace(r"\*", r"\w*")
            if is_exact and not term.startswith("="):
                # A name of a day or month: as it is written, or as a sentence starts.
                pattern = f"{pattern}|{pattern[0].upper()}{pattern[1:]}"
            alternatives.append(pattern if is_exact or term.startswith("=") else f"(?i:{pattern})")
        either = "|".join(alternatives) or r"(?!)"
        # Arabic writes "and" and "so" as a letter before the word.
        before = r"(?<!\w)[وف]?" if language == "ar" else r"(?<!\w)"
        self._pattern = re.compile(f"(?:{either})" if language in _UNSPACED else f"{before}(?:{either})(?!\\w)")

    def found(self, text: str) -> Counter[str]:
        """Return the terms in the text, in lower case, with how often each stands there."""
        return Counter(match[0].lower() for match in self._pattern.finditer(comparable(text)))

    def __contains__(self, word: str) -> bool:
        return self._pattern.fullmatch(comparable(word)) is not None


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language, by what they tell. Every list is empty for a language that has no file."""

    code: str
    common: frozenset[str]  # articles, prepositions, forms of "to be": small words
    says: Terms  # who says it, without a colour: "said", "according to"
    charged: Terms  # with one: "claimed", "admitted"
    hedges: Terms  # how sure it is: "allegedly", "may"
    negation: Terms
    opposites: tuple[tuple[Terms, Terms], ...]
    any_opposite: Terms
    titles: Terms  # what stands before or after a person's name
    numbers: Terms
    dates: Terms


@cache
def language(code: str) -> Language:
    """Return the words of a language by its two letters."""
    path = _FOLDER / f"{code}.json"
    lists = json.loads(path.read_text(encoding="utf-8")) if code in known() else {}

    def terms(name: str, *, is_exact: bool = False) -> Terms:
        return Terms(lists.get(name, []), code, is_exact=is_exact)

    return Language(
        code=code,
        common=frozenset(lists.get("common", ())),
        says=terms("say"),
        charged=terms("charged"),
        hedges=terms("hedges"),
        negation=terms("negation"),
        opposites=tuple((Terms(one, code), Terms(other, code)) for one, other in lists.get("opposites", ())),
        any_opposite=Terms([term for pair in lists.get("opposites", ()) for side in pair for term in side], code),
        titles=terms("titles"),
        numbers=terms("numbers"),
        dates=terms("dates", is_exact=True),
    )


@cache
def known() -> frozenset[str]:
    """Return the languages that have a list of words."""
    return frozenset(path.stem for path in _FOLDER.glob("*.json"))


def language_of(claimed: str, text: str) -> Language:
    """Return the language of an article: what the page says, else by script and by small words; "" if none fits."""
    code = claimed.replace("_", "-").partition("-")[0].lower()
    if code in known():
        return language(code)
    for code, letters in _SCRIPTS:
        if letters.search(text):
            return language(code)
    small = Counter(re.findall(r"\w+", text[:4000].lower()))
    votes = {code: sum(small[word] for word in language(code).common) for code in sorted(known())}
    best = max(votes, key=lambda code: votes[code])
    return language(best if votes[best] else "")
