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

# What a host that names no time is given, doubled each time that it turns us away within a day of the last. Four hours
# are six requests a day, and no more than a sixth of a day is missed after a storm of a day.
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=15), timedelta(hours=4)
_FORGIVEN_AFTER = timedelta(days=1)
# A Retry-After beyond that is a slip of a configuration file.
_LONGEST_WISH = timedelta(days=7)

# So many articles missed in a row, each of which was there before, are a storm; all of them where the host has fewer,
# but for hosts of one or two. Where three in ten of a host's articles fail, each for itself, eight in a row are met
# once in 600 runs of 40 visits, five once in 16.
STORM_FROM = 8
_SMALLEST_STORM = 3
# No storm lasts so long: what is missing by then is missing, whatever else the host answers.
_STORM_OVER_AFTER = timedelta(days=7)

# Of so many visits to an article one is in full: so seldom where the validators were seen to change with a text, so
# often where that was never put to the test. Four fifths of edits come on the first day, and so would the lies.
_FULL_IF_HONEST, _FULL_IF_UNKNOWN = 10, 3
# Servers are mended: after that a host whose validators lied is given another chance.
_DISTRUSTED_FOR = timedelta(days=30)

# Values of X-Robots-Tag that have a colon of their own: not the name of a crawler.
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_HEAD_BYTES = 256 * 1024
_META = re.compile(rb"<meta\b[^>]{0,2000}>", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_ATTRIBUTE = re.compile(r"""(?<![a-z-])([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)


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
    except (TypeError, ValueError, OverflowError, IndexError):  # what it raises for years and names of its own kinds
        return None
    return max(timedelta(0), (until if until.tzinfo else until.replace(tzinfo=UTC)) - now)


def turned_away(host: Host, now: datetime, *, said: str, wish: timedelta | None = None) -> Host:
    """Return a host as it is after it turned us away: not to be asked until its wish, or our own back-off, is over.

    `said` is what it answered, as a sentence. Without a wish the wait is 15 minutes and doubles with each time within
    a day, up to four hours.
    """
    is_again = host.backoff_until is not None and now - host.backoff_until < _FORGIVEN_AFTER
    failures = host.failures + 1 if is_again else 1
    if wish:
        wait, reason = min(wish, _LONGEST_WISH), f"{said} and asks for the wait"
    else:
        wait = min(_FIRST_WAIT * (1 << min(failures - 1, 10)), _LONGEST_WAIT)
        reason = f"{said}, {failures} times within a day" if failures > 1 else said
    # The archive's times have whole seconds: not before the time that it named, so a begun one is waited for.
    until = now + wait
    until += timedelta(microseconds=-until.microsecond % 1_000_000)
    return replace(host, failures=failures, backoff_until=until, backoff_reason=reason)


def is_waiting(host: Host, now: datetime) -> bool:
    """Return whether a host is not to be asked now."""
    return host.backoff_until is not None and now < host.backoff_until


# Storms ---------------------------------------------------------------------------------------------------------------

# A host that answers everything with 403, 404, 500, a wall or nothing says something of itself and nothing of its
# articles. It is known by articles that were there and are missed one after the other, with none that is read between;
# those that were missed before tell nothing new, and its feeds may be served by another program.


def after_visit(host: Host, now: datetime, *, missed: str | None, was_there: bool, articles: int) -> Host:
    """Return a host as it is after one of its articles was visited. In a storm it is left alone, ever longer.

    `missed` says how the visit failed, None if it brought the article; `was_there` that the visit before did, or that
    there was none. `articles` is how many it has that are not gone; more than `STORM_FROM` need not be counted.
    """
    if missed is None:
        if host.missed_since is None:
            return host
        # What it answered in a storm for its robots.txt says as little as what it answered for articles.
        asked_at = None if host.storm_since else host.robots_fetched_at
        return replace(host, misses=0, missed_since=None, storm_since=None, robots_fetched_at=asked_at)
    misses, second = host.misses + was_there, now.replace(microsecond=0)
    is_storm = misses >= max(_SMALLEST_STORM, min(STORM_FROM, articles))
    after = replace(
        host,
        misses=misses,
        missed_since=host.missed_since or second,
        storm_since=host.storm_since or ((host.missed_since or second) if is_storm else None),
    )
    if after.storm_since is None or is_waiting(host, now):
        return after
    return turned_away(after, now, said=missed)


def is_storm(host: Host, now: datetime) -> bool:
    """Return whether what a host answers says nothing of its articles; after a week of it, it does."""
    return host.storm_since is not None and now - host.storm_since < _STORM_OVER_AFTER


def is_well_since(host: Host, missed_since: datetime, now: datetime) -> bool:
    """Return whether another article of a host was read after one was first missed, or none was for a week."""
    if host.missed_since is None or host.missed_since > missed_since:
        return True
    return now - host.missed_since >= _STORM_OVER_AFTER


def storm_line(host: Host, now: datetime) -> str:
    """Return what is known of a host in a storm, as a sentence."""
    line = f"{host.name} answers for none of its articles since {host.storm_since:%Y-%m-%d %H:%M} UTC"
    line += f" ({host.backoff_reason})" if host.backoff_reason else ""
    return (
        f"{line}; left alone until {host.backoff_until:%H:%M}" if is_waiting(host, now) else f"{line}; asked again now"
    )


def left_alone_until(host: Host, now: datetime) -> datetime | None:
    """Return when to ask again for what a host did not give although it is there; None: that is no matter of the host.

    Such a visit says nothing of the article or feed, so it is no failure of theirs.
    """
    if host.storm_since is not None:
        return max(now + _FIRST_WAIT, host.backoff_until or now) if is_storm(host, now) else None
    return host.backoff_until if is_waiting(host, now) else None


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
                found.add(_word(part))
    for content in _metas(body[:_HEAD_BYTES], {"robots", agent.lower()}):
        found |= {_word(part) for part in content.lower().split(",")}
    return tuple(sorted(found - {""}))


def _word(part: str) -> str:
    return " ".join(_CONTROL.sub(" ", part).split())


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
