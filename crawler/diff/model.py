"""What a comparison yields. Values only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from crawler.items import BlockKind

# Stands between two blocks where one was split or two were joined, and between the items of a list. Of no word a part.
BREAK = "\u2029"

# What the digest is made of beside the blocks. Captions are not: they stand among the blocks too. Dates and the
# addresses of pictures, which change with every image server, are no text that one reads.
READ_FIELDS = frozenset({"headline", "description", "authors"})


class SpanKind(StrEnum):
    """Which side has the text: both, only the new one, only the old one."""

    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text.

    `text` of an EQUAL span is the new side's. `before` is the old side's where the two differ in what the digest folds
    away (curly quotes, dashes, white space ...), else None.
    `move` ties the DELETE and the INSERT of one sentence that stands elsewhere now: the same number on both, else None.
    """

    kind: SpanKind
    text: str
    before: str | None = None
    move: int | None = None


class Alignment(StrEnum):
    """What became of a block. MOVED may hold edits too; its spans say which."""

    EQUAL = "equal"
    EDITED = "edited"
    INSERTED = "inserted"
    DELETED = "deleted"
    MOVED = "moved"
    SPLIT = "split"
    JOINED = "joined"


@dataclass(frozen=True, slots=True)
class BlockDiff:
    """Blocks that belong together. `old` and `new` are indexes into the articles' `blocks`; empty on the side without.

    `kind` is the new block's, for a deleted one the old block's. The spans rebuild both sides: texts of several blocks
    are joined with `BREAK`.
    """

    alignment: Alignment
    kind: BlockKind
    old: tuple[int, ...]
    new: tuple[int, ...]
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class FieldDiff:
    """A field that differs. A list (authors, captions, images) has `BREAK` between its items; dates are ISO 8601."""

    name: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Diff:
    """Two articles compared.

    `fields` has only those that differ. `blocks` has every block in the new reading order, a deleted one where it
    stood. `is_coarse` says that a part was too large to compare word by word and is shown as replaced. Words are
    those that a reader reads, body and fields (a character each where a script has no spaces); what moved is neither
    added nor removed. A caption is a block too, and counts there.
    """

    fields: tuple[FieldDiff, ...]
    blocks: tuple[BlockDiff, ...]
    is_coarse: bool
    words_added: int
    words_removed: int

    @property
    def told_fields(self) -> tuple[FieldDiff, ...]:
        """The fields to tell a reader of: without captions where they differ in their place in the body too."""
        in_place = any(
            block.kind is BlockKind.CAPTION and block.alignment is not Alignment.EQUAL for block in self.blocks
        )
        return tuple(field for field in self.fields if not (in_place and field.name == "captions"))

    @property
    def is_empty(self) -> bool:
        """Whether a reader reads the same: exactly when the digests are equal. Dates and pictures may differ."""
        return not any(field.name in READ_FIELDS for field in self.fields) and all(
            block.alignment is Alignment.EQUAL for block in self.blocks
        )


def old_text(spans: Iterable[Span]) -> str:
    """Return the old side, exactly as it was read."""
    return "".join(
        span.text if span.before is None else span.before for span in spans if span.kind is not SpanKind.INSERT
    )


def new_text(spans: Iterable[Span]) -> str:
    """Return the new side, exactly as it was read."""
    return "".join(span.text for span in spans if span.kind is not SpanKind.DELETE)
