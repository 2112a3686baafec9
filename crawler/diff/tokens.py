"""Text cut into the words that readers know, without losing a character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from itertools import pairwise

from crawler.diff.model import BREAK
from crawler.extract.text import comparable

# Scripts written without spaces between words: Thai and Lao, Myanmar, Khmer, kana and Han with their extensions.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# Extend a grapheme although they are no marks: Thai and Lao AM, halfwidth voicing, skin tones.
_EXTENDING = "\u0e33\u0eb3\uff9e\uff9f\U0001f3fb-\U0001f3ff"
# Seen by no reader, or only as part of a word: soft hyphen, zero-width characters, bidi controls, tags.
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0001\U000e0020-\U000e007f"
_EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
# Boundaries are looked for in a text whose quotes are straight, so that they do not depend on how one was typed.
_STRAIGHT = str.maketrans(dict.fromkeys("\u2018\u2019\u201b\u2032\u2035\u00b4\u0060\u02bc\u02b9\u02bb\uff07", "'"))


@dataclass(frozen=True, slots=True)
class _Patterns:
    """How to cut a text: `plain` and `full` give (white space, token); plain is for a text without `special` signs."""

    special: re.Pattern[str]
    plain: re.Pattern[str]
    full: re.Pattern[str]
    unspaced_run: re.Pattern[str]
    grapheme: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    # Python's \w has no combining marks; the planes that are not searched have none.
    marks = "".join(
        re.escape(chr(code))
        for first, last in ((0x300, 0x1F000), (0xE0100, 0xE01F0))
        for code in range(first, last)
        if unicodedata.category(chr(code)).startswith("M")
    )
    joining = f"{marks}{_INVISIBLE}{_EXTENDING}"
    extend = f"[{joining}]*"
    return _Patterns(
        special=re.compile(f"[{joining}{_UNSPACED}{_EMOJI}]"),
        plain=re.compile(_token(r"\w", "")),
        full=re.compile(_token(f"[\\w{marks}{_INVISIBLE}]", extend)),
        unspaced_run=re.compile(f"[{_UNSPACED}][{_UNSPACED}{joining}]*"),
        # A stacked consonant (Myanmar, Khmer) belongs to the one above it.
        grapheme=re.compile(f".{extend}(?:(?<=[\u1039\u17d2])[{_UNSPACED}]{extend})*", re.DOTALL),
    )


def _token(letter: str, extend: str) -> str:
    """Return the pattern of a token with the white space before it; `extend` is what may follow any sign."""
    kinds = (
        rf"[^\W\d]{letter}*(?:'\w{letter}*)*",  # a word with the apostrophes inside it
        # A number whole: 1.5%, 11,000, 11 000, 11'000, 10:05, 3/4, 19th, 3.5bn.
        r"(?:\d{1,3}(?:[ \u00a0\u2009\u202f]\d{3})+(?!\d)|\d+)(?:[.,:/'\u066b\u066c]\d+)*"
        rf"{letter}*[%\u2030\u066a]?{extend}",
        rf"(?:\.+|-+){extend}",
        f"[\U0001f1e6-\U0001f1ff]{{2}}{extend}",  # a flag
        f"[{_EMOJI}]{extend}(?:(?<=\u200d)[{_EMOJI}]{extend})*",
        rf"[^\w\s]{extend}",
    )
    return rf"(\s*)({'|'.join(kinds)})"


def words(text: str) -> list[str]:
    """Return the tokens of a text: words, whole numbers, signs, white space. Joined they are the text again.

    A token never ends inside a grapheme. Scripts without spaces give a token a character, or the words of ICU's
    dictionaries where PyICU is installed.
    """
    return [token for pair in _cut(text) for token in pair if token]


def _cut(text: str) -> list[tuple[str, str]]:
    """Return each word with the white space before it; the last word is "", with the white space that ends the text."""
    patterns = _patterns()
    straight = text if text.isascii() else text.translate(_STRAIGHT)
    pairs: list[tuple[str, str]]
    if text.isascii() or not patterns.special.search(straight):
        pairs = patterns.plain.findall(straight)
        pairs.append((_trailing_space(straight), ""))
    else:
        pairs = []
        start = 0
        for run in patterns.unspaced_run.finditer(straight):
            spaced = straight[start : run.start()]
            pairs += patterns.full.findall(spaced)
            first, *rest = _dictionary_words(run[0]) if _dictionary_words else patterns.grapheme.findall(run[0])
            pairs.append((_trailing_space(spaced), first))
            pairs += (("", token) for token in rest)
            start = run.end()
        pairs += patterns.full.findall(straight[start:])
        pairs.append((_trailing_space(straight[start:]), ""))
    if straight == text:
        return pairs
    at = 0
    as_read: list[tuple[str, str]] = []
    for gap, token in pairs:
        end = at + len(gap)
        as_read.append((gap, text[end : end + len(token)]))
        at = end + len(token)
    return as_read


def _trailing_space(text: str) -> str:
    return text[len(text.rstrip()) :]


def _with_icu() -> Callable[[str], list[str]] | None:
    """Return how to cut a run of an unspaced script into words; None without PyICU."""
    try:
        icu = import_module("icu")
    except ImportError:
        return None
    breaker = icu.BreakIterator.createWordInstance(icu.Locale.getRoot())

    def cut(run: str) -> list[str]:
        # ICU counts in UTF-16, where a character beyond the first plane counts twice.
        wide = run.encode("utf-16-le", "surrogatepass")
        breaker.setText(run)
        ends = [0, *breaker]
        return [wide[2 * a : 2 * b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(ends)]

    return cut


_dictionary_words = _with_icu()


def is_word(token: str) -> bool:
    """Whether a reader would count the token as a word: it has a letter or a digit."""
    return any(map(str.isalnum, token))


def is_unspaced(token: str) -> bool:
    """Whether the token is of a script without spaces between words, where a line may break before any."""
    return _patterns().unspaced_run.match(token) is not None


# Most words of an article stand in the next one too; the size holds a language's common words.
_folded = lru_cache(maxsize=1 << 16)(comparable)


class Lexicon(dict[str, str]):
    """Gives each word a character, so that a text is compared as a string with one character a word.

    Words that differ only in what the digest folds away have the same one; a word of which nothing is left has "".
    """

    def __init__(self) -> None:
        self._by_folded: dict[str, str] = {"": ""}
        self._count = 0

    def __missing__(self, word: str) -> str:
        folded = _folded(word)
        code = self._by_folded.get(folded)
        if code is None:
            code = self._by_folded[folded] = self.new_code()
        self[word] = code
        return code

    def new_code(self) -> str:
        """Return a character that no word has: for a piece that must match nothing."""
        self._count += 1
        return chr(self._count)


class Text:
    """A text as words and the gaps between them: `gaps[k]` stands before `words[k]`, the last one ends the text.

    `codes` has one character a word. Only words are aligned; a gap counts where it is there on one side alone. White
    space that were a token of its own would be half of all tokens, and pull alignments apart.
    """

    __slots__ = ("breaks", "codes", "gaps", "moves", "words")

    def __init__(self, words: list[str], gaps: list[str], codes: str) -> None:
        self.words = words
        self.gaps = gaps
        self.codes = codes
        self.breaks: set[int] = set()  # gaps at which a block ends
        self.moves: dict[int, int] = {}  # a word that is a whole moved sentence -> the move's number

    @classmethod
    def read(cls, text: str, lexicon: Lexicon) -> Text:
        pairs = _cut(text)
        codes = [lexicon[word] for _, word in pairs]
        if "" in codes[:-1]:
            pairs, codes = _without_unseen(pairs, codes)
        return cls([word for _, word in pairs[:-1]], [gap for gap, _ in pairs], "".join(codes))

    @classmethod
    def joined(cls, parts: Sequence[Text]) -> Text:
        """Return several blocks as one text, with `BREAK` between."""
        if len(parts) == 1:
            return parts[0]
        whole = cls([], [""], "".join(part.codes for part in parts))
        for number, part in enumerate(parts):
            if number:
                whole.breaks.add(len(whole.words))
                whole.gaps[-1] += BREAK
            whole.moves |= {len(whole.words) + index: move for index, move in part.moves.items()}
            whole.gaps[-1] += part.gaps[0]
            whole.gaps += part.gaps[1:]
            whole.words += part.words
        return whole

    @classmethod
    def of_items(cls, items: Sequence[str], lexicon: Lexicon) -> Text:
        """Return a text in which each item is one word, with `BREAK` between."""
        items = [item for item in items if lexicon[item]]
        gaps = ["", *[BREAK] * (len(items) - 1), ""] if items else [""]
        text = cls(items, gaps, "".join(lexicon[item] for item in items))
        text.breaks = set(range(1, len(items)))
        return text

    def with_moves(self, sentences: Sequence[tuple[int, int, int]], lexicon: Lexicon) -> Text:
        """Return the text with each (start, end, move number) made one word that matches no other."""
        text = Text([], [], "")
        codes: list[str] = []
        at = 0
        for start, end, move in [*sorted(sentences), (len(self.words), len(self.words), 0)]:
            text.words += self.words[at:start]
            text.gaps += self.gaps[at:start]
            codes.append(self.codes[at:start])
            if start < end:
                text.moves[len(text.words)] = move
                text.words.append(self.slice(start, end))
                text.gaps.append(self.gaps[start])
                codes.append(lexicon.new_code())
            at = end
        text.gaps.append(self.gaps[-1])
        text.codes = "".join(codes)
        return text

    def __len__(self) -> int:
        return len(self.words)

    def slice(self, start: int, end: int) -> str:
        """Return the words from `start` to `end` with the gaps between them, without those around."""
        return self.words[start] + "".join(self.gaps[k] + self.words[k] for k in range(start + 1, end))

    def gap_key(self, index: int) -> str:
        """Return what of a gap is compared: nothing, a space or a break. White space around a text is nothing."""
        if index in self.breaks:
            return BREAK
        return " " if 0 < index < len(self.words) and any(map(str.isspace, self.gaps[index])) else ""


def _without_unseen(pairs: list[tuple[str, str]], codes: list[str]) -> tuple[list[tuple[str, str]], list[str]]:
    """Make words of which a reader sees nothing (a lone zero-width space) part of the white space around them."""
    kept: list[tuple[str, str]] = []
    gap = ""
    for (before, word), code in zip(pairs, codes, strict=True):
        gap += before
        if code or not word:
            kept.append((gap, word))
            gap = ""
        else:
            gap += word
    return kept, [code for code in codes if code]
