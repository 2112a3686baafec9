"""`python -m fuzz TARGET --seconds 60`: look for bytes that break a target's promise, guided by coverage (atheris).

Ends with 0 if none were found in the time. The first that are found end the search: they are left in fuzz/out/TARGET/,
the error is printed, and the exit code is not 0. What was learned is kept in fuzz/corpus/TARGET/ for the next search.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import atheris

HERE = Path(__file__).parent
# Seconds that one input may take on a busy machine; a slow one is a find, too. Pages take 0.1 ms a kilobyte.
LONGEST = 10
MAX_BYTES = 20_000

with atheris.instrument_imports(include=["crawler", "feedparser", "protego", "bs4"], enable_loader_override=False):
    # What is imported late, at its first use, would be searched without a guide.
    import feedparser  # noqa: F401

    import crawler.extract.reading
    import crawler.extract.scripts  # noqa: F401
    from fuzz.targets import TARGETS, seeds


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m fuzz", description="Look for input that breaks a promise.")
    parser.add_argument("target", nargs="?", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--list", action="store_true", help="name the targets")
    asked = parser.parse_args()
    if asked.list or asked.target is None:
        print(*TARGETS)
        return
    corpus, out = HERE / "corpus" / asked.target, HERE / "out" / asked.target
    for folder in (corpus, out):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds(asked.target)):
        (corpus / f"seed-{number:03}").write_bytes(seed[:MAX_BYTES])
    options = [
        f"-max_total_time={asked.seconds}",
        f"-timeout={LONGEST}",
        f"-artifact_prefix={out}/",
        f"-max_len={MAX_BYTES}",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], TARGETS[asked.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
