from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from crawler import manners
from crawler.items import Host, Trust
from tests.conftest import at

HOST = Host(name="example.org")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def robots(status: int | None, text: str = "", *, before: Host = HOST, hours: float = 0) -> Host:
    return manners.with_robots(before, at(hours), status=status, text=text, agent="Redline")


# Waiting


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        ("120", 2 * MINUTE),
        (" 0 ", 0 * MINUTE),
        ("Sun, 01 Mar 2026 12:30:00 GMT", 30 * MINUTE),
        ("Sunday, 01-Mar-26 13:00:00 GMT", HOUR),
        ("Sun Mar  1 12:01:00 2026", MINUTE),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0 * MINUTE),
        (None, None),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("99999999999999999999", 7 * DAY),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: str | None, wait: timedelta | None) -> None:
    assert manners.retry_after(said, at(0)) == wait


def test_a_host_is_not_asked_before_the_time_that_it_named() -> None:
    host = manners.turned_away(HOST, at(0), said="the server answered 429", wish=2 * HOUR)
    assert host.backoff_until == at(2)
    assert manners.is_waiting(host, at(1.9))
    assert not manners.is_waiting(host, at(2))


def test_a_host_that_names_no_time_is_asked_ever_more_seldom_and_forgiven_after_a_day() -> None:
    host, hours, waits = HOST, 0.0, []
    for _ in range(9):
        host = manners.turned_away(host, at(hours), said="the server answered 503")
        assert host.backoff_until is not None
        waits.append((host.backoff_until - at(hours)) / MINUTE)
        hours += waits[-1] / 60
    assert waits == [15, 30, 60, 120, 240, 240, 240, 240, 240]
    assert host.backoff_reason == "the server answered 503, 9 times within a day"
    assert manners.turned_away(host, at(hours + 25), said="503").failures == 1


def test_no_wish_outlasts_a_week() -> None:
    host = manners.turned_away(HOST, at(0), said="503", wish=400 * DAY)
    assert host.backoff_until == at(7 * 24)


# Storms


def missed(host: Host, times: int, *, hours: float = 0, was_there: bool = True, articles: int = 99) -> Host:
    for _ in range(times):
        host = manners.after_visit(host, at(hours), missed="it failed", was_there=was_there, articles=articles)
    return host


def read(host: Host, *, hours: float = 0) -> Host:
    return manners.after_visit(host, at(hours), missed=None, was_there=True, articles=99)


@pytest.mark.parametrize(("articles", "enough"), [(99, 8), (8, 8), (5, 5), (3, 3), (2, 3), (1, 3)])
def test_f7_so_many_articles_missed_in_a_row_are_a_storm(articles: int, enough: int) -> None:
    calm = missed(HOST, enough - 1, articles=articles)
    assert (calm.storm_since, manners.is_waiting(calm, at(0))) == (None, False)
    stormy = missed(calm, 1, articles=articles)
    assert (stormy.storm_since, manners.is_waiting(stormy, at(0))) == (at(0), True)


def test_f7_one_that_is_read_between_breaks_the_row_and_ends_a_storm() -> None:
    assert missed(read(missed(HOST, 7)), 7).storm_since is None
    stormy = missed(replace(HOST, robots_fetched_at=at(0)), 8)
    calm = read(stormy, hours=1)
    assert (calm.misses, calm.storm_since, calm.robots_fetched_at) == (0, None, None), "robots.txt is asked for anew"
    assert read(HOST) is HOST


def test_f7_what_was_missed_before_makes_no_storm_but_prolongs_one() -> None:
    assert missed(HOST, 99, was_there=False).storm_since is None
    stormy = missed(HOST, 8)
    again = missed(stormy, 1, hours=1, was_there=False)
    assert again.backoff_until == at(1.5)


def test_f7_a_storm_says_nothing_of_articles_for_a_week() -> None:
    stormy = missed(HOST, 8)
    assert manners.is_storm(stormy, at(6.9 * 24))
    assert not manners.is_storm(stormy, at(7 * 24))
    assert manners.left_alone_until(stormy, at(0)) == stormy.backoff_until
    assert manners.left_alone_until(stormy, at(24)) == at(24.25)
    assert manners.left_alone_until(stormy, at(7 * 24)) is None
    assert manners.left_alone_until(HOST, at(0)) is None


def test_a_host_is_well_since_an_article_was_missed_if_another_was_read_since() -> None:
    host = missed(HOST, 1, hours=1)
    assert not manners.is_well_since(host, at(1), at(2))
    assert manners.is_well_since(host, at(0.5), at(2)), "it was read after that, and missed anew"
    assert manners.is_well_since(read(host, hours=1.5), at(1), at(2))
    assert manners.is_well_since(host, at(1), at(1 + 7 * 24))


def test_a_wait_of_a_begun_second_is_waited_for_whole() -> None:
    now = at(0) + timedelta(milliseconds=900)
    until = manners.turned_away(HOST, now, said="503", wish=timedelta(seconds=1)).backoff_until
    assert until == at(0) + timedelta(seconds=2)


# robots.txt


def test_a_copy_of_robots_txt_counts_for_a_day() -> None:
    host = robots(200, "User-agent: *\nCrawl-delay: 7")
    assert host.crawl_delay == 7
    assert not manners.needs_robots(host, at(23))
    assert manners.needs_robots(host, at(24))


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_robots_txt_that_is_not_there_forbids_nothing(status: int) -> None:
    host = robots(status, before=robots(200, "User-agent: *\nDisallow: /"))
    assert host.robots == ""
    assert not manners.is_closed(host, at(1))


@pytest.mark.parametrize("status", [429, 500, 503, None])
def test_a_robots_txt_that_cannot_be_had_closes_the_host_until_it_is_given_up(status: int | None) -> None:
    host = robots(status, before=robots(status), hours=5)
    assert host.robots_failing_since == at(0)
    assert manners.needs_robots(host, at(5.1))
    assert manners.is_closed(host, at(29 * 24))
    assert not manners.is_closed(host, at(30 * 24))


def test_a_robots_txt_that_cannot_be_had_counts_as_it_was_last_read() -> None:
    host = robots(503, before=robots(200, "User-agent: *\nDisallow: /private/"), hours=48)
    assert host.robots == "User-agent: *\nDisallow: /private/"
    assert not manners.is_closed(host, at(48))
    assert robots(200, before=host).robots_failing_since is None


@pytest.mark.parametrize(
    ("asked", "kept", "is_said"), [(None, 1, False), (0.2, 1, False), (10, 10, False), (3600, 60, True)]
)
def test_a_host_gets_the_pace_that_it_asks_for_within_limits(asked: float | None, kept: float, is_said: bool) -> None:
    seconds, reason = manners.delay(replace(HOST, crawl_delay=asked), least=1, most=60)
    assert seconds == kept
    assert (reason is not None) == is_said


@pytest.mark.parametrize(
    ("headers", "body", "found"),
    [
        ([], "", ()),
        (["noarchive, NOINDEX"], "", ("noarchive", "noindex")),
        (["googlebot: noarchive", "redline: nosnippet"], "", ("nosnippet",)),
        (["googlebot: nofollow, noindex, redline: noarchive"], "", ("noarchive",)),
        (["unavailable_after: 1 Jun 2027 15:00 PST, all"], "", ("all", "unavailable_after: 1 jun 2027 15:00 pst")),
        ([], '<meta name="robots" content="max-snippet:9, noarchive">', ("max-snippet:9", "noarchive")),
        ([], "<META CONTENT='NoArchive' NAME=Redline>", ("noarchive",)),
        ([], '<meta name="googlebot" content="noarchive"><meta property="robots" content="noarchive">', ()),
    ],
)
def test_what_a_page_asks_of_robots(headers: list[str], body: str, found: tuple[str, ...]) -> None:
    assert manners.directives(headers, body.encode(), agent="Redline") == found


def test_reading_a_page_of_meta_tags_is_no_work_to_speak_of() -> None:
    hostile = b"<meta name=robots content=" + b"a" * 300_000 + b"<meta " * 100_000
    assert manners.directives([], hostile, agent="Redline") == ()


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(None, None), ("no-cache", None), ("public, max-age=300", 300), ("s-maxage=9", None), ('max-age="60"', 60)],
)
def test_how_long_an_answer_stays_fresh(said: str | None, seconds: int | None) -> None:
    assert manners.max_age(said) == (None if seconds is None else timedelta(seconds=seconds))


# Validators


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        (('"1"', None), ('"2"', None), Trust.HONEST),
        (('"1"', None), ('"1"', None), Trust.LYING),
        (('"1"', "Monday"), ('"2"', "Monday"), Trust.HONEST),
        ((None, "Monday"), (None, "Monday"), Trust.LYING),
        (('"1"', None), (None, "Monday"), None),
        ((None, None), (None, None), None),
    ],
)
def test_a_changed_text_puts_its_validators_to_the_test(
    before: tuple[str | None, str | None], after: tuple[str | None, str | None], found: Trust | None
) -> None:
    assert manners.judged(before, after) is found


@pytest.mark.parametrize(("trust", "every"), [(None, 3), (Trust.HONEST, 10), (Trust.LYING, 1)])
def test_every_nth_visit_is_in_full_and_sooner_where_the_host_is_not_known_to_be_honest(
    trust: Trust | None, every: int
) -> None:
    not_modified, full = 0, []
    for visit in range(1, 31):
        if manners.asks_in_full(not_modified, trust):
            full.append(visit)
            not_modified = 0
        else:
            not_modified += 1
    assert full == list(range(every, 31, every))


def test_a_lie_is_remembered_for_a_month() -> None:
    host = replace(HOST, trust=Trust.LYING, trust_since=at(0))
    assert manners.trust(host, at(29 * 24)) is Trust.LYING
    assert manners.trust(host, at(30 * 24)) is None
