"""What kind of edit a diff shows, how much it weighs and why, and whether the publisher said so: rules, no model.

`classify` gives every kind together with the words that made its rule speak, a weight with its reasons, and a verdict
with the dates or the notice that it rests on. Nothing is too small to be named: small edits weigh little.

Rules by shape (digits, quotation marks, capitals, lengths, spelling) work in every language; those by words (who says
it, how sure it is, the sense turned round) in the languages of `words/`. Each kind is measured by bench/changes.

The rules and their word lists are loaded at the first edit that is judged.
"""

from __future__ import annotations

from collections.abc import Sequence

from crawler.changes.model import Finding, Judgement, Kind, VerdictEvidence
from crawler.diff.model import Diff
from crawler.items import Article, Notice

__all__ = ["Finding", "Judgement", "Kind", "VerdictEvidence", "classify", "explains"]


def classify(old: Article, new: Article, diff: Diff, *, earlier_headlines: Sequence[str] = ()) -> Judgement:
    """Return what kind of change `diff` is; see `crawler.changes.judge.classify`."""
    from crawler.changes import judge

    return judge.classify(old, new, diff, earlier_headlines=earlier_headlines)


def explains(notice: Notice, diff: Diff) -> tuple[str, ...]:
    """Return the words that a notice shares with an edit: the sign that it speaks of it; see `judge.explains`."""
    from crawler.changes import judge

    return judge.explains(notice, diff)
