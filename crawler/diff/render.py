"""A `Diff` as HTML, for a terminal, as unified text, as JSON. Nothing here is trusted: text is made harmless first.

HTML: every piece of text is escaped by itself, before any markup is put around it, so no markup can arise from pieces
of two versions. Classes start with `rl-`; no script and no style attribute, so that a strict content policy holds.
"""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Sequence
from html import escape
from typing import Literal

from crawler.diff.model import BREAK, Alignment, BlockDiff, Diff, Span, SpanKind, new_text, old_text
from crawler.items import BlockKind

Mode = Literal["inline", "side-by-side", "changes"]

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
    fields = "".join(_field(field.name, field.spans) for field in diff.fields)
    head = f'<dl class="rl-fields">{fields}</dl>' if fields else ""
    coarse = (
        '<p class="rl-coarse">Too large to compare word by word: a part is shown as replaced.</p>'
        if diff.is_coarse
        else ""
    )
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
    text = (
        escape(_printable(span.text)).replace(BREAK, '<span class="rl-break">\u00b6</span><br>').replace("\n", "<br>")
    )
    moved = f' data-move="{span.move}"' if span.move is not None else ""
    match span.kind:
        case SpanKind.EQUAL:
            return text
        case SpanKind.INSERT:
            word, mark = ("moved here", "\u2192") if moved else ("added", "+")
            tag = "ins"
        case SpanKind.DELETE:
            word, mark = ("moved away", "\u2190") if moved else ("removed", "\u2212")
            tag = "del"
    kind = "rl-moved " if moved else ""
    return (
        f'<{tag} class="{kind}rl-{tag}"{moved} dir="auto">'
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
    return f'<span class="rl-label">{label}</span> '


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
    """Return the changes for a terminal of `width` columns: [-old-]{+new+}, coloured too if asked for."""
    lines: list[str] = []
    for field in diff.fields:
        lines += _wrapped(f"{_FIELD_NAMES.get(field.name, field.name)}: ", field.spans, colour, width)
    for number, part in enumerate(_near_changes(diff.blocks, 0)):
        if number or lines:
            lines.append("")
        for block in part:
            lines += _wrapped(f"{_SIGNS[block.alignment]} ", block.spans, colour, width)
    if diff.is_coarse:
        lines += ["", "(too large to compare word by word: a part is shown as replaced)"]
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
_MARKS = {SpanKind.DELETE: ("[-", "-]", "\x1b[31m"), SpanKind.INSERT: ("{+", "+}", "\x1b[32m")}


def _wrapped(prefix: str, spans: Sequence[Span], colour: bool, width: int) -> list[str]:
    text = prefix
    for span in spans:
        piece = _printable(span.text).replace(BREAK, " \u00b6 ")
        if span.kind is SpanKind.EQUAL:
            text += piece
        else:
            start, end, _ = _MARKS[span.kind]
            text += f"{start}{piece}{end}"
    lines = [
        line
        for paragraph in text.split("\n")
        for line in textwrap.wrap(paragraph, max(width, 20), break_on_hyphens=False, break_long_words=False) or [""]
    ]
    if not colour:
        return lines
    # Colour is put on after wrapping, and carried over line ends, so that codes count for no columns.
    coloured: list[str] = []
    active = ""
    for line in lines:
        out = active + line if active else line
        for start, end, code in _MARKS.values():
            out = out.replace(start, code + start).replace(end, end + "\x1b[0m")
        for start, end, code in _MARKS.values():
            opened, closed = line.rfind(start), line.rfind(end)
            if opened > closed:
                active = code
            elif closed >= 0 and active == code:
                active = ""
        coloured.append(out + "\x1b[0m" if active else out)
    return coloured


def unified(diff: Diff) -> str:
    """Return the changes as unified text: one line a block, `-` before the old, `+` before the new."""
    lines = ["--- before", "+++ after"]
    for field in diff.fields:
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
    return [sign + line for line in _printable(text).replace(BREAK, "\n").split("\n")] if text else []


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


_HARMLESS = {
    code: chr(0x2400 + code) if code < 0x20 else "\ufffd"
    for code in [
        *range(0x20),
        *range(0x7F, 0xA0),
        0x202A,
        0x202B,
        0x202C,
        0x202D,
        0x202E,
        0x2066,
        0x2067,
        0x2068,
        0x2069,
    ]
    if chr(code) not in "\n\t"
} | {0x7F: "\u2421"}


def _printable(text: str) -> str:
    """Show what would steer a terminal or turn the reading direction as a sign; a tab as a space."""
    text = text.translate(_HARMLESS).replace("\t", " ")
    return (
        "".join("\ufffd" if unicodedata.category(char) == "Cs" else char for char in text) if not _clean(text) else text
    )


def _clean(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
