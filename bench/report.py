"""What every benchmark says of itself: the machine, the versions, and its figures as JSON in bench/out/."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sqlite3
from collections.abc import Mapping
from pathlib import Path

OUT = Path(__file__).parent / "out"


def about(*packages: str) -> dict[str, str]:
    """Print and return on what a benchmark runs: processor, cores, Python, SQLite, and the versions of `packages`.

    A package that is not installed is said to be missing: its row is then missing too.
    """
    found = {
        "machine": f"{_processor()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    print(", ".join(f"{name} {value}" if name != "machine" else value for name, value in found.items()), flush=True)
    return found


def write(name: str, about: Mapping[str, str], figures: object) -> None:
    """Write what a benchmark measured to bench/out/NAME.json."""
    OUT.mkdir(exist_ok=True)
    text = json.dumps({"about": about, "figures": figures}, indent=1)
    (OUT / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
