"""SECURITY.md keeps its word: each line of it has tests that carry its id, and each such test has its line."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_line_of_the_security_page_has_a_test_and_every_such_test_its_line() -> None:
    promised = set(re.findall(r"^\| ([SF]\d+) \|", (ROOT / "SECURITY.md").read_text("utf-8"), re.MULTILINE))
    tested: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(r"^\s*(?:async )?def test_((?:[sf]\d+_)+)", path.read_text("utf-8"), re.MULTILINE):
            tested |= {part.upper() for part in name.strip("_").split("_")}
    assert promised
    assert promised == tested
