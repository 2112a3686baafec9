"""`redline crawl`: visit what is due, and end."""

from __future__ import annotations

import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler.errors import Locked, RedlineError, UsageError

if TYPE_CHECKING:
    from scrapy import Request
    from scrapy.crawler import Crawler
    from scrapy.settings import Settings

SOME_SOURCES_FAILED = 3

_NO_CONTACT = """\
a publisher who looks at the log must be able to reach whoever runs this crawl, and nobody is named.
Set a page or an address of yours, once and for all, for example in the crontab:
  REDLINE_CONTACT=mailto:you@example.org
  REDLINE_CONTACT=https://example.org/about-our-crawl"""


def _seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """Read a span of time as people write it: `90s`, `14m`, `1h`; a bare number is seconds."""
    if value is None:
        return None
    said = re.fullmatch(r"([1-9][0-9]{0,6})([smh]?)", value.strip().lower())
    if said is None:
        raise click.BadParameter(f"{value!r} is no span of time; write it like 90s, 14m or 1h")
    return int(said[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[said[2]]


@click.command("crawl")
@click.option("--all", "everything", is_flag=True, help="Every feed that is not paused and every article, due or not.")
@click.option(
    "--max-time", metavar="TIME", callback=_seconds, help="End after so long (90s, 14m, 1h), with the captures at hand."
)
@click.option("--max-requests", type=click.IntRange(1), help="Make at most so many requests, robots.txt included.")
@click.option("-s", "settings", multiple=True, metavar="KEY=VALUE", help="A Scrapy setting, e.g. DOWNLOAD_DELAY=0.5.")
@click.option("-v", "--verbose", count=True, help="-v: one closing line. -vv: what Scrapy says. -vvv: all of it.")
@click.pass_obj
def crawl_command(
    archive: Path,
    everything: bool,
    max_time: int | None,
    max_requests: int | None,
    settings: tuple[str, ...],
    verbose: int,
) -> None:
    """Visit every feed and article that is due, record what was seen, and end.

    Safe to run at any time: what was cut short (by a limit, Ctrl-C, SIGTERM) goes on in the next run, and a second run
    beside a first leaves at once. What a limit has no room for waits its turn, the most urgent first, every feed and
    host with its share. Silent when all is well, so that cron mails only what matters.

    \b
    Ends with  0  all well
               1  a failure: nothing or not everything could be recorded
               2  something is wrong with the command or its settings
               3  some feeds failed, or are not what they were (once a day); the others are up to date
              75  another crawl is at work on this archive

    \b
    crontab:  */15 * * * *  REDLINE_CONTACT=mailto:you@example.org redline --archive /srv/news.db crawl --max-time 14m
    """
    from crawler.archive import Archive
    from crawler.cli.output import plain
    from crawler.health import finding

    started = time.monotonic()

    with Archive(archive, create=False) as opened:
        watched = opened.due_feeds(datetime.now(UTC), everything=True)
    if not watched and verbose:
        click.echo("no feed is watched; add one with: redline add https://example.org/", err=True)
    limits = {"CLOSESPIDER_TIMEOUT": max_time, "MAX_REQUESTS": max_requests}
    spider = _run(archive, everything, {name: most for name, most in limits.items() if most}, settings, verbose)
    for trouble in spider.troubles:
        click.echo(f"redline: {trouble}", err=True)
    for ailment in spider.ailments:
        told = finding(ailment)
        click.echo(f"redline: {plain(told.what)}\n   {told.mend}", err=True)
    if verbose:
        click.echo(_closing_line(spider.counts, time.monotonic() - started), err=True)
    if spider.failures:
        # Nothing is broken where another program held the file for too long: what was not recorded stays due.
        kind = Locked if all(isinstance(failure, Locked) for failure in spider.failures) else RedlineError
        raise kind("\nredline: ".join(dict.fromkeys(map(str, spider.failures))))
    if spider.troubles or spider.ailments:
        sys.exit(SOME_SOURCES_FAILED)


def crawl_settings(archive: Path, overrides: tuple[str, ...] = (), verbose: int = 0) -> Settings:
    """Return Scrapy's settings for a run of ours. Raises UsageError for an override that is not KEY=VALUE."""
    from scrapy.settings import Settings

    settings = Settings()
    settings.setmodule("crawler.settings", priority="project")
    for override in overrides:
        name, equals, value = override.partition("=")
        if not (name.isidentifier() and equals):
            raise UsageError(f"-s {override!r}: write it as KEY=VALUE, for example -s DOWNLOAD_DELAY=0.5")
        settings.set(name, value, priority="cmdline")
    settings.set("ARCHIVE", str(archive), priority="cmdline")
    settings.set("LOG_ENABLED", verbose > 1, priority="cmdline")
    settings.set("LOG_INSTALL_ROOT_HANDLER", verbose > 1, priority="cmdline")
    settings.set("LOG_LEVEL", "DEBUG" if verbose > 2 else "INFO", priority="cmdline")
    if not settings["CONTACT"]:
        settings.set("CONTACT", _contact(), priority="cmdline")
        settings.set("USER_AGENT", f"{settings['USER_AGENT']} (+{settings['CONTACT']})", priority="cmdline")
    return settings


def run_spider(settings: Settings, spider: type, **arguments: object) -> Any:
    """Run a spider to its end and return it. Raises what kept it from starting."""
    from scrapy.crawler import AsyncCrawlerProcess

    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(spider)
    task = process.crawl(crawler, **arguments)
    process.start()
    # Scrapy ends with success even if a component could not be built.
    error = task.exception() if task.done() and not task.cancelled() else None
    if error is not None:
        raise error
    if process.bootstrap_failed or crawler.spider is None:
        raise RedlineError("the crawl could not be started; `redline crawl -vvv` shows what Scrapy says")
    return crawler.spider


def _run(archive: Path, everything: bool, limits: dict[str, int], overrides: tuple[str, ...], verbose: int) -> Any:
    from crawler.spiders.news import NewsSpider

    settings = crawl_settings(archive, overrides, verbose)
    settings.set("CRAWL_EVERYTHING", everything, priority="cmdline")
    settings.update(limits, priority="cmdline")
    if sys.stderr.isatty() and verbose < 2:
        settings.set("EXTENSIONS", settings.getdict("EXTENSIONS") | {"crawler.cli.crawl.Progress": 0})
    return run_spider(settings, NewsSpider)


def _contact() -> str:
    if sys.stdin.isatty() and sys.stderr.isatty():
        click.echo(f"redline: {_NO_CONTACT}", err=True)
        return str(click.prompt("Contact for this run", err=True))
    raise UsageError(_NO_CONTACT)


def _closing_line(counts: dict[str, int], seconds: float) -> str:
    shown = ("new", "changed", "moved", "unchanged", "not_modified", "gone", "blocked", "failed")
    found = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in shown if counts.get(name))
    feeds, articles = (_count(counts.get(name, 0), name[:-1]) for name in ("feeds", "articles"))
    return f"{feeds} and {articles} visited in {seconds:.0f} s" + (f": {found}" if found else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


class Progress:
    """A bar on standard error while the crawl runs: visits made of those asked for so far, and what they showed."""

    def __init__(self, crawler: Crawler) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from scrapy import signals

        assert crawler.stats
        self._stats = crawler.stats
        columns = (TextColumn("[bold]crawl"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, TextColumn("{task.fields[shown]}"), console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("crawl", total=0, shown="")
        crawler.signals.connect(self._bar.start, signals.spider_opened)
        crawler.signals.connect(self._asked, signals.request_scheduled)
        crawler.signals.connect(self._recorded, signals.item_scraped)
        crawler.signals.connect(self._recorded, signals.response_received)
        crawler.signals.connect(self._bar.stop, signals.spider_closed)
        self._total = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Progress:
        return cls(crawler)

    def _asked(self, request: Request) -> None:
        if "redirect_times" not in request.meta:  # the same visit goes on
            self._total += 1
            self._bar.update(self._task, total=self._total)

    def _recorded(self) -> None:
        counts = {name: value for name, value in self._stats.get_stats().items() if name.startswith("redline/")}
        new, changed = (counts.get(f"redline/{name}", 0) for name in ("new", "changed"))
        self._bar.update(self._task, completed=sum(counts.values()), shown=f"{new} new, {changed} changed")
