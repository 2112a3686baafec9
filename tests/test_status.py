"""Is all well? `redline status`, for a person, for a monitor, for Prometheus; and what it is judged by."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from filelock import FileLock
from prometheus_client.parser import text_string_to_metric_families

from crawler import extract, health
from crawler.archive import Archive
from crawler.archive.state import look
from crawler.cli import main
from crawler.cli.doctor import _clock
from crawler.health import Place
from crawler.items import FeedCapture, FeedLink, Host, Level, Run, State, Trust
from demo.newsroom import Newsroom
from tests.conftest import FEED, START, URL, Command, listed, page, visit

ROOMY = Place(file_bytes=10**9, log_bytes=0, disk_free_bytes=10**12, is_running=False)
QUARTER = timedelta(minutes=15)


def a_run(started_at: datetime, size: int | None = None, reason: str | None = "finished") -> Run:
    ended = None if reason is None else started_at + timedelta(minutes=2)
    return Run(started_at=started_at, ended_at=ended, reason=reason, counts={}, archive_bytes=size)


def runs(until: datetime, count: int, every: timedelta = QUARTER, grow: int = 0) -> tuple[Run, ...]:
    """Return runs, the newest first; the archive grows by `grow` bytes in each, from 1 GB on."""
    return tuple(a_run(until - every * n, 10**9 + grow * (count - n)) for n in range(count))


def state(**fields: object) -> State:
    given: dict[str, object] = {"at": START, "feeds": 3, "runs": runs(START, 50), "since": START - timedelta(days=9)}
    return State(**(given | fields))  # type: ignore[arg-type]


def checks(state: State, place: Place = ROOMY) -> dict[str, Level]:
    return {finding.check: finding.level for finding in health.findings(state, place)}


# What is judged -------------------------------------------------------------------------------------------------------


def test_a_run_every_quarter_of_an_hour_is_well() -> None:
    assert checks(state()) == {}


@pytest.mark.parametrize(("every", "late"), [(QUARTER, 1), (QUARTER, 4), (timedelta(days=1), 3)])
def test_no_run_for_three_times_as_long_as_usual_is_a_failure(every: timedelta, late: int) -> None:
    missed = state(runs=runs(START - every * late - timedelta(minutes=1), 20, every))
    is_told = late * every >= max(3 * every, timedelta(hours=1))
    assert checks(missed) == ({"runs": Level.ERROR} if is_told else {})
    assert checks(missed, replace(ROOMY, is_running=True)) == {}


def test_two_runs_are_no_rhythm_yet() -> None:
    assert checks(state(runs=runs(START - timedelta(days=5), 3))) == {}


def test_a_run_that_was_cut_short_is_told_unless_it_is_at_work() -> None:
    cut = state(runs=(a_run(START, reason=None), *runs(START - QUARTER, 9)))
    assert checks(cut) == {"runs": Level.WARNING}
    assert checks(cut, replace(ROOMY, is_running=True)) == {}
    assert checks(cut, replace(ROOMY, is_running=None)) == {}


def test_an_empty_list_and_an_archive_without_runs_say_what_to_do_first() -> None:
    assert checks(state(feeds=0)) == {"feeds": Level.WARNING}
    assert checks(state(runs=())) == {"runs": Level.WARNING}


def test_growth_is_what_runs_added_whatever_was_pruned_between_them() -> None:
    sizes = [100, 110, 120, 50, 60, 70]
    pruned = state(runs=tuple(a_run(START + timedelta(days=n), size) for n, size in enumerate(sizes))[::-1])
    ahead = health.forecast(pruned, ROOMY)
    assert ahead is not None
    assert (ahead.bytes_a_day, ahead.measured) == (8, timedelta(days=5))


def test_a_morning_is_no_measure_of_a_year() -> None:
    assert health.forecast(state(runs=runs(START, 40, grow=10**9)), ROOMY) is None
    assert health.forecast(state(runs=runs(START, 100, grow=10**9)), ROOMY) is not None


def test_an_archive_that_does_not_grow_is_never_full() -> None:
    ahead = health.forecast(state(runs=runs(START, 200)), ROOMY)
    assert ahead is not None
    assert (ahead.doubles_in, ahead.disk_full_in) == (None, None)


@pytest.mark.parametrize(("free", "level"), [(10**12, None), (2 * 10**9, Level.WARNING), (2 * 10**8, Level.ERROR)])
def test_a_disk_that_will_be_full_is_told_in_time(free: int, level: Level | None) -> None:
    growing = state(runs=runs(START, 200, grow=10**6))
    assert checks(growing, replace(ROOMY, disk_free_bytes=free)).get("disk") == level


def test_visits_that_wait_for_days_a_long_log_and_a_clock_set_back_are_told() -> None:
    assert checks(state(due_since=START - timedelta(hours=3))) == {}
    assert checks(state(due_since=START - timedelta(days=2))) == {"backlog": Level.WARNING}
    assert checks(state(), replace(ROOMY, log_bytes=10**9)) == {"log": Level.WARNING}
    assert checks(state(latest_capture=START + timedelta(hours=2))) == {"clock": Level.ERROR}


# What is read ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """An archive with a run of now: two articles, one of them with two versions, one due."""
    now = datetime.now(UTC)
    since = (now - START) / timedelta(hours=1)
    path = tmp_path / "archive.db"
    with Archive(path) as archive:
        archive.begin_crawl(now)
        one, _ = listed(archive, URL, "https://example.org/2", hours=since - 3)
        for hours, text in ((since - 2, "Eleven boats sank."), (since - 1, "Twelve boats sank.")):
            archive.record(visit(one, hours, page(text)))
        archive.end_crawl(now, "finished")
    return path


def status(archive: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--archive", str(archive), "status", *arguments])


def test_status_tells_a_person(kept: Path) -> None:
    result = status(kept)
    assert result.exit_code == 0, result.output
    assert result.output.startswith(
        "all is well\nlast run   just now, finished after less than a minute: 1 feed and 2 "
    )
    assert "2 articles in 2 versions, from 3 visits" in result.output
    assert "it takes a day of runs to measure it" in result.output


def test_status_as_json_says_the_same_to_a_program(kept: Path) -> None:
    told = json.loads(status(kept, "--json").output)
    assert (told["exit_code"], told["articles"], told["versions"], told["findings"]) == (0, 2, 2, [])
    assert told["grown"]["1d"] == {"articles": 1, "versions": 2, "visits": 3}
    assert told["run"]["visits"]["changed"] == 1
    assert told["bytes"]["file"] > 0
    assert told["forecast"] is None


def test_feeds_that_fail_end_it_with_3_and_are_named(kept: Path) -> None:
    with Archive(kept) as archive:
        gone = FeedCapture(feed_id=1, url=FEED, captured_at=datetime.now(UTC), status=404)
        archive.record_feed(gone)
    result = status(kept)
    assert result.exit_code == 3
    assert "warning: Example:" in result.output
    assert json.loads(status(kept, "--json").output)["failing"][0]["url"] == FEED


def test_hosts_that_asked_us_to_wait_and_whose_validators_lie_are_counted(kept: Path) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    with Archive(kept) as archive:
        archive.keep_host(Host(name="slow.example", backoff_until=soon, backoff_reason="the server answered 429"))
    with sqlite3.connect(kept) as connection:
        lies = (Trust.LYING, f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "it said so")
        connection.execute("INSERT INTO hosts (host, trust, trust_since, trust_evidence) VALUES ('l', ?, ?, ?)", lies)
    assert "1 host asked us to wait; 1 host with validators" in status(kept).output


def test_prometheus_reads_every_figure(kept: Path) -> None:
    with Archive(kept) as archive:
        nasty = 'https://example.org/\\"\n{evil="1"} 9\\'
        archive.add_feed(FeedLink(url="https://example.org/2.xml"), datetime.now(UTC))
        archive.record_feed(FeedCapture(feed_id=2, url="x", captured_at=datetime.now(UTC), status=404))
    with sqlite3.connect(kept) as connection:
        connection.execute("UPDATE feeds SET url = ?, last_error = 'x', failures = 2 WHERE id = 2", (nasty,))
    result = status(kept, "--prometheus")
    families = {family.name: family for family in text_string_to_metric_families(result.output)}
    assert result.exit_code == 3
    assert all(name.startswith("redline_") and family.documentation for name, family in families.items())
    assert families["redline_articles"].samples[0].value == 2
    assert families["redline_visits"].type == "counter"
    (failing,) = families["redline_feed_failures"].samples
    assert failing.labels.keys() == {"feed"}
    assert failing.labels["feed"] == nasty.replace("\n", " ")
    assert families["redline_status"].samples[0].value == 3


@pytest.mark.parametrize("arguments", [(), ("--json",), ("--prometheus",)])
def test_s27_status_tells_no_secret_of_a_feeds_address(kept: Path, arguments: tuple[str, ...]) -> None:
    _run_sql(
        kept,
        "UPDATE feeds SET url = 'https://ada:door@example.org/feed?token=door', title = '', failures = 1,"
        " last_error = 'https://ada:door@example.org/feed?token=door: gone'",
    )
    result = status(kept, *arguments)
    assert (result.exit_code, "door" in result.output) == (3, False)
    assert "***" in result.output


def test_status_writes_nothing_and_waits_for_no_writer(kept: Path) -> None:
    before = kept.read_bytes()
    with sqlite3.connect(kept, isolation_level=None) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert status(kept).exit_code == 0
        writer.execute("ROLLBACK")
    assert kept.read_bytes() == before


def test_status_sees_a_run_at_work_and_does_not_turn_one_away(kept: Path) -> None:
    with FileLock(f"{kept}.lock"):
        assert json.loads(status(kept, "--json").output)["run"]["is_running"] is True
    assert json.loads(status(kept, "--json").output)["run"]["is_running"] is False


def test_an_older_archive_is_not_brought_up_to_date_behind_a_persons_back(kept: Path) -> None:
    with sqlite3.connect(kept) as connection:
        connection.execute("DELETE FROM _sqlite_migrations WHERE name <> 'the_first_schema'")
        connection.execute("DROP TABLE ailments")
    result = status(kept)
    assert (result.exit_code, "older schema" in result.output) == (0, True)
    assert json.loads(status(kept, "--json").output)["schema_pending"]
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT count(*) FROM _sqlite_migrations").fetchone() == (1,)


@pytest.mark.parametrize("content", [b"not a database" * 100, None])
def test_what_is_no_archive_is_a_failure_that_says_so(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "archive.db"
    if content is not None:
        path.write_bytes(content)
    result = status(path)
    assert result.exit_code == 1
    assert "redline" in result.output


def test_the_size_of_the_archive_is_noted_at_the_end_of_a_real_run(redline: Command, tmp_path: Path) -> None:
    with Newsroom(outlets=("courier",)) as press:
        redline("add", press.feed("courier"))
        assert redline("crawl").returncode == 0
    seen = look(tmp_path / "archive.db", datetime.now(UTC))
    assert seen.runs[0].archive_bytes == seen.used_bytes
    assert seen.runs[0].counts["feeds"] == 1


# The doctor -----------------------------------------------------------------------------------------------------------


def doctor(archive: Path, *arguments: str, **environment: str | None) -> Result:
    known = {"REDLINE_CONTACT": "mailto:you@example.org", "REDLINE_SITES": None, "REDLINE_ALLOW_NETWORKS": None}
    arguments = ("--archive", str(archive), "doctor", "--offline", *arguments)
    return CliRunner().invoke(main, arguments, env=known | environment)


def test_a_healthy_machine_and_archive_have_nothing_but_ok(kept: Path) -> None:
    result = doctor(kept)
    assert result.exit_code == 0, result.output
    assert {line.partition(":")[0] for line in result.output.splitlines()} == {"ok"}
    for word in ("Python", "SQLite", "packages", "reach you", "no crawl is at work", "sound"):
        assert word in result.output


def test_the_doctor_says_who_crawls_and_changes_nothing(kept: Path) -> None:
    before = kept.read_bytes()
    with FileLock(f"{kept}.lock"):
        assert f"a crawl is at work (process {os.getpid()})" in doctor(kept).output
    assert kept.read_bytes() == before


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda path: path.unlink(), "there is no archive"),
        (lambda path: path.write_bytes(b"not a database" * 500), "is no SQLite file"),
        (lambda path: path.write_bytes(path.read_bytes()[:30_000]), "ends after 30,000 of"),
        (lambda path: _run_sql(path, "PRAGMA application_id = 7"), "another program"),
        (
            lambda path: _run_sql(
                path, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('redline', 'x', '')"
            ),
            "a newer Redline",
        ),
    ],
    ids=["missing", "garbage", "cut", "foreign", "newer"],
)
def test_f10_what_is_wrong_with_a_file_is_told_with_the_way_out(
    kept: Path, make: Callable[[Path], object], told: str
) -> None:
    make(kept)
    result = doctor(kept)
    assert result.exit_code == 1
    assert not isinstance(result.exception, Exception) or isinstance(result.exception, SystemExit)
    assert told in result.output


def test_f10_a_page_that_went_bad_in_the_middle_is_told(kept: Path) -> None:
    content = bytearray(kept.read_bytes())
    start = len(content) // 2 // 4096 * 4096
    content[start : start + 8192] = b"\xff" * 8192
    kept.write_bytes(content)
    result = doctor(kept)
    assert result.exit_code == 1
    assert "error: " in result.output
    assert isinstance(result.exception, SystemExit)


def test_an_older_archive_is_told_and_left_as_it_is(kept: Path) -> None:
    _run_sql(kept, "DELETE FROM _sqlite_migrations WHERE name <> 'the_first_schema'", "DROP TABLE ailments")
    result = doctor(kept)
    assert (result.exit_code, "schema is older" in result.output) == (0, True)


def test_what_the_environment_lacks_is_told(kept: Path) -> None:
    result = doctor(kept, REDLINE_CONTACT=None, REDLINE_ALLOW_NETWORKS="10.0.0.0/99")
    assert result.exit_code == 1
    assert "warning: REDLINE_CONTACT is not set" in result.output
    assert "error: REDLINE_ALLOW_NETWORKS" in result.output


def test_a_package_that_is_too_old_is_told(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["click>=999.1", "no-such-package>=1", "x; extra"])
    assert "click 8" in (output := doctor(kept).output)
    assert "is older than 999.1; no-such-package is missing" in output


@pytest.mark.parametrize("earlier", [str(extract.EXTRACTOR_VERSION - 1), "NULL"])
def test_articles_of_an_earlier_extractor_are_counted(kept: Path, earlier: str) -> None:
    assert "read by today's extractor" in doctor(kept).output
    _run_sql(kept, f"UPDATE crawls SET extractor = {earlier}")
    assert "read by an earlier extractor: 1 article;" in doctor(kept).output
    with Archive(kept) as archive:
        archive.begin_crawl(datetime.now(UTC))
        archive.end_crawl(datetime.now(UTC), "finished")
    assert "read by an earlier extractor: 1 article;" in doctor(kept).output


def test_hosts_of_feeds_are_asked_once_each_and_the_clock_is_held_against_theirs(
    redline: Command, newsroom: Newsroom, tmp_path: Path
) -> None:
    for outlet in ("courier", "limansk"):
        redline("add", newsroom.feed(outlet))
    newsroom.requests.clear()
    result = redline("doctor", REDLINE_CONTACT="mailto:test@example.org")
    assert "2 of 2 hosts of feeds answer" in result.stdout, result.stdout + result.stderr
    assert [request.path for request in newsroom.requests] == ["/robots.txt"] * 2
    shut = redline("doctor", REDLINE_ALLOW_NETWORKS="10.0.0.0/8")
    assert "is not a public address" in shut.stdout


@pytest.mark.parametrize(("skew", "level"), [(1, Level.OK), (-1, Level.OK), (10, Level.ERROR), (-10, Level.ERROR)])
def test_f4_a_clock_that_goes_wrong_is_told(skew: int, level: Level) -> None:
    assert _clock(timedelta(minutes=skew), 3).level is level


def _run_sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
