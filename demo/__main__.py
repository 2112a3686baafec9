"""The demonstration: `make demo`.

Four rounds of a small press are crawled by the real `redline`, each round's edits are shown, and at the end the archive
is held against what the newsroom knows that it did. Ends with 0 only if the two agree.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import textwrap
import time
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

from .check import Finding, Report, compare
from .newsroom import Newsroom
from .press import ROUNDS

ARCHIVE = Path("demo.db")
SETTINGS = {
    "REDLINE_ARCHIVE": str(ARCHIVE),
    "REDLINE_ALLOW_NETWORKS": "127.0.0.0/8",
    "REDLINE_CONTACT": "https://example.org/the-redline-demo",
}
WIDTH = 100

INTRODUCTION = """\
Three outlets that do not exist now publish on this machine, and on this machine alone. In four rounds they correct,
rewrite, move and remove what they wrote; Redline visits them after each, and knows nothing but what a reader could see.
"""
WHY_REFUSED = """\
An address like these is refused by default. Feeds are written by strangers, and one that lists your router, your
printer or a cloud machine's own settings page would otherwise have them fetched and shown to you as news. Whoever
means it opens a network by name. These are the settings of this demonstration:
"""
ROUND_TITLES = (
    "Round 0: first publication",
    "Round 1: the first edits",
    "Round 2: a correction, moved paragraphs, and much that is no edit",
    "Round 3: removed, moved away, toned down, and one article more",
)
ROUND_TEXTS = (
    "Each feed is read, and every article that it lists is visited for the first time.",
    "A headline loses its accusation and the sum below it grows, while the printed date stays: a stealth edit. Two "
    "other articles change a headline and a number too, and move their date.",
    "Two articles print a correction; in two others a paragraph changes its place. On every page advertisements, "
    "counters, related links, markup and line breaks change as well: none of that may become a version.",
    "One article now answers 410, one redirects for good to another address, one is new. A quotation is softened, a "
    "caption and a byline are changed.",
)
# The article whose change is shown in full after a round: the outlet and the path.
STRIKING = {
    1: ("courier", "/harbour-wall-repair-bill/"),
    2: ("limansk", "/2026/03/09/muzei-soli-vidkryv-pidvaly/"),
    3: ("courier", "/school-kitchens-cook-again/"),
}


def main() -> int:
    redline = Path(sys.executable).with_name("redline")
    if not redline.exists():
        print(f"there is no {redline}; `make demo` sets it up", file=sys.stderr)
        return 2
    for suffix in ("", "-wal", "-shm", ".lock"):
        ARCHIVE.with_name(ARCHIVE.name + suffix).unlink(missing_ok=True)
    try:
        with Newsroom() as newsroom:
            report = play(newsroom, Command(redline))
    except subprocess.CalledProcessError as error:
        print(
            f"\nthe demonstration ends here: `{shlex.join(error.cmd[1:])}` ended with {error.returncode}",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("\nstopped; nothing is left running", file=sys.stderr)
        return 130
    tell(report)
    return 0 if report.is_true else 1


class Command:
    """The real `redline`, run as a person would, its output left to the terminal."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, *arguments: str, settings: dict[str, str] = SETTINGS, fails: bool = False) -> None:
        """Show a command line and run it. Raises CalledProcessError if it fails, or does not where it should."""
        print(_bold("$ redline " + shlex.join(arguments)), flush=True)
        # Neither this machine's own settings for Redline nor its proxy, which cannot reach a loopback address of ours.
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("REDLINE_") and not name.lower().endswith("_proxy")
        }
        run = subprocess.run(  # noqa: S603 - our own command
            [str(self._path), *arguments],
            env=environment | settings,
            check=False,
            stdin=subprocess.DEVNULL,  # it may ask on a terminal, and nobody is to be asked here
            stderr=subprocess.STDOUT,  # in its place when the output goes to a file
        )
        print(flush=True)
        if bool(run.returncode) is not fails:
            raise subprocess.CalledProcessError(run.returncode, run.args)


def play(newsroom: Newsroom, redline: Command) -> Report:
    """Crawl the four rounds, show what each brought, and hold the archive against the truth."""
    _title("Redline, on a press of its own")
    _say(INTRODUCTION)
    for outlet in newsroom.outlets:
        print(f"    {newsroom.url(outlet.name):<26}{_LANGUAGES[outlet.config['language']]:<11}{outlet.config['title']}")
    print()
    first, second, third = (outlet.name for outlet in newsroom.outlets)
    without = {name: value for name, value in SETTINGS.items() if name != "REDLINE_ALLOW_NETWORKS"}
    redline("add", newsroom.url(first), settings=without, fails=True)
    _say(WHY_REFUSED)
    for name, value in SETTINGS.items():
        print(_bold(f"    export {name}={shlex.quote(value)}"))
    print()
    redline("add", newsroom.url(first))
    redline("add", newsroom.url(second))
    redline("add", newsroom.feed(third))

    starts = []
    for number in range(ROUNDS):
        newsroom.round = number
        _title(ROUND_TITLES[number])
        _say(ROUND_TEXTS[number])
        starts.append(_next_second())
        redline("crawl", "--all", "-v", "-s", "DOWNLOAD_DELAY=0.05")
        if number:
            redline("log", "--since", starts[-1])
            redline("diff", newsroom.url(*STRIKING[number]))
    return compare(ARCHIVE, newsroom.truth, starts, newsroom.url)


def tell(report: Report) -> None:
    """Print what the archive found of the truth, and how to go on."""
    _title("The archive, held against what the newsroom knows that it did")
    for finding in report.findings:
        print(_line(finding))
    for stray in report.invented:
        print(f"  {_red('✗')}  {stray}: told by the archive, never done")
    print(f"\n{_bold(report.closing_line)}\n")
    if not report.is_true:
        _say(f"The archive and the newsroom disagree: this is a fault of Redline. {ARCHIVE} is kept as evidence.")
        return
    _say(f"The newsroom is closed and nothing is left running. All of it is in {ARCHIVE}; to look at it in a browser:")
    print(_bold(f"    make browse ARCHIVE={ARCHIVE}"))
    print(_bold(f"    redline --archive {ARCHIVE} serve") + "        (the same, in a shell where .venv is active)\n")


_LANGUAGES = {"en": "English", "uk": "Ukrainian", "ja": "Japanese"}


def _line(finding: Finding) -> str:
    edit = finding.edit
    mark = _red("✗") if finding.fault else _green("✓")
    words = {"move": f"“{edit.old} …”", "removed": edit.old, "published": edit.new}
    said = words.get(edit.kind, f"{edit.old} → {edit.new}")
    line = f"  {mark}  round {edit.round}  {edit.outlet:<8}  {edit.verdict or '':<8}  {edit.kind:<9}  "
    return line + _cut(said, 72) + (f"\n     {_red(finding.fault)}" if finding.fault else "")


def _next_second() -> str:
    """Wait for the next whole second and return it as the archive writes times: its clock has no finer grain."""
    time.sleep(1 - time.time() % 1)
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _cut(text: str, columns: int) -> str:
    """Return the start of a text that fits into so many columns; Chinese and Japanese letters take two."""
    room = columns
    for place, letter in enumerate(text):
        room -= 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if room < 0:
            return text[:place].rstrip() + "…"
    return text


def _title(text: str) -> None:
    print(f"{_bold(text)}\n{'─' * len(text)}\n")


def _say(text: str) -> None:
    print(textwrap.fill(" ".join(text.split()), WIDTH) + "\n")


def _styled(text: str, code: int) -> str:
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def _bold(text: str) -> str:
    return _styled(text, 1)


def _red(text: str) -> str:
    return _styled(text, 31)


def _green(text: str) -> str:
    return _styled(text, 32)


if __name__ == "__main__":
    sys.exit(main())
