"""The list of feeds: `add`, `feeds`, `pause`, `resume`, `remove`, `import`, `export`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import click

from crawler import health, manners
from crawler.archive import Archive
from crawler.cli.keep import held_line
from crawler.cli.output import ago, count, plain, progress, shown_url, stamp, table
from crawler.errors import FeedError, UsageError
from crawler.items import Feed, FeedFormat, FeedLink, Host, Sign, Trust, WatchedFeed

if TYPE_CHECKING:
    from crawler.cli.fetch import Get

_WARNINGS_SHOWN = 5  # of one feed, so that one odd feed does not push the others off the screen


@click.command("add")
@click.argument("url")
@click.option("--all", "take_all", is_flag=True, help="Watch every feed found, not only the first.")
@click.option("--section", is_flag=True, help="Watch the page itself, as a list of articles, whatever feeds there are.")
@click.pass_obj
def add_command(archive: Path, url: str, take_all: bool, section: bool) -> None:
    """Watch a feed. URL is a feed, or a page of a site, whose feeds are then looked for.

    A page that has no feed but lists articles (a section such as "News Feed") is watched as a feed itself.

    \b
    redline add https://kyivindependent.com/
    redline add https://example.org/news/rss.xml
    """
    from crawler import urls
    from crawler.cli.fetch import visit

    address = urls.clean(url if "//" in url else f"https://{url}")
    if address is None:
        raise UsageError(f"{url} is no address of a web page; write it like https://example.org/feed")
    found = visit(lambda get: _find(address, section, get))
    if not found:
        raise FeedError(
            f"no feed at {address}: none is announced, none stands in the common places, and the page lists no"
            " articles; try the address of a section (News, Politics ...)"
        )
    chosen = _choose(found, take_all)
    with Archive(archive) as opened:
        for link in chosen:
            _, is_new = opened.add_feed(link, datetime.now(UTC))
            click.echo(f"{'watching' if is_new else 'already watched'}: {_named(link)}")
    others = [link for link in found if link not in chosen]
    if others:
        click.echo(f"not added ({count(len(others), 'more feed')} of the site; --all takes them):")
        for link in others:
            click.echo(f"  {_named(link)}")


@click.command("feeds")
@click.pass_obj
def feeds_command(archive: Path) -> None:
    """List the feeds that are watched, and how they fare."""
    with Archive(archive, create=False) as opened:
        feeds, ailments, held, hosts = opened.feeds(), opened.ailments(), opened.holds(), opened.hosts()
    if not feeds:
        click.echo("no feed is watched; add one with: redline add https://example.org/")
        return
    now = datetime.now(UTC)
    rows = [
        (str(f.id), plain(f.title) or "(not read yet)", str(f.articles), ago(f.last_good_at, now), _next(f, now))
        for f in feeds
    ]
    click.echo(table(("no.", "feed", "articles", "last good visit", "next visit"), rows, numbers=(0, 2)))
    storms = {host.name for host in hosts if host.storm_since}
    for feed in feeds:
        if feed.last_error and feed.paused_at is None and urlsplit(feed.url).netloc not in storms:
            times = f" ({feed.failures} times in a row)" if feed.failures > 1 else ""
            click.echo(f"\n{feed.id}: {shown_url(feed.url)}")
            click.echo(f"   failed {ago(feed.last_visit, now)}{times}: {shown_url(feed.last_error)}")
        if feed.former_urls:
            click.echo(f"\n{feed.id}: {shown_url(feed.url)}\n   moved here from {shown_url(feed.former_urls[-1])}")
        if feed.warnings:
            click.echo(f"\n{feed.id}: {shown_url(feed.url)}")
            for warning in feed.warnings[:_WARNINGS_SHOWN]:
                click.echo(f"   {shown_url(warning)}")
            if len(feed.warnings) > _WARNINGS_SHOWN:
                click.echo(f"   and {len(feed.warnings) - _WARNINGS_SHOWN} more, in the column `warnings` of `feeds`")
    for hold in held:
        click.echo(f"\n{hold.feed_id}: {held_line(hold)}")
    for ailment in (ailment for ailment in ailments if ailment.sign is not Sign.HELD):
        told = health.finding(ailment)
        click.echo(f"\n{ailment.feed_id}: {shown_url(told.what)}\n   {told.mend}")
    for host in hosts:
        if said := list(_host_lines(host, now)):
            click.echo("\n".join([f"\n{plain(host.name)}", *said]))


def _host_lines(host: Host, now: datetime) -> Iterator[str]:
    """Say what of a host keeps its articles from being visited as usual."""
    if host.storm_since:
        yield f"   {shown_url(manners.storm_line(host, now))}"
    elif host.backoff_until and manners.is_waiting(host, now):
        yield f"   not asked before {stamp(host.backoff_until)}: {shown_url(host.backoff_reason)}"
    if host.robots_failing_since:
        yield f"   its robots.txt cannot be had since {stamp(host.robots_failing_since)}"
    if host.delay_reason:
        yield f"   {plain(host.delay_reason)}"
    if manners.trust(host, now) is Trust.LYING:
        yield f"   its ETag and Last-Modified do not tell what changed: {shown_url(host.trust_evidence)}"
        yield "   each page is asked for in full"


@click.command("pause")
@click.argument("feed")
@click.pass_obj
def pause_command(archive: Path, feed: str) -> None:
    """Stop visiting FEED (its address or number) and its articles, until `redline resume`."""
    with Archive(archive, create=False) as opened:
        paused = opened.pause_feed(feed, datetime.now(UTC))
    click.echo(f"paused: {shown_url(paused.title or paused.url)}; `redline resume {paused.id}` visits it again")


@click.command("resume")
@click.argument("feed")
@click.pass_obj
def resume_command(archive: Path, feed: str) -> None:
    """Visit FEED (its address or number) again."""
    with Archive(archive, create=False) as opened:
        resumed = opened.resume_feed(feed, datetime.now(UTC))
    click.echo(f"watching again: {shown_url(resumed.title or resumed.url)}")


@click.command("remove")
@click.argument("feed")
@click.pass_obj
def remove_command(archive: Path, feed: str) -> None:
    """Take FEED (its address or number) off the list. What it brought stays in the archive."""
    with Archive(archive, create=False) as opened:
        removed = opened.remove_feed(feed, datetime.now(UTC))
    click.echo(
        f"removed: {shown_url(removed.title or removed.url)}; its {count(removed.articles, 'article')} stay in the"
        f" archive. `redline add {shown_url(removed.url)}` takes it back"
    )


@click.command("import")
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def import_command(archive: Path, file: BinaryIO) -> None:
    """Watch every feed of an OPML FILE (`-` reads standard input). Feeds already on the list stay as they are."""
    from crawler import feeds

    links = feeds.read_opml(file.read())
    with Archive(archive) as opened:
        now = datetime.now(UTC)
        new = sum(opened.add_feed(link, now)[1] for link in progress("adding", links, total=len(links)))
    click.echo(f"{count(new, 'feed')} added, {len(links) - new} already on the list; `redline crawl` visits them")


@click.command("export")
@click.option("--opml", "as_opml", is_flag=True, default=True, help="As OPML, for any feed reader (the default).")
@click.pass_obj
def export_command(archive: Path, as_opml: bool) -> None:
    """Write the list of feeds to standard output, as OPML."""
    from crawler import feeds

    with Archive(archive, create=False) as opened:
        links = [FeedLink(url=f.url, title=f.title, site_url=f.site_url) for f in opened.feeds()]
    sys.stdout.buffer.write(feeds.write_opml(links))


async def _find(address: str, section: bool, get: Get) -> list[FeedLink]:
    """Return the feeds at an address: itself, those it announces, those in common places, or itself as a section page.

    With `section`, only itself. Raises FetchError if the address itself does not answer.
    """
    from crawler import feeds
    from crawler.cli.fetch import Fetched, FetchError

    def read(page: Fetched) -> Feed | None:
        with suppress(FeedError):
            return feeds.parse(page.body, page.url, content_type=page.headers.get("Content-Type"))
        return None

    page = await get(address)
    itself = read(page)
    if itself is not None and (section or itself.format is not FeedFormat.PAGE):
        return [FeedLink(url=page.url, title=itself.title, site_url=itself.site_url)]
    if section:
        return []
    if announced := feeds.discover(page.body, page.url):
        return announced
    for guess in feeds.guesses(page.url):
        try:
            found = read(await get(guess))
        except FetchError:
            continue  # most of the common places are empty
        if found is not None and found.format is not FeedFormat.PAGE and found.entries:
            return [FeedLink(url=guess, title=found.title, site_url=found.site_url)]
    return [FeedLink(url=page.url, title=itself.title, site_url=page.url)] if itself and itself.entries else []


def _choose(found: list[FeedLink], take_all: bool) -> list[FeedLink]:
    """Return the feeds to watch: all, the only one, or the one a person at a terminal picks; else the first."""
    if take_all or len(found) == 1:
        return found
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return found[:1]
    click.echo("found:")
    for number, link in enumerate(found, 1):
        click.echo(f"  {number}. {_named(link)}")
    picked = click.prompt("Which one", type=click.IntRange(1, len(found)), default=1)
    return [found[picked - 1]]


def _named(link: FeedLink) -> str:
    return f"{plain(link.title)}  {shown_url(link.url)}" if link.title else shown_url(link.url)


def _next(feed: WatchedFeed, now: datetime) -> str:
    if feed.paused_at is not None:
        return "paused"
    return "now" if feed.next_visit <= now else ago(feed.next_visit, now)
