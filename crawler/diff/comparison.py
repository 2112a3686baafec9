"""Two articles, or two strings, compared: fields, blocks, words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from crawler.diff.blocks import MOST_CHARACTERS, Blocks, Group, align
from crawler.diff.model import READ_FIELDS, Alignment, BlockDiff, Diff, FieldDiff, Span, SpanKind
from crawler.diff.sequence import Effort, word_spans
from crawler.diff.tokens import Lexicon, Text, is_word, words
from crawler.items import Article


def diff(old: Article, new: Article) -> Diff:
    """Return what differs between two states of an article."""
    effort = Effort()
    lexicon = Lexicon()
    fields = tuple(_fields(old, new, lexicon, effort))
    blocks = Blocks([block.text for block in old.blocks], [block.text for block in new.blocks], lexicon)
    groups = align(blocks, effort)
    found = tuple(_block(group, blocks, old, new, effort) for group in groups)
    read = [
        *(span for field in fields if field.name in READ_FIELDS for span in field.spans),
        *(span for block in found for span in block.spans),
    ]
    return Diff(
        fields=fields,
        blocks=found,
        is_coarse=effort.is_coarse,
        words_added=_count(read, SpanKind.INSERT),
        words_removed=_count(read, SpanKind.DELETE),
    )


def spans(old: str, new: str) -> tuple[Span, ...]:
    """Return the spans between two strings: a headline, an entry's title."""
    return _spans([old], [new], Lexicon(), Effort())


def _spans(old: Sequence[str], new: Sequence[str], lexicon: Lexicon, effort: Effort) -> tuple[Span, ...]:
    if sum(map(len, (*old, *new))) > MOST_CHARACTERS:
        effort.is_coarse = True
        return _item_spans(old, new, lexicon, effort)
    before, after = (Text.joined([Text.read(text, lexicon) for text in texts]) for texts in (old, new))
    return word_spans(before, after, effort)


def _item_spans(old: Sequence[str], new: Sequence[str], lexicon: Lexicon, effort: Effort) -> tuple[Span, ...]:
    """Return the spans between two lists of what nobody reads word by word: dates, addresses."""
    return word_spans(Text.of_items(old, lexicon), Text.of_items(new, lexicon), effort)


def _fields(old: Article, new: Article, lexicon: Lexicon, effort: Effort) -> Iterator[FieldDiff]:
    for name, texts in _FIELDS.items():
        before, after = texts(old), texts(new)
        if before != after:
            compare = _item_spans if name in _ITEMS else _spans
            found = compare(before, after, lexicon, effort)
            if any(span.kind is not SpanKind.EQUAL for span in found):
                yield FieldDiff(name, found)


def _captions(article: Article) -> list[str]:
    return [
        f"{image.caption} — {image.credit}" if image.credit else image.caption
        for image in article.images
        if image.caption or image.credit
    ]


def _moment(moment: datetime | None) -> list[str]:
    return [moment.isoformat()] if moment else []


_FIELDS: dict[str, Callable[[Article], list[str]]] = {
    "headline": lambda article: [article.headline],
    "description": lambda article: [article.description],
    "authors": lambda article: [author.name for author in article.authors],
    "captions": _captions,
    "images": lambda article: [image.url for image in article.images],
    "date_published": lambda article: _moment(article.date_published),
    "date_modified": lambda article: _moment(article.date_modified),
}


_ITEMS = frozenset({"images", "date_published", "date_modified"})


def _block(group: Group, blocks: Blocks, old: Article, new: Article, effort: Effort) -> BlockDiff:
    before, after = group.sides
    kind = new.blocks[after[0]].kind if after else old.blocks[before[0]].kind
    alignment = group.alignment
    if group.is_same:
        was, text = old.blocks[before[0]].text, new.blocks[after[0]].text
        found: tuple[Span, ...] = (Span(SpanKind.EQUAL, text, None if was == text else was),)
    elif not after and not blocks.has_moves(0, before[0]):
        found = (Span(SpanKind.DELETE, old.blocks[before[0]].text),)
    elif not before and not blocks.has_moves(1, after[0]):
        found = (Span(SpanKind.INSERT, new.blocks[after[0]].text),)
    else:
        found = word_spans(blocks.joined(0, before), blocks.joined(1, after), effort)
        if alignment is Alignment.EDITED and all(span.kind is SpanKind.EQUAL for span in found):
            alignment = Alignment.EQUAL
    return BlockDiff(alignment, kind, tuple(before), tuple(after), found)


def _count(read: list[Span], kind: SpanKind) -> int:
    texts = (span.text for span in read if span.kind is kind and span.move is None)
    return sum(sum(map(is_word, words(text))) if len(text) <= MOST_CHARACTERS else len(text.split()) for text in texts)
