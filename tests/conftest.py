"""What the tests share: the bundled newsroom, on loopback (see demo/newsroom.py for what it can be told to do)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

# `demo` is no part of the installed package.
sys.path.insert(0, str(Path(__file__).parent.parent))

from demo.newsroom import Newsroom


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    """The three outlets in round 0, each on an address of its own."""
    with Newsroom() as newsroom:
        yield newsroom
