"""When to visit again: pure decisions from what is known, each with its reason as a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

# By the time since an article last changed, how long to wait: the schedule of NewsDiffs, which 1.28 million articles of
# the NewsEdits corpus were collected with. A stopgap with a known record, until each feed's own habits are learned.
_STEPS = (
    (timedelta(hours=3), timedelta(minutes=15)),
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=3)),
    (timedelta(days=30), timedelta(days=3)),
    (timedelta(days=360), timedelta(days=30)),
)
# Most deletions come late (58 % after the first day: GDELT, 88 million articles, 2018): a look once a year, for ever.
_LAST = timedelta(days=365)

_FEED_WITH_VALIDATORS = timedelta(minutes=15)
# What owners of feeds ask for where nothing else is known.
_FEED_WITHOUT = timedelta(hours=1)
_FEED_LIMITS = (timedelta(minutes=5), timedelta(days=1))
_DEAD_FEED = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """When to come back, and why then. `at` is aware, UTC."""

    at: datetime
    reason: str


def next_visit(*, last_changed: datetime, now: datetime, failures: int = 0, is_gone: bool = False) -> Appointment:
    """Return when to visit an article again.

    `last_changed` is when its latest version was first seen, or when a feed first listed it. `failures` are the visits
    in a row that brought nothing readable: they double the wait, from 15 minutes to a day. A gone article is looked
    for again, ever more seldom: some come back.
    """
    wait = next((wait for age, wait in _STEPS if now - last_changed < age), _LAST)
    if is_gone:
        wait = max(wait, timedelta(days=1))
        return Appointment(at=now + wait, reason=f"gone; looked for again after {_words(wait)}")
    if failures:
        # A longer wait of its own (an old article) is kept: a failure is no reason to ask more often.
        wait = max(wait, min(timedelta(minutes=15) * 2 ** min(failures - 1, 10), timedelta(days=1)))
        times = "once" if failures == 1 else f"{failures} times in a row"
        return Appointment(at=now + wait, reason=f"failed {times}; next try after {_words(wait)}")
    return Appointment(at=now + wait, reason=f"unchanged for {_words(now - last_changed)}: every {_words(wait)}")


def next_feed_visit(
    *, now: datetime, failures: int = 0, refresh_minutes: int | None = None, has_validators: bool = False
) -> Appointment:
    """Return when to visit a feed again: its own wish, within 5 minutes to a day; else 15 minutes, or an hour if it
    gives no validators and so must be sent whole. `failures` in a row double the wait, up to 30 days, never to none.
    """
    if failures:
        wait = min(_FEED_WITH_VALIDATORS * 2 ** min(failures - 1, 12), _DEAD_FEED)
        return Appointment(at=now + wait, reason=f"failed {failures} times in a row; next try after {_words(wait)}")
    if refresh_minutes is not None:
        shortest, longest = _FEED_LIMITS
        wait = min(max(timedelta(minutes=refresh_minutes), shortest), longest)
        return Appointment(at=now + wait, reason=f"the feed asks for {_words(wait)}")
    wait = _FEED_WITH_VALIDATORS if has_validators else _FEED_WITHOUT
    return Appointment(at=now + wait, reason=f"every {_words(wait)}")


def _words(span: timedelta) -> str:
    minutes = max(0, round(span.total_seconds() / 60))
    for unit, size in (("day", 24 * 60), ("hour", 60)):
        if minutes >= size:
            count = round(minutes / size)
            return f"{count} {unit}" + ("s" if count != 1 else "")
    return f"{minutes} minute" + ("s" if minutes != 1 else "")
