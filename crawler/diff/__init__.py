"""Two articles compared, as a person would see it: `diff`, `spans` for one string, and `render` to show either.

Blocks are aligned first, then words inside the edited ones. Pure and deterministic: the same two articles give the same
`Diff`. Bounded: a part that is too large to compare word by word is shown as replaced, and the `Diff` says that it is
coarse. Text is compared as the digest sees it: a curly quote made straight is no difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from crawler.diff.blocks import Blocks, Group, align
from crawler.diff.model import (
    BREAK,
    Alignment,
    BlockDiff,
    Diff,
    FieldDiff,
    Span,
    SpanKind,
    new_text,
    old_text,
)
from crawler.diff.sequence import Effort, word_spans
from crawler.diff.tokens import Lexicon, Text, is_word, words
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
    effort = Effort()
    lexicon = Lexicon()
    blocks = Blocks([block.text for block in old.blocks], [block.text for block in new.blocks], lexicon)
    fields = []
    for name, before, after in _fields(old, new):
        if before != after:
            found = spans(before, after)
            if any(span.kind is not SpanKind.EQUAL for span in found):
                fields.append(FieldDiff(name, found))
    found_blocks = tuple(_block(group, blocks, old, new, effort) for group in align(blocks, effort))
    changed = [span for field in fields if field.name not in _UNCOUNTED for span in field.spans]
    changed += (span for block in found_blocks for span in block.spans)
    return Diff(
        fields=tuple(fields),
        blocks=found_blocks,
        is_coarse=effort.is_coarse,
        words_added=_count(changed, SpanKind.INSERT),
        words_removed=_count(changed, SpanKind.DELETE),
    )


def spans(old: str, new: str) -> tuple[Span, ...]:
    """Return the spans between two strings: a headline, an entry's title."""
    if old == new:
        return (Span(SpanKind.EQUAL, new),) if new else ()
    lexicon = Lexicon()
    return word_spans(Text.read(old, lexicon), Text.read(new, lexicon), Effort())


_UNCOUNTED = frozenset({"date_published", "date_modified", "images"})


def _fields(old: Article, new: Article) -> Iterator[tuple[str, str, str]]:
    yield "headline", old.headline, new.headline
    yield "description", old.description, new.description
    yield "authors", _authors(old), _authors(new)
    yield "captions", _captions(old), _captions(new)
    yield "images", _images(old), _images(new)
    yield "date_published", _moment(old.date_published), _moment(new.date_published)
    yield "date_modified", _moment(old.date_modified), _moment(new.date_modified)


def _authors(article: Article) -> str:
    return "\n".join(f"{author.name}, {author.role}" if author.role else author.name for author in article.authors)


def _captions(article: Article) -> str:
    return "\n".join(filter(None, (f"{image.caption} {image.credit}".strip() for image in article.images)))


def _images(article: Article) -> str:
    return "\n".join(image.url for image in article.images)


def _moment(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def _count(found: list[Span], kind: SpanKind) -> int:
    return sum(
        is_word(token) for span in found if span.kind is kind and span.move is None for token in words(span.text)
    )


def _block(group: Group, blocks: Blocks, old: Article, new: Article, effort: Effort) -> BlockDiff:
    kind = new.blocks[group.new[0]].kind if group.new else old.blocks[group.old[0]].kind
    alignment = group.alignment
    if group.is_same:
        before, after = blocks.old[group.old[0]], blocks.new[group.new[0]]
        found: tuple[Span, ...] = (Span(SpanKind.EQUAL, after, None if before == after else before),)
    elif not group.new:
        found = (Span(SpanKind.DELETE, blocks.old[group.old[0]]),)
    elif not group.old:
        found = (Span(SpanKind.INSERT, blocks.new[group.new[0]]),)
    else:
        found = word_spans(
            Text.joined([blocks.text(blocks.old[i]) for i in group.old]),
            Text.joined([blocks.text(blocks.new[j]) for j in group.new]),
            effort,
        )
        if alignment is Alignment.EDITED and all(span.kind is SpanKind.EQUAL for span in found):
            alignment = Alignment.EQUAL
    return BlockDiff(alignment, kind, group.old, group.new, found)
