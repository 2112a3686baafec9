"""A diff's spans as edits: what went, what came in its place, and what stands around them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from crawler.diff import BREAK, Span, SpanKind, new_text, old_text, words

_AROUND = 3  # words on either side
_LONG = 4_000  # characters


@dataclass(frozen=True, slots=True)
class Passage:
    """The same stretch of an article before and after. `field` is empty for a block of the body."""

    old: str
    new: str
    field: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """One replacement, insertion or removal in a passage; the starts are offsets into its texts."""

    passage: Passage
    old: str
    new: str
    old_start: int
    new_start: int

    @property
    def is_long(self) -> bool:
        """Whether so much was exchanged that single words in it tell nothing."""
        return len(self.old) + len(self.new) > _LONG

    @property
    def old_words(self) -> list[str]:
        return real_words(self.old)

    @property
    def new_words(self) -> list[str]:
        return real_words(self.new)

    @property
    def old_end(self) -> int:
        return self.old_start + len(self.old)

    @property
    def new_end(self) -> int:
        return self.new_start + len(self.new)

    def before(self) -> str:
        """Return the last words before the edit."""
        return "".join(words(self.passage.new[max(0, self.new_start - 80) : self.new_start])[-2 * _AROUND :])

    def after(self) -> str:
        """Return the first words behind the edit."""
        return "".join(words(self.passage.new[self.new_end : self.new_end + 80])[: 2 * _AROUND])

    def windows(self) -> tuple[str, str]:
        """Return both sides with the words around them: what stands on both cancels out in a comparison."""
        before, after = self.before(), self.after()
        return before + self.old + after, before + self.new + after

    def evidence(self) -> str:
        return f"{short(self.old)} → {short(self.new)}"


def edits(spans: Sequence[Span], field: str = "") -> Iterator[Edit]:
    """Yield the edits of one passage in order; what only moved is none."""
    passage = Passage(old_text(spans), new_text(spans), field)
    old_at = new_at = 0
    old = new = ""
    for span in [*spans, Span(SpanKind.EQUAL, "")]:
        if span.kind is SpanKind.EQUAL or span.move is not None:
            if old or new:
                yield Edit(passage, old, new, old_at - len(old), new_at - len(new))
            old = new = ""
        elif span.kind is SpanKind.DELETE:
            old += span.text
        else:
            new += span.text
        if span.kind is not SpanKind.INSERT:
            old_at += len(span.text if span.before is None else span.before)
        if span.kind is not SpanKind.DELETE:
            new_at += len(span.text)


def real_words(text: str) -> list[str]:
    """Return the words of a text without signs and white space."""
    return [token for token in words(text) if any(map(str.isalnum, token))]


def letters(text: str) -> str:
    """Return what is left of a text without signs, white space, accents and case."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in apart if char.isalnum())


def short(text: str) -> str:
    """Return a text as evidence: one line of at most 80 characters."""
    line = " ".join(text[:400].replace(BREAK, " ¶ ").split())
    return line if len(line) <= 80 else line[:79].rstrip() + "…"
