"""Precision and recall of each kind over the labelled edits, on the half that was tuned on and on the one that was not.

    python bench/changes/score.py             # both halves, by kind and by language; writes bench/out/changes.json
    python bench/changes/score.py --misses    # the tuned half's wrong answers, to work on; held.txt is never shown

A kind is claimed if precision and recall on the held-out half are 0.9 or more.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crawler.changes import Kind, classify
from crawler.diff import diff
from crawler.items import Article, Author, Block, BlockKind, Image, Notice, NoticeKind

HERE = Path(__file__).parent
sys.path.append(str(HERE.parent))
from report import about, write  # noqa: E402 - it stands in the folder above

CLAIMED_FROM = 0.9


@dataclass(frozen=True, slots=True)
class Pair:
    """A labelled edit: two articles and the kinds that a person saw."""

    line: str
    language: str
    kinds: frozenset[str]
    old: Article
    new: Article
    earlier_headlines: tuple[str, ...]


def pairs(name: str) -> Iterator[Pair]:
    for line in (HERE / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            language, kinds, text = line.split(" | ", 2)
            yield pair(line, language.strip(), frozenset(kinds.strip().split(",")), text)


def pair(line: str, language: str, kinds: frozenset[str], text: str) -> Pair:
    unknown = kinds - set(map(str, Kind))
    if unknown:
        raise ValueError(f"no such kind: {unknown} in {line}")
    parts: dict[str, str] = {}
    for part in text.split(" || "):
        name, colon, value = part.partition(": ")
        if colon and name in FIELDS:
            parts[name] = value
        else:
            parts["body"] = part
    return Pair(
        line=line,
        language=language,
        kinds=kinds,
        old=article(language, parts, is_new=False),
        new=article(language, parts, is_new=True),
        earlier_headlines=tuple(filter(None, [parts.get("earlier headline", "")])),
    )


FIELDS = {"headline", "standfirst", "authors", "caption", "moved", "earlier headline"}
FIELDS |= {"notice correction", "notice update", "notice clarification"}


def side(text: str, *, is_new: bool) -> str:
    keep, drop = (r"\{\+(.*?)\+\}", r"\[-(.*?)-\]") if is_new else (r"\[-(.*?)-\]", r"\{\+(.*?)\+\}")
    return re.sub(drop, "", re.sub(keep, r"\1", text, flags=re.DOTALL), flags=re.DOTALL)


def article(language: str, parts: dict[str, str], *, is_new: bool) -> Article:
    def field(name: str) -> str:
        return side(parts.get(name, ""), is_new=is_new).strip()

    notices = tuple(
        Notice(kind=NoticeKind(name.split()[1]), text=field(name))
        for name in parts
        if name.startswith("notice ") and field(name)
    )
    blocks = [
        block(text)
        for text in side(parts.get("body", ""), is_new=is_new).split("¶")
        if text.strip() not in ("", "post:")
    ]
    if is_new and "moved" in parts:
        start, end = map(int, parts["moved"].split())
        blocks.insert(end - 1, blocks.pop(start - 1))
    blocks += [Block(text=notice.text) for notice in notices]
    caption = field("caption")
    blocks += [Block(text=caption, kind=BlockKind.CAPTION)] if caption else []
    return Article(
        url="https://news.example/a",
        language=language,
        headline=field("headline"),
        description=field("standfirst"),
        authors=tuple(Author(name=name.strip()) for name in field("authors").split(",") if name.strip()),
        blocks=tuple(blocks),
        images=(Image(url="https://news.example/1.jpg", caption=caption),) if "caption" in parts else (),
        notices=notices,
    )


def block(text: str) -> Block:
    if text.strip().startswith("post: "):
        return Block(text=text.strip().removeprefix("post: "), kind=BlockKind.POST)
    return Block(text=text.strip())


@dataclass(slots=True)
class Score:
    """Right, wrong and missed answers for one kind."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def answer(one: Pair) -> frozenset[str]:
    judged = classify(one.old, one.new, diff(one.old, one.new), earlier_headlines=one.earlier_headlines)
    return frozenset(str(finding.kind) for finding in judged.kinds)


def score(name: str) -> tuple[dict[str, Score], dict[str, Counter[str]]]:
    by_kind: dict[str, Score] = {str(kind): Score() for kind in Kind}
    by_language: dict[str, Counter[str]] = defaultdict(Counter)
    for one in pairs(name):
        found = answer(one)
        by_language[one.language]["right"] += found == one.kinds
        by_language[one.language]["all"] += 1
        for kind in found | one.kinds:
            if kind in found and kind in one.kinds:
                by_kind[kind].right += 1
            elif kind in found:
                by_kind[kind].wrong += 1
            else:
                by_kind[kind].missed += 1
    return by_kind, by_language


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true")
    if parser.parse_args().misses:
        for one in pairs("tuned"):
            found = answer(one)
            if found != one.kinds:
                print(f"{one.line}\n    found {','.join(sorted(found)) or 'nothing'}")
        return
    machine = about("redline", "rapidfuzz")
    scores = {name: score(name) for name in ("tuned", "held")}
    print(f"{'':20}{'tuned':>24}{'held out':>24}")
    print(f"{'kind':20}" + 2 * f"{'pairs':>8}{'precision':>10}{'recall':>7}"[:24] + "  claimed")
    for kind in map(str, Kind):
        row = f"{kind:20}"
        for name in scores:
            found = scores[name][0][kind]
            row += f"{found.right + found.missed:8}{found.precision:9.2f}{found.recall:7.2f}"
        held = scores["held"][0][kind]
        print(row + ("  yes" if min(held.precision, held.recall) >= CLAIMED_FROM else "  no"))
    print("\nwhole answer right, by language (tuned, held out)")
    for language in sorted(scores["held"][1]):
        counts = [scores[name][1][language] for name in scores]
        print(f"  {language}  " + "  ".join(f"{count['right']:3} of {count['all']:3}" for count in counts))
    result = {
        name: {
            kind: {
                "precision": round(one.precision, 3),
                "recall": round(one.recall, 3),
                "pairs": one.right + one.missed,
            }
            for kind, one in by_kind.items()
        }
        for name, (by_kind, _) in scores.items()
    }
    write("changes", machine, result)


if __name__ == "__main__":
    main()
