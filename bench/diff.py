"""The diff beside other tools, in one run: time, memory, and how much each marks as changed.

    python bench/diff.py            # all, about four minutes; prints a table, writes bench/out/diff.json
    python bench/diff.py one-word   # only this case

Every tool gets the same two texts in a process of its own, with at most TIMEOUT_SECONDS. difflib compares the same
words as we do. "marked" counts the words and signs shown as removed or added (our moved blocks are shown, not marked);
"minimum" is what no word diff without moves can go below: all words less twice the longest common subsequence.
Peers: `pip install fast-diff-match-patch redlines`, and git. What is not installed is said.
"""

from __future__ import annotations

import argparse
import difflib
import gc
import json
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from rapidfuzz.distance import Indel
from report import about, write

from crawler.diff import SpanKind, diff, words
from crawler.items import Article, Block

TIMEOUT_SECONDS = 60

Paragraphs = list[str]


class Writer:
    """Writes text in which few words are frequent and many are rare, as in any language."""

    def __init__(self, seed: int, letters: str = "etaoinshrdlucmfwypvbgk") -> None:
        self.rng = random.Random(seed)
        lengths = self.rng.choices(range(2, 11), k=8000)
        self.vocabulary = ["".join(self.rng.choices(letters, k=length)) for length in lengths]
        self.weights = [1 / (rank + 2) for rank in range(len(self.vocabulary))]

    def paragraph(self, count: int) -> str:
        """Return `count` words in sentences of 8 to 25."""
        found = self.rng.choices(self.vocabulary, self.weights, k=count)
        at = 0
        while at < count:
            found[at] = found[at].capitalize()
            at = min(at + self.rng.randint(8, 25), count)
            found[at - 1] += "."
        return " ".join(found)

    def article(self, paragraphs: int, size: int) -> Paragraphs:
        return [self.paragraph(size) for _ in range(paragraphs)]

    def edited(self, paragraphs: Paragraphs, share: float) -> Paragraphs:
        """Return the text with runs of one to four words replaced, left out or put in, until `share` is touched."""
        out = []
        for paragraph in paragraphs:
            old, new, at = paragraph.split(), [], 0
            while at < len(old):
                size = self.rng.randint(1, 4)
                if self.rng.random() < share / 2.5:
                    kind = self.rng.choice(("replace", "replace", "delete", "insert"))
                    if kind != "delete":
                        new += self.paragraph(size).lower().rstrip(".").split()
                    at += 0 if kind == "insert" else size
                if at < len(old):
                    new.append(old[at])
                at += 1
            out.append(" ".join(new))
        return out


def cases() -> dict[str, Callable[[], tuple[Paragraphs, Paragraphs]]]:
    writer = Writer(1)
    short = writer.article(20, 45)
    blog = writer.article(500, 40)
    book = writer.article(1000, 50)
    characters = "".join(map(chr, random.Random(2).sample(range(0x4E00, 0x5E00), 1500)))
    rng = random.Random(3)
    chinese = ["".join(rng.choices(characters, [1 / (n + 5) for n in range(1500)], k=90)) + "。" for _ in range(20)]

    def with_word(paragraphs: Paragraphs, at: int, word: str) -> Paragraphs:
        changed = paragraphs[at].split()
        changed[len(changed) // 2] = word
        return [*paragraphs[:at], " ".join(changed), *paragraphs[at + 1 :]]

    moved = [*short[:2], short[15], *short[2:15], *short[16:]]
    split = [*short[:9], *re.split(r"(?<=\.) ", short[9], maxsplit=1), *short[10:]]
    chinese_edited = [*chinese[:9], chinese[9][:40] + "新的" + chinese[9][42:], *chinese[10:]]
    return {
        "one-word": lambda: (short, with_word(short, 7, "changed")),
        "rewrite-15": lambda: (short, writer.edited(short, 0.15)),
        "moved-paragraph": lambda: (short, moved),
        "split-paragraph": lambda: (short, split),
        "chinese-edit": lambda: (chinese, chinese_edited),
        "live-blog-edit": lambda: (blog, with_word(blog, 230, "changed")),
        "live-blog-posts": lambda: (blog, [*Writer(4).article(5, 40), *blog]),
        "rewrite-15-50k": lambda: (book, writer.edited(book, 0.15)),
        "one-block-50k": lambda: ([" ".join(book)], [" ".join(writer.edited(book, 0.15))]),
        "unrelated-50k": lambda: (book, Writer(5, "aeioumnpqrstvxz").article(1000, 50)),
        "same-words-50k": lambda: (book, writer.article(1000, 50)),
        "repetitive-50k": lambda: (["the cat sat " * 16_667], ["the dog sat " * 16_667]),
        "tiny-blocks-50k": lambda: (writer.article(25_000, 2), writer.article(25_000, 2)),
    }


# What a tool shows as removed and as added, and whether it says that it gave up a part.
Marked = tuple[list[str], list[str], bool]


def redline(old: Paragraphs, new: Paragraphs) -> Marked:
    before, after = (
        Article(url="u", blocks=tuple(Block(text=text) for text in paragraphs)) for paragraphs in (old, new)
    )
    found = diff(before, after)
    shown = [span for block in found.blocks for span in block.spans if span.move is None]
    return (
        [span.text for span in shown if span.kind is SpanKind.DELETE],
        [span.text for span in shown if span.kind is SpanKind.INSERT],
        found.is_coarse,
    )


def by_difflib(old: Paragraphs, new: Paragraphs) -> Marked:
    before, after = tokens(old), tokens(new)
    removed: list[str] = []
    added: list[str] = []
    for tag, i, i_end, j, j_end in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != "equal":
            removed += before[i:i_end]
            added += after[j:j_end]
    return removed, added, False


def fast_diff_match_patch(old: Paragraphs, new: Paragraphs) -> Marked:
    from fast_diff_match_patch import diff as compare

    found = compare("\n".join(old), "\n".join(new), counts_only=False, cleanup="Semantic", timelimit=0)
    return [text for op, text in found if op == "-"], [text for op, text in found if op == "+"], False


def redlines(old: Paragraphs, new: Paragraphs) -> Marked:
    from redlines import Redlines

    found = Redlines("\n\n".join(old), "\n\n".join(new)).changes
    return [change.source_text or "" for change in found], [change.test_text or "" for change in found], False


def git_word_diff(old: Paragraphs, new: Paragraphs) -> Marked:
    with tempfile.TemporaryDirectory() as folder:
        for name, paragraphs in (("old", old), ("new", new)):
            Path(folder, name).write_text("\n".join(paragraphs) + "\n", encoding="utf-8")
        command = ["git", "diff", "--no-index", "--word-diff=porcelain", "--no-color", "old", "new"]
        shown = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).stdout.splitlines()
    body = shown[4:]
    removed = [line[1:] for line in body if line.startswith("-")]
    return removed, [line[1:] for line in body if line.startswith("+")], False


TOOLS: dict[str, Callable[[Paragraphs, Paragraphs], Marked]] = {
    "redline": redline,
    "difflib": by_difflib,
    "fast-diff-match-patch": fast_diff_match_patch,
    "redlines": redlines,
    "git --word-diff": git_word_diff,
}


def tokens(paragraphs: Iterable[str]) -> list[str]:
    return [token for text in paragraphs for token in words(text) if not token.isspace()]


def minimum(old: Paragraphs, new: Paragraphs) -> int | None:
    """Return the fewest words that a diff without moves can mark; None where the matrix would not fit."""
    before, after = tokens(old), tokens(new)
    if len(before) * len(after) > 4_000_000_000:
        return None
    return Indel.distance(before, after)


def measure(tool: str, case: str) -> dict[str, object]:
    """Return one tool's figures for one case: the fastest of at least three runs, or of one that takes seconds."""
    old, new = cases()[case]()
    run = TOOLS[tool]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    removed, added, is_coarse = run(old, new)
    best = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    gc.collect()
    while best < 2 and time.perf_counter() - started < 3:
        at = time.perf_counter()
        run(old, new)
        best = min(best, time.perf_counter() - at)
    return {
        "ms": round(best * 1000, 3),
        "peak_mb": round(peak / 1024, 1),
        "marked": len(tokens(removed)) + len(tokens(added)),
        "is_coarse": is_coarse,
    }


def in_a_child(*arguments: str) -> dict[str, object]:
    command = [sys.executable, __file__, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=True)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done after {TIMEOUT_SECONDS} s"}
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:]
        return {"failed": last[0] if last else f"exit {error.returncode}"}
    return dict(json.loads(done.stdout))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", nargs="?", choices=cases())
    parser.add_argument("--one", nargs=2, metavar=("TOOL", "CASE"), help=argparse.SUPPRESS)
    parser.add_argument("--minimum", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(*asked.one)))
        return
    if asked.minimum:
        print(json.dumps({"minimum": minimum(*cases()[asked.minimum]())}))
        return

    machine = about("rapidfuzz", "fast-diff-match-patch", "redlines", "PyICU")
    machine["git"] = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    print(machine["git"], end="\n\n")
    print(f"{'case':18}{'tool':24}{'ms':>12}{'x difflib':>12}{'marked':>9}{'/ minimum':>11}{'MB':>8}")
    results: dict[str, dict[str, dict[str, object]]] = {}
    for case in [asked.case] if asked.case else cases():
        least = in_a_child("--minimum", case).get("minimum")
        figures = {tool: in_a_child("--one", tool, case) for tool in TOOLS}
        results[case] = {"minimum": {"marked": least}, **figures}
        baseline = figures["difflib"].get("ms")
        for tool, found in figures.items():
            if "failed" in found:
                print(f"{case:18}{tool:24}  {found['failed']}")
                continue
            ms, marked = float(str(found["ms"])), int(str(found["marked"]))
            times = f"{float(str(baseline)) / ms:.1f}" if baseline else f"> {TIMEOUT_SECONDS * 1000 / ms:.0f}"
            share = f"{marked / int(str(least)):.3f}" if least else "-"
            coarse = "  coarse" if found["is_coarse"] else ""
            print(
                f"{case:18}{tool:24}{ms:12.2f}{times:>12}{marked:9}{share:>11}{found['peak_mb']:8}{coarse}", flush=True
            )
        print()
    if not asked.case:
        write("diff", machine, results)


if __name__ == "__main__":
    main()
