"""Paragraphs aligned: what stayed, what was edited, what moved, split or joined, which sentences changed place."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq

from crawler.diff.model import Alignment
from crawler.diff.sequence import Effort, common_runs, increasing
from crawler.diff.tokens import Lexicon, Text

# Shares of common words in order (2 * common / all). Two unrelated English paragraphs of news share 0.2 to 0.35.
_SAME_PLACE = 0.4
_ELSEWHERE = 0.6
# A part of a split paragraph has this share of its words in the whole.
_CONTAINED = 0.7
_MOVED_SENTENCE_WORDS = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks that belong together, by index; `is_same` where their texts are."""

    alignment: Alignment
    old: tuple[int, ...]
    new: tuple[int, ...]
    is_same: bool = False


class Blocks:
    """The texts of both sides, each cut into words once and only if asked for."""

    def __init__(self, old: Sequence[str], new: Sequence[str], lexicon: Lexicon) -> None:
        self.old = old
        self.new = new
        self._lexicon = lexicon
        self._texts: dict[str, Text] = {}

    def text(self, block: str) -> Text:
        text = self._texts.get(block)
        if text is None:
            text = self._texts[block] = Text.read(block, self._lexicon)
        return text

    def words(self, blocks: Sequence[str], indexes: Sequence[int]) -> str:
        return "".join(self.text(blocks[index]).codes for index in indexes)


def align(blocks: Blocks, effort: Effort) -> list[Group]:
    """Return every block once, in the new reading order, a deleted one where it stood."""
    old, new = blocks.old, blocks.new
    partner = _equal(old, new, effort)
    left = [i for i in range(len(old)) if i not in partner]
    if len(partner) == len(old) == len(new):
        return [Group(Alignment.EQUAL, (i,), (j,), True) for i, j in partner.items()]
    taken = set(partner.values())
    right = [j for j in range(len(new)) if j not in taken]
    stays = set(partner.items())
    same = set(stays)
    anchor_before_old = _anchors_before(len(old), set(partner))
    anchor_before_new = _anchors_before(len(new), taken)

    # Paragraphs that stand elsewhere word for word, in the order in which they come.
    places: defaultdict[str, list[int]] = defaultdict(list)
    for j in reversed(right):
        places[_key(new[j])].append(j)
    for i in left:
        if found := places.get(_key(old[i])):
            partner[i] = found.pop()
            same.add((i, partner[i]))
    taken = set(partner.values())

    scored = _similar(blocks, [i for i in left if i not in partner], [j for j in right if j not in taken], effort)
    ranked = []
    for score, i, j in scored:
        is_here = anchor_before_old[i] == anchor_before_new[j]
        if score >= (_SAME_PLACE if is_here else _ELSEWHERE):
            ranked.append((-score - 0.1 * is_here, i, j))
    for _, i, j in sorted(ranked):
        if i not in partner and j not in taken:
            partner[i] = j
            taken.add(j)
    between = sorted(
        (i, j) for i, j in partner.items() if (i, j) not in stays and anchor_before_old[i] == anchor_before_new[j]
    )
    stays.update(increasing(between))

    groups = {
        j: Group(
            Alignment.MOVED if (i, j) not in stays else Alignment.EQUAL if (i, j) in same else Alignment.EDITED,
            (i,),
            (j,),
            (i, j) in same,
        )
        for i, j in partner.items()
    }
    _join_neighbours(blocks, groups, effort)
    return _in_order(groups, len(old), len(new))


def _key(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _equal(old: Sequence[str], new: Sequence[str], effort: Effort) -> dict[int, int]:
    """Return the blocks that stayed as they were: old index -> new index, ascending."""
    both = set(old) & set(new)
    codes: dict[str, str] = {}

    def coded(texts: Sequence[str]) -> str:
        keys = (text if text in both else _key(text) for text in texts)
        return "".join(codes.setdefault(key, chr(len(codes) + 1)) for key in keys)

    return {
        start + k: to + k for start, to, length in common_runs(coded(old), coded(new), effort) for k in range(length)
    }


def _anchors_before(count: int, anchors: set[int]) -> list[int]:
    """Return for each index how many anchors stand before it."""
    before: list[int] = []
    passed = 0
    for index in range(count):
        before.append(passed)
        passed += index in anchors
    return before


def _similar(blocks: Blocks, left: list[int], right: list[int], effort: Effort) -> list[tuple[float, int, int]]:
    """Return (share of common words, old, new) for pairs that could be the same paragraph."""
    olds = {i: blocks.text(blocks.old[i]).codes for i in left}
    news = {j: blocks.text(blocks.new[j]).codes for j in right}
    scored: list[tuple[float, int, int]] = []
    for i, candidates in _candidates(olds, news).items():
        for j in candidates:
            total = len(olds[i]) + len(news[j])
            if not total or not effort.spend(len(olds[i]) * len(news[j])):
                effort.is_coarse |= total > 0
                continue
            scored.append((2 * LCSseq.similarity(olds[i], news[j]) / total, i, j))
    return scored


def _candidates(olds: dict[int, str], news: dict[int, str]) -> dict[int, list[int]]:
    """Return for each old block the new ones worth comparing: all if few, else those that share most rare words."""
    if len(olds) * len(news) <= 400:
        return {i: list(news) for i in olds}
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for j, codes in news.items():
        for code in set(codes):
            holders[code].append(j)
    most = max(8, len(news) // 20)
    found: dict[int, list[int]] = {}
    for i, codes in olds.items():
        shared: Counter[int] = Counter()
        for code in sorted(set(codes)):
            if len(places := holders.get(code, ())) <= most:
                shared.update(places)
        found[i] = [j for j, _ in sorted(shared.items(), key=lambda item: (-item[1], item[0]))[:5]]
    return found


def _join_neighbours(blocks: Blocks, groups: dict[int, Group], effort: Effort) -> None:
    """Find paragraphs that were split or joined: a block without partner next to an edited one that holds its words."""
    free_new = [j for j in range(len(blocks.new)) if j not in groups]
    for j in free_new:
        for neighbour in (j - 1, j + 1):
            group = next((g for g in groups.values() if neighbour in g.new), None) if neighbour >= 0 else None
            if group is None or group.alignment not in (Alignment.EDITED, Alignment.SPLIT):
                continue
            grown = tuple(sorted((*group.new, j)))
            if _holds(
                blocks.words(blocks.old, group.old),
                blocks.words(blocks.new, group.new),
                blocks.words(blocks.new, (j,)),
                blocks.words(blocks.new, grown),
                effort,
            ):
                groups.pop(group.new[0])
                groups[grown[0]] = Group(Alignment.SPLIT, group.old, grown)
                break
    used = {i for group in groups.values() for i in group.old}
    for i in (i for i in range(len(blocks.old)) if i not in used):
        for neighbour in (i - 1, i + 1):
            group = next((g for g in groups.values() if neighbour in g.old), None) if neighbour >= 0 else None
            if group is None or group.alignment not in (Alignment.EDITED, Alignment.JOINED):
                continue
            grown = tuple(sorted((*group.old, i)))
            if _holds(
                blocks.words(blocks.new, group.new),
                blocks.words(blocks.old, group.old),
                blocks.words(blocks.old, (i,)),
                blocks.words(blocks.old, grown),
                effort,
            ):
                groups[group.new[0]] = Group(Alignment.JOINED, grown, group.new)
                break


def _holds(whole: str, part: str, more: str, together: str, effort: Effort) -> bool:
    """Whether a block holds the words of `more` beside those of the part that it is already paired with."""
    if not more or not effort.spend(len(whole) * (len(part) + len(more) + len(together))):
        return False
    gained = LCSseq.similarity(whole, together) - LCSseq.similarity(whole, part)
    return gained >= _CONTAINED * len(more)


def _in_order(groups: dict[int, Group], old_count: int, new_count: int) -> list[Group]:
    used = {i for group in groups.values() for i in group.old}
    gone = [i for i in range(old_count) if i not in used]
    ordered: list[Group] = []
    members = {j for group in groups.values() for j in group.new}
    for j in range(new_count):
        if j in groups:
            group = groups[j]
            if group.alignment is not Alignment.MOVED:
                while gone and gone[0] < group.old[0]:
                    ordered.append(Group(Alignment.DELETED, (gone.pop(0),), ()))
            ordered.append(group)
        elif j not in members:
            ordered.append(Group(Alignment.INSERTED, (), (j,)))
    ordered += (Group(Alignment.DELETED, (i,), ()) for i in gone)
    return ordered
