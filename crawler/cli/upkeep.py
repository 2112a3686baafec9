"""Looking after the file: `verify`, `backup`, `prune`, `vacuum`."""

from __future__ import annotations

import re
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from crawler.cli.output import bar, count, plain, progress, shown_url
from crawler.items import Finding, Level

_PAGES_AGE = timedelta(days=90)
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


def _days(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Read a span of days as `90d`; None if it was not given."""
    if value is None:
        return None
    said = re.fullmatch(r"(\d{1,6})d", value)
    if said is None:
        raise click.BadParameter(f"{value!r}: write it in days, like 90d")
    return timedelta(days=int(said[1]))


@click.command("prune")
@click.option("--payloads-older-than", "pages_age", callback=_days, metavar="DAYSd", help="90d, if nothing is named.")
@click.option("--visits-older-than", "visits_age", callback=_days, metavar="DAYSd", help="Such as 365d.")
@click.option("--dry-run", is_flag=True, help="Only say what would be freed.")
@click.pass_obj
def prune_command(archive: Path, pages_age: timedelta | None, visits_age: timedelta | None, dry_run: bool) -> None:
    """Free the space of old pages as they were received, or of old visits. Texts and versions stay; always.

    Of the pages, the one behind an article's latest version stays too: the next reading is compared with it. What was
    freed can no more be read again by a better extractor.

    Of visits in a row that showed the same, the first and the last stay; those between become a number by month, in
    the table captures_by_month. What made or ended a version, a turn, a move and each date that a page gave stay.

    \b
    redline prune                               pages over 90 days old
    redline prune --visits-older-than 365d      visits alone
    """
    from crawler.archive import Archive

    now = datetime.now(UTC)
    would = "would free" if dry_run else "freed"
    with Archive(archive, create=False) as opened:
        if pages_age is not None or visits_age is None:
            pages = opened.prune_payloads(now - (pages_age or _PAGES_AGE), dry_run=dry_run)
            click.echo(f"{would} {count(pages.number, 'page')}, {_size(pages.room)}")
        if visits_age is not None:
            before = now - visits_age
            steps = opened.visits_before(before)
            rolled = opened.roll_up_visits(steps, before, dry_run=dry_run)
            visits, room = 0, 0
            for step in progress("rolling up", rolled, total=len(steps)):
                visits, room = visits + step.number, room + step.room
            click.echo(f"{would} {count(visits, 'visit')}, {_size(room)}; captures_by_month has their numbers")
    if not dry_run:
        click.echo("the archive uses that room again; `redline vacuum` gives it back to the disk")


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
