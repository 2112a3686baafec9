"""Two articles compared, as a person would see it: `diff`, `spans` for one string, and `render` to show either.

Blocks are aligned first, then words inside the edited ones. Pure and deterministic: the same two articles give the same
`Diff`. Bounded: a part that is too large to compare word by word is shown as replaced, and the `Diff` says that it is
coarse. Text is compared as the digest sees it: a curly quote made straight is no difference.

What compares is loaded at the first comparison, so that who only shows or lists need not load it.
"""

from __future__ import annotations

from crawler.diff.model import BREAK, Alignment, BlockDiff, Diff, FieldDiff, Span, SpanKind, new_text, old_text
from crawler.diff.tokens import words
from crawler.items import Article

__all__ = [
    "BREAK",
    "Alignment",
    "BlockDiff",
    "Diff",
    "FieldDiff",
    "Span",
    "SpanKind",
    "diff",
    "new_text",
    "old_text",
    "spans",
    "words",
]


def diff(old: Article, new: Article) -> Diff:
    """Return what differs between two states of an article."""
    from crawler.diff import comparison

    return comparison.diff(old, new)


def spans(old: str, new: str) -> tuple[Span, ...]:
    """Return the spans between two strings: a headline, an entry's title."""
    from crawler.diff import comparison

    return comparison.spans(old, new)
