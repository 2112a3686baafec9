"""How to behave towards a host: what it asks of visitors, how long it asked us to wait, whether its word is good.

Pure: values in, values out. `crawler.middlewares.Manners` acts by it, and the archive keeps what it has to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from crawler.items import Host, Trust

# RFC 9309, 2.4: no longer, unless it cannot be had. Its size: 2.5, at least 500 KiB are to be read.
_ROBOTS_KEPT_FOR = timedelta(hours=24)
_ROBOTS_MAX_CHARS = 512 * 1024
# RFC 9309, 2.3.1.4: after that long without an answer (or with 5xx alone) it may be taken as there being none.
_ROBOTS_GIVEN_UP_AFTER = timedelta(days=30)

# What a host that names no time is given, doubled each time that it turns us away within a day.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=15), timedelta(days=1)
# A Retry-After beyond that is a slip of a configuration file.
_LONGEST_WISH = timedelta(days=7)

# Of so many visits to an article one is in full: so seldom where the validators were seen to change with a text, so
# often where that was never put to the test. Four fifths of edits come on the first day, and so would the lies.
_FULL_IF_HONEST, _FULL_IF_UNKNOWN = 10, 3
# Servers are mended: after that a host whose validators lied is given another chance.
_DISTRUSTED_FOR = timedelta(days=30)

# Values of X-Robots-Tag that have a colon of their own: not the name of a crawler.
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_HEAD_BYTES = 256 * 1024
_META = re.compile(rb"<meta\b[^>]{0,2000}>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)


# Waiting --------------------------------------------------------------------------------------------------------------


def retry_after(value: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait: seconds or a date (RFC 9110, 10.2.3); None if it says nothing.

    A date that has passed is no wait.
    """
    from email.utils import parsedate_to_datetime

    said = (value or "").strip()
    if said.isascii() and said.isdecimal():
        return timedelta(seconds=min(int(said[:10]), _LONGEST_WISH.total_seconds()))
    try:
        until = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return None
    return max(timedelta(0), (until if until.tzinfo else until.replace(tzinfo=UTC)) - now)


def turned_away(host: Host, now: datetime, *, said: str, wish: timedelta | None = None) -> Host:
    """Return a host as it is after it turned us away: not to be asked until its wish, or our own back-off, is over.

    `said` is what it answered, as a sentence. Without a wish the wait is 15 minutes and doubles with each time within
    a day, up to a day.
    """
    is_again = host.backoff_until is not None and now - host.backoff_until < _LONGEST_WAIT
    failures = host.failures + 1 if is_again else 1
    if wish:
        wait, reason = min(wish, _LONGEST_WISH), f"{said} and asks for the wait"
    else:
        wait = min(_FIRST_WAIT * (1 << min(failures - 1, 10)), _LONGEST_WAIT)
        reason = f"{said}, {failures} times within a day" if failures > 1 else said
    return replace(host, failures=failures, backoff_until=now + wait, backoff_reason=reason)


def is_waiting(host: Host, now: datetime) -> bool:
    """Return whether a host is not to be asked now."""
    return host.backoff_until is not None and now < host.backoff_until


# robots.txt -----------------------------------------------------------------------------------------------------------


def needs_robots(host: Host, now: datetime) -> bool:
    """Return whether a host's robots.txt is to be asked for (again)."""
    fetched = host.robots_fetched_at
    return fetched is None or host.robots_failing_since is not None or now - fetched >= _ROBOTS_KEPT_FOR


def with_robots(host: Host, now: datetime, *, status: int | None, text: str, agent: str) -> Host:
    """Return a host as it is after its robots.txt was asked for (RFC 9309, 2.3.1). `status` None: no answer came.

    4xx says that there is none, so everything is allowed. 429, 5xx and no answer say nothing: an older copy goes on
    to count, and without one nothing is allowed.
    """
    from protego import Protego

    seen = replace(host, robots_status=status, robots_fetched_at=now, robots_failing_since=None)
    if status is not None and 200 <= status < 300:
        robots = text[:_ROBOTS_MAX_CHARS]
        return replace(seen, robots=robots, crawl_delay=Protego.parse(robots).crawl_delay(agent))
    if status is None or status == 429 or status >= 500:
        return replace(seen, robots_failing_since=host.robots_failing_since or now)
    return replace(seen, robots="", crawl_delay=None)


def is_closed(host: Host, now: datetime) -> bool:
    """Return whether a host may not be asked for anything: its robots.txt cannot be had, and no copy is known."""
    since = host.robots_failing_since
    return host.robots is None and since is not None and now - since < _ROBOTS_GIVEN_UP_AFTER


def delay(host: Host, *, least: float, most: float) -> tuple[float, str | None]:
    """Return the seconds to leave between two requests to a host, and why they are not what it asks for, if so."""
    asked = host.crawl_delay
    if asked is None or asked <= least:
        return least, None
    if asked <= most:
        return asked, None
    return most, f"its robots.txt asks for {asked:g} seconds between requests; {most:g} are kept, or no run would end"


def directives(headers: Iterable[str], body: bytes, *, agent: str) -> tuple[str, ...]:
    """Return what a page asks of robots such as us, in lower case and in order: `("noarchive", "noindex")`.

    `headers` are its X-Robots-Tag lines; the page itself says it in `<meta name="robots">` or `<meta name="redline">`.
    """
    found = set()
    for line in headers:
        speaks_to = ""
        for part in line.lower().split(","):
            name, colon, rest = part.partition(":")
            if colon and name.strip() not in _WITH_VALUE:
                speaks_to, part = name.strip(), rest
            if speaks_to in ("", "robots", agent.lower()):
                found.add(" ".join(part.split()))
    for content in _metas(body[:_HEAD_BYTES], {"robots", agent.lower()}):
        found |= {" ".join(part.split()) for part in content.lower().split(",")}
    return tuple(sorted(found - {""}))


def _metas(head: bytes, names: set[str]) -> Iterator[str]:
    for tag in _META.findall(head):
        if b"name" not in tag.lower():
            continue
        attributes = {m[1].lower(): m[2] or m[3] or m[4] or "" for m in _ATTRIBUTE.finditer(tag.decode("latin-1"))}
        if attributes.get("name", "").strip().lower() in names:
            yield attributes.get("content", "")


def max_age(cache_control: str | None) -> timedelta | None:
    """Return how long an answer says that it stays fresh; None if it does not say."""
    said = re.search(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", cache_control or "", re.IGNORECASE)
    return timedelta(seconds=int(said[1])) if said else None


# Validators -----------------------------------------------------------------------------------------------------------


def trust(host: Host, now: datetime) -> Trust | None:
    """Return what is known of a host's validators; None: they were not put to the test yet, or long ago."""
    if host.trust is Trust.LYING and host.trust_since and now - host.trust_since >= _DISTRUSTED_FOR:
        return None
    return host.trust


def asks_in_full(not_modified: int, known: Trust | None) -> bool:
    """Return whether to ask for a page without validators, after so many answers of "not modified" in a row."""
    if known is Trust.LYING:
        return True
    return not_modified + 1 >= (_FULL_IF_HONEST if known is Trust.HONEST else _FULL_IF_UNKNOWN)


def judged(before: tuple[str | None, str | None], after: tuple[str | None, str | None]) -> Trust | None:
    """Return what a changed text says of its validators (ETag, Last-Modified), as they came with it before and after.

    The ETag decides where both have one: a server that has it compares nothing else (RFC 9110, 13.2.2).
    """
    for old, new in zip(before, after, strict=True):
        if old and new:
            return Trust.LYING if old == new else Trust.HONEST
    return None
