"""Old visits become numbers, and everything that is told of an article, and done with it, stays as it was."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crawler.archive import Archive
from crawler.browse import reading
from crawler.cli import main
from crawler.items import Feed, FeedCapture, FeedFormat, Outcome
from tests.conftest import FEED, URL, at, findings, listed, page, visit
from tests.history import PATHS, SITE, account, everything


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with everything in it, some articles and the feed of which were then visited for nothing for weeks."""
    path = tmp_path_factory.mktemp("watched") / "archive.db"
    with Archive(path) as archive:
        everything(archive)
        for day in range(2, 52):
            archive.begin_crawl(at(24 * day))
            for name in ("wall", "gone", "walled", "flap", "detour"):
                known = archive.find(f"{SITE}/{name}")
                for hour in (0, 6):
                    status = 404 if name == "gone" else 503 if name == "walled" and day > 30 else 304
                    archive.record(visit(known.id, 24 * day + hour, status=status, url=known.url))
            archive.record_feed(FeedCapture(feed_id=1, url=FEED, captured_at=at(24 * day), status=304))
            archive.end_crawl(at(24 * day + 7), "finished")
    return path


@pytest.fixture
def path(watched: Path, tmp_path: Path) -> Path:
    copied: Path = shutil.copy(watched, tmp_path / "archive.db")
    return copied


def roll_up(archive: Archive, hours: float = 9999) -> int:
    before = at(hours)
    return sum(freed.number for freed in archive.roll_up_visits(archive.visits_before(before), before))


def ask(path: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def told_by_the_pages(path: Path) -> list[object]:
    """Return what the pages tell of visits: when articles could not be read, and what is behind each version."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        numbers = [row["id"] for row in connection.execute("SELECT id FROM articles")]
        return [
            (reading.absences(reading.visits(connection, number, 9999)), reading.payload(connection, number, 1))  # type: ignore[arg-type]
            for number in numbers
        ]


def test_of_visits_that_showed_the_same_the_first_and_the_last_stay_and_the_rest_is_a_number(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    for day in range(1, 61):
        archive.record(visit(article, 24 * day, status=304))
    assert roll_up(archive, hours=24 * 50) == 49
    assert ask(archive.path, "SELECT count(*) FROM captures WHERE article_id > 0") == [(12,)]
    assert ask(archive.path, "SELECT month, outcome, version_id, visits FROM captures_by_month") == [
        ("2026-03", "not_modified", 1, 30),
        ("2026-04", "not_modified", 1, 19),
    ]
    assert archive.versions(article)[0].checks == 61
    assert roll_up(archive, hours=24 * 50) == 0


def test_everything_that_is_told_stays_as_it_was_and_the_archive_sound(path: Path) -> None:
    with Archive(path) as archive:
        told, shown = account(archive), told_by_the_pages(path)
        visits = ask(path, "SELECT count(*) FROM captures")[0][0]
        rolled = roll_up(archive)
        assert rolled > 200
        assert ask(path, "SELECT count(*) FROM captures")[0][0] == visits - rolled  # type: ignore[operator]
        assert ask(path, "SELECT sum(visits) FROM captures_by_month") == [(rolled,)]
        assert account(archive) == told
        assert told_by_the_pages(path) == shown
    assert findings(path) == []


def test_what_is_done_next_is_what_would_have_been_done(path: Path, tmp_path: Path) -> None:
    other: Path = shutil.copy(path, tmp_path / "other.db")
    accounts = []
    for file, is_rolled_up in ((path, True), (other, False)):
        with Archive(file) as archive:
            if is_rolled_up:
                assert roll_up(archive) > 200
            outcomes = []
            for hours, etag in ((2000, '"26"'), (2001, '"26"')):
                for name in PATHS:
                    known = archive.find(f"{SITE}/{name}")
                    # The validators of /wall stay as they were while its text changes: its server lies. The answer of
                    # /detour comes from where its text came from before.
                    there = f"{SITE}/behind/detour" if name == "detour" else None
                    seen = page(f"All is new on {name} at {hours}.", headline=f"New {hours}")
                    outcomes.append(
                        archive.record(visit(known.id, hours, seen, url=known.current_url, final_url=there, etag=etag))
                    )
            document = Feed(url=FEED, format=FeedFormat.RSS, title="Example")
            archive.record_feed(FeedCapture(feed_id=1, url=FEED, captured_at=at(2002), status=200, feed=document))
            accounts.append((outcomes, account(archive), archive.host("example.org"), archive.feeds()))
        assert findings(file) == []
    assert accounts[0] == accounts[1]
    assert Outcome.CHANGED in accounts[0][0]


def test_a_touched_date_stays_with_the_visit_that_showed_it(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, modified in enumerate([0, 0, 0, 2, 2, 2, 5, 5, 5, 5]):
        archive.record(visit(article, hour, page("A text.", date_modified=at(modified))))
    touches = archive.touches(article)
    assert roll_up(archive) == 6
    assert archive.touches(article) == touches
    assert len(touches) == 2


def test_a_server_that_lies_is_found_out_by_the_last_full_answer(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text."), etag='"1"'))
    for hour in range(1, 20):
        is_full = hour == 9
        seen = page("A text.") if is_full else None
        archive.record(visit(article, hour, seen, status=200 if is_full else 304, etag='"1"'))
    assert roll_up(archive) == 17
    archive.record(visit(article, 21, page("Another text."), etag='"1"'))
    assert archive.versions(article)[0].last_seen == at(9), "what was said of it after that cannot be believed"


COUNTED = "SELECT (SELECT count(*) FROM captures), (SELECT count(*) FROM payloads)"


def prune(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["--archive", str(path), "prune", *options])


def test_a_dry_run_says_what_would_be_freed_and_changes_nothing(path: Path) -> None:
    before = ask(path, COUNTED)
    dry = prune(path, "--dry-run", "--payloads-older-than", "1d", "--visits-older-than", "1d")
    assert dry.exit_code == 0
    assert ask(path, COUNTED) == before
    wet = prune(path, "--payloads-older-than", "1d", "--visits-older-than", "1d")
    assert wet.stdout.replace("freed", "would free").splitlines()[:2] == dry.stdout.splitlines()
    assert "redline vacuum" in wet.stdout
    assert findings(path) == []


def test_prune_frees_pages_if_nothing_is_named_and_only_what_is_named(path: Path) -> None:
    ((captures, payloads),) = ask(path, COUNTED)
    prune(path, "--visits-older-than", "1d")
    ((fewer, same),) = ask(path, COUNTED)
    assert (fewer < captures, same) == (True, payloads)  # type: ignore[operator]
    prune(path)
    assert ask(path, COUNTED)[0][1] < payloads  # type: ignore[operator]
    assert prune(path, "--visits-older-than", "soon").exit_code == 2
