"""From a diff to a judgement: kinds with their evidence, weight with its reasons, verdict with its dates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice
from math import prod

from crawler.changes import rules
from crawler.changes.edits import Edit, edits, letters, real_words, short
from crawler.changes.language import Language, language_of
from crawler.changes.model import Finding, Judgement, Kind, VerdictEvidence
from crawler.diff import Alignment, BlockDiff, Diff, Span, SpanKind, new_text, old_text
from crawler.extract.text import comparable
from crawler.items import Article, BlockKind, Notice, NoticeKind, Verdict

# What an edit of a kind weighs by itself, of 100: how far a reader of the first version was told something else. Set by
# hand, for their order: what turns the sense, then facts and who said them, then what came and went, then the rest.
_WEIGHTS = {
    Kind.LENGTH_COLLAPSE: 80,
    Kind.CORRECTION_NOTICE: 70,
    Kind.NEGATION: 65,
    Kind.QUOTATION: 50,
    Kind.NUMBER: 45,
    Kind.NAME: 45,
    Kind.ATTRIBUTION: 40,
    Kind.PARAGRAPH_REMOVED: 40,
    Kind.HEADLINE: 30,
    Kind.TEXT_REMOVED: 30,
    Kind.UPDATE_NOTICE: 25,
    Kind.PARAGRAPH_ADDED: 25,
    Kind.STANDFIRST: 20,
    Kind.TEXT_ADDED: 20,
    Kind.BYLINE: 15,
    Kind.CAPTION: 15,
    Kind.LINK: 15,
    Kind.WORDING: 10,
    Kind.LIVE_POST: 10,
    Kind.PARAGRAPH_MOVED: 8,
    Kind.TITLE_FLAP: 5,
    Kind.TYPO: 3,
}
_MOST_EVIDENCE = 5
# A rewrite with more edits than this has shown all its kinds: 0.2 s.
_MOST_EDITS = 1_000
# A text that lost so many words and more than half of its length was cut off, or the page failed.
_COLLAPSE_WORDS = 50
_COLLAPSE_SHARE = 0.5

_FIELD_KINDS = {
    "headline": Kind.HEADLINE,
    "description": Kind.STANDFIRST,
    "authors": Kind.BYLINE,
}
# A day, a name, a number in a headline is an edit of its own; that the headline was reworded is said by its kind.
_TOLD_IN_FIELDS = frozenset({Kind.NUMBER, Kind.NAME, Kind.QUOTATION, Kind.ATTRIBUTION, Kind.NEGATION})

Found = dict[Kind, list[str]]


def classify(old: Article, new: Article, diff: Diff, *, earlier_headlines: Sequence[str] = ()) -> Judgement:
    """Return what kind of change `diff` is, of the two articles that it compares.

    `earlier_headlines` are those of the versions before `old`: a headline that comes back is a flap.
    """
    text = " ".join(block.text for block in (new.blocks or old.blocks))
    language = language_of(new.language or old.language, f"{new.headline} {text}")
    notice = next(iter(_fresh(old, new)), None)
    found: Found = {}

    def tell(kind: Kind, *evidence: str) -> None:
        found.setdefault(kind, []).extend(evidence)

    for sign, notices in (("", _fresh(old, new)), ("removed: ", _fresh(new, old) if notice is None else [])):
        for one in notices:
            is_update = one.kind is NoticeKind.UPDATE
            tell(Kind.UPDATE_NOTICE if is_update else Kind.CORRECTION_NOTICE, sign + short(one.text))
    for field in diff.fields:
        if kind := _FIELD_KINDS.get(field.name):
            tell(kind, f"{short(old_text(field.spans))} → {short(new_text(field.spans))}")
    if _comes_back(old.headline, new.headline, earlier_headlines):
        tell(Kind.TITLE_FLAP, short(new.headline))

    declared = {letters(one.text) for article in (old, new) for one in article.notices}
    told = [block for block in diff.blocks if not declared or not _is_notice(block, declared)]
    in_posts = _in_new_posts(diff)
    for block in told:
        for kind, evidence in _block(block, in_posts):
            tell(kind, evidence)
    for kind, evidence in _quotations(new, told):
        tell(kind, evidence)
    names = _Names(old, new)
    for edit in islice(_all_edits(diff, told), _MOST_EDITS):
        # A headline that flaps was judged when it first came.
        if edit.passage.field == "headline" and Kind.TITLE_FLAP in found:
            continue
        for kind, words in _edit(edit, language, names):
            if not edit.passage.field or kind in _TOLD_IN_FIELDS:
                tell(kind, *words)
    if collapse := _collapse(old, new, diff):
        tell(Kind.LENGTH_COLLAPSE, collapse)

    findings = tuple(
        Finding(kind, tuple(dict.fromkeys(found[kind]))[:_MOST_EVIDENCE])
        for kind in sorted(found, key=lambda kind: (-_WEIGHTS[kind], kind))
    )
    # A headline that flaps is no news however it differs.
    weighed = [finding for finding in findings if finding.kind is not Kind.HEADLINE or Kind.TITLE_FLAP not in found]
    verdict, rests_on = _verdict(old, new, notice)
    return Judgement(
        kinds=findings,
        weight=_weight(weighed),
        reasons=tuple(f"{finding.kind} {_WEIGHTS[finding.kind]}: {'; '.join(finding.evidence)}" for finding in weighed),
        verdict=verdict,
        verdict_evidence=rests_on,
    )


def explains(notice: Notice, diff: Diff) -> tuple[str, ...]:
    """Return the words that a notice shares with what a diff took out or put in: the sign that it speaks of this edit.

    The diff may be of an earlier step than the notice: the archive asks for each and takes the nearest that answers.
    Small words and words that stand in the text of both versions say nothing.
    """
    own = {letters(notice.text)}
    spans = [span for field in diff.fields for span in field.spans]
    spans += (span for block in diff.blocks if not _is_notice(block, own) for span in block.spans)
    words: dict[bool, set[str]] = {True: set(), False: set()}
    for span in spans:
        if span.move is None:
            words[span.kind is SpanKind.EQUAL].update(word.casefold() for word in real_words(span.text))
    changed = words[False] - words[True]
    said = dict.fromkeys(word.casefold() for word in real_words(notice.text))
    return tuple(word for word in said if word in changed and (len(word) > 3 or any(map(str.isdigit, word))))


def _fresh(old: Article, new: Article) -> list[Notice]:
    """Return the notices that are new or altered, corrections before updates."""
    before = {comparable(notice.text) for notice in old.notices}
    fresh = [notice for notice in new.notices if comparable(notice.text) not in before]
    return sorted(fresh, key=lambda notice: notice.kind is NoticeKind.UPDATE)


def _comes_back(old: str, new: str, earlier: Iterable[str]) -> bool:
    return comparable(old) != comparable(new) and comparable(new) in set(map(comparable, earlier))


def _is_notice(block: BlockDiff, notices: set[str]) -> bool:
    sides = {letters(side) for side in (old_text(block.spans), new_text(block.spans))} - {""}
    return bool(sides) and sides <= notices


def _block(block: BlockDiff, in_posts: frozenset[int]) -> Iterator[tuple[Kind, str]]:
    """Yield what became of a block as a whole."""
    if block.kind is BlockKind.CAPTION:
        if block.alignment is not Alignment.EQUAL:
            yield Kind.CAPTION, f"{short(old_text(block.spans))} → {short(new_text(block.spans))}"
        return
    text = short(new_text(block.spans) or old_text(block.spans))
    match block.alignment:
        case Alignment.INSERTED if block.kind is BlockKind.POST:
            yield Kind.LIVE_POST, text
        case Alignment.INSERTED if not _is_all_moved(block.spans) and block.new[0] not in in_posts:
            yield Kind.PARAGRAPH_ADDED, text
        case Alignment.DELETED if not _is_all_moved(block.spans):
            yield Kind.PARAGRAPH_REMOVED, text
        case Alignment.MOVED:
            yield Kind.PARAGRAPH_MOVED, text
        case Alignment.SPLIT | Alignment.JOINED:
            yield Kind.WORDING, f"{block.alignment}: {text}"
    for span in block.spans:
        if span.move is not None and span.kind is SpanKind.INSERT:
            yield Kind.PARAGRAPH_MOVED, short(span.text)


def _in_new_posts(diff: Diff) -> frozenset[int]:
    """Return which new blocks belong to a live blog's post that is new itself: its head line tells of them."""
    inside: set[int] = set()
    is_new = False
    for block in diff.blocks:
        if block.new and block.kind is BlockKind.POST:
            is_new = block.alignment is Alignment.INSERTED
        elif is_new and block.alignment is Alignment.INSERTED:
            inside.update(block.new)
    return frozenset(inside)


def _is_all_moved(spans: Sequence[Span]) -> bool:
    return any(span.move is not None for span in spans) and not any(
        letters(span.text) for span in spans if span.move is None
    )


def _quotations(new: Article, blocks: Iterable[BlockDiff]) -> Iterator[tuple[Kind, str]]:
    """Yield quotations altered, added or removed: in edited paragraphs, and gone with a removed one."""
    whole_new = ""
    for block in blocks:
        if block.alignment in (Alignment.EQUAL, Alignment.INSERTED) or block.kind is BlockKind.CAPTION:
            continue
        before, after = old_text(block.spans), new_text(block.spans)
        gone, came = rules.quoted(before) - rules.quoted(after), rules.quoted(after) - rules.quoted(before)
        # Moved along with its words, a quotation is neither gone nor new.
        if gone and block.alignment is Alignment.DELETED:
            whole_new = whole_new or letters(" ".join(block.text for block in new.blocks))
            gone = Counter({said: count for said, count in gone.items() if said not in whole_new})
        if gone or came:
            sides = ((before, gone), (after, came))
            shown = [
                short(text[start:end])
                for text, told in sides
                for start, end in rules.quotations(text)
                if letters(text[start:end]) in told
            ]
            yield Kind.QUOTATION, " → ".join(shown)


class _Names:
    """The words that stand capitalised inside a sentence somewhere, and nowhere in small letters; read when asked."""

    def __init__(self, *articles: Article) -> None:
        self._articles = articles

    def __contains__(self, word: object) -> bool:
        return word in self._names

    @cached_property
    def _names(self) -> frozenset[str]:
        large: set[str] = set()
        small: set[str] = set()
        for block in dict.fromkeys(block for article in self._articles for block in article.blocks):
            found = real_words(block.text)
            large.update(word for word in found[1:] if word[0].isupper() and not word.isupper())
            small.update(word for word in found if word[0].islower())
        return frozenset(word for word in large if word.lower() not in small)


def _all_edits(diff: Diff, blocks: Iterable[BlockDiff]) -> Iterator[Edit]:
    for field in diff.fields:
        if field.name in ("headline", "description"):
            yield from edits(field.spans, field.name)
    for block in blocks:
        if block.old and block.new and block.alignment is not Alignment.EQUAL:
            yield from edits(block.spans, "caption" if block.kind is BlockKind.CAPTION else "")


def _edit(edit: Edit, language: Language, names: Container[str]) -> Iterator[tuple[Kind, tuple[str, ...]]]:
    """Yield the kinds of one edit: those that change what is said, else one of those that do not."""
    if edit.is_long:
        yield (
            (Kind.WORDING if edit.old and edit.new else Kind.TEXT_ADDED if edit.new else Kind.TEXT_REMOVED),
            (edit.evidence(),),
        )
        return
    if address := rules.link(edit):
        yield Kind.LINK, address
        return
    is_quoted = rules.is_quoted(edit)
    number = rules.number(edit, language)
    name = rules.name(edit, language, names, is_quoted=is_quoted)
    if number:
        yield Kind.NUMBER, number
    if name:
        yield Kind.NAME, name
    # A comma between the same quoted words is no other quotation.
    if is_quoted and rules.quoted(edit.passage.old) != rules.quoted(edit.passage.new):
        if edit.passage.field:
            yield Kind.QUOTATION, (edit.evidence(),)
        return
    if name and rules.quotations(edit.passage.new) and language.says.found(" ".join(edit.windows())):
        yield Kind.QUOTATION, name
    if not edit.old_words and rules.is_passage(edit.new):
        yield Kind.TEXT_ADDED, (short(edit.new),)
        return
    if not edit.new_words and rules.is_passage(edit.old):
        yield Kind.TEXT_REMOVED, (short(edit.old),)
        return
    negation = rules.negation(edit, language)
    attribution = () if negation else rules.attribution(edit, language)
    if negation:
        yield Kind.NEGATION, negation
    if attribution:
        yield Kind.ATTRIBUTION, attribution
    if number or name or negation or attribution:
        return
    if typo := rules.typo(edit, language):
        yield Kind.TYPO, typo
    elif letters(edit.old) or letters(edit.new):
        yield Kind.WORDING, (edit.evidence(),)


def _collapse(old: Article, new: Article, diff: Diff) -> str:
    before, after = (sum(len(block.text) for block in article.blocks) for article in (old, new))
    is_collapse = diff.words_removed >= _COLLAPSE_WORDS and after < before * _COLLAPSE_SHARE
    return f"{before} → {after} characters" if is_collapse else ""


def _weight(findings: Iterable[Finding]) -> int:
    """Return how much a change weighs: each kind takes its share of what the others have left of 100.

    So two kinds weigh more than one, and none takes it past 100.
    """
    return round(100 * (1 - prod(1 - _WEIGHTS[finding.kind] / 100 for finding in findings)))


def _verdict(old: Article, new: Article, notice: Notice | None) -> tuple[Verdict, VerdictEvidence]:
    if notice is not None:
        return Verdict.DECLARED, VerdictEvidence(old.date_modified, new.date_modified, notice)
    evidence = VerdictEvidence(old.date_modified, new.date_modified, None)
    # Some publishers have only one date and move that one.
    if _moved(old.date_published, new.date_published):
        return Verdict.DATED, VerdictEvidence(old.date_published, new.date_published, None)
    if new.date_modified is None:
        return Verdict.UNDATED, evidence
    if old.date_modified is None or _moved(old.date_modified, new.date_modified):
        return Verdict.DATED, evidence
    return Verdict.STEALTH, evidence


def _moved(old: datetime | None, new: datetime | None) -> bool:
    return old is not None and new is not None and new > old
