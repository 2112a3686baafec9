"""Keeping house: `accept`, `reextract`, `unmerge`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from crawler.archive import Archive
from crawler.cli.output import count, plain, progress, shown_url
from crawler.items import Hold, Reread


@click.command("accept")
@click.argument("feed")
@click.pass_obj
def accept_command(archive: Path, feed: str) -> None:
    """Say that the held changes of FEED (its address or number) are edits: they are told from now on.

    When most articles of a feed seem to change in one run, it is more likely a redesign of the site, or a better
    extractor, than so many edits. Such changes are kept but held back from the log until a person looks at them: this
    command lets them through, and `redline reextract --write` drops those that are none.
    """
    with Archive(archive, create=False) as opened:
        settled = opened.accept(feed, datetime.now(UTC))
    if not settled:
        click.echo("nothing of this feed is held")
    for hold in settled:
        click.echo(f"accepted: {count(hold.changed, 'change')} of {shown_url(hold.feed)}; `redline log` tells them now")


@click.command("reextract")
@click.option("--write", is_flag=True, help="Store what reads otherwise, and settle what is held. Without: only say.")
@click.option("--sites", "rules", default="", envvar="REDLINE_SITES", help="Rules for single sites, as TOML.")
@click.pass_obj
def reextract_command(archive: Path, write: bool, rules: str) -> None:
    """Read the kept page behind each article's latest version again, with this version's extractor.

    Says what would differ before it writes anything. What is written becomes a version that is marked as read again
    and is no edit, so that the next visits are compared with it. Pages that were pruned are counted, not guessed.
    """
    from crawler.extract import sites

    now = datetime.now(UTC)
    with Archive(archive, create=False) as opened:
        again = opened.reextract(now, write=write, rules=sites.load(rules))
        results = list(progress("reading again", again, total=opened.read_articles()))
        held = opened.holds()
    for result in (result for result in results if result.differs):
        click.echo(f"{shown_url(result.url)}  version {result.number}\n  {plain(result.differs)}")
    click.echo(_told(results, write))
    for hold in held:
        click.echo(held_line(hold))


@click.command("unmerge")
@click.argument("url")
@click.pass_obj
def unmerge_command(archive: Path, url: str) -> None:
    """Take the article at URL (or its number), which was merged into another, for one of its own again.

    Two articles of a site with one canonical address, or of which one moved to the other's address, and with the same
    headline or text, are taken for one: one of them is visited for both. Both keep their history.
    """
    with Archive(archive, create=False) as opened:
        known = opened.find(url)
        opened.unmerge(known.id, datetime.now(UTC))
    click.echo(f"an article of its own again: {shown_url(known.current_url)}; `redline crawl` visits it")


def held_line(hold: Hold) -> str:
    """Return what to know of a hold, and what to do."""
    return (
        f"held since {hold.held_at:%Y-%m-%d %H:%M} UTC: {hold.changed} of {count(hold.visited, 'article')} of"
        f" {shown_url(hold.feed)} seem to have changed in one run, for example: {plain(' / '.join(hold.examples))}\n"
        f"   edits indeed? `redline accept {hold.feed_id}`; a redesign? `redline reextract --write`"
    )


def _told(results: Iterable[Reread], write: bool) -> str:
    results = list(results)
    differ = sum(bool(result.differs) for result in results)
    missing = sum(not result.is_kept for result in results)
    line = f"{count(len(results), 'article')} read again: {differ} read otherwise"
    if missing:
        line += f", {missing} could not be read (their pages were pruned)"
    return line + (", and are stored so" if write and differ else "; --write stores them" if differ else "")
