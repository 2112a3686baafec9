"""The rules for one edit inside a passage. Each returns the words that made it speak, or nothing."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Container
from functools import lru_cache

from rapidfuzz.distance import OSA

from crawler.changes.edits import Edit, letters, real_words
from crawler.changes.language import Language, Terms
from crawler.diff import BREAK

# An edit with more words on a side says something new: one word in it is no evidence of a changed sense.
_FEW_WORDS = 5
_PASSAGE_WORDS = 6
_ADDRESS_LENGTH = 200

_QUOTED = re.compile(
    r"“([^“”]+)(?:”|$)|„([^„“”]+)(?:[“”]|$)|«([^«»]+)(?:»|$)|»([^«»]+)(?:«|$)|「([^「」]+)(?:」|$)|『([^『』]+)(?:』|$)"
    r'|"([^"]+)(?:"|$)|(?<!\w)‘([^‘]+?)’(?!\w)' + r"|(?<!\w)'([^'\n]+?)'(?!\w)"
)
_ADDRESS = re.compile(r"https?://|www\.|\S@\S{1,100}\.\w|^\w[\w-]*(?:\.[\w-]+)*\.(?:com|org|net|gov|info)(?:/|$)", re.I)
_NUMERAL = re.compile(r"[0-9]+(?:[.,:][0-9]+)*|[〇零一二三四五六七八九十百千两]+")
_UNSPACED = re.compile("[\u3041-\u30ff\u3400-\u9fff]")
_SENTENCE_END = frozenset(".!?…:。！？\u2029")
_AROUND_SENTENCES = " \t\n\"'“”„«»‘’¿¡()[]–—-"


def is_small(edit: Edit) -> bool:
    return all(_size(side) <= _FEW_WORDS for side in (edit.old, edit.new))


def is_passage(text: str) -> bool:
    """Whether a text that came or went says something in its own right: a clause, a sentence."""
    return _size(text) >= _PASSAGE_WORDS


def _size(text: str) -> float:
    """Return the words of a text; two characters of a script without spaces count as one."""
    unspaced = len(_UNSPACED.findall(text))
    return unspaced / 2 + (len(real_words(_UNSPACED.sub(" ", text))) if unspaced else len(real_words(text)))


@lru_cache(maxsize=16)
def quotations(text: str) -> list[tuple[int, int]]:
    """Return the (start, end) of all that stands between quotation marks, marks included."""
    return [match.span() for match in _QUOTED.finditer(text)]


@lru_cache(maxsize=16)
def quoted(text: str) -> Counter[str]:
    """Return what is quoted in a text, by its letters alone."""
    return Counter(said for start, end in quotations(text) if (said := letters(text[start:end])))


def is_quoted(edit: Edit) -> bool:
    """Whether the edit touches words between quotation marks, or the marks."""
    return _touches(edit.passage.old, edit.old_start, edit.old_end) or _touches(
        edit.passage.new, edit.new_start, edit.new_end
    )


def _touches(text: str, start: int, end: int) -> bool:
    return any(start < last and first < end for first, last in quotations(text))


def link(edit: Edit) -> tuple[str, ...]:
    old = _whole(edit.passage.old, edit.old_start, edit.old_end)
    new = _whole(edit.passage.new, edit.new_start, edit.new_end)
    if old != new and (_ADDRESS.search(old) or _ADDRESS.search(new)) and len(f"{old}{new}".split()) <= 4:
        return (f"{old} → {new}",)
    return ()


def _whole(text: str, start: int, end: int) -> str:
    """Return the stretch grown to where white space, or a script that no address is written in, begins."""
    before = text[max(0, start - _ADDRESS_LENGTH) : start]
    after = text[end : end + _ADDRESS_LENGTH]
    head = next((k for k in range(len(before), 0, -1) if not "!" <= before[k - 1] <= "~"), 0)
    tail = next((k for k, char in enumerate(after) if not "!" <= char <= "~"), len(after))
    return (before[head:] + text[start:end] + after[:tail]).strip(" .,;()")


def negation(edit: Edit, language: Language) -> tuple[str, ...]:
    if not is_small(edit):
        return ()
    if found := _moved_terms(edit, language.negation):
        return found
    if not language.any_opposite.found(edit.old) or not language.any_opposite.found(edit.new):
        return ()
    for one, other in language.opposites:
        for left, right in ((one, other), (other, one)):
            gone, came = left.found(edit.old) - left.found(edit.new), right.found(edit.new) - right.found(edit.old)
            if gone and came:
                return (f"{', '.join(gone)} → {', '.join(came)}",)
    return ()


def attribution(edit: Edit, language: Language) -> tuple[str, ...]:
    if not is_small(edit):
        return ()
    for terms in (language.hedges, language.charged):
        if found := _moved_terms(edit, terms):
            return found
    # "said" for "told" is style; who says it is new only where no such word stood.
    old, new = edit.windows()
    if bool(language.says.found(old)) != bool(language.says.found(new)):
        return _moved_terms(edit, language.says)
    return ()


def _moved_terms(edit: Edit, terms: Terms) -> tuple[str, ...]:
    old, new = map(terms.found, edit.windows())
    if old.total() == new.total() and set(old) == set(new):
        return ()
    gone, came = old - new, new - old
    return (f"{', '.join(gone) or '–'} → {', '.join(came) or '–'}",) if gone or came else ()


def number(edit: Edit, language: Language) -> tuple[str, ...]:
    old, new = _digits(edit.old), _digits(edit.new)
    is_short = len(edit.old_words) <= 4 and len(edit.new_words) <= 4
    if old != new and ((old and new) or is_short):
        return (edit.evidence(),)
    if _UNSPACED.search(edit.old + edit.new):
        left, right = (unicodedata.normalize("NFKC", side) for side in (edit.old, edit.new))
        if _NUMERAL.findall(left) != _NUMERAL.findall(right) and _NUMERAL.sub("#", left) == _NUMERAL.sub("#", right):
            return (edit.evidence(),)
    for terms in (language.numbers, language.dates):
        gone, came = terms.found(edit.old) - terms.found(edit.new), terms.found(edit.new) - terms.found(edit.old)
        if gone and came and is_small(edit):
            return (f"{', '.join(gone)} → {', '.join(came)}",)
    return ()


def _digits(text: str) -> Counter[str]:
    return Counter(
        re.sub(r"[^\d.,:/]", "", folded).strip(".,:/")
        for word in real_words(text)
        if any(map(str.isdigit, folded := unicodedata.normalize("NFKC", word)))
    )


def name(edit: Edit, language: Language, known: Container[str], *, is_quoted: bool) -> tuple[str, ...]:
    """`known` are words of the article that stand capitalised inside a sentence."""
    if not is_small(edit) or not edit.old_words or not edit.new_words:
        return ()
    if language.code in ("ja", "zh", "ar"):
        return (edit.evidence(),) if not is_quoted and _has_title_beside(edit, language) else ()
    old = _capitalised(edit.old, edit.passage.old, edit.old_start, edit, language, known)
    new = _capitalised(edit.new, edit.passage.new, edit.new_start, edit, language, known)
    if old and new and old != new:
        return (f"{' '.join(old)} → {' '.join(new)}",)
    return ()


def _has_title_beside(edit: Edit, language: Language) -> bool:
    """Whether a short replacement stands beside "minister", "Mr": the sign of a name where no capitals are."""
    if _size(edit.old) > 4 or _size(edit.new) > 4 or not letters(edit.old) or not letters(edit.new):
        return False
    if language.code == "ar":
        return bool(language.titles.found(edit.before()))
    # Japanese and Chinese put the title behind the name; one more character of the name may stand between.
    after = edit.passage.new[edit.new_end : edit.new_end + 8]
    found = next(iter(language.titles.found(after)), None)
    return found is not None and 0 <= after.find(found) <= 2


def _capitalised(side: str, text: str, start: int, edit: Edit, language: Language, known: Container[str]) -> list[str]:
    """Return the words of one side that look like names."""
    found: list[str] = []
    at = start
    is_title_case = _is_title_case(text)
    for word in real_words(side):
        at = text.find(word, at)
        here, at = at, at + len(word)
        if not word[0].isupper() or word in language.dates or word in language.numbers or word in language.titles:
            continue
        if word.lower() in language.common:
            continue
        if word in known and not (language.code == "de" and not _is_german_name(text, here, at, language)):
            found.append(word)
        elif _starts_sentence(text, here):
            if _is_name_at_start(text, at, language):
                found.append(word)
        elif language.code == "de":
            if _is_german_name(text, here, at, language):
                found.append(word)
        elif not is_title_case:
            found.append(word)
    return found


def _starts_sentence(text: str, at: int) -> bool:
    """Whether nothing but quotation marks and the like stands between a word and the end of the sentence before it."""
    before = text[max(0, at - 12) : at].rstrip(_AROUND_SENTENCES)
    return before[-1] in _SENTENCE_END if before else at <= 12


@lru_cache(maxsize=16)
def _is_title_case(text: str) -> bool:
    long = [word for word in real_words(text) if len(word) >= 4]
    return len(long) >= 3 and sum(word[0].isupper() for word in long) > 0.6 * len(long)


def _is_name_at_start(text: str, end: int, language: Language) -> bool:
    """Whether a capitalised word that starts a sentence is followed by what a person does, or by a further name."""
    behind = real_words(text[end : end + 40])[:1]
    return bool(behind) and (behind[0] in language.says or behind[0] in language.charged or behind[0][0].isupper())


def _is_german_name(text: str, start: int, end: int, language: Language) -> bool:
    """Every German noun has a capital: a name stands beside another one, or behind a title or "in", "aus", "nach"."""
    before = real_words(text[max(0, start - 40) : start])[-2:]
    behind = real_words(text[end : end + 40])[:1]
    if behind and behind[0][0].isupper() and text[end : end + 1] == " " and behind[0] not in language.dates:
        return True
    if not before or text[start - 1 : start] != " ":
        return False
    last = before[-1]
    if last in language.titles:
        return True
    if last[0].isupper() and not _starts_sentence(text, text.rfind(last, 0, start)):
        return last not in language.dates and last not in language.numbers
    return last in ("in", "aus", "nach", "bei") or (last == "von" and len(before) > 1 and before[0][0].isupper())


def typo(edit: Edit, language: Language) -> tuple[str, ...]:
    """Spelling, punctuation, spacing, capitals, a doubled or missing small word."""
    old, new = edit.old_words, edit.new_words
    if letters(edit.old) == letters(edit.new):
        return () if BREAK in edit.old + edit.new else (edit.evidence(),)
    if _is_doubled(edit) or _is_small_word(old, new, language):
        return (edit.evidence(),)
    if len(old) == len(new) <= 2 and all(map(_is_misspelt, old, new)):
        return (edit.evidence(),)
    # "of the" for "ofthe": one space, and perhaps a letter.
    joined_old, joined_new = letters(edit.old), letters(edit.new)
    if abs(len(old) - len(new)) == 1 and min(map(len, (joined_old, joined_new))) >= 6:
        return (edit.evidence(),) if OSA.distance(joined_old, joined_new, score_cutoff=1) <= 1 else ()
    return ()


def _is_doubled(edit: Edit) -> bool:
    """Whether only a word went that stands beside itself, or a doubled sign."""
    gone = [word.casefold() for word in edit.old_words]
    if edit.new_words or not gone:
        return False
    before = [word.casefold() for word in real_words(edit.before())]
    after = [word.casefold() for word in real_words(edit.after())]
    return gone in (before[-len(gone) :], after[: len(gone)])


def _is_small_word(old: list[str], new: list[str], language: Language) -> bool:
    """Whether one small word came, went or took the place of another."""
    sides = [word.casefold() for word in (*old, *new)]
    return len(old) <= 1 and len(new) <= 1 and bool(sides) and all(word in language.common for word in sides)


def _is_misspelt(old: str, new: str) -> bool:
    if old == new:
        return True
    left, right = letters(old), letters(new)
    if _UNSPACED.search(old + new) or min(len(left), len(right)) < 3:
        return False
    most = 2 if min(len(left), len(right)) >= 7 else 1
    return OSA.distance(left, right, score_cutoff=most) <= most
