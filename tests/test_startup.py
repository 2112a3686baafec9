"""What a command loads before it answers: no more than it needs. Times are bench/startup.py's; here are the reasons."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.archive import Archive
from crawler.cli import COMMANDS, main
from tests.conftest import URL, listed, page, visit

_LOADED = """
import json, sys
from crawler.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write(json.dumps(sorted(sys.modules)))
"""
# By what name each of our dependencies is imported, where that is not its own; and what they bring along.
_IMPORTED_AS = {"beautifulsoup4": "bs4", "sqlite-utils": "sqlite_utils"}
_BROUGHT_ALONG = {"twisted", "protego", "parsel", "asyncio", "ssl", "logging", "email"}


def loaded(*arguments: str) -> set[str]:
    """Return the modules that a run of `redline` with these arguments has loaded."""
    run = subprocess.run(
        [sys.executable, "-c", _LOADED, *arguments], capture_output=True, text=True, timeout=60, check=True
    )
    return set(json.loads(run.stderr))


def dependencies() -> set[str]:
    names = {line.partition(">")[0] for line in requires("redline") or [] if "extra ==" not in line}
    return {_IMPORTED_AS.get(name, name) for name in names}


@pytest.fixture
def told(tmp_path: Path) -> str:
    """An archive with a change to tell of."""
    with Archive(tmp_path / "archive.db") as archive:
        (article,) = listed(archive, URL)
        for hour, text in enumerate(["Eleven boats sank.", "Twelve boats sank."]):
            archive.record(visit(article, hour, page(text)))
    return str(tmp_path / "archive.db")


def test_the_help_loads_the_command_line_alone() -> None:
    modules = loaded("--help")
    assert {name for name in modules if name.startswith("crawler")} == {"crawler", "crawler.cli", "crawler.errors"}
    assert modules & (dependencies() | _BROUGHT_ALONG) == {"click"}


@pytest.mark.parametrize("command", [("log",), ("show", URL), ("search", "boats")])
def test_reading_the_archive_loads_what_reads(told: str, command: tuple[str, ...]) -> None:
    assert loaded("--archive", told, *command) & (dependencies() | _BROUGHT_ALONG) == {"click"}


def test_a_difference_loads_what_compares_and_nothing_that_fetches_or_parses(told: str) -> None:
    found = loaded("--archive", told, "diff", URL)
    assert found & (dependencies() | _BROUGHT_ALONG) == {"click", "rapidfuzz"}


def test_the_help_has_a_line_for_each_command_that_is_not_cut() -> None:
    lines = CliRunner().invoke(main, ["--help"], terminal_width=80).output.splitlines()
    for name, (_, said) in COMMANDS.items():
        assert any(line.split() == [name, *said.split()] for line in lines), name
