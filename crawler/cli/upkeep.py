"""Looking after the file: `verify`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import click

from crawler.cli.output import count, plain, progress
from crawler.items import Finding, Level


@click.command("verify")
@click.option("--quick", is_flag=True, help="Leave out what reads every text and page again.")
@click.pass_obj
def verify_command(archive: Path, quick: bool) -> None:
    """Look whether the archive is sound, and write nothing; a crawl may go on meanwhile.

    SQLite looks at the file; every version must read as it did when it was stored, intervals be in order, counts agree,
    paragraphs live as long as the versions that list them, pages as received unpack, and the search find what is there.

    \b
    Ends with  0  sound (what is only worth knowing is said)
               1  something is broken: each finding says what, and what to do
    """
    from crawler.archive.soundness import Verification

    found: Counter[Level] = Counter()
    with Verification(archive, is_quick=quick) as verification:
        for findings in progress("verifying", verification, total=len(verification)):
            for finding in findings:
                found[finding.level] += 1
                click.echo(told(finding))
    if broken := found[Level.ERROR]:
        click.echo(f"{plain(str(archive))} is not sound: {count(broken, 'finding')}", err=True)
        sys.exit(1)
    click.echo(f"{plain(str(archive))} is sound" + (", as far as a quick look can tell" if quick else ""))


def told(finding: Finding) -> str:
    """Return a finding as a person reads it: what it is, and the way out on a line of its own."""
    mark = "" if finding.level is Level.OK else f"{finding.level}: "
    return f"{mark}{plain(finding.what)}" + (f"\n   {plain(finding.mend)}" if finding.mend else "")
