from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from crawler import schedule

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("age", "wait"),
    [
        (timedelta(0), timedelta(minutes=15)),
        (timedelta(hours=4), timedelta(hours=1)),
        (timedelta(days=2), timedelta(hours=3)),
        (timedelta(days=8), timedelta(days=3)),
        (timedelta(days=31), timedelta(days=30)),
        (timedelta(days=3000), timedelta(days=365)),
    ],
)
def test_an_article_is_visited_less_often_the_longer_it_stays_the_same(age: timedelta, wait: timedelta) -> None:
    assert schedule.next_visit(last_changed=NOW - age, now=NOW).at == NOW + wait


def test_failures_double_the_wait_up_to_a_day() -> None:
    waits = [schedule.next_visit(last_changed=NOW, now=NOW, failures=n).at - NOW for n in range(1, 20)]
    assert waits[:3] == [timedelta(minutes=15), timedelta(minutes=30), timedelta(hours=1)]
    assert waits[-1] == timedelta(days=1)


def test_a_failure_is_no_reason_to_ask_an_old_article_more_often() -> None:
    old = NOW - timedelta(days=40)
    assert schedule.next_visit(last_changed=old, now=NOW, failures=1).at == NOW + timedelta(days=30)


def test_a_gone_article_is_looked_for_again() -> None:
    appointment = schedule.next_visit(last_changed=NOW, now=NOW, is_gone=True)
    assert appointment.at == NOW + timedelta(days=1)
    assert "gone" in appointment.reason


def test_a_feed_is_asked_as_often_as_it_wishes_within_limits() -> None:
    def wait(minutes: int) -> timedelta:
        return schedule.next_feed_visit(now=NOW, refresh_minutes=minutes).at - NOW

    assert (wait(1), wait(60), wait(100_000)) == (timedelta(minutes=5), timedelta(hours=1), timedelta(days=1))


def test_a_feed_without_validators_is_asked_hourly_at_most() -> None:
    assert schedule.next_feed_visit(now=NOW, has_validators=True).at - NOW == timedelta(minutes=15)
    assert schedule.next_feed_visit(now=NOW, has_validators=False).at - NOW == timedelta(hours=1)


def test_a_dead_feed_is_never_given_up() -> None:
    assert schedule.next_feed_visit(now=NOW, failures=10_000).at - NOW == timedelta(days=30)


def test_the_reason_reads_as_a_sentence() -> None:
    changed = NOW - timedelta(hours=5)
    assert schedule.next_visit(last_changed=changed, now=NOW).reason == "unchanged for 5 hours: every 1 hour"
