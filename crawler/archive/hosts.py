"""Hosts in the file: what they ask of visitors, how long they asked us to wait, whether their validators are true."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime

from crawler import manners, urls
from crawler.archive.file import File
from crawler.items import Budget, Capture, DueArticle, FeedCapture, Host, Trust
from crawler.rows import as_text, known_moment, moment

# What urlsplit calls netloc, in a fifth of its time: a run asks for the host of each article that is due.
_HOST = re.compile(r"[^/?#]*//([^/?#]*)")


def named(file: File, name: str) -> Host:
    """Return what is known of a host; of one that was never met, nothing."""
    row = file.row("SELECT * FROM hosts WHERE host = ?", name)
    return _host(row) if row else Host(name=name)


def every(file: File) -> dict[str, Host]:
    return {row["host"]: _host(row) for row in file.rows("SELECT * FROM hosts ORDER BY host")}


def of(url: str) -> str:
    """Return the name under which the host of an address is kept; "" where there is none."""
    found = _HOST.match(url)
    return found[1] if found else ""


def keep(file: File, host: Host) -> None:
    """Write down how to behave towards a host. What its validators are worth is `judge`'s to say."""
    file.run(
        "INSERT INTO hosts (host, robots, robots_status, robots_fetched_at, robots_failing_since, crawl_delay,"
        " delay_reason, failures, backoff_until, backoff_reason, misses, missed_since, storm_since)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (host) DO UPDATE SET robots = excluded.robots, robots_status = excluded.robots_status,"
        " robots_fetched_at = excluded.robots_fetched_at, robots_failing_since = excluded.robots_failing_since,"
        " crawl_delay = excluded.crawl_delay, delay_reason = excluded.delay_reason, failures = excluded.failures,"
        " backoff_until = excluded.backoff_until, backoff_reason = excluded.backoff_reason, misses = excluded.misses,"
        " missed_since = excluded.missed_since, storm_since = excluded.storm_since",
        *(host.name, host.robots, host.robots_status, as_text(host.robots_fetched_at)),
        *(as_text(host.robots_failing_since), host.crawl_delay, host.delay_reason, host.failures),
        *(as_text(host.backoff_until), host.backoff_reason, host.misses),
        *(as_text(host.missed_since), as_text(host.storm_since)),
    )


def judge(file: File, known: sqlite3.Row, capture: Capture | FeedCapture) -> bool:
    """Put the validators of what changed to the test, and keep what came of it; return whether they lied.

    `known` is the row of the article or feed before the visit. One lie outweighs any number of truths: what it hid is
    not known. An honest feed proves nothing of the pages: another program may answer for them.
    """
    before, after = (known["etag"], known["last_modified"]), (capture.etag, capture.last_modified)
    found = manners.judged(before, after)
    name = of(capture.final_url or capture.url)
    now = capture.captured_at
    is_lie = found is Trust.LYING
    if found is None or (not is_lie and isinstance(capture, FeedCapture)):
        return False
    if not is_lie and manners.trust(named(file, name), now) is not None:
        return False
    how = "changed, and its validators did not" if is_lie else "changed, and its validators with it"
    file.run(
        "INSERT INTO hosts (host, trust, trust_since, trust_evidence) VALUES (?, ?, ?, ?) ON CONFLICT (host)"
        " DO UPDATE SET trust = excluded.trust, trust_since = excluded.trust_since,"
        " trust_evidence = excluded.trust_evidence",
        *(name, found, as_text(now), f"{capture.url} {how}"),
    )
    return is_lie


def due_article(row: sqlite3.Row, known: Mapping[str, Host], now: datetime) -> DueArticle:
    """Return how to ask for an article, from its row and what is `known` of hosts."""
    host = known.get(of(row["current_url"]))
    return DueArticle(
        id=row["id"],
        url=row["current_url"],
        etag=row["etag"],
        last_modified=row["last_modified"],
        asks_in_full=manners.asks_in_full(row["not_modified"], manners.trust(host, now) if host else None),
        is_failing=row["failures"] > 0,
    )


def articles(file: File, known: sqlite3.Row, most: int) -> int:
    """Return how many articles a host has that are not gone, with that of a row; not more than `most` are counted."""
    row = file.row(
        "SELECT count(*) AS n FROM (SELECT 1 FROM articles WHERE host = ? AND state <> 'gone' LIMIT ?) AS some",
        *(known["host"], most),
    )
    assert row is not None
    return int(row["n"])


def is_well(file: File, host: Host, known: sqlite3.Row, now: datetime) -> bool | None:
    """Return whether a host answered for its other articles since one was first missed; None: it has no other."""
    if known["gone_since"] is None or articles(file, known, 2) < 2:
        return None
    return manners.is_well_since(host, known_moment(known["gone_since"]), now)


def witnesses(file: File, known: Iterable[Host], now: datetime) -> dict[int, sqlite3.Row]:
    """Return an article, by its number, of each host whose latest visits brought nothing and which may be asked now.

    It is the one that was read last before that: if the host is well, this is answered. Hosts without one are left out.
    """
    found = {}
    for host in known:
        if host.missed_since is None or manners.is_waiting(host, now):
            continue
        rows = file.rows(
            "SELECT a.* FROM articles AS a JOIN feeds AS f ON f.id = a.feed_id"
            " WHERE a.host = ? AND a.state = 'up' AND a.failures = 0 AND a.last_visit <= ? AND a.merged_into IS NULL"
            " AND f.paused_at IS NULL AND f.removed_at IS NULL ORDER BY a.last_visit DESC, a.id LIMIT 9",
            *(urls.host(f"http://{host.name}/"), as_text(host.missed_since)),
        )
        for row in rows:
            if of(row["current_url"]) == host.name:
                found[row["id"]] = row
                break
    return found


def room(host: Host, budget: Budget, per_host: int) -> int:
    """Return how many requests to a host a run has time for, at the pace that it asks for."""
    if budget.seconds is None:
        return per_host
    pace, _ = manners.delay(host, least=budget.delay, most=budget.delay_max)
    return min(per_host, int(budget.seconds / pace)) if pace else per_host


def _host(row: sqlite3.Row) -> Host:
    return Host(
        name=row["host"],
        robots=row["robots"],
        robots_status=row["robots_status"],
        robots_fetched_at=moment(row["robots_fetched_at"]),
        robots_failing_since=moment(row["robots_failing_since"]),
        crawl_delay=row["crawl_delay"],
        delay_reason=row["delay_reason"],
        failures=row["failures"],
        backoff_until=moment(row["backoff_until"]),
        backoff_reason=row["backoff_reason"],
        misses=row["misses"],
        missed_since=moment(row["missed_since"]),
        storm_since=moment(row["storm_since"]),
        trust=Trust(row["trust"]) if row["trust"] else None,
        trust_since=moment(row["trust_since"]),
        trust_evidence=row["trust_evidence"],
    )
