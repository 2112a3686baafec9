"""Two word sequences aligned: bounded, and so that a person can read the result."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from rapidfuzz.distance import LCSseq, Postfix, Prefix

from crawler.diff.model import Span, SpanKind
from crawler.diff.tokens import Text, is_unspaced, is_word

# A run of words that both sides share: where it starts in the old, in the new, and its length.
Run = tuple[int, int, int]

# One comparison may fill a matrix of this many bits (16,000 x 16,000 words): 32 MB and 0.05 s.
_CELLS_AT_ONCE = 256_000_000
# A piece is cut at anchors at most so often, one inside the other.
_MOST_CUTS = 4
SENTENCE_END = frozenset(".!?…。！？؟۔।")
_CLAUSE_END = frozenset(",;:—–،、，；：")


@dataclass(slots=True)
class Effort:
    """How much work is left for a comparison, in cells of the matrix; and whether a part had to be given up."""

    cells: int = 1_000_000_000
    is_coarse: bool = False

    def spend(self, cells: int) -> bool:
        """Take the cells if one comparison may have so many and they are left."""
        if cells > min(self.cells, _CELLS_AT_ONCE):
            return False
        self.cells -= cells
        return True


def common_runs(old: str, new: str, effort: Effort) -> list[Run]:
    """Return what two strings share, in order: a longest common subsequence where the effort allows.

    Else it is cut at characters that stand once on both sides; a piece that has none is given up as all different.
    """
    runs: list[Run] = []
    todo = [(0, len(old), 0, len(new), 0)]
    while todo:
        old_start, old_end, new_start, new_end, depth = todo.pop()
        left, right = old[old_start:old_end], new[new_start:new_end]
        head = Prefix.similarity(left, right)
        if head:
            runs.append((old_start, new_start, head))
            left, right = left[head:], right[head:]
            old_start, new_start = old_start + head, new_start + head
        tail = Postfix.similarity(left, right)
        if tail:
            runs.append((old_end - tail, new_end - tail, tail))
            left, right = left[:-tail], right[:-tail]
        if not left or not right:
            continue
        if effort.spend(len(left) * len(right)):
            runs += (
                (old_start + op.src_start, new_start + op.dest_start, op.src_end - op.src_start)
                for op in LCSseq.opcodes(left, right)
                if op.tag == "equal"
            )
            continue
        anchors = _anchors(left, right) if depth < _MOST_CUTS else []
        if not anchors:
            effort.is_coarse = True
            continue
        at, to = old_start, new_start
        for i, j in [*anchors, (len(left), len(right))]:
            todo.append((at, old_start + i, to, new_start + j, depth + 1))
            at, to = old_start + i, new_start + j
    return _merged(sorted(runs))


def _anchors(old: str, new: str) -> list[tuple[int, int]]:
    """Return where both sides have the same characters that each has once, as the longest list that crosses nowhere.

    Four in a row if there are such, else one alone: a word that stands once in a long text is rarely there by an edit.
    """
    for size in (4, 1):
        spots_old, spots_new = _once(old, size), _once(new, size)
        if found := increasing([(i, spots_new[codes]) for codes, i in spots_old.items() if codes in spots_new]):
            return found
    return []


def _once(codes: str, size: int) -> dict[str, int]:
    pieces = [codes[i : i + size] for i in range(len(codes) - size + 1)]
    counts = Counter(pieces)
    return {piece: i for i, piece in enumerate(pieces) if counts[piece] == 1}


def increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest part of the pairs (ascending in the first) that ascends in the second too."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, value) in enumerate(pairs):
        spot = bisect_left(tails, value)
        before.append(ends[spot - 1] if spot else -1)
        if spot == len(tails):
            tails.append(value)
            ends.append(index)
        else:
            tails[spot] = value
            ends[spot] = index
    chain: list[tuple[int, int]] = []
    index = ends[-1] if ends else -1
    while index >= 0:
        chain.append(pairs[index])
        index = before[index]
    return chain[::-1]


def _merged(runs: list[Run]) -> list[Run]:
    merged: list[Run] = []
    for run in runs:
        if merged:
            i, j, length = merged[-1]
            if (i + length, j + length) == run[:2]:
                merged[-1] = (i, j, length + run[2])
                continue
        merged.append(run)
    return merged


def word_spans(old: Text, new: Text, effort: Effort) -> tuple[Span, ...]:
    """Return the spans between two texts, readable rather than minimal."""
    runs = _without_slivers(_shifted(common_runs(old.codes, new.codes, effort), old, new), old, new)
    writer = _Writer(old, new)
    i = j = 0
    for at, to, length in [*runs, (len(old), len(new), 0)]:
        writer.change(i, at, j, to)
        if length:
            writer.run(at, to, length)
        i, j = at + length, to + length
    return writer.spans()


def _shifted(runs: list[Run], old: Text, new: Text) -> list[Run]:
    """Slide a pure insertion or deletion to where a sentence or a clause starts, if it can stand in several places.

    "A said. [B said. ]C" rather than "A [said. B ]said. C": the subsequence is the same length.
    """
    shifted: list[Run] = []
    for run in runs:
        i, j, length = run
        if shifted:
            a, b, size = shifted[-1]
            side, start, end = (new, b + size, j) if a + size == i else (old, a + size, i)
            if (a + size == i) != (b + size == j):
                best, steps = _boundary(side, start), 0
                for step in range(1, min(size, 64) + 1):
                    if side.codes[start - step] != side.codes[end - step]:
                        break
                    score = _boundary(side, start - step)
                    if score >= best:
                        best, steps = score, step
                if steps:
                    shifted[-1] = (a, b, size - steps)
                    if not size - steps:
                        shifted.pop()
                    i, j, length = i - steps, j - steps, length + steps
        shifted.append((i, j, length))
    return shifted


def _boundary(text: Text, index: int) -> int:
    """Return how good a place the gap before a word is to start a change: 2 a sentence, 1 a clause, 0 any."""
    if index == 0:
        return 2
    last = text.words[index - 1][-1]
    return 2 if last in SENTENCE_END else 1 if last in _CLAUSE_END else 0


def _without_slivers(runs: list[Run], old: Text, new: Text) -> list[Run]:
    """Give up a short run between two long changes: one replacement is easier to read than a comb.

    A word is given up between changes of four words or more, two words between eight; a sign between two. A character
    of a script without spaces is no word: one is given up between any two changes, two between three characters.
    """
    kept: list[Run] = []
    i = j = 0
    for index, (at, to, length) in enumerate(runs):
        if length <= 3:
            before = max(at - i, to - j)
            next_at, next_to, _ = runs[index + 1] if index + 1 < len(runs) else (len(old), len(new), 0)
            after = max(next_at - at - length, next_to - to - length)
            if min(before, after) >= _worth(new.words[to : to + length]):
                continue
        kept.append((at, to, length))
        i, j = at + length, to + length
    return kept


def _worth(run: list[str]) -> int:
    """Return how long the changes on both sides must be for a run to be given up."""
    found = list(filter(is_word, run))
    if found and all(len(word) == 1 and is_unspaced(word) for word in found):
        return 2 * len(found) - 1
    return 4 * len(found) or 2


class _Writer:
    """Collects words and gaps into spans: between two equal stretches first what went, then what came."""

    def __init__(self, old: Text, new: Text) -> None:
        self._old = old
        self._new = new
        self._spans: list[Span] = []
        self._kept: list[str] = []
        self._kept_before: list[str] = []
        self._removed: list[tuple[str, int | None]] = []
        self._added: list[tuple[str, int | None]] = []

    def run(self, i: int, j: int, length: int) -> None:
        """Write words that both sides share, with the gaps between them."""
        old, new = self._old, self._new
        if not old.breaks and not new.breaks and old.gaps[i + 1 : i + length] == new.gaps[j + 1 : j + length]:
            self.keep(old.slice(i, i + length), new.slice(j, j + length))
            return
        for k in range(length):
            if k:
                self.gap(i + k, j + k)
            self.keep(old.words[i + k], new.words[j + k])

    def gap(self, i: int, j: int) -> None:
        """Write the white space before a word on both sides."""
        before, after = self._old.gaps[i], self._new.gaps[j]
        if self._old.gap_key(i) == self._new.gap_key(j):
            if before or after:
                self.keep(before, after)
            return
        if before:
            self._removed.append((before, None))
        if after:
            self._added.append((after, None))

    def keep(self, before: str, after: str) -> None:
        if self._removed or self._added:
            self._flush_kept()
            self._flush_changes()
        self._kept_before.append(before)
        self._kept.append(after)

    def change(self, i: int, i_end: int, j: int, j_end: int) -> None:
        """Write the words that went and came between two runs, and the gaps on either side of them."""
        old, new = self._old, self._new
        has_old, has_new = i < i_end, j < j_end
        if has_old == has_new:
            self.gap(i, j)
            if not has_old:
                return
        elif old.gap_key(i) == new.gap_key(j):
            # "the {+big +}dog": the gap before is the one that was there, the one behind came with the word.
            self.gap(i, j)
            self._collect(old, i, i_end, self._removed)
            self._collect(new, j, j_end, self._added)
            if has_old:
                self._removed.append((old.gaps[i_end], None))
            else:
                self._added.append((new.gaps[j_end], None))
            return
        elif has_old:
            self._removed.append((old.gaps[i], None))
        else:
            self._added.append((new.gaps[j], None))
        self._collect(old, i, i_end, self._removed)
        self._collect(new, j, j_end, self._added)
        self.gap(i_end, j_end)

    @staticmethod
    def _collect(text: Text, start: int, end: int, pieces: list[tuple[str, int | None]]) -> None:
        for k in range(start, end):
            if k > start:
                pieces.append((text.gaps[k], None))
            pieces.append((text.words[k], text.moves.get(k)))

    def spans(self) -> tuple[Span, ...]:
        self._flush_kept()
        self._flush_changes()
        return tuple(self._spans)

    def _flush_kept(self) -> None:
        after, before = "".join(self._kept), "".join(self._kept_before)
        if after or before:
            self._spans.append(Span(SpanKind.EQUAL, after, None if before == after else before))
        self._kept, self._kept_before = [], []

    def _flush_changes(self) -> None:
        for kind, pieces in ((SpanKind.DELETE, self._removed), (SpanKind.INSERT, self._added)):
            text = ""
            move: int | None = None
            for piece, its_move in pieces:
                # White space goes with what stands before it, or behind it at the start.
                if its_move != move and text.strip() and not piece.isspace():
                    self._spans.append(Span(kind, text, move=move))
                    text = ""
                if piece and not piece.isspace():
                    move = its_move
                text += piece
            if text:
                self._spans.append(Span(kind, text, move=move))
        self._removed, self._added = [], []
