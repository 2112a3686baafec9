"""What kind of edit a diff shows, how much it weighs and why, and whether the publisher said so: rules, no model.

`classify` gives every kind together with the words that made its rule speak, a weight with its reasons, and a verdict
with the dates or the notice that it rests on. Nothing is too small to be named: small edits weigh little.

Rules by shape (digits, quotation marks, capitals, lengths, spelling) work in every language; those by words (who says
it, how sure it is, the sense turned round) in the languages of `words/`. Each kind is measured by bench/changes.
"""

from __future__ import annotations

from crawler.changes.judge import Finding, Judgement, Kind, VerdictEvidence, classify, explains

__all__ = ["Finding", "Judgement", "Kind", "VerdictEvidence", "classify", "explains"]
