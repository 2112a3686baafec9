"""S17: every regular expression of the crawler is timed over growing input, new ones too."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import crawler
from tests.growth import assert_linear

# Those that would be slow on a long text, and why they never get one.
BOUNDED = {
    "archive.hosts._HOST": "matched at the start of an address, of 4,096 letters at most",
    "browse.cells._DIGEST": "a full match",
    "browse.telling._MARK": "of the summary of a change, which is one line that we cut",
    "cli.read._SPAN": "a full match, of what the user of the command typed",
    "extract.notices._AFTER_WORD": "matched after a word, in the first 240 letters of a line",
    "feeds.pages._PAGED_SYSTEM": "matched at the start",
    "urls._AMP_CACHE": "a full match, of an address of 4,096 letters at most",
}


def patterns() -> dict[str, re.Pattern[str] | re.Pattern[bytes]]:
    found = {}
    for module in pkgutil.walk_packages(crawler.__path__, "crawler."):
        if module.name.endswith((".__main__", ".changes.changes")):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern):
                found[f"{module.name.removeprefix('crawler.')}.{name}"] = value
    return found


PATTERNS = patterns()
# What makes a careless expression try again and again: white space, digits, letters, openings without an end.
PIECES = [
    " ", "\t", "\n", "a", "A", "1", ".", ",", "-", "/", "<", "<a", "<a ", "<!", "&", "&a", "&#1", "=", '"', "'", "(",
    "[", "[-", "{+", "a b ", "a, ", "1.", "1,", "a.", "a-", "a=", "a='", "../", "%2e", "www.", "@a", "a@", ":", "a:",
    "Aa ", "Aa, ", "<meta ", "<?xml ", "charset = ", "By ", "and ", "31.", "2026-", "display : ", "max-age = ",
    "photo ", "«", "“", "\u200b", "é", "東",
]  # fmt: skip


@pytest.mark.parametrize("name", [name for name in PATTERNS if name not in BOUNDED])
def test_s17_a_regular_expression_takes_time_in_proportion_to_the_text(name: str) -> None:
    pattern = PATTERNS[name]

    def look(texts: list[str]) -> None:
        for text in texts:
            if isinstance(pattern.pattern, bytes):
                pattern.search(text.encode())  # type: ignore[arg-type]
            else:
                pattern.search(text)  # type: ignore[arg-type]

    def texts(length: int) -> list[str]:
        runs = [piece * (length // len(piece)) for piece in PIECES]
        return [f"{run}!" for run in runs] + [f"x{run}\0" for run in runs]

    assert_linear(look, texts, 1_000)
