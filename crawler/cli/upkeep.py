"""Looking after the file: `verify`, `backup`, `vacuum`."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from crawler.cli.output import bar, count, plain, progress, shown_url
from crawler.items import Finding, Level

_quiet = click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well: for cron.")


@click.command("verify")
@click.option("--quick", is_flag=True, help="Leave out what reads every text and page again.")
@_quiet
@click.pass_obj
def verify_command(archive: Path, quick: bool, quiet: bool) -> None:
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
    if not quiet:
        click.echo(f"{plain(str(archive))} is sound" + (", as far as a quick look can tell" if quick else ""))


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Write FILE anew if it is there.")
@_quiet
@click.pass_obj
def backup_command(archive: Path, file: Path, force: bool, quiet: bool) -> None:
    """Copy the archive to FILE, as it is at this moment; crawls and readers go on meanwhile.

    FILE gets its name when the copy is whole, was looked at as `verify --quick` does, and is on the disk. A folder gets
    a file named by the archive and the time. To go back: stop the crawl, and put the copy in the archive's place.

    \b
    crontab:  30 3 * * *  redline --archive /srv/news.db backup -q /srv/backups
    """
    from crawler.archive import upkeep

    with bar("copying") as tell:
        copy = upkeep.backup(archive, file, datetime.now(UTC), overwrite=force, tell=tell)
    if not quiet:
        click.echo(f"copied to {plain(str(copy))}: {_size(upkeep.size(copy))}, and sound")


@click.command("vacuum")
@click.pass_obj
def vacuum_command(archive: Path) -> None:
    """Give the room of what was pruned back to the disk.

    Needs as much room again for a while, and no crawl beside it. Without it nothing is lost: what is free in the file
    is used again.
    """
    from crawler.archive import upkeep

    done = upkeep.vacuum(archive)
    click.echo(f"{_size(done.before)} before, {_size(done.after)} now")
    if not done.is_shrunk:
        click.echo("a program is still reading as of before: the file shrinks at the first write after it is done")


def _size(size: int) -> str:
    """Return a size as a person reads it: `3.4 MB`."""
    from rich.filesize import decimal

    return decimal(size)


def told(finding: Finding) -> str:
    """Return a finding as a person reads it: what it is, and the way out on a line of its own."""
    mark = "" if finding.level is Level.OK else f"{finding.level}: "
    return f"{mark}{shown_url(finding.what)}" + (f"\n   {plain(finding.mend)}" if finding.mend else "")
