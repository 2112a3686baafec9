"""What stands in deploy/ and in the README names commands, options and files that exist."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from crawler.cli import COMMANDS, main

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
# A command as it is typed: up to a redirection, a list, a comment, a column of words.
_TYPED = re.compile(r"(?:^|[\s`/])redline((?: --archive \S+)? (?:[a-z]+)(?:(?! {2}|[|;>`#(]|\s\.\.\.).)*)")


def typed(path: Path) -> Iterator[str]:
    """Yield what a file tells a person or a machine to run, without the name of the command."""
    text = path.read_text()
    lines = text.splitlines()
    if path.suffix == ".md":
        lines = [line for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    for line in lines:
        for found in _TYPED.finditer(line):
            words = shlex.split(found[1])
            name = words[2] if words[0] == "--archive" else words[0]
            if name in COMMANDS:
                yield found[1].strip()


FILES = [*sorted(DEPLOY.iterdir()), ROOT / "README.md"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_command_that_is_named_can_be_typed(path: Path) -> None:
    for line in typed(path):
        words = shlex.split(line)
        start = 2 if words[0] == "--archive" else 0
        command = main.get_command(click.Context(main), words[start])
        assert command is not None, line
        with command.make_context(words[start], words[start + 1 :]):  # raises UsageError for what it does not know
            pass


def test_the_files_that_run_a_crawl_were_looked_at() -> None:
    crawls = {path.name for path in FILES if any(" crawl" in f" {line}" for line in typed(path))}
    assert crawls == {"redline.service", "redline.cron", "Containerfile", "README.md"}


def test_a_run_ends_before_the_next_begins_and_before_systemd_loses_patience() -> None:
    service, timer = ((DEPLOY / f"redline.{kind}").read_text() for kind in ("service", "timer"))
    assert "--max-time 14m" in service
    assert "OnCalendar=*:0/15" in timer
    assert "TimeoutStartSec=20min" in service
    assert "SuccessExitStatus=3 75" in service


def test_the_service_may_write_where_it_writes_and_nowhere_else() -> None:
    service = (DEPLOY / "redline.service").read_text()
    (writable,) = re.findall(r"^ReadWritePaths=(.*)$", service, re.MULTILINE)
    (command,) = re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)
    written = [word for word in command.split()[1:] if word.startswith("/")]
    assert "ProtectSystem=strict" in service
    assert written
    assert all(any(word.startswith(f"{folder}/") for folder in writable.split()) for word in written)


def test_what_the_container_copies_exists_and_its_python_is_new_enough() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    for names in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in names.split()), names
    needed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    versions = re.findall(r"^FROM \S+python:3\.(\d+)", text, re.MULTILINE)
    assert len(versions) == 2
    assert all(int(minor) >= int(needed.removeprefix(">=3.")) for minor in versions)
