"""Text cut into the words that readers know, without losing a character."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache

from crawler.diff.model import BREAK

# Scripts written without spaces between words: Thai and Lao, Myanmar, Khmer, kana and Han with their extensions.
_UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u109f\u1780-\u17d3"
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff"
)
# Extend a grapheme although they are no marks: Thai and Lao AM, halfwidth voicing, skin tones.
_EXTENDING = "\u0e33\u0eb3\uff9e\uff9f\U0001f3fb-\U0001f3ff"
# Not seen by a reader, or only as part of a word: soft hyphen, zero-width characters, bidi controls, tags.
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0001\U000e0020-\U000e007f"
_APOSTROPHES = "'\u2018\u2019\u201b\u02bc\uff07"


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return how to find an unspaced run, how to cut it, and how to cut all else."""
    marks = "".join(
        re.escape(chr(code))
        for first, last in ((0x300, 0x1F000), (0xE0100, 0xE01F0))
        for code in range(first, last)
        if unicodedata.category(chr(code)).startswith("M")
    )
    extend = f"[{marks}{_INVISIBLE}{_EXTENDING}]"
    run = f"[{_UNSPACED}][{_UNSPACED}{marks}{_INVISIBLE}{_EXTENDING}]*"
    # A stacked consonant (Myanmar, Khmer) belongs to the one above it.
    grapheme = f"[^\u1039\u17d2]{extend}*(?:(?<=[\u1039\u17d2])[{_UNSPACED}]{extend}*)*|."
    letters = f"[\\w{marks}{_INVISIBLE}]"
    other = "|".join(
        (
            r"\s+",
            # A number whole: 1.5%, 11,000, 11 000, 10:05, 3/4, 19th, 3.5bn.
            rf"(?:\d{{1,3}}(?:[ \u00a0\u2009\u202f]\d{{3}})+(?!\d)|\d+)(?:[.,:/{_APOSTROPHES}\u066b\u066c]\d+)*"
            rf"(?:{letters}+|{extend})*[%\u2030\u066a]?{extend}*",
            # A word with the apostrophes inside it.
            rf"\w{letters}*(?:[{_APOSTROPHES}]\w{letters}*)*",
            # Flags, joined emoji, then any sign, the same one repeated being one: "...", "--".
            f"[\U0001f1e6-\U0001f1ff]{{2}}{extend}*",
            f"[\u2190-\u2bff\U0001f000-\U0001faff]{extend}*(?:(?<=\u200d)[\u2190-\u2bff\U0001f000-\U0001faff]{extend}*)*",
            rf"([^\w\s])\1*{extend}*",
            ".",
        )
    )
    return re.compile(run), re.compile(grapheme, re.DOTALL), re.compile(other, re.DOTALL)


def words(text: str) -> list[str]:
    """Return the tokens of a text: words, whole numbers, signs, white space. Joined they are the text again.

    A token never ends inside a grapheme. Scripts without spaces give a token a character, or the words of ICU's
    dictionaries where PyICU is installed.
    """
    run, grapheme, other = _patterns()
    tokens: list[str] = []
    start = 0
    for found in run.finditer(text):
        tokens += (match[0] for match in other.finditer(text, start, found.start()))
        tokens += grapheme.findall(found[0])
        start = found.end()
    if not tokens:
        return [match[0] for match in other.finditer(text, start)]
    tokens += (match[0] for match in other.finditer(text, start))
    return tokens


def is_word(token: str) -> bool:
    """Whether a reader would count the token as a word: it has a letter or a digit."""
    return any(map(str.isalnum, token))


@lru_cache(maxsize=1 << 16)
def _folded(token: str) -> str:
    return unicodedata.normalize("NFC", token)


class Lexicon:
    """Numbers tokens, so that two texts can be compared as strings with one character a token.

    Tokens that differ only in what the digest folds away have one number.
    """

    def __init__(self) -> None:
        self._by_token: dict[str, str] = {}
        self._by_folded: dict[str, str] = {}
        self._count = 0

    def code(self, token: str) -> str:
        code = self._by_token.get(token)
        if code is None:
            folded = _folded(token)
            code = self._by_folded.get(folded)
            if code is None:
                code = self._by_folded[folded] = self.new_code()
            self._by_token[token] = code
        return code

    def new_code(self) -> str:
        """Return a code that equals no other: for a piece that must not be matched."""
        self._count += 1
        return chr(self._count)


class Text:
    """A text as words and the gaps between them: `gaps[k]` stands before `words[k]`, the last one ends the text.

    `codes` has one character a word. Only words are aligned; a gap counts when it is there on one side alone.
    """

    __slots__ = ("codes", "gaps", "moves", "words")

    def __init__(self, words: list[str], gaps: list[str], codes: str, moves: dict[int, int] | None = None) -> None:
        self.words = words
        self.gaps = gaps
        self.codes = codes
        self.moves = moves or {}  # index of a word that is a whole moved sentence -> the move's number

    @classmethod
    def read(cls, text: str, lexicon: Lexicon) -> Text:
        found: list[str] = []
        gaps: list[str] = []
        gap = ""
        for token in words(text):
            if token.isspace():
                gap += token
            else:
                gaps.append(gap)
                found.append(token)
                gap = ""
        gaps.append(gap)
        return cls(found, gaps, "".join(map(lexicon.code, found)))

    @classmethod
    def joined(cls, parts: list[Text]) -> Text:
        """Return several blocks as one text, with `BREAK` between."""
        if len(parts) == 1:
            return parts[0]
        all_words: list[str] = []
        gaps: list[str] = [""]
        moves: dict[int, int] = {}
        for number, part in enumerate(parts):
            moves.update((len(all_words) + index, move) for index, move in part.moves.items())
            gaps[-1] += (BREAK if number else "") + part.gaps[0]
            gaps += part.gaps[1:]
            all_words += part.words
        return cls(all_words, gaps, "".join(part.codes for part in parts), moves)

    def __len__(self) -> int:
        return len(self.words)

    def slice(self, start: int, end: int) -> str:
        """Return the words from `start` to `end` with the gaps between them, without those around."""
        pieces: Iterator[str] = (self.gaps[k] + self.words[k] for k in range(start + 1, end))
        return self.words[start] + "".join(pieces) if start < end else ""

    def gap_key(self, index: int) -> str:
        """Return what of a gap is compared: nothing, a space or a break. White space around a text is nothing."""
        gap = self.gaps[index]
        if BREAK in gap:
            return BREAK
        return " " if gap and 0 < index < len(self.words) else ""
