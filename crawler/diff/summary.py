"""A change in one line, for lists: the words that differ, marked as [-old-] and {+new+}."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crawler.diff.model import BREAK, Alignment, Diff, Span, SpanKind

_LIMIT = 240  # characters: two lines of a list
_LONGEST = 80  # characters of one changed piece
_CONTEXT = 24  # characters of equal text before and after a changed piece
_NOT_TEXT = frozenset({"date_published", "date_modified", "images"})


def summary(diff: Diff) -> str:
    """Return the changed words with a little of what stands around them, at most 240 characters and a last piece.

    The headline comes first, then the other fields, then the body in order. Empty if only dates or pictures differ.
    """
    pieces: list[str] = []
    length = 0
    for piece in _pieces(diff):
        if length > _LIMIT:
            pieces.append("…")
            break
        pieces.append(piece)
        length += len(piece)
    return " ".join(pieces)


def _pieces(diff: Diff) -> Iterator[str]:
    for field in diff.told_fields:
        if field.name not in _NOT_TEXT:
            yield from _changed(field.spans)
    for block in diff.blocks:
        if block.alignment is Alignment.MOVED and all(span.kind is SpanKind.EQUAL for span in block.spans):
            yield f"{{moved: {_cut(_flat(block.spans[0].text), _CONTEXT * 2)}}}"
        else:
            yield from _changed(block.spans)


def _changed(spans: Iterable[Span]) -> Iterator[str]:
    """Yield each changed place with what stands around it; places that are near one another are one piece."""
    spans = tuple(spans)
    piece = ""
    for i, span in enumerate(spans):
        text = _flat(span.text)
        if span.kind is not SpanKind.EQUAL:
            marks = ("[-", "-]") if span.kind is SpanKind.DELETE else ("{+", "+}")
            piece += f"{marks[0]}{_cut(text, _LONGEST)}{marks[1]}"
            continue
        is_first, is_last = i == 0, i == len(spans) - 1
        if not (is_first or is_last) and len(text) <= 2 * _CONTEXT:
            piece += text
            continue
        if not is_first:
            yield piece + _cut(text, _CONTEXT)
            piece = ""
        if not is_last:
            piece = text if len(text) <= _CONTEXT else "…" + text[-_CONTEXT:]
    if piece:
        yield piece


def _flat(text: str) -> str:
    return text.replace(BREAK, " ").replace("\n", " ")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"
