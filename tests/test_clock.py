"""F4: this machine's clock is set back or forward, and publishers write times without a zone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.archive import Archive
from crawler.items import Entry, Feed, FeedCapture, FeedFormat, FeedLink, Host
from crawler.schedule import Habits, Pace, Rhythm, next_feed_visit
from tests.conftest import FEED, START, URL, at, findings, listed, page, visit

YEARS = 5 * 365 * 24


def feed_visit(archive: Archive, hours: float) -> None:
    feed, _ = archive.add_feed(FeedLink(url=FEED, title="Example"), at(0))
    document = Feed(url=FEED, format=FeedFormat.RSS, entries=(Entry(id=URL, url=URL),))
    archive.record_feed(FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(hours), status=200, feed=document))


@pytest.mark.breaks_the_archive  # `redline verify` warns of the clock
@pytest.mark.parametrize("clock", [(0, 9, 3, 4), (0, YEARS, 1, 2), (5, 4, 3, 2), (0, 0, 0, 0)])
def test_f4_versions_stay_in_order_when_the_clock_is_set_back(archive: Archive, clock: tuple[float, ...]) -> None:
    (article,) = listed(archive, URL)
    for hours, text in zip(clock, ("One.", "Two.", "Three.", "One."), strict=True):
        archive.record(visit(article, hours, page(text)))

    versions = archive.versions(article)

    assert [version.number for version in versions] == [1, 2, 3, 4]
    for before, after in pairwise(versions):
        assert after.appeared_after == before.last_seen <= after.first_seen <= after.last_seen
    assert [change.number for change in archive.changes(limit=9)] == [4, 3, 2]
    assert {finding.check for finding in findings(archive.path)} <= {"clock"}


@pytest.mark.breaks_the_archive
def test_f4_a_flap_goes_on_when_the_clock_is_set_back(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hours, text in ((0, "A."), (1, "B."), (2, "A."), (3, "B."), (-5, "A."), (-4, "C.")):
        archive.record(visit(article, hours, page(text)))
    *_, third, fourth = archive.versions(article)
    assert fourth.appeared_after == at(3)
    assert third.first_seen <= third.last_seen <= fourth.first_seen
    assert {finding.check for finding in findings(archive.path)} == {"clock"}


@given(st.lists(st.floats(-YEARS, YEARS), min_size=2, max_size=8))
def test_f4_no_clock_stops_the_learning(hours: list[float]) -> None:
    rhythm, pace, habits = Rhythm(), Pace(), Habits()
    for before, now in pairwise(hours):
        rhythm = rhythm.updated(last_visit=at(before), now=at(now), new=1)
        pace = pace.updated(habits, born=START, last_visit=at(before), now=at(now), has_changed=True)
        habits = habits.updated(born=START, last_visit=at(before), now=at(now), has_changed=True)
        wait = next_feed_visit(now=at(now), rhythm=rhythm).at - at(now)
        assert timedelta(minutes=5) <= wait <= timedelta(days=1)
    assert 0 <= pace.seen <= len(hours)
    assert rhythm.hours >= 0


def test_f4_a_feed_is_visited_although_the_clock_was_set_back_an_hour(archive: Archive) -> None:
    for hours in (1, 1.1, 0, 0.5):
        feed_visit(archive, hours)
    (feed,) = archive.feeds()
    assert feed.last_error is None
    assert at(0.5) < feed.next_visit <= at(25)


def test_f4_what_was_visited_in_a_year_to_come_is_due_when_the_clock_is_right_again(archive: Archive) -> None:
    archive.begin_crawl(at(YEARS))
    feed_visit(archive, YEARS)
    (article,) = listed(archive, URL) or [1]
    archive.record(visit(article, YEARS, page("One.")))
    archive.keep_host(
        Host(name="example.org", robots="", robots_fetched_at=at(YEARS), backoff_until=at(YEARS), backoff_reason="503")
    )
    archive.end_crawl(at(YEARS), "finished")
    assert not list(archive.due_articles(at(1)))

    archive.begin_crawl(at(1))

    host = archive.host("example.org")
    assert host.robots_fetched_at is None
    assert host.backoff_until == at(1)
    assert [feed.url for feed in archive.feeds() if feed.next_visit <= at(1)] == [FEED]
    archive.keep_host(Host(name="example.org"))
    assert [due.id for due in archive.due_articles(at(1))] == [article]
    archive.record(visit(article, 1, page("One.")))
    archive.end_crawl(at(1), "finished")
    archive.begin_crawl(at(2))  # once is enough
    assert archive.find(URL).next_visit_reason != "this machine's clock was set back"


def test_f4_a_run_never_ends_before_it_began(archive: Archive) -> None:
    archive.begin_crawl(at(5))
    archive.end_crawl(at(4), "finished")
    with closing(sqlite3.connect(archive.path)) as connection:
        assert connection.execute("SELECT ended_at >= started_at FROM crawls").fetchall() == [(1,)]
