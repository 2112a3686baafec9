"""The whole path, with the real command against a real local server: from a feed to a version to a diff."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from demo.newsroom import Newsroom
from tests.conftest import Command, command, crawl_environment

ARTICLE = """<!doctype html><html lang=en><head><title>{headline}</title></head><body><main><article>
<h1>{headline}</h1><p>By <a rel=author href=/a>Ada Lovell</a></p>
<p>{text} The harbour master said on Monday that the new wall would stand until the end of the century.</p>
<p>Fishing crews, who had asked for a survey since the spring, were told that it would begin in the autumn instead.</p>
<p>The council will vote on the plan next week, and its members expect a majority for it, several of them said.</p>
</article></main></body></html>"""
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wall Street Harbour</title>
<link>{base}/</link><description>d</description>{items}</channel></rss>"""


@pytest.fixture
def press() -> Iterator[Newsroom]:
    """A bare site that each test fills with pages of its own."""
    with Newsroom(outlets=()) as site:
        yield site


def publish(press: Newsroom, paths: list[str], **versions: str) -> str:
    """Publish articles and a feed of them; return the feed's URL."""
    for path in paths:
        write(press, path, "Eleven boats sank.")
    items = "".join(f"<item><title>t</title><link>{press.url('', p)}</link><guid>{p}</guid></item>" for p in paths)
    return press.page("/feed.xml", RSS.format(base=press.url("", ""), items=items), content_type="application/rss+xml")


def write(press: Newsroom, path: str, text: str) -> None:
    press.page(path, ARTICLE.format(headline="The wall will stand", text=text))


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(folder / "archive.db")
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def change(folder: Path, sql: str) -> None:
    """Set the clock of something in the archive: no test waits."""
    connection = sqlite3.connect(folder / "archive.db")
    connection.execute(sql)
    connection.commit()
    connection.close()


def outcomes(folder: Path, crawl: int) -> dict[str, str]:
    """Return what each article visited in a crawl showed, by path."""
    found = rows(
        folder, f"SELECT url, outcome FROM captures WHERE article_id IS NOT NULL AND crawl_id = {crawl} ORDER BY id"
    )
    return {"/" + str(url).split("/", 3)[3]: str(outcome) for url, outcome in found}


def test_every_outcome_of_a_visit(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    paths = ["/same", "/plain", "/changed", "/gone", "/moved", "/failed", "/forbidden", "/cut", "/reset"]
    feed = publish(press, paths)
    assert redline("add", feed).returncode == 0
    first = redline("crawl", "-v")
    assert (first.returncode, first.stdout) == (0, "")
    assert "9 new" in first.stderr
    assert outcomes(tmp_path, 1) == dict.fromkeys(paths, "new")

    press.page("/plain", ARTICLE.format(headline="The wall will stand", text="Eleven boats sank."), validators=False)
    write(press, "/changed", "Twelve boats sank.")
    press.page("/gone", "gone", status=410)
    press.page("/new-home", ARTICLE.format(headline="The wall will stand", text="Eleven boats sank."))
    press.page("/moved", "", status=301, headers={"Location": "/new-home"})
    press.fault("/failed", status=500)
    press.fault("/forbidden", status=403)
    press.fault("/cut", truncate=True)
    write(press, "/cut", "Twelve boats sank.")
    press.fault("/reset", reset=True)
    second = redline("crawl", "--all")
    assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
    assert outcomes(tmp_path, 2) == {
        "/same": "not_modified",
        "/plain": "unchanged",
        "/changed": "changed",
        "/gone": "gone",
        "/moved": "moved",
        "/failed": "failed",
        "/forbidden": "blocked",
        "/cut": "failed",
        "/reset": "failed",
    }
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(10,)]

    press.mend()
    assert redline("crawl", "--all").returncode == 0
    third = outcomes(tmp_path, 3)
    assert third["/cut"] == "changed"
    assert third["/new-home"] == "not_modified"
    assert "/gone" not in third

    shown = redline("diff", press.url("", "/changed"))
    assert "[-Eleven-]{+Twelve+} boats sank." in shown.stdout
    assert json.loads(redline("log", "--json").stdout.splitlines()[-1])["verdict"] == "undated"


def test_each_due_article_is_asked_once_and_after_robots_txt(press: Newsroom, redline: Command) -> None:
    feed = publish(press, ["/a", "/b", "/c"])
    redline("add", feed)
    press.requests.clear()
    redline("crawl")
    paths = [request.path for request in press.requests]
    assert paths[0] == "/robots.txt"
    assert max(Counter(paths).values()) == 1
    assert {request.headers["user-agent"].partition("/")[0] for request in press.requests} == {"Redline"}
    assert "mailto:test@example.org" in press.requests[-1].headers["user-agent"]
    press.requests.clear()
    redline("crawl")
    assert press.requests == [], "nothing was due"


def test_what_robots_txt_forbids_is_not_asked_and_recorded(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    press.page("/robots.txt", "User-agent: *\nDisallow: /private/", content_type="text/plain")
    redline("add", publish(press, ["/a", "/private/b"]))
    redline("crawl")
    assert press.asked("/private/b") == []
    assert rows(tmp_path, "SELECT outcome, error FROM captures WHERE url LIKE '%private%'") == [
        ("blocked", "its robots.txt does not allow it")
    ]


def test_robots_txt_is_asked_for_once_and_kept_over_runs(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    press.page("/robots.txt", "User-agent: *\nDisallow: /private/", content_type="text/plain")
    redline("add", publish(press, ["/a", "/private/b"]))
    press.requests.clear()
    redline("crawl")
    redline("crawl", "--all")
    assert len(press.asked("/robots.txt")) == 1
    assert press.asked("/private/b") == []
    assert rows(tmp_path, "SELECT robots_status, robots FROM hosts") == [(200, "User-agent: *\nDisallow: /private/")]


def test_a_host_whose_robots_txt_cannot_be_had_is_not_asked_for_anything(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", publish(press, ["/a"]))
    other = press.page("/other.xml", RSS.format(base="", items=""), content_type="application/rss+xml")
    redline("add", other)
    press.fault("/robots.txt", status=500)
    press.requests.clear()
    crawled = redline("crawl")
    assert crawled.stderr.count("robots.txt") == 1, "the other feed stays due"
    assert crawled.returncode == 3
    assert "its robots.txt cannot be had (the server answered 500)" in crawled.stderr
    redline("crawl", "--all")
    assert [request.path for request in press.requests] == ["/robots.txt"], "and not again before its wait is over"
    press.mend()
    change(tmp_path, "UPDATE hosts SET backoff_until = '2026-01-01T00:00:00Z'")
    assert redline("crawl", "--all").returncode == 0
    assert outcomes(tmp_path, 3) == {"/a": "new"}


def test_a_copy_of_robots_txt_counts_while_the_server_cannot_give_it(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    press.page("/robots.txt", "User-agent: *\nDisallow: /private/", content_type="text/plain")
    redline("add", publish(press, ["/a", "/private/b"]))
    redline("crawl")
    press.fault("/robots.txt", status=500)
    change(tmp_path, "UPDATE hosts SET robots_fetched_at = '2026-01-01T00:00:00Z'")
    redline("crawl", "--all")
    assert outcomes(tmp_path, 2) == {"/a": "not_modified", "/private/b": "blocked"}
    assert press.asked("/private/b") == []
    assert "its robots.txt cannot be had" in redline("feeds").stdout


@pytest.mark.parametrize("status", [429, 503])
def test_f7_a_host_that_turns_us_away_is_left_alone_and_its_articles_stay_due(
    press: Newsroom, redline: Command, tmp_path: Path, status: int
) -> None:
    paths = [f"/a{n}" for n in range(8)]
    redline("add", publish(press, paths))
    press.fault("/a2", status=status, headers={"Retry-After": "7200"})
    press.requests.clear()
    assert redline("crawl").returncode == 0
    assert [r.path for r in press.requests if r.path.startswith("/a")] == ["/a0", "/a1", "/a2"]
    asked = len(press.requests)
    redline("crawl", "--all")
    assert len(press.requests) == asked, "the wait outlives the run"
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE last_visit IS NULL AND next_visit = found_at") == [(5,)]
    assert "not asked before" in redline("feeds").stdout
    ((wait, reason),) = rows(
        tmp_path,
        "SELECT round((julianday(backoff_until) - julianday(max(captured_at))) * 24, 1), backoff_reason"
        " FROM hosts, captures",
    )
    assert (wait, reason) == (2.0, f"the server answered {status} and asks for the wait")


def test_a_crawl_delay_is_kept_between_requests(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    press.page("/robots.txt", "User-agent: *\nCrawl-delay: 0.3", content_type="text/plain")
    redline("add", publish(press, ["/a", "/b", "/c"]))
    press.requests.clear()
    redline("crawl")
    times = [request.time for request in press.requests]
    assert len(times) == 5
    assert min(after - before for before, after in pairwise(times)) > 0.28


def test_a_crawl_delay_beyond_all_measure_is_cut_and_that_is_written_down(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    press.page("/robots.txt", "User-agent: *\nCrawl-delay: 86400", content_type="text/plain")
    redline("add", publish(press, ["/a"]))
    redline("crawl", "-s", "CRAWL_DELAY_MAX=0.1")
    ((asked, reason),) = rows(tmp_path, "SELECT crawl_delay, delay_reason FROM hosts")
    assert asked == 86400
    assert "asks for 86400 seconds" in str(reason)


def test_a_page_that_asks_not_to_be_archived_is_not_kept_but_its_edits_are_seen(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", publish(press, ["/a", "/b"]))
    for text in ("Eleven boats sank.", "Twelve boats sank."):
        page = ARTICLE.format(headline="The wall will stand", text=text)
        press.page("/a", page, headers={"X-Robots-Tag": "noarchive"})
        press.page("/b", page.replace("<head>", "<head><meta name=robots content='noindex,noarchive'>"))
        redline("crawl", "--all")
    assert outcomes(tmp_path, 2) == {"/a": "changed", "/b": "changed"}
    assert rows(tmp_path, "SELECT count(*) FROM payloads") == [(0,)]
    assert rows(tmp_path, "SELECT DISTINCT robots FROM captures WHERE article_id IS NOT NULL ORDER BY 1") == [
        ("noarchive",),
        ("noarchive, noindex",),
    ]
    write(press, "/a", "Thirteen boats sank.")
    redline("crawl", "--all", "-s", "KEEP_NOARCHIVE=True")
    assert rows(tmp_path, "SELECT count(*) FROM payloads") == [(1,)]


def test_f6_a_server_whose_validators_lie_is_found_out_and_asked_in_full_from_then_on(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", publish(press, ["/a", "/b"]))
    same = {"ETag": '"for ever"'}
    page = ARTICLE.format(headline="The wall will stand", text="Eleven boats sank.")
    press.page("/a", page, headers=same, validators=False)
    redline("crawl")
    press.page("/a", "", status=304, headers=same, validators=False)
    redline("crawl", "--all")
    redline("crawl", "--all")
    assert [("if-none-match" in request.headers) for request in press.asked("/a")] == [False, True, True]
    assert "do not tell" not in redline("feeds").stdout
    press.page("/a", page.replace("Eleven", "Twelve"), headers=same, validators=False)
    redline("crawl", "--all")
    assert outcomes(tmp_path, 4)["/a"] == "changed"
    assert rows(tmp_path, "SELECT trust, trust_evidence FROM hosts") == [
        ("lying", f"{press.url('', '/a')} changed, and its validators did not")
    ]
    appeared = "SELECT (SELECT captured_at FROM captures WHERE outcome = 'new' AND article_id = 1) = appeared_after"
    assert rows(tmp_path, f"{appeared} FROM changes") == [(1,)], "what the lies hid is not known to be late"
    assert "do not tell" in redline("feeds").stdout
    redline("crawl", "--all")
    assert "if-none-match" not in press.asked("/b")[-1].headers
    assert "if-none-match" not in press.asked("/feed.xml")[-1].headers


def test_a_redirect_to_another_host_keeps_to_that_hosts_pace(redline: Command) -> None:
    with Newsroom(outlets=("courier", "limansk")) as press:
        pace = "User-agent: *\nCrawl-delay: 0.3"
        press.page("/robots.txt", pace, outlet="limansk", content_type="text/plain")
        for path in ("/a", "/b", "/c"):
            there = press.page(path, ARTICLE.format(headline="The wall", text=path), outlet="limansk")
            press.page(path, "", status=302, headers={"Location": there})
        items = "".join(f"<item><link>{press.url('courier', path)}</link></item>" for path in ("/a", "/b", "/c"))
        redline("add", press.page("/of-ours.xml", RSS.format(base="", items=items), content_type="application/rss+xml"))
        press.requests.clear()
        redline("crawl")
        times = [request.time for request in press.requests if request.outlet == "limansk"]
    assert len(times) == 4
    assert min(after - before for before, after in pairwise(times)) > 0.28


def test_noise_around_an_article_is_no_edit_and_every_planned_edit_is_found(
    newsroom: Newsroom, redline: Command, tmp_path: Path
) -> None:
    for outlet in newsroom.outlets:
        assert redline("add", newsroom.feed(outlet.name)).returncode == 0
    found: Counter[tuple[int, str]] = Counter()
    for number in range(4):
        newsroom.round = number
        assert redline("crawl", "--all").returncode == 0
        seen = rows(
            tmp_path,
            "SELECT a.url FROM changes AS c JOIN articles AS a ON a.id = c.article_id"
            " JOIN captures AS k ON k.version_id = c.version_id AND k.outcome = 'changed'"
            f" WHERE k.crawl_id = {number + 1}",
        )
        found.update((number, str(url)) for (url,) in seen)
    planned = {(edit.round, newsroom.url(edit.outlet, edit.path)) for edit in newsroom.truth if edit.is_text}
    assert set(found) == planned


def test_a_change_is_told_in_the_log_with_its_verdict(newsroom: Newsroom, redline: Command, tmp_path: Path) -> None:
    for outlet in newsroom.outlets:
        redline("add", newsroom.feed(outlet.name))
    for number in range(4):
        newsroom.round = number
        redline("crawl", "--all")
    told = [json.loads(line) for line in redline("log", "--json", "-n", "99").stdout.splitlines()]
    by_verdict = Counter(change["verdict"] for change in told)
    planned = Counter(
        verdict for verdict, _, _, _ in {(e.verdict, e.round, e.outlet, e.path) for e in newsroom.truth if e.is_text}
    )
    assert by_verdict == planned


def test_s1_a_name_that_stands_for_a_private_address_is_refused_and_no_traceback_is_shown(
    press: Newsroom, redline: Command
) -> None:
    port = press.url("", "").rsplit(":", 1)[1].strip("/")
    refused = redline("add", f"http://localhost:{port}/feed.xml", REDLINE_ALLOW_NETWORKS="")
    assert refused.returncode == 1
    assert "localhost stands for 127.0.0.1" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_feed_that_fails_is_said_and_the_others_go_on(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    redline("add", publish(press, ["/a"]))
    other = press.page("/other.xml", RSS.format(base="", items=""), content_type="application/rss+xml")
    redline("add", other)
    press.fault("/other.xml", status=500)
    crawled = redline("crawl")
    assert crawled.returncode == 3
    assert crawled.stderr == f"redline: {other}: the server answered 500\n"
    assert outcomes(tmp_path, 1) == {"/a": "new"}
    assert "failed" in redline("feeds").stdout


def test_a_crawl_of_the_web_without_a_contact_says_what_to_do(press: Newsroom, redline: Command) -> None:
    redline("add", publish(press, ["/a"]))
    crawled = redline("crawl", REDLINE_CONTACT="")
    assert crawled.returncode == 2
    assert "REDLINE_CONTACT=mailto:" in crawled.stderr


def test_f2_a_second_crawl_leaves_at_once_with_its_own_code(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    redline("add", publish(press, ["/a"]))
    press.requests.clear()
    press.fault("/feed.xml", delay=5)
    first = start_crawl(tmp_path)
    try:
        wait_for(lambda: press.asked("/feed.xml"))
        second = redline("crawl")
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=60)
    assert second.returncode == 75
    assert "another crawl is at work" in second.stderr


def test_f1_a_crawl_killed_in_the_middle_loses_nothing_and_the_next_goes_on(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = [f"/article-{n}" for n in range(30)]
    redline("add", publish(press, paths))
    press.fault("/article-15", delay=60)
    crawl = start_crawl(tmp_path, "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1")
    wait_for(lambda: press.asked("/article-15"))
    crawl.kill()
    crawl.communicate(timeout=60)
    press.mend()
    kept = rows(tmp_path, "SELECT count(*) FROM captures WHERE outcome = 'new' AND article_id IS NOT NULL")
    assert 0 < int(str(kept[0][0])) < 30
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert redline("crawl", "-s", "CONCURRENT_REQUESTS_PER_DOMAIN=1").returncode == 0
    assert rows(tmp_path, "SELECT count(*), count(DISTINCT article_id) FROM versions") == [(30, 30)]
    assert Counter(r.path for r in press.requests if r.path == paths[0]) == {paths[0]: 1}, "not asked again"
    assert rows(tmp_path, "SELECT ended_at IS NULL FROM crawls ORDER BY id") == [(1,), (0,)]


def test_sigterm_ends_a_crawl_cleanly(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    redline("add", publish(press, ["/a", "/b"]))
    press.fault("/b", delay=2)
    crawl = start_crawl(tmp_path)
    wait_for(lambda: press.asked("/b"))
    crawl.send_signal(signal.SIGTERM)
    crawl.communicate(timeout=60)
    assert rows(tmp_path, "SELECT reason, ended_at IS NOT NULL FROM crawls") == [("shutdown", 1)]


def test_a_signal_ends_a_crawl_with_the_capture_at_hand_and_the_next_goes_on(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = [f"/a{n}" for n in range(9)]
    redline("add", publish(press, paths))
    press.fault("/a3", delay=1)
    crawl = start_crawl(tmp_path)
    wait_for(lambda: press.asked("/a3"))
    crawl.send_signal(signal.SIGINT)
    crawl.communicate(timeout=60)
    assert list(outcomes(tmp_path, 1)) == paths[:4], "what was asked for is recorded, and no more was asked"
    assert press.asked("/a4") == []
    redline("crawl")
    assert list(outcomes(tmp_path, 2)) == paths[4:]


def test_a_run_makes_no_more_requests_than_it_may_and_the_next_goes_on(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = [f"/a{n}" for n in range(9)]
    redline("add", publish(press, paths))
    press.requests.clear()
    assert redline("crawl", "--max-requests", "5").returncode == 0
    assert len(press.requests) == 5
    assert len(outcomes(tmp_path, 1)) == 3, "beside robots.txt and the feed"
    assert rows(tmp_path, "SELECT reason FROM crawls") == [("its requests were spent",)]
    redline("crawl", "--max-requests", "100")
    assert outcomes(tmp_path, 2).keys() == set(paths) - outcomes(tmp_path, 1).keys()
    redline("crawl", "--all", "-s", "HOST_MAX_REQUESTS=1")
    assert len(outcomes(tmp_path, 3)) == 9, "--all means all"


def test_a_run_ends_when_its_time_is_up(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    press.page("/robots.txt", "User-agent: *\nCrawl-delay: 30", content_type="text/plain")
    redline("add", publish(press, ["/a", "/b"]))
    started = time.monotonic()
    assert redline("crawl", "--max-time", "1s").returncode == 0
    assert time.monotonic() - started < 20, "nothing waits for a host's delay"
    assert rows(tmp_path, "SELECT reason FROM crawls") == [("its time was up",)]
    assert rows(tmp_path, "SELECT count(*) FROM feeds WHERE next_visit = added_at") == [(1,)], "it stays due"


def test_f8_a_feed_that_turned_into_a_page_or_went_empty_is_said(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    feed = publish(press, ["/a"])
    redline("add", feed)
    redline("crawl")
    links = "".join(
        f"<li><a href=/2026/03/a-story-of-some-length-{n}>A story of some length, {n}</a>" for n in range(20)
    )
    press.page("/feed.xml", f"<!doctype html><title>News</title><body><main><ul>{links}</ul></main>")
    crawled = redline("crawl", "--all")
    assert (crawled.returncode, "a web page came where a feed (rss) stood" in crawled.stderr) == (3, True)
    assert "a web page came" in redline("feeds").stdout
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(1,)]
    press.page("/feed.xml", RSS.format(base="", items=""), content_type="application/rss+xml")
    crawled = redline("crawl", "--all")
    assert (crawled.returncode, "it went empty; it listed 1 entries before" in crawled.stderr) == (3, True)


def test_scrapy_crawl_news_does_the_same(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    redline("add", publish(press, ["/a"]))
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [str(Path(sys.executable).with_name("scrapy")), "crawl", "news", "-s", "DOWNLOAD_DELAY=0.01"],
        cwd=root,
        env=crawl_environment() | {"REDLINE_ARCHIVE": str(tmp_path / "archive.db")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert outcomes(tmp_path, 1) == {"/a": "new"}


def test_a_section_page_is_a_feed_with_the_pages_behind_show_more(
    newsroom: Newsroom, redline: Command, tmp_path: Path
) -> None:
    assert redline("add", "--section", newsroom.url("courier", "/news-feed/")).returncode == 0
    assert redline("crawl").returncode == 0
    stories = {newsroom.url("courier", story.path) for story in newsroom.outlets[0].stories_at(0)}
    assert {url for (url,) in rows(tmp_path, "SELECT url FROM articles")} == stories


def start_crawl(folder: Path, *settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [command(), "crawl", "-s", "DOWNLOAD_DELAY=0.01", *settings],
        cwd=folder,
        env=crawl_environment() | {"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for(happened: object, seconds: float = 30, every: float = 0.01) -> None:
    """Wait until a request has arrived: the press runs in a thread of this process, the crawl in another one."""
    end = time.monotonic() + seconds
    while not happened():  # type: ignore[operator]
        assert time.monotonic() < end, "it never happened"
        time.sleep(every)


def test_a_failure_of_ours_ends_the_run_with_1_and_the_other_visits_are_recorded(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", publish(press, ["/a", "/b"]))
    redline("crawl")
    connection = sqlite3.connect(tmp_path / "archive.db")
    connection.execute("UPDATE versions SET headlines = 'not JSON' WHERE id = 1")
    connection.commit()
    connection.close()
    write(press, "/a", "Twelve boats sank.")
    write(press, "/b", "Twelve boats sank.")
    crawled = redline("crawl", "--all")
    assert crawled.returncode == 1
    assert "please report it" in crawled.stderr
    assert outcomes(tmp_path, 2) == {"/a": "failed", "/b": "changed"}


def test_f1_a_disk_that_takes_no_more_ends_the_run_clearly_and_the_next_goes_on(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", publish(press, [f"/a{n}" for n in range(40)]))
    limit = max(path.stat().st_size for path in tmp_path.iterdir()) + 100_000
    crawled = subprocess.run(
        [command(), "crawl", "-s", "DOWNLOAD_DELAY=0.01"],
        cwd=tmp_path,
        env=crawl_environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert crawled.returncode == 1
    assert "look at the disk" in crawled.stderr or "disk is full" in crawled.stderr
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]
    assert redline("crawl").returncode == 0
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(40,)]


def test_rules_for_single_sites_are_applied_in_a_crawl(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    redline("add", publish(press, ["/a"]))
    rules = tmp_path / "sites.toml"
    host = press.url("", "").split("/")[2].split(":")[0]
    rules.write_text(f'[[site]]\nhost = "{host}"\nleave_out = ["article p:nth-of-type(3)"]\nuntil = 2100-01-01\n')
    assert redline("crawl", REDLINE_SITES=str(rules)).returncode == 0
    ((text,),) = rows(tmp_path, "SELECT text FROM version_text")
    assert "Eleven boats sank." in str(text)
    assert "Fishing crews" not in str(text)
    rules.write_text("[[site]]\nhost = 1\n")
    refused = redline("crawl", REDLINE_SITES=str(rules))
    assert (refused.returncode, "host" in refused.stderr) == (2, True)
