"""`redline doctor`: what is wrong with the machine, the archive, the feeds or the way to them, and what to do."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import platform
import re
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from crawler import addresses, health, manners
from crawler.archive import diagnosis
from crawler.archive import state as archive_state
from crawler.cli import machine
from crawler.cli.output import count, lasting, progress, shown_url, stamp
from crawler.cli.upkeep import told
from crawler.errors import RedlineError
from crawler.extract import sites
from crawler.items import Finding, Level, State

if TYPE_CHECKING:
    from crawler.archive.soundness import Verification
    from crawler.cli.fetch import Get

_PYTHON = (3, 11)
# Servers' clocks differ by seconds, and an answer takes some.
_CLOCK = timedelta(minutes=2)


@click.command("doctor")
@click.option("--offline", is_flag=True, help="Ask no host.")
@click.pass_obj
def doctor_command(archive: Path, offline: bool) -> None:
    """Look at the machine, the archive, the feeds and the way to them; say what is wrong, and the way out.

    Writes nothing, and may be run beside a crawl. Hosts of watched feeds are asked for their robots.txt, once each,
    through the same guards as a crawl; those that asked us to wait are not. An archive that is damaged, of another
    program or of a newer Redline is told, too.

    \b
    Ends with  0  nothing is broken (what is worth a look is said)
               1  something is
    """
    now = datetime.now(UTC)
    is_broken = False
    for finding in _findings(archive, now, offline=offline):
        is_broken |= finding.level is Level.ERROR
        click.echo(f"ok: {shown_url(finding.what)}" if finding.level is Level.OK else told(finding))
    sys.exit(1 if is_broken else 0)


def _findings(archive: Path, now: datetime, *, offline: bool) -> Iterator[Finding]:
    yield _python()
    yield _packages()
    yield diagnosis.engine()
    yield from _settings()
    yield from _permissions(archive)
    yield _lock(archive)
    found = list(diagnosis.archive(archive, watched=_watched))
    yield from found
    if any(finding.check == "archive" for finding in found):
        return
    try:
        state = archive_state.look(archive, now)
    except RedlineError as error:  # so damaged that even this cannot be read
        yield Finding(level=Level.ERROR, what=str(error), check="archive")
        return
    yield from (finding for finding in health.findings(state, machine.place(archive)) if finding.check != "schema")
    if state.pending:
        return
    yield _extractor(state)
    yield from _sources(state)
    if not offline:
        yield from _network(state)


# The machine ----------------------------------------------------------------------------------------------------------


def _python() -> Finding:
    version = f"Python {platform.python_version()}"
    if sys.version_info < _PYTHON:
        mend = f"install Redline with Python {'.'.join(map(str, _PYTHON))} or newer"
        return Finding(level=Level.ERROR, what=f"{version} is too old", mend=mend, check="python")
    return Finding(level=Level.OK, what=f"{version}, {platform.system()}", check="python")


def _packages() -> Finding:
    """Hold what is installed against what our own metadata asks for, such as `lxml>=6`."""
    wrong, number = [], 0
    for line in importlib.metadata.requires("redline") or []:
        needed = re.fullmatch(r"([\w.-]+)>=([\d.]+)", line)
        if needed is None:
            continue  # an extra, which nobody has to have
        number += 1
        name, least = needed.groups()
        try:
            installed = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(f"{name} is missing")
            continue
        if _as_numbers(installed) < _as_numbers(least):
            wrong.append(f"{name} {installed} is older than {least}")
    if wrong:
        mend = "pip install --upgrade redline, in the environment that runs it"
        return Finding(level=Level.ERROR, what="; ".join(wrong), mend=mend, check="packages")
    ours = importlib.metadata.version("redline")
    return Finding(level=Level.OK, what=f"Redline {ours}, and the {number} packages that it needs", check="packages")


def _as_numbers(version: str) -> tuple[int, ...]:
    leading = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, leading[0].split("."))) if leading else ()


def _settings() -> Iterator[Finding]:
    if contact := os.environ.get("REDLINE_CONTACT", ""):
        yield Finding(level=Level.OK, what=f"publishers reach you at {contact}", check="contact")
    else:
        what = "REDLINE_CONTACT is not set here: a crawl would ask for it, or end with 2"
        mend = "set it where the crawl is started (crontab, systemd unit): REDLINE_CONTACT=mailto:you@example.org"
        yield Finding(level=Level.WARNING, what=what, mend=mend, check="contact")
    for read, name in ((addresses.networks, "REDLINE_ALLOW_NETWORKS"), (sites.load, "REDLINE_SITES")):
        try:
            read(os.environ.get(name, ""))
        except RedlineError as error:
            yield Finding(level=Level.ERROR, what=str(error), mend=f"correct {name}", check="settings")


def _permissions(archive: Path) -> Iterator[Finding]:
    """Say what this user may not write: the folder too, for SQLite makes files beside the archive."""
    beside = [archive.with_name(archive.name + suffix) for suffix in ("", "-wal", "-shm", ".lock")]
    wrong = [path for path in (archive.parent, *beside) if path.exists() and not os.access(path, os.R_OK | os.W_OK)]
    for path in wrong:
        what = f"{path} cannot be read and written by this user"
        mend = f"run as its owner, or: chown -R THE-CRAWLS-USER {archive.parent}"
        yield Finding(level=Level.ERROR, what=what, mend=mend, check="permissions")
    if not wrong and archive.exists():
        yield Finding(level=Level.OK, what=f"{archive} and its folder can be written", check="permissions")


def _lock(archive: Path) -> Finding:
    """Say who crawls. The lock dies with its process: a file that stays means nothing and is never in the way."""
    holder = machine.lock_holder(archive)
    if holder is None:
        what = "whether a crawl is at work cannot be seen on this system"
    else:
        what = f"a crawl is at work (process {holder})" if holder else "no crawl is at work"
    return Finding(level=Level.OK, what=what, check="lock")


# The archive and its feeds --------------------------------------------------------------------------------------------


def _watched(verification: Verification) -> Iterator[list[Finding]]:
    return progress("looking at the file", verification, total=len(verification))


def _extractor(state: State) -> Finding:
    if not state.older_extractor:
        return Finding(level=Level.OK, what="every article was read by today's extractor", check="extractor")
    # Nothing is wrong with these: most read the same today.
    what = f"read by an earlier extractor: {count(state.older_extractor, 'article')}"
    what += "; `redline reextract` says which of them today's reads otherwise"
    return Finding(level=Level.OK, what=what, check="extractor")


def _sources(state: State) -> Iterator[Finding]:
    found = health.source_findings(state)
    yield from found
    if not found:
        yield Finding(level=Level.OK, what=f"none of the {state.feeds} watched feeds fails or ails", check="feeds")


# The way to them ------------------------------------------------------------------------------------------------------


def _network(state: State) -> Iterator[Finding]:
    from crawler.cli.fetch import visit

    if not os.environ.get("REDLINE_CONTACT"):
        yield Finding(level=Level.OK, what="no host was asked: nobody is named as a contact", check="network")
        return
    waiting = {host.name: host for host in state.hosts if manners.is_waiting(host, state.at)}
    asked = {}
    for url in state.addresses:
        parts = urlsplit(url)
        if host := waiting.get(parts.netloc):
            assert host.backoff_until is not None
            what = f"{host.name} was not asked: it wants to be left alone until {stamp(host.backoff_until)}"
            yield Finding(level=Level.OK, what=what, check="network")
        else:
            asked[parts.netloc] = f"{parts.scheme}://{parts.netloc}/robots.txt"
    if not asked:
        return
    answers = visit(lambda get: _ask(get, list(asked.values())))
    yield from (answer.finding for answer in answers if answer.finding.level is not Level.OK)
    if reached := sum(answer.finding.level is Level.OK for answer in answers):
        yield Finding(level=Level.OK, what=f"{reached} of {len(asked)} hosts of feeds answer", check="network")
    skews = [answer.skew for answer in answers if answer.skew is not None]
    if skews:
        yield _clock(timedelta(seconds=statistics.median(skew.total_seconds() for skew in skews)), len(skews))


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a host made of one request; `skew` is how far our clock is ahead of its Date, None where it sent none."""

    finding: Finding
    skew: timedelta | None


async def _ask(get: Get, urls: list[str]) -> list[_Answer]:
    return await asyncio.gather(*(_answer(get, url) for url in urls))


async def _answer(get: Get, url: str) -> _Answer:
    from crawler.cli.fetch import FetchError

    said = ""
    try:
        page = await get(url)
        status: int | None = page.status
        date = page.headers.get("Date")
    except FetchError as error:
        said, status, date = str(error), error.status, error.date
    now = datetime.now(UTC)
    if status is None:
        mend = "look at this machine's network and names (`getent hosts NAME`), or whether the site is gone"
        finding = Finding(level=Level.WARNING, what=said, mend=mend, check="network")
    elif status == 429 or status >= 500:
        mend = "nothing to do: the crawl leaves it alone for a while, and tries again"
        finding = Finding(level=Level.WARNING, what=said, mend=mend, check="network")
    else:
        finding = Finding(level=Level.OK, what=url, check="network")
    return _Answer(finding, _skew(date, now))


def _skew(date: str | None, now: datetime) -> timedelta | None:
    try:
        sent = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return now - sent if sent.tzinfo else None


def _clock(skew: timedelta, servers: int) -> Finding:
    if abs(skew) > _CLOCK:
        ahead = "ahead of" if skew > timedelta(0) else "behind"
        what = f"this machine's clock is {lasting(skew)} {ahead} those of {servers} servers (in the median)"
        mend = "set it, and let it be kept (timedatectl set-ntp true): all times in the archive are by it"
        return Finding(level=Level.ERROR, what=what, mend=mend, check="clock")
    what = f"this machine's clock goes with those of {servers} servers"
    return Finding(level=Level.OK, what=what, check="clock")
