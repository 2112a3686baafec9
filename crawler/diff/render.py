"""A `Diff` as HTML, for a terminal, as unified text, as JSON. Nothing here is trusted: text is made harmless first.

HTML: every piece of text is escaped by itself, before any markup is put around it, so no markup can arise from pieces
of two versions. Classes start with `rl-`; no script and no style attribute, so that a strict content policy holds.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby
from operator import itemgetter
from typing import Literal

from crawler.diff.model import BREAK, Alignment, BlockDiff, Diff, Span, SpanKind, new_text, old_text
from crawler.diff.tokens import is_unspaced, words
from crawler.items import BlockKind

Mode = Literal["inline", "side-by-side", "changes"]

_COARSE = "Too large to compare word by word: a part is shown as replaced."
_FIELD_NAMES = {
    "headline": "Headline",
    "description": "Standfirst",
    "authors": "Authors",
    "captions": "Captions",
    "images": "Images",
    "date_published": "Published",
    "date_modified": "Modified",
}
_TAGS = {
    BlockKind.HEADING: "h3",
    BlockKind.QUOTE: "blockquote",
    BlockKind.POST: "h4",
}
_LABELS = {
    Alignment.EDITED: "edited",
    Alignment.INSERTED: "added",
    Alignment.DELETED: "removed",
    Alignment.MOVED: "moved",
    Alignment.SPLIT: "split",
    Alignment.JOINED: "joined",
}


def html(diff: Diff, *, mode: Mode = "inline", context: int = 1) -> str:
    """Return the diff as HTML to put into a page.

    "inline" has every block once with its edits inside, "side-by-side" a table with the old text beside the new,
    "changes" only what changed with `context` equal blocks around it.
    """
    fields = "".join(_field(field.name, field.spans) for field in diff.told_fields)
    head = f'<dl class="rl-fields">{fields}</dl>' if fields else ""
    coarse = f'<p class="rl-coarse">{_COARSE}</p>' if diff.is_coarse else ""
    if mode == "side-by-side":
        rows = "".join(_row(block) for block in diff.blocks)
        body = (
            '<table class="rl-sides"><thead><tr><th scope="col">Before</th><th scope="col">After</th></tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )
    else:
        shown = _near_changes(diff.blocks, context) if mode == "changes" else [tuple(diff.blocks)]
        body = '<p class="rl-gap">\u22ef</p>'.join("".join(map(_inline, part)) for part in shown)
    return f'<div class="rl-diff" data-mode="{mode}">{coarse}{head}<div class="rl-body">{body}</div></div>'


def html_spans(spans: Iterable[Span]) -> str:
    """Return spans as HTML phrases: for a headline in a list."""
    return "".join(map(_html_span, spans))


def _html_span(span: Span) -> str:
    text = escape(printable(span.text)).replace(BREAK, '<span class="rl-break">\u00b6</span><br>').replace("\n", "<br>")
    if span.kind is SpanKind.EQUAL:
        return text
    tag, word, mark = ("ins", "added", "+") if span.kind is SpanKind.INSERT else ("del", "removed", "\u2212")
    if span.move is None:
        moved = ""
    else:
        word, mark = ("moved here", f"\u2192{span.move}") if tag == "ins" else ("moved away", f"\u2190{span.move}")
        moved = f' data-move="{span.move}"'
    return (
        f'<{tag} class="rl-{tag}{" rl-moved" if moved else ""}"{moved} dir="auto">'
        f'<span class="rl-mark" role="img" aria-label="{word}:">{mark}</span>{text}</{tag}>'
    )


def _field(name: str, spans: tuple[Span, ...]) -> str:
    return f'<dt>{_FIELD_NAMES.get(name, name)}</dt><dd class="rl-{name}" dir="auto">{html_spans(spans)}</dd>'


def _label(block: BlockDiff) -> str:
    label = _LABELS.get(block.alignment)
    if label is None:
        return ""
    if block.alignment is Alignment.MOVED:
        label = f"moved from {block.old[0] + 1} to {block.new[0] + 1}"
    return f'<span class="rl-label" dir="ltr" lang="en">{label}</span> '


def _inline(block: BlockDiff) -> str:
    tag = _TAGS.get(block.kind, "p")
    return (
        f'<{tag} class="rl-block rl-{block.alignment} rl-{block.kind}" dir="auto">'
        f"{_label(block)}{html_spans(block.spans)}</{tag}>"
    )


def _row(block: BlockDiff) -> str:
    before = html_spans(
        Span(span.kind, span.text if span.before is None else span.before, move=span.move)
        for span in block.spans
        if span.kind is not SpanKind.INSERT
    )
    after = html_spans(span for span in block.spans if span.kind is not SpanKind.DELETE)
    return (
        f'<tr class="rl-block rl-{block.alignment} rl-{block.kind}">'
        f'<td dir="auto">{before}</td><td dir="auto">{_label(block)}{after}</td></tr>'
    )


def _near_changes(blocks: Sequence[BlockDiff], context: int) -> list[tuple[BlockDiff, ...]]:
    """Return runs of blocks with a change in them, `context` equal blocks around."""
    near = {
        index + step
        for index, block in enumerate(blocks)
        if block.alignment is not Alignment.EQUAL
        for step in range(-context, context + 1)
    }
    parts: list[list[BlockDiff]] = []
    last = -2
    for index, block in enumerate(blocks):
        if index not in near:
            continue
        if index != last + 1:
            parts.append([])
        parts[-1].append(block)
        last = index
    return [tuple(part) for part in parts]


def terminal(diff: Diff, *, colour: bool, width: int) -> str:
    """Return the changes for a terminal of `width` columns: [-old-]{+new+}, coloured too if asked for.

    A sentence that moved has its number: [-1: old place-], {+1: new place+}.
    """
    lines: list[str] = []
    for field in diff.told_fields:
        lines += _wrapped(f"{_FIELD_NAMES.get(field.name, field.name)}: ", field.spans, colour, width)
    for number, part in enumerate(_near_changes(diff.blocks, 0)):
        if number or lines:
            lines.append("")
        for block in part:
            lines += _wrapped(f"{_SIGNS[block.alignment]} ", block.spans, colour, width)
    if diff.is_coarse:
        lines += ["", f"({_COARSE})"]
    return "\n".join(lines) + "\n" if lines else ""


_SIGNS = {
    Alignment.EQUAL: " ",
    Alignment.EDITED: "~",
    Alignment.INSERTED: "+",
    Alignment.DELETED: "-",
    Alignment.MOVED: ">",
    Alignment.SPLIT: "\u00f7",
    Alignment.JOINED: "&",
}
_MARKS = {
    SpanKind.EQUAL: ("", "", ""),
    SpanKind.DELETE: ("[-", "-]", "\x1b[31m"),
    SpanKind.INSERT: ("{+", "+}", "\x1b[32m"),
}


def _wrapped(prefix: str, spans: Iterable[Span], colour: bool, width: int) -> list[str]:
    """Return spans as lines of at most `width` columns, as far as words allow; further lines are indented by two."""
    lines: list[list[tuple[str, str]]] = [[(prefix, "")]]
    column = _columns(prefix)
    may_part = False  # whether a line may end before the next piece without white space
    pending: list[tuple[str, str]] = []  # what may not be parted: a word with the marks and signs around it

    def place(space: str) -> None:
        nonlocal column, pending
        wide = sum(_columns(piece) for piece, _ in pending)
        if column + wide > width and column > 2:
            lines.append([("  ", "")])
            column = 2
        lines[-1] += pending
        column += wide
        if space and column + 1 <= width:
            lines[-1].append((" ", pending[-1][1] if pending else ""))
            column += 1
        pending = []

    for span in spans:
        start, end, code = _MARKS[span.kind]
        if span.move is not None:
            start += f"{span.move}: "
        if may_part:
            place("")
        pending.append((start, code))
        may_part = False
        for token in words(printable(span.text).replace(BREAK, " \u00b6 ")):
            if token.isspace():
                place(" ")
                may_part = False
                continue
            if may_part or (pending and pending[-1][0] != start and is_unspaced(token)):
                place("")
            may_part = is_unspaced(token)
            pending.append((token, code))
        pending.append((end, code))
    place("")
    return ["".join(_painted(line) if colour else (piece for piece, _ in line)).rstrip(" ") for line in lines]


def _painted(line: list[tuple[str, str]]) -> Iterator[str]:
    for code, pieces in groupby(line, key=itemgetter(1)):
        text = "".join(piece for piece, _ in pieces)
        yield f"{code}{text}\x1b[0m" if code and text else text


def _columns(text: str) -> int:
    """Return how many columns a terminal takes for a text: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        0
        if unicodedata.category(char) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(char) in "WF"
        else 1
        for char in text
    )


def unified(diff: Diff) -> str:
    """Return the changes as unified text: one line a block, `-` before the old, `+` before the new."""
    lines = ["--- before", "+++ after"]
    for field in diff.told_fields:
        lines += [f"@@ {field.name} @@", *_signed("-", old_text(field.spans)), *_signed("+", new_text(field.spans))]
    for part in _near_changes(diff.blocks, 1):
        olds = [i for block in part for i in block.old]
        news = [j for block in part for j in block.new]
        lines.append(f"@@ -{_range(olds)} +{_range(news)} @@")
        for block in part:
            if block.alignment is Alignment.EQUAL:
                lines += _signed(" ", new_text(block.spans))
                continue
            if block.old:
                lines += _signed("-", old_text(block.spans))
            if block.new:
                lines += _signed("+", new_text(block.spans))
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def _signed(sign: str, text: str) -> list[str]:
    return [sign + line for line in printable(text).replace(BREAK, "\n").split("\n")] if text else []


def _range(indexes: Sequence[int]) -> str:
    return f"{min(indexes) + 1},{len(indexes)}" if indexes else "0,0"


def json_object(diff: Diff) -> dict[str, object]:
    """Return the diff as values that `json.dumps` takes; text as it was read."""
    return {
        "is_coarse": diff.is_coarse,
        "words_added": diff.words_added,
        "words_removed": diff.words_removed,
        "fields": [{"name": field.name, "spans": _json_spans(field.spans)} for field in diff.fields],
        "blocks": [
            {
                "alignment": block.alignment.value,
                "kind": block.kind.value,
                "old": list(block.old),
                "new": list(block.new),
                "spans": _json_spans(block.spans),
            }
            for block in diff.blocks
        ],
    }


def _json_spans(spans: Iterable[Span]) -> list[dict[str, object]]:
    return [
        {"kind": span.kind.value, "text": span.text}
        | ({"before": span.before} if span.before is not None else {})
        | ({"move": span.move} if span.move is not None else {})
        for span in spans
    ]


# Control characters, which could steer a terminal, and those that turn the direction of reading for what follows.
_HARMLESS = str.maketrans(
    {
        **{chr(code): chr(0x2400 + code) for code in range(0x20)},
        **dict.fromkeys(map(chr, range(0x80, 0xA0)), "\ufffd"),
        **dict.fromkeys("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069", "\ufffd"),
        **dict.fromkeys(map(chr, range(0xD800, 0xE000)), "\ufffd"),
        "\x7f": "\u2421",
        "\u2028": " ",
        "\t": " ",
        "\r": "",
        "\n": "\n",
    }
)


def printable(text: str) -> str:
    """Show what must not reach a terminal or a page as a sign in its place; a tab as a space."""
    return text.translate(_HARMLESS)
