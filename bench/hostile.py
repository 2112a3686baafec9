"""Does one hostile source slow or harm the others? Twenty hosts, five of them hostile, against the same fifteen alone.

    python bench/hostile.py [PAGES [ROUNDS]]

The real `redline crawl` in a process of its own, on a local press of which each host has an address of its own. The
five drip, hang, bomb, lead in circles and lie. Told as ratios to the run without them: when the fifteen were done, what
it cost, and how long the whole run took, which VISIT_TIMEOUT bounds. Of several rounds in turn the least counts: what
else the machine does only ever adds.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import brotli

sys.path.insert(0, str(Path(__file__).parent.parent))

from bench import report
from demo.newsroom import Newsroom

PAGES = int(sys.argv[1]) if len(sys.argv) > 1 else 12
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
GOOD = tuple(f"good{number}" for number in range(15))
HOSTILE = ("drip", "hang", "bomb", "loop", "lie")
# The delay is shortened so that what is measured is not our own waiting; the limits are as they come.
SETTINGS = ("-s", "DOWNLOAD_DELAY=0.2")
PARAGRAPH = (
    "<p>The council will vote on paragraph {} of the plan next week, and most of its members expect it to pass.</p>"
)
RSS = '<?xml version="1.0"?><rss version="2.0"><channel><title>{}</title><link>{}</link>{}</channel></rss>'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`good_seconds`: until the fifteen were done; `seconds`: the whole run; `cpu` and `peak_bytes`: the process's."""

    good_seconds: float
    seconds: float
    cpu: float
    peak_bytes: int
    outcomes: dict[str, dict[str, int]]


def story(number: int) -> str:
    body = "".join(PARAGRAPH.format(f"{number}.{line}") for line in range(40))
    return f"<!doctype html><html lang=en><title>Story {number}</title><article><h1>Story {number}</h1>{body}</article>"


def publish(press: Newsroom, host: str) -> str:
    """Put a feed and its pages up; return the feed's address."""
    links = [press.page(f"/{number}/", story(number), outlet=host) for number in range(PAGES)]
    items = "".join(f"<item><link>{link}</link></item>" for link in links)
    document = RSS.format(host, press.url(host), items)
    return press.page("/feed.xml", document, outlet=host, content_type="application/rss+xml")


def turn_hostile(press: Newsroom, host: str) -> None:
    """Let every page of a host do what it is named for; its feed and its robots.txt stay well."""
    zeros = bytes(512 * 2**20)
    bombs = [("br", brotli.compress(zeros, quality=3)), ("gzip, gzip", gzip.compress(gzip.compress(zeros, 6), 6))]
    for number in range(PAGES):
        path = f"/{number}/"
        match host:
            case "drip":
                press.fault(path, outlet=host, raw=HEAD + b"\r\n" + story(number).encode(), drip=0.5)
            case "hang":
                press.fault(path, outlet=host, delay=3600)
            case "bomb":
                name, body = bombs[number % len(bombs)]
                press.page(path, body, outlet=host, headers={"Content-Encoding": name}, validators=False)
            case "loop":
                press.page(path, "", outlet=host, status=302, headers={"Location": f"/{(number + 1) % PAGES}/"})
            case "lie":
                lies = (
                    {"raw": HEAD + b"Content-Length: 99999999999\r\n\r\nx"},
                    {"raw": HEAD + b"Content-Length: 9999\r\n\r\n<p>Cut short"},
                    {"raw": HEAD, "endless": b"X-Header: of many\r\n" * 200},
                    {"raw": HEAD + b"\r\n", "endless": b"<p>On and on it went.</p>" * 2000},
                    {"status": 304},
                    {"raw": HEAD + b"Transfer-Encoding: chunked\r\n\r\n", "endless": b"1\r\nx\r\n" * 5000},
                )
                press.fault(path, outlet=host, **lies[number % len(lies)])


def crawl(hosts: tuple[str, ...], *, hostile: tuple[str, ...] = ()) -> Run:
    with Newsroom(outlets=(), bare=hosts) as press, tempfile.TemporaryDirectory() as folder:
        feeds = [publish(press, host) for host in hosts]
        environment = os.environ | {"REDLINE_ALLOW_NETWORKS": "127.0.0.0/8", "REDLINE_CONTACT": "mailto:b@example.org"}
        redline = str(Path(sys.executable).with_name("redline"))
        opml = "".join(f'<outline type="rss" text="{feed}" xmlUrl="{feed}"/>' for feed in feeds)
        (Path(folder) / "feeds.opml").write_text(f'<opml version="2.0"><body>{opml}</body></opml>')
        subprocess.run([redline, "import", "feeds.opml"], cwd=folder, env=environment, check=True, capture_output=True)
        for host in hostile:
            turn_hostile(press, host)
        began = time.monotonic()
        process = subprocess.Popen([redline, "crawl", *SETTINGS], cwd=folder, env=environment, stderr=subprocess.PIPE)
        said = process.stderr.read().decode() if process.stderr else ""
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 3):
            raise SystemExit(f"the crawl failed with {process.returncode}: {said}")
        good = [request.time - began for request in press.requests if request.outlet in GOOD]
        with sqlite3.connect(Path(folder) / "archive.db") as archive:
            rows = archive.execute(
                "SELECT a.host, k.outcome, count(*) FROM captures AS k JOIN articles AS a ON a.id = k.article_id"
                " GROUP BY 1, 2"
            ).fetchall()
        addresses = {press.url(host).split("/")[2].split(":")[0]: host for host in hosts}
        outcomes: dict[str, dict[str, int]] = {}
        for address, outcome, count in rows:
            outcomes.setdefault(addresses[address], {})[outcome] = count
    missing = [host for host in GOOD if outcomes.get(host) != {"new": PAGES}]
    if missing:
        raise SystemExit(f"harmed: {missing}: {[outcomes.get(host) for host in missing]}")
    return Run(
        good_seconds=max(good),
        seconds=seconds,
        cpu=usage.ru_utime + usage.ru_stime,
        peak_bytes=usage.ru_maxrss * 1024,
        outcomes={host: found for host, found in outcomes.items() if host not in GOOD},
    )


def least(runs: Sequence[Run]) -> Run:
    """Return the least of each figure."""
    return Run(
        good_seconds=min(run.good_seconds for run in runs),
        seconds=min(run.seconds for run in runs),
        cpu=min(run.cpu for run in runs),
        peak_bytes=min(run.peak_bytes for run in runs),
        outcomes=runs[0].outcomes,
    )


def main() -> None:
    about = report.about("scrapy", "twisted", "lxml", "selectolax")
    rounds = [(crawl(GOOD), crawl(GOOD + HOSTILE, hostile=HOSTILE)) for _ in range(ROUNDS)]
    alone, among = (least(runs) for runs in zip(*rounds, strict=True))
    print(f"{len(GOOD)} hosts of {PAGES} pages, alone and among {len(HOSTILE)} hostile ones, the least of {ROUNDS}:")
    print(f"  the {len(GOOD)} done after       {alone.good_seconds:7.1f} s {among.good_seconds:7.1f} s"
          f"   {among.good_seconds / alone.good_seconds:5.2f} times")  # fmt: skip
    print(f"  the whole run         {alone.seconds:7.1f} s {among.seconds:7.1f} s")
    print(f"  processor             {alone.cpu:7.1f} s {among.cpu:7.1f} s   {among.cpu / alone.cpu:5.2f} times")
    print(f"  most memory           {alone.peak_bytes / 2**20:7.0f} M {among.peak_bytes / 2**20:7.0f} M"
          f"   {(among.peak_bytes - alone.peak_bytes) / 2**20:+5.0f} MiB")  # fmt: skip
    for host, found in among.outcomes.items():
        print(f"  {host:6} " + ", ".join(f"{count} {outcome}" for outcome, count in found.items()))
    figures = {
        name: {"good_seconds": run.good_seconds, "seconds": run.seconds, "cpu": run.cpu, "peak_bytes": run.peak_bytes}
        for name, run in (("alone", alone), ("among", among))
    }
    report.write("hostile", about, figures | {"ratio": among.good_seconds / alone.good_seconds})


if __name__ == "__main__":
    main()
