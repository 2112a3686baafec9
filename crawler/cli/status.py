"""`redline status`: is all well? For a person, for a monitor (exit code), for programs (JSON, Prometheus)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crawler import health, manners, urls
from crawler.archive import state as archive_state
from crawler.cli import machine
from crawler.cli.output import ago, as_json, count, lasting, shown_url
from crawler.cli.upkeep import told
from crawler.health import Forecast, Place
from crawler.items import Finding, Level, Run, State, Trust
from crawler.rows import as_text

if TYPE_CHECKING:
    from crawler.items import Host

SOME_SOURCES_FAIL = 3
_PERIODS = {1: "a day", 7: "a week", 30: "a month"}


@click.command("status")
@click.option("--json", "as_object", is_flag=True, help="One JSON object.")
@click.option("--prometheus", is_flag=True, help="Figures in Prometheus' text format.")
@click.pass_obj
def status_command(archive: Path, as_object: bool, prometheus: bool) -> None:
    """Say whether all is well: runs, feeds, what is due, growth, size and where it leads.

    Reads only, takes no lock, and may be asked at any time, during a crawl too.

    \b
    Ends with  0  all is well
               1  something is broken: no run for long, a full disk, an archive that cannot be read
               3  some feeds fail or are not what they were; the others are up to date
    """
    now = datetime.now(UTC)
    state = archive_state.look(archive, now)
    place = machine.place(archive)
    whole, sources = health.findings(state, place), health.source_findings(state)
    ahead = health.forecast(state, place)
    code = 1 if any(finding.level is Level.ERROR for finding in whole) else SOME_SOURCES_FAIL if sources else 0
    if as_object:
        click.echo(as_json(_as_object(state, place, ahead, whole, sources, code), indent=1))
    elif prometheus:
        click.echo("\n".join(_metrics(state, place, ahead, code)))
    else:
        click.echo("\n".join(_lines(state, place, ahead, code)))
        for finding in (*whole, *sources):
            click.echo(f"\n{told(finding)}")
    sys.exit(code)


# For a person ---------------------------------------------------------------------------------------------------------


def _lines(state: State, place: Place, ahead: Forecast | None, code: int) -> Iterator[str]:
    yield {0: "all is well", 1: "something is broken (see below)", 3: "some feeds are not well (see below)"}[code]
    if state.pending:
        return
    now = state.at
    yield f"last run   {_run(state, place)}"
    yield (
        f"feeds      {state.feeds} watched, {state.paused} paused, {len(state.failing)} failing,"
        f" {len({ailment.feed_id for ailment in state.ailments})} not what they were"
    )
    due = f"{count(state.due_feeds, 'feed')} and {count(state.due_articles, 'article')}"
    yield f"due now    {due}" + (f", the first since {lasting(now - state.due_since)}" if state.due_since else "")
    yield f"kept       {state.articles:,} articles in {state.versions:,} versions, from {state.visits:,} visits"
    for days, name in _PERIODS.items():
        # Not before there is anything to compare: the growth of a week is none on the second day.
        if state.since is not None and (days == 1 or now - state.since > timedelta(days=days / 2)):
            grown = state.grown[days]
            yield f"  {name:8} +{grown.articles:,} articles, +{grown.versions:,} versions, {grown.visits:,} visits"
    yield (
        f"size       {_bytes(place.file_bytes)}, {_bytes(state.free_bytes)} of it free, and {_bytes(place.log_bytes)}"
        f" of log; {_bytes(place.disk_free_bytes)} free on the disk"
    )
    yield f"growth     {_growth(ahead)}"
    waiting, lying = _hosts(state)
    if waiting or lying:
        asked = f"{count(len(waiting), 'host')} asked us to wait" if waiting else ""
        lies = f"{count(len(lying), 'host')} with validators that do not tell what changed (asked in full)"
        yield f"hosts      {'; '.join(filter(None, [asked, lies if lying else '']))}; `redline feeds` names them"


def _run(state: State, place: Place) -> str:
    if not state.runs:
        return "none yet"
    run, usual = state.runs[0], health.usual_gap(state)
    often = f"; usually one every {lasting(usual)}" if usual else ""
    if run.ended_at is None and place.is_running is not False and run.reason is None:
        return f"at work since {lasting(state.at - run.started_at)}{often}"
    ended = f"{run.reason} after {lasting(run.ended_at - run.started_at)}" if run.ended_at else "cut short"
    return f"{ago(run.started_at, state.at)}, {ended}: {_found(run)}{often}"


def _found(run: Run) -> str:
    names = ("new", "changed", "moved", "unchanged", "not_modified", "gone", "blocked", "failed")
    found = ", ".join(f"{run.counts[name]} {name.replace('_', ' ')}" for name in names if run.counts[name])
    feeds, articles = (count(run.counts[name], name[:-1]) for name in ("feeds", "articles"))
    return f"{feeds} and {articles} visited" + (f" ({found})" if found else "")


def _growth(ahead: Forecast | None) -> str:
    if ahead is None:
        return "not known yet: it takes a day of runs to measure it"
    line = f"{_bytes(ahead.bytes_a_day)} a day, measured over {lasting(ahead.measured)}"
    if ahead.doubles_in:
        line += f"; twice as large in {lasting(ahead.doubles_in)}"
    return line + (f", the disk full in {lasting(ahead.disk_full_in)}" if ahead.disk_full_in else "")


def _bytes(size: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def _hosts(state: State) -> tuple[list[Host], list[Host]]:
    """Return the hosts that asked us to wait, and those whose validators lie."""
    waiting = [host for host in state.hosts if manners.is_waiting(host, state.at)]
    return waiting, [host for host in state.hosts if manners.trust(host, state.at) is Trust.LYING]


# For programs ---------------------------------------------------------------------------------------------------------


def _as_object(
    state: State, place: Place, ahead: Forecast | None, whole: list[Finding], sources: list[Finding], code: int
) -> dict[str, object]:
    """Return what `--json` prints: times in ISO 8601, spans in seconds, sizes in bytes."""
    run, usual = state.runs[0] if state.runs else None, health.usual_gap(state)
    waiting, lying = _hosts(state)
    return {
        "at": as_text(state.at),
        "exit_code": code,
        "findings": [
            {
                "check": finding.check,
                "level": finding.level,
                "what": urls.without_secrets(finding.what),
                "mend": finding.mend,
            }
            for finding in (*whole, *sources)
        ],
        "schema_pending": state.pending,
        "run": None
        if run is None
        else {
            "started_at": as_text(run.started_at),
            "ended_at": as_text(run.ended_at),
            "reason": run.reason,
            "is_running": place.is_running,
            "usual_gap_seconds": _seconds(usual),
            "visits": run.counts,
        },
        "feeds": {"watched": state.feeds, "paused": state.paused},
        "failing": [
            {
                "id": feed.id,
                "url": urls.without_secrets(feed.url),
                "title": feed.title,
                "error": urls.without_secrets(feed.last_error or ""),
                "failures": feed.failures,
                "last_good_at": as_text(feed.last_good_at),
            }
            for feed in state.failing
        ],
        "ailments": [
            {
                "feed_id": ailment.feed_id,
                "feed": urls.without_secrets(ailment.feed),
                "sign": ailment.sign,
                "since": as_text(ailment.since),
                "evidence": ailment.evidence,
            }
            for ailment in state.ailments
        ],
        "due": {"feeds": state.due_feeds, "articles": state.due_articles, "since": as_text(state.due_since)},
        "articles": state.articles,
        "versions": state.versions,
        "visits": state.visits,
        "grown": {
            f"{days}d": {"articles": grown.articles, "versions": grown.versions, "visits": grown.visits}
            for days, grown in state.grown.items()
        },
        "bytes": {
            "file": place.file_bytes,
            "log": place.log_bytes,
            "free_inside": state.free_bytes,
            "disk_free": place.disk_free_bytes,
        },
        "forecast": None
        if ahead is None
        else {
            "bytes_a_day": round(ahead.bytes_a_day),
            "measured_seconds": _seconds(ahead.measured),
            "doubles_in_seconds": _seconds(ahead.doubles_in),
            "disk_full_in_seconds": _seconds(ahead.disk_full_in),
        },
        "hosts": {"waiting": [host.name for host in waiting], "lying_validators": [host.name for host in lying]},
    }


def _seconds(span: timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())


def _metrics(state: State, place: Place, ahead: Forecast | None, code: int) -> Iterator[str]:
    """Yield lines of Prometheus' text format (version 0.0.4). What is not known has no sample."""
    waiting, lying = _hosts(state)
    yield from _metric("status", "0 all is well, 1 something is broken, 3 some feeds are not well", [({}, code)])
    yield from _metric("schema_pending", "Steps that the schema lacks; 0: it is up to date", [({}, len(state.pending))])
    sizes = {"file": place.file_bytes, "log": place.log_bytes, "free_inside": state.free_bytes}
    yield from _metric("bytes", "Size of the archive", [({"part": part}, size) for part, size in sizes.items()])
    yield from _metric("disk_free_bytes", "Room on the disk of the archive", [({}, place.disk_free_bytes)])
    if state.pending:
        return
    if state.runs:
        run = state.runs[0]
        yield from _metric("run_started_timestamp_seconds", "When the latest run began", [({}, _stamp(run.started_at))])
        if run.ended_at:
            yield from _metric("run_ended_timestamp_seconds", "When the latest run ended", [({}, _stamp(run.ended_at))])
        visits = [({"outcome": name}, number) for name, number in run.counts.items() if name not in _VISITED]
        yield from _metric("run_visits", "Visits of the latest run to articles, by what they showed", visits)
    if place.is_running is not None:
        yield from _metric("run_at_work", "1 while a run is at work", [({}, int(place.is_running))])
    feeds = {"watched": state.feeds, "paused": state.paused, "failing": len(state.failing)}
    yield from _metric("feeds", "Feeds on the list", [({"state": name}, number) for name, number in feeds.items()])
    failing = [({"feed": feed.url}, feed.failures) for feed in state.failing]
    yield from _metric("feed_failures", "Visits in a row that went wrong, of feeds that fail", failing)
    ailments = {(ailment.feed, ailment.sign.value): 1 for ailment in state.ailments}
    yield from _metric(
        "feed_ailment",
        "1 for what ails a feed although it answers",
        [({"feed": feed, "sign": sign}, number) for (feed, sign), number in ailments.items()],
    )
    due = {"feeds": state.due_feeds, "articles": state.due_articles}
    yield from _metric("due", "What is due now", [({"what": name}, number) for name, number in due.items()])
    overdue = _seconds(state.at - state.due_since) if state.due_since else 0
    yield from _metric("overdue_seconds", "How long the longest overdue visit has waited", [({}, overdue or 0)])
    yield from _metric("articles", "Articles in the archive", [({}, state.articles)])
    yield from _metric("versions", "Versions in the archive", [({}, state.versions)])
    yield from _metric("visits_total", "Visits of all runs", [({}, state.visits)], kind="counter")
    hosts = {"waiting": len(waiting), "lying_validators": len(lying)}
    yield from _metric("hosts", "Hosts to mind", [({"state": name}, number) for name, number in hosts.items()])
    if ahead:
        yield from _metric("growth_bytes_per_day", "What runs add to the archive", [({}, round(ahead.bytes_a_day))])
        if (full := _seconds(ahead.disk_full_in)) is not None:
            yield from _metric("disk_full_seconds", "Until the disk is full, at this growth", [({}, full)])


_VISITED = ("feeds", "articles")


def _metric(
    name: str, help_text: str, samples: list[tuple[dict[str, str], int]], *, kind: str = "gauge"
) -> Iterator[str]:
    yield f"# HELP redline_{name} {help_text}"
    yield f"# TYPE redline_{name} {kind}"
    for labels, value in samples:
        said = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        yield f"redline_{name}{{{said}}} {value}" if said else f"redline_{name} {value}"


def _escaped(text: str) -> str:
    """Return the value of a label: what others wrote may act neither on the format nor on a terminal."""
    return shown_url(text).replace("\\", r"\\").replace('"', r"\"")


def _stamp(moment: datetime) -> int:
    return int(moment.timestamp())
