"""What a judgement says. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from crawler.items import Notice, Verdict


class Kind(StrEnum):
    """What kind of edit it is; the value is what the archive stores."""

    TYPO = "typo"  # spelling, punctuation, spacing, capitals, a doubled or missing small word
    WORDING = "wording"  # said otherwise; split and joined paragraphs
    NUMBER = "number"  # a number, an amount, a date
    NAME = "name"
    QUOTATION = "quotation"  # the words between quotation marks, the marks, who is quoted
    ATTRIBUTION = "attribution"  # who says it and how sure it is
    NEGATION = "negation"  # the sense turned round
    HEADLINE = "headline"
    STANDFIRST = "standfirst"
    BYLINE = "byline"
    CAPTION = "caption"
    LINK = "link"  # an address that stands in the text
    TEXT_ADDED = "text_added"  # a clause or sentence inside a paragraph
    TEXT_REMOVED = "text_removed"
    PARAGRAPH_ADDED = "paragraph_added"
    PARAGRAPH_REMOVED = "paragraph_removed"
    PARAGRAPH_MOVED = "paragraph_moved"  # or a sentence, to another paragraph
    LIVE_POST = "live_post"
    UPDATE_NOTICE = "update_notice"
    CORRECTION_NOTICE = "correction_notice"  # or a clarification
    LENGTH_COLLAPSE = "length_collapse"
    TITLE_FLAP = "title_flap"  # the headline is one that it was before


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind and the words that made its rule speak, each "old → new" or the text that came or went."""

    kind: Kind
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerdictEvidence:
    """What the verdict rests on: the publisher's dates on both sides and the notice that is new or altered."""

    old_date: datetime | None
    new_date: datetime | None
    notice: Notice | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was found in one step from a version to the next.

    `weight` is 0 (nothing) to 100; `reasons` are its parts, the heaviest first, as "number 45: 12 → 15".
    """

    kinds: tuple[Finding, ...]
    weight: int
    reasons: tuple[str, ...]
    verdict: Verdict
    verdict_evidence: VerdictEvidence
