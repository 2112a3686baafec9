"""A thin first version: the verdict by dates and notices. Kinds and weight follow."""

from __future__ import annotations

from dataclasses import dataclass, field

from crawler.diff import Diff
from crawler.items import Article, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    kinds: tuple[str, ...]
    weight: int
    verdict: Verdict
    evidence: dict[str, object] = field(default_factory=dict)


def classify(old: Article, new: Article, diff: Diff) -> Judgement:
    if set(new.notices) - set(old.notices):
        verdict = Verdict.DECLARED
    elif old.date_modified is None or new.date_modified is None:
        verdict = Verdict.UNDATED
    else:
        verdict = Verdict.DATED if new.date_modified > old.date_modified else Verdict.STEALTH
    return Judgement(kinds=(), weight=min(100, diff.words_added + diff.words_removed), verdict=verdict)
