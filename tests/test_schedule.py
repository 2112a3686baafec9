from __future__ import annotations

import heapq
import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import schedule
from crawler.schedule import Candidate, Habits, Pace, Rhythm, Tally

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

spans = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=5000))
tallies = st.builds(
    Tally,
    seen=st.floats(min_value=0, max_value=500),
    expected=st.floats(min_value=0, max_value=500),
)
habits = st.builds(Habits, fresh=tallies, day=tallies, late=tallies)
paces = st.builds(Pace, seen=st.floats(min_value=0, max_value=500), expected=st.floats(min_value=0, max_value=500))


def visited(visits: list[tuple[timedelta, bool]], known: Habits | None = None) -> tuple[Habits, Pace]:
    """Return what is learned from visits to an article born at NOW: (age, whether it showed a new text) of each."""
    known, pace, last_visit = known or Habits(), Pace(), NOW
    for age, has_changed in visits:
        pace = pace.updated(known, born=NOW, last_visit=last_visit, now=NOW + age, has_changed=has_changed)
        known = known.updated(born=NOW, last_visit=last_visit, now=NOW + age, has_changed=has_changed)
        last_visit = NOW + age
    return known, pace


# Articles -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("age", "soonest", "latest"),
    [
        (timedelta(0), 10 * MINUTE, 30 * MINUTE),
        (5 * HOUR, 20 * MINUTE, 2 * HOUR),
        (2 * DAY, 3 * HOUR, 12 * HOUR),
        (8 * DAY, 12 * HOUR, 2 * DAY),
        (60 * DAY, 4 * DAY, 30 * DAY),
        (3000 * DAY, 60 * DAY, 365 * DAY),
    ],
)
def test_an_article_of_an_unknown_feed_is_visited_ever_less_often(
    age: timedelta, soonest: timedelta, latest: timedelta
) -> None:
    assert soonest <= schedule.next_visit(last_changed=NOW - age, now=NOW).at - NOW <= latest


def test_an_article_edited_again_and_again_is_visited_at_every_run_and_left_in_peace_when_it_rests() -> None:
    edits = [(n * 15 * MINUTE, True) for n in range(1, 25)]
    learned, pace = visited(edits)
    end = NOW + edits[-1][0]
    live = schedule.next_visit(born=NOW, last_changed=end, now=end, habits=learned, pace=pace)
    assert live.at == end + 5 * MINUTE
    assert "like a live blog" in live.reason

    learned, pace = visited([*edits, *((6 * HOUR + n * 30 * MINUTE, False) for n in range(1, 48))])
    day_later = end + 23 * HOUR + 30 * MINUTE
    rested = schedule.next_visit(born=NOW, last_changed=end, now=day_later, habits=learned, pace=pace)
    assert rested.at - day_later > HOUR


def test_a_change_brings_the_next_visit_forward_and_silence_puts_it_off() -> None:
    def wait(*, changed: bool) -> timedelta:
        learned, pace = visited([(2 * DAY, False), (3 * DAY, changed)])
        changed_at = NOW + 3 * DAY if changed else NOW
        at = schedule.next_visit(born=NOW, last_changed=changed_at, now=NOW + 3 * DAY, habits=learned, pace=pace).at
        return at - (NOW + 3 * DAY)

    assert wait(changed=True) * 3 < wait(changed=False)


def test_a_feed_that_never_edits_is_visited_less_than_one_that_does() -> None:
    never = Habits(fresh=Tally(expected=80), day=Tally(expected=60), late=Tally(expected=40))
    much = Habits(fresh=Tally(seen=160, expected=80), day=Tally(seen=120, expected=60), late=Tally(expected=40))

    def wait(learned: Habits) -> timedelta:
        return schedule.next_visit(last_changed=NOW, now=NOW, habits=learned).at - NOW

    assert wait(much) < wait(Habits()) < wait(never)
    assert wait(never) > 10 * wait(much)


def test_a_headline_that_flips_is_not_chased() -> None:
    seen_before = visited([(n * HOUR / 2, n == 1) for n in range(1, 9)])
    chased = visited([(n * HOUR / 2, True) for n in range(1, 9)])
    now = NOW + 4 * HOUR

    def appointment(learned: tuple[Habits, Pace], *, is_flapping: bool) -> schedule.Appointment:
        return schedule.next_visit(
            born=NOW, last_changed=now, now=now, habits=learned[0], pace=learned[1], is_flapping=is_flapping
        )

    calm = appointment(seen_before, is_flapping=True)
    assert calm.at - now > 2 * (appointment(chased, is_flapping=False).at - now)
    assert calm.reason.startswith("it flips between texts seen before")


@pytest.mark.parametrize(("name", "days"), [("a week", 7), ("a month", 30), ("a year", 365)])
def test_a_quiet_article_is_looked_at_after_a_week_a_month_and_a_year(name: str, days: int) -> None:
    quiet = Habits(fresh=Tally(expected=150), day=Tally(expected=150), late=Tally(expected=150))
    now = NOW + days * DAY - 6 * HOUR
    appointment = schedule.next_visit(last_changed=NOW, now=now, habits=quiet, pace=Pace(expected=3.0))
    assert appointment.at == NOW + days * DAY
    assert f"{name} old" in appointment.reason


def test_failures_double_the_wait_up_to_a_month() -> None:
    waits = [schedule.next_visit(last_changed=NOW, now=NOW, failures=n).at - NOW for n in range(3, 40)]
    assert waits[:3] == [HOUR, 2 * HOUR, 4 * HOUR]
    assert waits[-1] == 30 * DAY


def test_a_failure_is_no_reason_to_ask_an_old_article_more_often() -> None:
    old = NOW - 40 * DAY
    assert (
        schedule.next_visit(last_changed=old, now=NOW, failures=1).at
        == schedule.next_visit(last_changed=old, now=NOW).at
    )


def test_a_gone_article_is_looked_for_ever_more_seldom_and_for_ever() -> None:
    def wait(days: int) -> timedelta:
        return schedule.next_visit(last_changed=NOW, now=NOW, is_gone=True, gone_since=NOW - days * DAY).at - NOW

    assert [wait(days) for days in (0, 2, 10, 60, 3000)] == [DAY, DAY, 5 * DAY, 30 * DAY, 365 * DAY]
    assert schedule.next_visit(last_changed=NOW - 900 * DAY, now=NOW, is_gone=True).at == NOW + DAY


@pytest.mark.parametrize(
    ("published", "birth"),
    [
        (None, NOW),
        (NOW - 3 * HOUR, NOW - 3 * HOUR),
        (NOW + 3 * HOUR, NOW),  # an embargo, or a clock that is wrong
        (NOW - 4000 * DAY, NOW - 7 * DAY),  # what a feed lists is news to somebody
    ],
)
def test_the_age_of_an_article_is_counted_from_its_date_where_that_can_be_true(
    published: datetime | None, birth: datetime
) -> None:
    assert schedule.birth(NOW, published) == birth


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (
            {"last_changed": NOW},
            "its text was not seen before; about one change expected in 35 hours: after 10 minutes",
        ),
        (
            {"last_changed": NOW - 5 * HOUR},
            "unchanged for 5 hours; about one change expected in 4 days: after 56 minutes",
        ),
        (
            {"last_changed": NOW - 20 * HOUR, "pace": Pace(seen=9, expected=1)},
            "unchanged for 20 hours; about one change expected in 41 hours: after 63 minutes",
        ),
        ({"last_changed": NOW, "failures": 1}, "failed once; next try after 15 minutes"),
        ({"last_changed": NOW, "failures": 5}, "failed 5 times in a row; next try after 4 hours"),
        ({"last_changed": NOW, "is_gone": True}, "gone; looked for again after 1 day"),
    ],
)
def test_the_reason_is_a_sentence_to_be_read_in_the_archive(given: dict[str, object], reason: str) -> None:
    assert schedule.next_visit(now=NOW, **given).reason == reason  # type: ignore[arg-type]


@given(age=spans, quiet=spans, learned=habits, pace=paces, failures=st.integers(0, 100), is_flapping=st.booleans())
def test_an_appointment_is_in_five_minutes_to_a_year_whatever_was_learned(
    age: timedelta, quiet: timedelta, learned: Habits, pace: Pace, failures: int, is_flapping: bool
) -> None:
    def appointment() -> schedule.Appointment:
        return schedule.next_visit(
            born=NOW - age,
            last_changed=NOW - min(quiet, age),
            now=NOW,
            habits=learned,
            pace=pace,
            failures=failures,
            is_flapping=is_flapping,
        )

    assert 5 * MINUTE <= appointment().at - NOW <= 365 * DAY
    assert appointment() == appointment()
    assert appointment().reason


def test_a_clock_that_is_set_back_does_not_stop_the_crawl() -> None:
    future = NOW + DAY
    learned, pace = Habits(), Pace()
    visit = schedule.next_visit(born=future, last_changed=future, now=NOW, habits=learned, pace=pace)
    assert NOW < visit.at < NOW + HOUR
    assert pace.updated(learned, born=future, last_visit=future, now=NOW, has_changed=False) == Pace()


@given(age=spans, pace=paces, failures=st.integers(0, 100))
def test_more_failures_never_bring_a_visit_forward(age: timedelta, pace: Pace, failures: int) -> None:
    def at(failures: int) -> datetime:
        return schedule.next_visit(last_changed=NOW - age, now=NOW, pace=pace, failures=failures).at

    assert at(failures) <= at(failures + 1)


@given(age=spans, learned=habits, pace=paces, cheap=st.floats(min_value=1e-6, max_value=0.1))
def test_a_dearer_request_never_brings_a_visit_forward(
    age: timedelta, learned: Habits, pace: Pace, cheap: float
) -> None:
    def at(price: float) -> datetime:
        return schedule.next_visit(last_changed=NOW - age, now=NOW, habits=learned, pace=pace, price=price).at

    assert at(cheap) <= at(cheap * 2)


# What is learned ------------------------------------------------------------------------------------------------------


def test_the_studies_are_what_the_prior_says() -> None:
    first_day, week = Habits().changes(0, 24), Habits().changes(0, 168)
    assert first_day == pytest.approx(0.68, abs=0.01)
    assert first_day / week == pytest.approx(0.81, abs=0.01)
    deleted = schedule._usual_deletions(0, 168)
    assert deleted == pytest.approx(0.015, abs=0.0005)
    assert schedule._usual_deletions(0, 24) / deleted == pytest.approx(0.42, abs=0.01)


def test_a_visit_counts_for_the_ages_it_covers_and_a_change_for_the_middle_of_them() -> None:
    learned = Habits().updated(born=NOW, last_visit=NOW + HOUR, now=NOW + 7 * HOUR, has_changed=True)
    assert learned.fresh == Tally(seen=0, expected=Habits().changes(1, 3))
    assert learned.day == Tally(seen=1, expected=Habits().changes(3, 7))
    assert learned.late == Tally()


def test_habits_converge_to_what_a_feed_does() -> None:
    learned = Habits()
    draw = random.Random(1)
    for _ in range(2000):
        for start in range(24):
            has_changed = draw.random() < 3 * Habits().changes(start, start + 1)
            learned = learned.updated(
                born=NOW, last_visit=NOW + start * HOUR, now=NOW + (start + 1) * HOUR, has_changed=has_changed
            )
    assert learned.changes(0, 24) / Habits().changes(0, 24) == pytest.approx(3, rel=0.15)


@given(learned=habits, start=st.floats(0, 5000), middle=st.floats(0, 5000), end=st.floats(0, 5000))
def test_expected_changes_add_up_over_time(learned: Habits, start: float, middle: float, end: float) -> None:
    start, middle, end = sorted((start, middle, end))
    parts = learned.changes(start, middle) + learned.changes(middle, end)
    assert learned.changes(start, end) == pytest.approx(parts, abs=1e-9)


# A run's budget -------------------------------------------------------------------------------------------------------


def candidate(number: int, *, feed: int = 1, host: str = "a", waited: float = 1, planned: float = 1) -> Candidate:
    last_visit = NOW - waited * HOUR
    return Candidate(
        article_id=number, feed_id=feed, host=host, last_visit=last_visit, next_visit=last_visit + planned * HOUR
    )


def numbers(chosen: list[Candidate]) -> list[int]:
    return [each.article_id for each in chosen]


def test_the_most_overdue_by_its_own_measure_comes_first() -> None:
    due = [candidate(1, waited=30, planned=24), candidate(2, waited=3, planned=1), candidate(3, waited=1)]
    assert numbers(schedule.choose(due, now=NOW, per_host=2)) == [2, 1]


def test_an_article_never_visited_comes_before_all() -> None:
    new = Candidate(article_id=9, feed_id=1, host="a", last_visit=None, next_visit=NOW)
    assert numbers(schedule.choose([candidate(1, waited=500), new], now=NOW, per_host=1)) == [9]


def test_a_small_feed_is_not_crowded_out_by_a_large_one() -> None:
    large = [candidate(n, feed=1, waited=100) for n in range(50)]
    small = [candidate(100 + n, feed=2) for n in range(3)]
    chosen = schedule.choose(large + small, now=NOW, per_host=10)
    assert Counter(each.feed_id for each in chosen) == {1: 7, 2: 3}


def test_hosts_share_the_total_and_each_keeps_its_own_limit() -> None:
    due = [candidate(n, host="a", waited=100) for n in range(50)] + [candidate(100 + n, host="b") for n in range(50)]
    chosen = schedule.choose(due, now=NOW, per_host=8, total=12, used={"a": 6})
    assert Counter(each.host for each in chosen) == {"a": 2, "b": 8}
    assert Counter(each.host for each in schedule.choose(due, now=NOW, per_host=50, total=12)) == {"a": 6, "b": 6}


@given(
    due=st.lists(
        st.builds(
            candidate,
            st.integers(0, 10**6),
            feed=st.integers(1, 4),
            host=st.sampled_from("abc"),
            waited=st.floats(0, 100),
            planned=st.floats(0.1, 100),
        ),
        max_size=40,
        unique_by=lambda each: each.article_id,
    ),
    per_host=st.integers(0, 10),
    total=st.none() | st.integers(0, 20),
)
def test_no_budget_is_ever_exceeded_and_none_is_left_unused(
    due: list[Candidate], per_host: int, total: int | None
) -> None:
    chosen = schedule.choose(due, now=NOW, per_host=per_host, total=total)
    assert len(set(numbers(chosen))) == len(chosen)
    room = sum(min(per_host, count) for count in Counter(each.host for each in due).values())
    assert len(chosen) == (room if total is None else min(room, total))
    assert all(count <= per_host for count in Counter(each.host for each in chosen).values())
    assert chosen == schedule.choose(reversed(due), now=NOW, per_host=per_host, total=total)


# Feeds ----------------------------------------------------------------------------------------------------------------


def feed_wait(**given: object) -> timedelta:
    return schedule.next_feed_visit(now=NOW, **given).at - NOW  # type: ignore[arg-type]


def test_a_feed_of_which_nothing_is_known_is_asked_as_often_as_it_wishes_within_limits() -> None:
    assert [feed_wait(refresh_minutes=minutes) for minutes in (1, 60, 100_000)] == [5 * MINUTE, HOUR, DAY]
    assert feed_wait(max_age=2 * HOUR) == 2 * HOUR
    assert feed_wait(max_age=2 * HOUR, refresh_minutes=30) == 2 * HOUR


def test_a_feed_of_which_nothing_is_known_and_without_validators_is_asked_hourly() -> None:
    assert feed_wait(has_validators=True) == 15 * MINUTE
    assert feed_wait(has_validators=False) == HOUR


@pytest.mark.parametrize(
    ("new_a_day", "soonest", "latest"),
    [(2000, 5 * MINUTE, 5 * MINUTE), (50, 10 * MINUTE, 15 * MINUTE), (1, HOUR, 2 * HOUR), (0, 3 * HOUR, DAY)],
)
def test_a_feed_finds_its_own_rhythm_within_two_weeks(new_a_day: float, soonest: timedelta, latest: timedelta) -> None:
    rhythm = Rhythm()
    for hour in range(14 * 24):
        rhythm = rhythm.updated(
            last_visit=NOW + hour * HOUR,
            now=NOW + (hour + 1) * HOUR,
            new=math.floor((hour + 1) * new_a_day / 24) - math.floor(hour * new_a_day / 24),
        )
    assert soonest <= feed_wait(rhythm=rhythm, has_validators=True) <= latest


def test_a_known_rhythm_does_not_override_the_wish_of_the_feed() -> None:
    busy = Rhythm(new=2000, hours=100)
    assert feed_wait(rhythm=busy, has_validators=True) == 5 * MINUTE
    assert feed_wait(rhythm=busy, refresh_minutes=30) == 30 * MINUTE


def test_a_short_feed_is_asked_before_what_is_new_falls_out_of_it() -> None:
    rhythm = Rhythm(new=1000, hours=100)
    assert feed_wait(rhythm=rhythm, entries=2, has_validators=True) == 6 * MINUTE


def test_the_first_visit_of_a_feed_tells_nothing_of_its_rhythm() -> None:
    assert Rhythm().updated(last_visit=None, now=NOW, new=500) == Rhythm()


def test_a_dead_feed_is_never_given_up() -> None:
    assert [feed_wait(failures=n) for n in (1, 2, 10_000)] == [15 * MINUTE, 30 * MINUTE, 30 * DAY]


@given(
    new=st.floats(0, 1e6),
    hours=st.floats(0, 1e5),
    entries=st.none() | st.integers(0, 50_000),
    refresh_minutes=st.none() | st.integers(0, 10**7),
    has_validators=st.booleans(),
)
def test_a_feed_is_asked_in_five_minutes_to_a_day(
    new: float, hours: float, entries: int | None, refresh_minutes: int | None, has_validators: bool
) -> None:
    wait = feed_wait(
        rhythm=Rhythm(new=new, hours=hours),
        entries=entries,
        refresh_minutes=refresh_minutes,
        has_validators=has_validators,
    )
    assert 5 * MINUTE <= wait <= DAY


# Beside another schedule ----------------------------------------------------------------------------------------------


def crawled(*, with_redline: bool, price: float = schedule.PRICE) -> tuple[int, float]:
    """Return the requests, and the share of later versions caught, for 150 articles each of a feed that edits twice as
    much as usual and of one that hardly does: a week of runs every five minutes, by our waits or by those of NewsDiffs.
    A sketch of bench/schedule.py, small enough for a test.
    """
    draw, run, end = random.Random(5), 5 * MINUTE, NOW + 7 * DAY
    edits: list[list[datetime]] = []
    for number in range(300):
        mean = draw.gammavariate(0.5, 4) if number < 150 else 0.02
        ages, total = [], draw.expovariate(1)
        while total < mean:
            ages.append(2 / (1 - draw.random()) ** 2 - 2)
            total += draw.expovariate(1)
        edits.append(sorted(NOW + age * HOUR for age in ages if age < 7 * 24))
    requests = caught = 0
    learned, paces = [Habits(), Habits()], [Pace()] * 300
    last, changed = [NOW] * 300, [NOW] * 300
    due = [(NOW + run, number) for number in range(300)]
    while due:
        now, number = heapq.heappop(due)
        feed, pace, before = number // 150, paces[number], last[number]
        has_changed = any(before < edit <= now for edit in edits[number])
        requests, caught = requests + 1, caught + has_changed
        if has_changed:
            changed[number] = now
        pace = pace.updated(learned[feed], born=NOW, last_visit=before, now=now, has_changed=has_changed)
        learned[feed] = learned[feed].updated(born=NOW, last_visit=before, now=now, has_changed=has_changed)
        paces[number], last[number] = pace, now
        if with_redline:
            at = schedule.next_visit(
                born=NOW, last_changed=changed[number], now=now, habits=learned[feed], pace=pace, price=price
            ).at
        else:
            quiet = now - changed[number]
            at = now + (15 * MINUTE if quiet < 3 * HOUR else HOUR if quiet < DAY else 3 * HOUR)
        at = NOW + run * math.ceil((at - NOW) / run)
        if at < end:
            heapq.heappush(due, (at, number))
    return requests, caught / sum(len(each) for each in edits)


def test_half_the_requests_of_newsdiffs_catch_no_fewer_versions() -> None:
    (ours, our_share), (theirs, their_share) = crawled(with_redline=True), crawled(with_redline=False)
    assert ours < theirs / 2
    assert our_share >= their_share


def test_four_times_the_price_is_about_half_the_requests() -> None:
    ours, _ = crawled(with_redline=True)
    dearer, _ = crawled(with_redline=True, price=4 * schedule.PRICE)
    assert 0.4 < dearer / ours < 0.65
