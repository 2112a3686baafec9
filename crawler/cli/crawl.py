"""`redline crawl`: visit what is due, and end."""

from __future__ import annotations

import logging
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from crawler import urls
from crawler.errors import Locked, RedlineError, UsageError

if TYPE_CHECKING:
    import asyncio

    from scrapy import Request
    from scrapy.crawler import AsyncCrawlerProcess, Crawler
    from scrapy.settings import Settings

SOME_SOURCES_FAILED = 3
FORMATS = ("text", "json")

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
@click.option("--log-format", type=click.Choice(FORMATS), default="text", help="json: one object a line.")
@click.option(
    "--log-file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append to FILE too, a line for each run at least.",
)
@click.option(
    "--heartbeat",
    metavar="URL",
    envvar="REDLINE_HEARTBEAT",
    help="Ask for URL at the end of a run, for URL/fail after a failure.  [env var: REDLINE_HEARTBEAT]",
)
@click.pass_obj
def crawl_command(
    archive: Path,
    everything: bool,
    max_time: int | None,
    max_requests: int | None,
    settings: tuple[str, ...],
    verbose: int,
    log_format: str,
    log_file: Path | None,
    heartbeat: str | None,
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

    A heartbeat is sent after 0 and 3 (the run did its work), to URL/fail after 1, not at all after 75 or a signal. One
    that fails is said with -v and fails nothing.

    \b
    crontab:  */15 * * * *  REDLINE_CONTACT=mailto:you@example.org redline --archive /srv/news.db crawl --max-time 14m
    """
    from crawler.cli import logs

    started = time.monotonic()
    if heartbeat and urls.clean(heartbeat) is None:
        raise UsageError("--heartbeat is no http or https address")
    logs.begin(verbose, form=log_format, file=log_file, secrets=[heartbeat] if heartbeat else [])
    log = logging.getLogger(logs.OURS)
    try:
        _look(archive, log)
    except RedlineError as error:
        if heartbeat and error.exit_code == RedlineError.exit_code:
            _tell_of_failure(archive, settings, heartbeat)
        _leave(log, error)
    try:
        spider = _run(archive, everything, max_time, max_requests, settings, heartbeat, draws=verbose < 2)
    except RedlineError as error:
        _leave(log, error)
    code, seconds = _exit_code(spider), time.monotonic() - started
    _say(log, spider)
    fields = {"event": "ended", "counts": spider.counts, "seconds": round(seconds, 1), "exit_code": code}
    log.info("%s", _closing_line(spider.counts, seconds), extra=fields)
    sys.exit(code)


def _look(archive: Path, log: logging.Logger) -> None:
    """Raise what is wrong with the archive before anything is asked of anybody."""
    from crawler.archive import Archive

    with Archive(archive, create=False) as opened:
        if not opened.due_feeds(datetime.now(UTC), everything=True):
            log.info("no feed is watched; add one with: redline add https://example.org/")


def _leave(log: logging.Logger, error: RedlineError) -> NoReturn:
    log.error("%s", error, extra={"event": "failed", "exit_code": error.exit_code})
    sys.exit(error.exit_code)


def _run(
    archive: Path,
    everything: bool,
    max_time: int | None,
    max_requests: int | None,
    overrides: tuple[str, ...],
    heartbeat: str | None,
    *,
    draws: bool,
) -> Any:
    """Make a run and return its spider. Raises RedlineError for what kept it from running."""
    from crawler.spiders.news import NewsSpider

    settings = crawl_settings(archive, overrides)
    settings.set("CRAWL_EVERYTHING", everything, priority="cmdline")
    limits = {"CLOSESPIDER_TIMEOUT": max_time, "MAX_REQUESTS": max_requests}
    settings.update({name: most for name, most in limits.items() if most}, priority="cmdline")
    if draws and sys.stderr.isatty():
        settings.set("EXTENSIONS", settings.getdict("EXTENSIONS") | {"crawler.cli.crawl.Progress": 0})
    return run_spider(settings, NewsSpider, heartbeat=heartbeat)


def _say(log: logging.Logger, spider: Any) -> None:
    """Say what went wrong in a run."""
    from crawler.health import finding

    for trouble in spider.troubles:
        log.warning("%s", trouble, extra={"event": "feed_failed"})
    for told in map(finding, spider.ailments):
        log.warning("%s", told.what, extra={"event": f"feed_{told.check}", "mend": told.mend})
    for failure in dict.fromkeys(map(str, spider.failures)):
        log.error("%s", failure, extra={"event": "failed"})


def _exit_code(spider: Any) -> int:
    if spider.failures:
        # Nothing is broken where another program held the file for too long: what was not recorded stays due.
        return (Locked if all(isinstance(failure, Locked) for failure in spider.failures) else RedlineError).exit_code
    return SOME_SOURCES_FAILED if spider.troubles or spider.ailments else 0


def crawl_settings(archive: Path, overrides: tuple[str, ...] = ()) -> Settings:
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
    if not settings["CONTACT"]:
        settings.set("CONTACT", _contact(), priority="cmdline")
        settings.set("USER_AGENT", f"{settings['USER_AGENT']} (+{settings['CONTACT']})", priority="cmdline")
    return settings


def run_spider(settings: Settings, spider: type, *, heartbeat: str | None = None, **arguments: object) -> Any:
    """Run a spider to its end and return it, and a heartbeat after it. Raises what kept it from starting."""
    from scrapy.crawler import AsyncCrawlerProcess

    from crawler.cli import logs

    if not logging.getLogger().handlers:
        logs.begin()
    settings.set("LOG_INSTALL_ROOT_HANDLER", False, priority="cmdline")  # what is said goes out by `logs`
    process = AsyncCrawlerProcess(settings)
    crawler = process.create_crawler(spider)
    task = process.crawl(crawler, **arguments)
    if heartbeat:
        # In the same process, for the reactor starts once; and before the process has seen that nothing is left to do.
        task.add_done_callback(lambda done: _send(heartbeat, process, crawler, done))
    process.start()
    # Scrapy ends with success even if a component could not be built.
    error = task.exception() if task.done() and not task.cancelled() else None
    if error is not None:
        raise error
    if process.bootstrap_failed or crawler.spider is None:
        raise RedlineError("the crawl could not be started; `redline crawl -vvv` shows what Scrapy says")
    return crawler.spider


def _tell_of_failure(archive: Path, overrides: tuple[str, ...], heartbeat: str) -> None:
    from crawler.spiders.heartbeat import Heartbeat

    run_spider(crawl_settings(archive, overrides), Heartbeat, url=_failed(heartbeat))


def _send(url: str, process: AsyncCrawlerProcess, crawler: Crawler, done: asyncio.Task[None]) -> None:
    """Tell a monitor how a run ended, unless it was no run (another is at work) or a person ended it."""
    from crawler.spiders.heartbeat import Heartbeat

    error = None if done.cancelled() else done.exception()
    if error is None and crawler.spider is not None:
        ended = crawler.spider.ended  # type: ignore[attr-defined]
        code = _exit_code(crawler.spider)
    else:
        ended, code = "", error.exit_code if isinstance(error, RedlineError) else RedlineError.exit_code
    if done.cancelled() or ended == "shutdown" or code in (UsageError.exit_code, Locked.exit_code):
        return
    process.crawl(Heartbeat, url=_failed(url) if code == RedlineError.exit_code else url)


def _failed(url: str) -> str:
    """Return where to tell of a failure, as healthchecks.io and its like have it."""
    return f"{url.rstrip('/')}/fail"


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
    """A bar on standard error while the crawl runs: visits made of those asked for so far, how fast, until when,
    and what they showed.
    """

    def __init__(self, crawler: Crawler) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
        from scrapy import signals

        assert crawler.stats
        self._stats = crawler.stats
        rate, shown = (TextColumn(f"{{task.fields[{name}]}}") for name in ("rate", "shown"))
        columns = (TextColumn("[bold]crawl"), BarColumn(), MofNCompleteColumn(), rate, TimeRemainingColumn(), shown)
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._bar.add_task("crawl", total=0, rate="", shown="")
        crawler.signals.connect(self._bar.start, signals.spider_opened)
        crawler.signals.connect(self._asked, signals.request_scheduled)
        crawler.signals.connect(self._draw, signals.item_scraped)
        crawler.signals.connect(self._draw, signals.response_received)
        crawler.signals.connect(self._bar.stop, signals.spider_closed)
        self._total = 0

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Progress:
        return cls(crawler)

    def _asked(self, request: Request) -> None:
        if "redirect_times" not in request.meta:  # the same visit goes on
            self._total += 1
            self._draw()

    def _draw(self) -> None:
        counts = {name: value for name, value in self._stats.get_stats().items() if name.startswith("redline/")}
        new, changed = (counts.get(f"redline/{name}", 0) for name in ("new", "changed"))
        done, elapsed = sum(counts.values()), self._bar.tasks[0].elapsed
        rate = f"{done / elapsed:,.1f}/s" if elapsed else ""
        self._bar.update(
            self._task, total=self._total, completed=done, rate=rate, shown=f"{new} new, {changed} changed"
        )
