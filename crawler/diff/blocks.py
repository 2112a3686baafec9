"""Paragraphs aligned: what stayed, what was edited, what moved, split or joined, which sentences changed place."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rapidfuzz.distance import LCSseq

from crawler.diff.model import Alignment
from crawler.diff.sequence import SENTENCE_END, Effort, common_runs, increasing
from crawler.diff.tokens import Lexicon, Text
from crawler.extract.text import comparable

# Shares of common words in order, 2 * common / all. Unrelated paragraphs of English news share 0.2 to 0.35.
_SURELY = 0.75
_SAME_PLACE = 0.4
_ELSEWHERE = 0.6
# A part of a paragraph that was split has this share of its words in the whole.
_CONTAINED = 0.7
# A word in more blocks than this says little on which of them is meant.
_RARE = 16
# Fewer pairs than this are all compared.
_FEW_PAIRS = 400
# Two texts of 2,000 words.
_CELLS_TO_COMPARE = 4_000_000
# More blocks that differ, or more text in them (150,000 words), are shown as removed and added: 0.1 s, and 1 s.
_MOST_BLOCKS = 5_000
MOST_CHARACTERS = 1_000_000
# Shorter sentences ("He declined to comment.") come back by chance.
_MOVED_WORDS = 5
_MOVED_CHARACTERS = 12


@dataclass(slots=True)
class Group:
    """Blocks that belong together: indexes on the old side and on the new. `is_same` where their texts are."""

    sides: tuple[list[int], list[int]]
    is_same: bool = False
    has_moved: bool = False

    @property
    def alignment(self) -> Alignment:
        old, new = self.sides
        if not old:
            return Alignment.INSERTED
        if not new:
            return Alignment.DELETED
        if self.has_moved:
            return Alignment.MOVED
        if len(new) > 1:
            return Alignment.SPLIT
        if len(old) > 1:
            return Alignment.JOINED
        return Alignment.EQUAL if self.is_same else Alignment.EDITED


class Blocks:
    """The blocks' texts, old and new, each cut into words once and only when asked for."""

    def __init__(self, old: Sequence[str], new: Sequence[str], lexicon: Lexicon) -> None:
        self.sides = (old, new)
        self.lexicon = lexicon
        self._texts: tuple[dict[int, Text], dict[int, Text]] = ({}, {})

    def text(self, side: int, index: int) -> Text:
        texts = self._texts[side]
        text = texts.get(index)
        if text is None:
            text = texts[index] = Text.read(self.sides[side][index], self.lexicon)
        return text

    def has_moves(self, side: int, index: int) -> bool:
        text = self._texts[side].get(index)
        return text is not None and bool(text.moves)

    def put(self, side: int, index: int, text: Text) -> None:
        self._texts[side][index] = text

    def joined(self, side: int, indexes: Sequence[int]) -> Text:
        return Text.joined([self.text(side, index) for index in indexes])


def align(blocks: Blocks, effort: Effort) -> list[Group]:
    """Return every block once, in the new reading order, a deleted one where it stood.

    What the blocks' texts have in common is not looked for where too much of them differs: the effort is coarse then.
    """
    old, new = blocks.sides
    stays = _equal(old, new, effort)
    if len(stays) == len(old) == len(new):
        return [Group(([i], [j]), is_same=True) for i, j in stays.items()]

    pairs = dict(stays)
    pairs |= _elsewhere_as_they_were(old, new, pairs)
    same = set(pairs.items())
    taken = set(pairs.values())
    rest = [text for i, text in enumerate(old) if i not in pairs] + [
        text for j, text in enumerate(new) if j not in taken
    ]
    is_small = len(rest) <= _MOST_BLOCKS and sum(map(len, rest)) <= MOST_CHARACTERS
    effort.is_coarse |= not is_small
    # Blocks with the same number of unmoved ones before them stand in the same place.
    place_old = list(accumulate((i in stays for i in range(len(old))), initial=0))
    unmoved = set(stays.values())
    place_new = list(accumulate((j in unmoved for j in range(len(new))), initial=0))
    if is_small:
        pairs |= _similar(blocks, pairs, place_old, place_new, effort)
    in_place = sorted(pair for pair in pairs.items() if place_old[pair[0]] == place_new[pair[1]])
    unmoved_pairs = {*stays.items(), *increasing([pair for pair in in_place if pair[0] not in stays])}

    groups = [
        Group(([i], [j]), is_same=(i, j) in same, has_moved=(i, j) not in unmoved_pairs) for i, j in pairs.items()
    ]
    if is_small:
        _absorb_neighbours(blocks, groups, effort)
    ordered = _in_order(groups, len(old), len(new))
    if is_small:
        _mark_moved_sentences(blocks, ordered, effort)
    return ordered


def _equal(old: Sequence[str], new: Sequence[str], effort: Effort) -> dict[int, int]:
    """Return the blocks that stayed as they were and where, ascending on both sides."""
    both = set(old) & set(new)
    codes: dict[str, str] = {}

    def coded(texts: Sequence[str]) -> str:
        # Folding costs more than all else on an article with one edit: only what differs as it was read is folded.
        keys = (text if text in both else comparable(text) for text in texts)
        return "".join([codes.setdefault(key, chr(len(codes) + 1)) for key in keys])

    runs = common_runs(coded(old), coded(new), effort)
    return {start + k: to + k for start, to, length in runs for k in range(length)}


def _elsewhere_as_they_were(old: Sequence[str], new: Sequence[str], pairs: dict[int, int]) -> dict[int, int]:
    """Return blocks without partner that stand in another place word for word, in the order in which they come."""
    taken = set(pairs.values())
    places: defaultdict[str, list[int]] = defaultdict(list)
    for j in reversed(range(len(new))):
        if j not in taken:
            places[comparable(new[j])].append(j)
    free = (i for i in range(len(old)) if i not in pairs)
    return {i: found.pop() for i in free if (found := places.get(comparable(old[i])))}


def _similar(
    blocks: Blocks, pairs: dict[int, int], place_old: list[int], place_new: list[int], effort: Effort
) -> dict[int, int]:
    """Return blocks without partner that are the same paragraph with edits: the best fits first, each block once."""
    taken = set(pairs.values())
    olds = {i: blocks.text(0, i).codes for i in range(len(blocks.sides[0])) if i not in pairs}
    news = {j: blocks.text(1, j).codes for j in range(len(blocks.sides[1])) if j not in taken}
    found: dict[int, int] = {}
    for i, j in _in_step(olds, news, place_old, place_new):
        if _share(olds[i], news[j], effort) >= _SURELY:
            found[i] = j
            del olds[i], news[j]
    fits: list[tuple[float, int, int]] = []
    for i, candidates in _candidates(olds, news):
        for j in candidates:
            share = _share(olds[i], news[j], effort)
            is_here = place_old[i] == place_new[j]
            if share >= (_SAME_PLACE if is_here else _ELSEWHERE):
                # Of two that fit about equally well the one in the same place is meant.
                fits.append((-share - 0.1 * is_here, i, j))
    for _, i, j in sorted(fits):
        if i in olds and j in news:
            found[i] = j
            del olds[i], news[j]
    return found


def _in_step(
    olds: dict[int, str], news: dict[int, str], place_old: list[int], place_new: list[int]
) -> list[tuple[int, int]]:
    """Return the pairs of blocks that stand first, second ... in a place that has equally many on both sides."""
    places: defaultdict[int, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for i in olds:
        places[place_old[i]][0].append(i)
    for j in news:
        places[place_new[j]][1].append(j)
    return [
        pair for left, right in places.values() if len(left) == len(right) for pair in zip(left, right, strict=True)
    ]


def _share(old: str, new: str, effort: Effort) -> float:
    return 2 * _common(old, new, effort) / (len(old) + len(new)) if old or new else 0.0


def _common(old: str, new: str, effort: Effort) -> int:
    """Return how many words two texts share in the same order; in any order where that is too much work."""
    if len(old) * len(new) <= _CELLS_TO_COMPARE and effort.spend(len(old) * len(new)):
        return LCSseq.similarity(old, new)
    return (Counter(old) & Counter(new)).total()


def _candidates(olds: dict[int, str], news: dict[int, str]) -> Iterator[tuple[int, list[int]]]:
    """Yield for each old block the new ones worth comparing: all if few, else the five that share most rare words."""
    if len(olds) * len(news) <= _FEW_PAIRS:
        yield from ((i, list(news)) for i in olds)
        return
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for j, codes in news.items():
        for code in set(codes):
            holders[code].append(j)
    for i, codes in olds.items():
        shared: Counter[int] = Counter()
        for code in dict.fromkeys(codes):
            if len(places := holders.get(code, ())) <= _RARE:
                shared.update(places)
        yield i, [j for j, _ in shared.most_common(5)]


def _absorb_neighbours(blocks: Blocks, groups: list[Group], effort: Effort) -> None:
    """Find splits and joins: a block without partner beside an edited one whose other side has its words too."""
    for side in (1, 0):
        owner = {index: group for group in groups for index in group.sides[side]}
        for free in (index for index in range(len(blocks.sides[side])) if index not in owner):
            for neighbour in (free - 1, free + 1):
                group = owner.get(neighbour)
                if group is None or group.is_same or group.has_moved or len(group.sides[1 - side]) > 1:
                    continue
                grown = sorted([*group.sides[side], free])
                whole = blocks.joined(1 - side, group.sides[1 - side]).codes
                part, more, together = (
                    blocks.joined(side, indexes).codes for indexes in (group.sides[side], [free], grown)
                )
                gained = _common(whole, together, effort) - _common(whole, part, effort)
                if more and gained >= _CONTAINED * len(more):
                    group.sides[side][:] = grown
                    owner[free] = group
                    break


def _in_order(groups: list[Group], old_count: int, new_count: int) -> list[Group]:
    """Add the blocks without partner and sort: by the new side; a deleted block before the next one that stayed."""
    paired = {i for group in groups for i in group.sides[0]}
    deleted = [i for i in range(old_count) if i not in paired]
    owner = {group.sides[1][0]: group for group in groups}
    inside = {j for group in groups for j in group.sides[1]}
    ordered: list[Group] = []
    passed = 0
    for j in range(new_count):
        group = owner.get(j)
        if group is None:
            if j not in inside:
                ordered.append(Group(([], [j])))
            continue
        while not group.has_moved and passed < len(deleted) and deleted[passed] < group.sides[0][0]:
            ordered.append(Group(([deleted[passed]], [])))
            passed += 1
        ordered.append(group)
    ordered += (Group(([i], [])) for i in deleted[passed:])
    return ordered


def _mark_moved_sentences(blocks: Blocks, groups: Sequence[Group], effort: Effort) -> None:
    """Number the sentences that left one paragraph and stand in another, or elsewhere in the same, word for word.

    The blocks' texts then have each such sentence as one word, which the word diff cannot take apart.
    """
    # What a sentence says -> where it went from, and where it came to.
    places: tuple[defaultdict[str, list[_Place]], ...] = (defaultdict(list), defaultdict(list))
    for group in groups:
        if group.is_same:
            continue
        spots: list[list[tuple[str, _Place]]] = [[], []]
        for side, indexes in enumerate(group.sides):
            for index in indexes:
                text = blocks.text(side, index)
                spots[side] += ((text.codes[start:end], _Place(index, start, end)) for start, end in _sentences(text))
        kept_old, kept_new = _kept([codes for codes, _ in spots[0]], [codes for codes, _ in spots[1]], effort)
        for side, kept in enumerate((kept_old, kept_new)):
            for spot, (codes, place) in enumerate(spots[side]):
                if spot not in kept:
                    places[side][codes].append(place)
    moves: tuple[defaultdict[int, list[tuple[int, int, int]]], ...] = (defaultdict(list), defaultdict(list))
    move = 0
    for codes, olds in places[0].items():
        for old, new in zip(olds, places[1].get(codes, ()), strict=False):
            move += 1
            moves[0][old.block].append((old.start, old.end, move))
            moves[1][new.block].append((new.start, new.end, move))
    for side in (0, 1):
        for block, sentences in moves[side].items():
            blocks.put(side, block, blocks.text(side, block).with_moves(sentences, blocks.lexicon))


@dataclass(frozen=True, slots=True)
class _Place:
    block: int
    start: int
    end: int


def _kept(old: list[str], new: list[str], effort: Effort) -> tuple[set[int], set[int]]:
    """Return which sentences stand on both sides in the same order, by index."""
    if not old or not new:
        return set(), set()
    codes: dict[str, str] = {}
    left, right = ("".join([codes.setdefault(text, chr(len(codes) + 1)) for text in texts]) for texts in (old, new))
    runs = common_runs(left, right, effort)
    return (
        {start + k for start, _, length in runs for k in range(length)},
        {to + k for _, to, length in runs for k in range(length)},
    )


def _sentences(text: Text) -> Iterator[tuple[int, int]]:
    """Yield (first word, end) of each sentence that is long enough to be told when it moves."""
    ends = [
        index + 1
        for index, word in enumerate(text.words[:-1])
        if word[-1] in SENTENCE_END and (text.gaps[index + 1] or word[-1] in "。！？")
    ]
    start = 0
    for end in [*ends, len(text)]:
        if end - start >= _MOVED_WORDS and sum(map(len, text.words[start:end])) >= _MOVED_CHARACTERS:
            yield start, end
        start = end
