"""How CPU time grows with the input: the one way in which tests here tell a linear reader from a quadratic one."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TIMES = 8
# For 8 times the input a linear reader takes 8 times as long, one that sorts 10 times, a quadratic one 64 times.
_MOST = 24
# Seconds. A shorter time says more of the machine than of the reader.
_LEAST = 0.003


def assert_linear(read: Callable[[T], object], make: Callable[[int], T], size: int) -> None:
    """Fail unless reading `make(8 * size)` takes little more than 8 times as long as reading `make(size)`.

    A noisy machine is given three chances: noise makes a linear reader look quadratic at times, never each time.
    """
    small, large = make(size), make(TIMES * size)
    read(make(1))  # what is loaded once is nobody's time
    ratios = []
    for _ in range(3):
        before = max(_LEAST, min(seconds(read, small), seconds(read, small)))
        ratios.append(seconds(read, large) / before)
        if ratios[-1] < _MOST:
            return
    raise AssertionError(f"{TIMES} times the input took {', '.join(f'{ratio:.0f}' for ratio in ratios)} times as long")


def seconds(read: Callable[[T], object], given: T) -> float:
    """Return the CPU time that reading takes."""
    start = time.process_time()
    read(given)
    return time.process_time() - start
