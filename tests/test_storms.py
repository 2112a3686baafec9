"""Storms and faults (F6 to F8): a host that answers everything alike for a day, and a press of which a third is faulty.

The days pass by the archive's clock: `Day` visits what is due every quarter of an hour, as cron would, and a host that
answers what the test says. What only the real crawl can show is below, with the real command.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from crawler import extract, manners
from crawler.archive import Archive
from crawler.items import Capture, Entry, Feed, FeedCapture, FeedFormat, FeedLink, Outcome
from demo.newsroom import Newsroom
from tests.conftest import FEED, Command, at
from tests.test_crawl import ARTICLE, RSS, change, outcomes, press, publish, rows, write

__all__ = ["press"]

HOST = "example.org"
SENTENCE = "The harbour master said on Monday that the new wall number {n} would stand until the end of the century."
PAGE = """<!doctype html><html lang=en><head><title>{head} - The Example</title></head><body><main><article>
<h1>{head}</h1><p>{first}</p><p>Fishing crews, who had asked for survey {n} since the spring, were told that it would
begin in the autumn instead.</p><p>The council will vote on plan {n} next week, and its members expect a majority for
it, several of them said after the meeting.</p></article></main></body></html>"""


def walled(title: str, text: str, head: str = "") -> str:
    return f"<!doctype html><html><head><title>{title}</title></head><body><h1>{head or title}</h1><p>{text}</p></body>"


# What a host answers to everything: a status (None: no answer) and a body.
STORMS: dict[str, tuple[int | None, str]] = {
    "forbidden": (403, "<h1>Forbidden</h1>"),
    "not found": (404, "<h1>Not Found</h1>"),
    "too many": (429, ""),
    "unavailable": (503, ""),
    "error": (500, "<h1>Internal Server Error</h1>"),
    "no answer": (None, ""),
    "consent": (200, walled("We value your privacy", "We and our partners store information on a device. Accept all")),
    "bot wall": (200, walled("Just a moment...", "Verify you are human by completing the action below. Ray ID: 1")),
    "empty": (200, ""),
    "login": (200, walled("Sign in", "Forgot your password? <input type=password>")),
    "maintenance": (200, walled("The Example", "The site is down for a short while.", "We'll be back soon")),
    "soft 404": (200, walled("Page not found - The Example", "The page you are looking for does not exist.")),
}


class Press:
    """A host with a feed and articles, each with validators; `storm` is what it answers to everything, if set."""

    def __init__(self, articles: int) -> None:
        self.texts = {f"https://{HOST}/story-{n}": SENTENCE.format(n=n) for n in range(articles)}
        self.storm: tuple[int | None, str] | None = None
        self.lost: dict[str, tuple[int | None, str]] = {}  # what is answered for one article alone
        self.asked: list[str] = []

    def page(self, url: str) -> bytes:
        n = int(url.rsplit("-", 1)[1])
        return PAGE.format(head=f"The wall number {n} will stand", first=self.texts[url], n=n).encode()

    def answer(self, url: str, etag: str | None) -> dict[str, object]:
        """Return what comes of a request, as fields of a capture. Also behind a wall every page has an ETag."""
        self.asked.append(url)
        status, body, tag = 200, b"", '"wall"'
        spoiled = self.storm or self.lost.get(url)
        if spoiled is None:
            body = self.page(url)
            tag = f'"{hash(body)}"'
        else:
            code, text = spoiled
            if code is None:
                return {"error": "TimeoutError: no answer came in 30 seconds"}
            status, body = code, text.encode()
        if status == 200 and etag == tag:
            return {"status": 304, "final_url": url, "etag": tag}
        read = extract.article(body, url) if status == 200 else None
        return {"status": status, "final_url": url, "article": read, "body": body or None, "etag": tag}


class Day:
    """Visits what is due, every quarter of an hour, of a press that may be in a storm."""

    def __init__(self, archive: Archive, press: Press) -> None:
        self.archive, self.press = archive, press
        self.feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))
        self.outcomes: list[tuple[float, str, Outcome]] = []

    def pass_(self, start: float, end: float) -> None:
        for quarter in range(int(start * 4), int(end * 4)):
            self._run(quarter / 4)

    def _run(self, hour: float) -> None:
        archive, press, now = self.archive, self.press, at(hour)
        archive.begin_crawl(now)
        for feed in archive.due_feeds(now):
            press.asked.append(feed.url)
            fields: dict[str, object] = {"status": 200, "feed": self._document()}
            if press.storm is not None:
                fields = {"status": press.storm[0], "error": "the server answered otherwise"}
            archive.record_feed(
                FeedCapture(feed_id=feed.id, url=feed.url, captured_at=now, **fields)  # type: ignore[arg-type]
            )
            self._turned_away(fields.get("status"), hour)
        for due in archive.due_articles(now):
            if manners.is_waiting(archive.host(HOST), now):
                continue
            etag = None if due.asks_in_full else due.etag
            answer = press.answer(due.url, etag)
            self._turned_away(answer.get("status"), hour)
            seen = Capture(
                article_id=due.id,
                url=due.url,
                captured_at=now,
                asked_in_full=etag is None,
                **answer,  # type: ignore[arg-type]
            )
            self.outcomes.append((hour, due.url, archive.record(seen)))
        archive.end_crawl(now, "finished")

    def _turned_away(self, status: object, hour: float) -> None:
        """What `crawler.middlewares.Manners` does of an answer."""
        if status in (429, 503):
            self.archive.keep_host(manners.turned_away(self.archive.host(HOST), at(hour), said=f"answered {status}"))

    def _document(self) -> Feed:
        entries = tuple(Entry(id=url, url=url, title="As in the feed") for url in self.press.texts)
        return Feed(url=FEED, format=FeedFormat.RSS, entries=entries)

    def states(self) -> set[str]:
        return {self.archive.find(url).state for url in self.press.texts}

    def versions(self) -> int:
        return sum(self.archive.find(url).versions for url in self.press.texts)


@pytest.mark.parametrize("kind", STORMS)
@pytest.mark.parametrize("articles", [12, 4])
def test_f7_a_day_of_storm_makes_no_version_and_nothing_gone_and_the_day_after_all_is_as_before(
    archive: Archive, kind: str, articles: int
) -> None:
    press = Press(articles)
    day = Day(archive, press)
    day.pass_(0, 6)
    assert (day.states(), day.versions()) == ({"up"}, articles)

    press.storm = STORMS[kind]
    press.asked.clear()
    day.pass_(6, 30)
    assert day.versions() == articles
    assert "gone" not in day.states()
    assert len(press.asked) <= 40, "it is left alone"
    host = archive.host(HOST)
    assert host.storm_since is not None or manners.is_waiting(host, at(30))

    press.storm = None
    edited = f"https://{HOST}/story-1"
    press.texts[edited] = press.texts[edited].replace("Monday", "Tuesday")
    day.outcomes.clear()
    day.pass_(30, 40)
    assert {url for _, url, _ in day.outcomes} == set(press.texts), "within hours, not weeks"
    assert min(hour for hour, _, _ in day.outcomes) <= 34.5
    assert [url for _, url, outcome in day.outcomes if outcome is Outcome.CHANGED] == [edited]
    kept = {Outcome.CHANGED, Outcome.UNCHANGED, Outcome.NOT_MODIFIED}
    assert {outcome for _, _, outcome in day.outcomes} == kept
    assert (day.states(), day.versions()) == ({"up"}, articles + 1)
    assert archive.host(HOST).storm_since is None
    assert archive.feeds()[0].last_error is None
    (change,) = archive.changes(limit=9)
    assert change.appeared_after < at(6) < change.seen_at


@pytest.mark.parametrize("articles", [12, 4])
def test_f7_a_long_notice_in_unknown_words_in_the_place_of_every_article_is_taken_for_one_at_most_once(
    archive: Archive, articles: int
) -> None:
    press = Press(articles)
    day = Day(archive, press)
    day.pass_(0, 6)
    lines = [
        f"Toimitus siirtyy tänään uusiin tiloihin, ja kohta {n} palaa verkkoon illalla kello kuuden jälkeen."
        for n in range(9)
    ]
    notice = f"<title>Palaamme pian</title><main><h1>Palaamme pian</h1><p>{'</p><p>'.join(lines)}</p></main>"
    press.storm = (200, notice)
    press.asked.clear()
    day.pass_(6, 30)
    assert day.versions() == articles + 1
    assert day.states() == {"up"}
    assert len(press.asked) <= 14 * articles + 40, "each is asked ever more seldom"
    press.storm = None
    day.pass_(30, 56)
    assert day.versions() == articles + 2, "the text is back"
    assert {outcome for hour, _, outcome in day.outcomes if hour >= 48} <= {Outcome.UNCHANGED, Outcome.NOT_MODIFIED}


@pytest.mark.parametrize("kind", ["not found", "soft 404"])
def test_f7_a_host_of_two_articles_that_finds_neither_has_lost_none(archive: Archive, kind: str) -> None:
    press = Press(2)
    day = Day(archive, press)
    day.pass_(0, 6)
    press.storm = STORMS[kind]
    day.pass_(6, 30)
    assert day.states() == {"suspect"}
    press.storm = None
    day.pass_(30, 60)
    assert (day.states(), day.versions()) == ({"up"}, 2)


@pytest.mark.parametrize("kind", ["not found", "soft 404"])
def test_f7_an_article_that_is_missed_while_others_are_read_is_gone_at_the_second_look(
    archive: Archive, kind: str
) -> None:
    press = Press(4)
    day = Day(archive, press)
    day.pass_(0, 48)
    lost = f"https://{HOST}/story-2"
    press.lost[lost] = STORMS[kind]
    day.pass_(48, 96)
    assert archive.find(lost).state == "gone"
    assert [fate.fate for fate in archive.fates(archive.find(lost).id)] == ["suspect", "gone"]
    looks = [outcome for hour, url, outcome in day.outcomes if url == lost and hour >= 48]
    assert looks[:2] == [Outcome.FAILED, Outcome.GONE], "another is asked along, so that it can be told"
    assert day.states() == {"up", "gone"}


@pytest.mark.parametrize("kind", ["maintenance", "error", "empty", "login"])
def test_f7_an_article_that_answers_with_a_fault_for_ever_is_never_called_gone(archive: Archive, kind: str) -> None:
    press = Press(4)
    day = Day(archive, press)
    day.pass_(0, 12)
    lost = f"https://{HOST}/story-2"
    press.lost[lost] = STORMS[kind]
    day.pass_(12, 120)
    known = archive.find(lost)
    assert (known.state, known.versions) == ("up", 1)
    assert "failed" in known.next_visit_reason
    assert archive.host(HOST).storm_since is None


def test_f7_a_host_that_finds_nothing_for_longer_than_a_week_has_lost_it(archive: Archive) -> None:
    press = Press(4)
    day = Day(archive, press)
    day.pass_(0, 6)
    press.storm = STORMS["not found"]
    day.pass_(6, 24 * 6)
    assert "gone" not in day.states()
    day.pass_(24 * 6, 24 * 30)
    assert day.states() == {"gone"}


def test_f9_a_redesign_that_comes_out_of_a_storm_is_held(archive: Archive) -> None:
    press = Press(12)
    day = Day(archive, press)
    day.pass_(0, 6)
    press.storm = STORMS["maintenance"]
    day.pass_(6, 12)
    press.storm = None
    for url in press.texts:
        press.texts[url] += " Our new site has more of it, in a clear design that loads in no time at all."
    day.pass_(12, 24)
    assert archive.changes(limit=99) == []
    (hold,) = archive.holds()
    assert hold.changed >= 8
    assert day.states() == {"up"}


# With the real command


@pytest.mark.parametrize("kind", ["forbidden", "not found", "unavailable", "no answer", "bot wall", "empty"])
def test_f7_a_crawl_of_a_host_in_a_storm_says_so_once_and_leaves_it_alone(
    press: Newsroom, redline: Command, tmp_path: Path, kind: str
) -> None:
    paths = [f"/story-{n}" for n in range(12)]
    feed = publish(press, paths)
    redline("add", feed)
    redline("crawl")
    status, body = STORMS[kind]
    for path in ["/feed.xml", "/robots.txt", *paths]:
        wall = {"ETag": '"wall"'} if status == 200 else {}
        press.fault(path, status=status, body=body, headers=wall, reset=status is None)
    press.requests.clear()
    stormy = redline("crawl", "--all")
    assert stormy.returncode == 3
    assert len(stormy.stderr.splitlines()) <= 2, "the feed, and the host"
    assert len(press.requests) <= 10, "the feed, eight articles, and what was on its way"
    name = feed.split("/")[2]
    said = [line for line in redline("feeds").stdout.splitlines() if "not asked before" in line or "left alone" in line]
    assert len(said) == 1
    press.requests.clear()
    assert redline("crawl", "--all").returncode == 0, "nothing was asked, so nothing failed"
    assert press.requests == []

    press.mend()
    write(press, "/story-3", "Twelve boats sank.")
    change(tmp_path, "UPDATE hosts SET backoff_until = '2026-01-01T00:00:00Z'")
    press.requests.clear()
    assert redline("crawl", "--all").returncode == 0
    assert all('"wall"' not in request.headers.get("if-none-match", "") for request in press.requests)
    shown = outcomes(tmp_path, 4)
    assert {path for path, outcome in shown.items() if outcome == "changed"} == {"/story-3"}
    assert set(shown) == set(paths)
    assert set(shown.values()) <= {"changed", "unchanged", "not_modified"}
    assert rows(tmp_path, "SELECT count(*), count(*) FILTER (WHERE state = 'up') FROM articles") == [(12, 12)]
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(13,)]
    assert rows(tmp_path, f"SELECT misses, storm_since FROM hosts WHERE host = '{name}'") == [(0, None)]


def test_f7_a_feed_that_is_well_does_not_hide_a_storm_of_its_articles(press: Newsroom, redline: Command) -> None:
    paths = [f"/story-{n}" for n in range(12)]
    redline("add", publish(press, paths))
    redline("crawl")
    for path in paths:
        press.fault(path, status=403)
    crawled = redline("crawl", "--all")
    assert crawled.returncode == 3
    (line,) = crawled.stderr.splitlines()
    assert "answers for none of its articles" in line
    assert "the server refused (403)" in line


def test_f7_what_a_server_out_of_order_did_not_give_is_asked_for_once_more_at_the_end_of_the_run(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = ["/a", "/b", "/c"]
    redline("add", publish(press, paths))
    press.fault("/a", status=500, times=1)
    press.fault("/b", status=502)
    press.requests.clear()
    assert redline("crawl").returncode == 0
    asked = [request.path for request in press.requests if request.path in paths]
    assert asked == ["/a", "/b", "/c", "/a", "/b"]
    found = rows(tmp_path, "SELECT outcome FROM captures WHERE article_id IS NOT NULL ORDER BY id")
    assert [outcome for (outcome,) in found] == ["failed", "failed", "new", "new", "failed"]


def test_f7_a_connection_that_breaks_is_not_asked_again_behind_the_back_of_the_delay(
    press: Newsroom, redline: Command
) -> None:
    redline("add", publish(press, ["/a", "/b", "/c"]))
    press.fault("/b", reset=True)
    press.requests.clear()
    redline("crawl")
    assert Counter(request.path for request in press.requests)["/b"] == 1


def test_f7_a_wait_of_seconds_is_waited_for_in_the_run(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    paths = ["/a", "/b", "/c"]
    redline("add", publish(press, paths))
    press.fault("/a", status=503, headers={"Retry-After": "1"}, times=1)
    press.requests.clear()
    assert redline("crawl").returncode == 0
    asked = [request for request in press.requests if request.path in paths]
    assert Counter(request.path for request in asked) == {"/a": 2, "/b": 1, "/c": 1}
    assert asked[-1].path == "/a", "it had its turn"
    assert asked[1].time - asked[0].time >= 0.9, "not before the time that it named"
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(3,)]


# F6


@pytest.mark.parametrize("is_known", [False, True])
def test_f6_a_304_to_a_request_in_full_is_no_answer(
    press: Newsroom, redline: Command, tmp_path: Path, is_known: bool
) -> None:
    redline("add", publish(press, ["/a"]))
    if is_known:
        redline("crawl")
        change(tmp_path, "UPDATE articles SET etag = NULL, last_modified = NULL")
    press.page("/a", "", status=304, headers={"ETag": '"any"'}, validators=False)
    redline("crawl", "--all")
    ((outcome, error),) = rows(
        tmp_path, "SELECT outcome, error FROM captures WHERE article_id = 1 ORDER BY id DESC LIMIT 1"
    )
    assert outcome == "failed"
    assert "asked in full next time" in str(error)
    write(press, "/a", "Twelve boats sank.")
    redline("crawl", "--all")
    assert "if-none-match" not in press.asked("/a")[-1].headers
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(1 + is_known,)]


def test_f6_an_empty_answer_is_no_version_and_its_validators_are_not_sent_again(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", publish(press, ["/a"]))
    redline("crawl")
    press.page("/a", "", headers={"ETag": '"empty"'}, validators=False)
    redline("crawl", "--all")
    assert outcomes(tmp_path, 2) == {"/a": "failed"}
    write(press, "/a", "Twelve boats sank.")
    redline("crawl", "--all")
    assert "if-none-match" not in press.asked("/a")[-1].headers
    assert outcomes(tmp_path, 3) == {"/a": "changed"}
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(2,)]


def test_f6_an_etag_that_stays_while_the_text_changes_is_caught_by_a_visit_in_full(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", publish(press, ["/a"]))
    same = {"ETag": '"for ever"'}
    text = ARTICLE.format(headline="The wall will stand", text="Eleven boats sank.")
    press.page("/a", text, headers=same, validators=False)
    redline("crawl")
    press.page("/a", text.replace("Eleven", "Twelve"), headers=same, validators=False)
    press.fault("/a", status=304, times=2)
    shown = []
    for number in range(2, 5):
        redline("crawl", "--all")
        shown.append(outcomes(tmp_path, number)["/a"])
    assert shown == ["not_modified", "not_modified", "changed"]
    assert rows(tmp_path, "SELECT trust FROM hosts") == [("lying",)]


# F8


def test_f8_a_feed_that_moved_along_a_chain_to_another_host_is_asked_there_from_then_on(redline: Command) -> None:
    with Newsroom(outlets=("courier", "limansk")) as press:
        story = press.page("/a", ARTICLE.format(headline="The wall", text="Eleven boats sank."), outlet="limansk")
        items = f"<item><title>t</title><link>{story}</link></item>"
        rss = RSS.format(base=press.url("limansk"), items=items)
        new = press.page("/new.xml", rss, outlet="limansk", content_type="application/rss+xml")
        old = press.page("/old.xml", rss, content_type="application/rss+xml")
        redline("add", old)
        press.page("/old.xml", "", status=301, headers={"Location": "/between.xml"})
        press.page("/between.xml", "", status=308, headers={"Location": new})
        assert redline("crawl").returncode == 0
        press.requests.clear()
        assert redline("crawl", "--all").returncode == 0
        assert press.asked("/old.xml") == []
        assert len(press.asked("/new.xml", "limansk")) == 1
        listed = redline("feeds").stdout
        assert f"moved here from {old}" in listed
        assert new in listed


def test_f8_a_feed_with_relative_links_and_repeated_ids_gives_each_article_once(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    paths = ["/a", "/b", "/c"]
    for path in paths:
        write(press, path, f"Eleven boats sank at {path}.")
    items = "".join(
        f"<item><title>{path}</title><link>{path}</link><guid isPermaLink='false'>{guid}</guid></item>"
        for path, guid in [("/a", 1), ("/b", 2), ("/a", 1), ("/c", 2), ("/c", 3), ("/a", 4)]
    )
    rss = RSS.format(base=press.url("", ""), items=items)
    redline("add", press.page("/feed.xml", rss, content_type="application/rss+xml"))
    assert redline("crawl").returncode == 0
    assert redline("crawl", "--all").returncode == 0
    assert rows(tmp_path, "SELECT url FROM articles ORDER BY url") == [(press.url("", path),) for path in paths]
    assert rows(tmp_path, "SELECT entries FROM feeds") == [(5,)], "an id that stands for two addresses hides neither"
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(3,)]


# A faulty press

# What is wrong with one article in three, round after round, and whether its versions can be had all the same.
FAULTS: dict[str, bool] = {
    "out of order once a round": True,
    "asks for a second, 503": True,
    "asks for a second, 429": True,
    "slow": True,
    "moved": True,
    "out of order": False,
    "hangs": False,
    "reset": False,
    "cut short": False,
    "in a circle": False,
    "no gzip": False,
    "soft 404": False,
}


def spoil(press: Newsroom, path: str, fault: str) -> None:
    """Let a path go wrong in one of the ways of FAULTS, for a round."""
    match fault:
        case "out of order once a round":
            press.fault(path, status=500, times=1)
        case "asks for a second, 503":
            press.fault(path, status=503, headers={"Retry-After": "1"}, times=1)
        case "asks for a second, 429":
            press.fault(path, status=429, headers={"Retry-After": "1"}, times=1)
        case "slow":
            press.fault(path, delay=0.3)
        case "moved":
            press.fault(path, status=301, headers={"Location": f"/moved{path}"})
        case "out of order":
            press.fault(path, status=500)
        case "hangs":
            press.fault(path, delay=30)
        case "reset":
            press.fault(path, reset=True)
        case "cut short":
            press.fault(path, truncate=True)
        case "in a circle":
            press.fault(path, status=301, headers={"Location": path})
        case "no gzip":
            press.fault(path, headers={"Content-Encoding": "gzip"}, body=b"\x1f\x8b no gzip at all" * 9)
        case "soft 404":
            press.fault(path, body=STORMS["soft 404"][1])


def test_f7_a_faulty_press_loses_no_version_that_could_be_had_and_makes_none(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    faulty = {f"/story-{3 * n}": fault for n, fault in enumerate(FAULTS)}
    paths = [f"/story-{n}" for n in range(36)]
    redline("add", publish(press, paths))
    for number in range(5):
        press.mend()
        for place, path in enumerate(paths):
            # By turns one half is edited and the other: all at once would be a redesign.
            edits = (number + place % 2) // 2
            write(press, path, f"{edits + 11} boats sank.")
            write(press, f"/moved{path}", f"{edits + 11} boats sank.")
        for path, fault in faulty.items():
            spoil(press, path, fault)
        change(tmp_path, "UPDATE hosts SET backoff_until = NULL")
        crawled = redline("crawl", "--all", "-s", "DOWNLOAD_TIMEOUT=2")
        assert (crawled.returncode, crawled.stderr) == (0, "")
    found = rows(tmp_path, "SELECT url, versions FROM articles")
    versions = {"/" + str(url).split("/", 3)[3]: count for url, count in found}
    assert versions == {path: 3 if path not in faulty or FAULTS[faulty[path]] else 0 for path in paths}
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE state IN ('suspect', 'gone')") == [(1,)], "the soft 404"
    assert rows(tmp_path, "SELECT storm_since FROM hosts") == [(None,)]


def test_s27_what_a_storm_answers_is_told_without_secrets(press: Newsroom, redline: Command) -> None:
    paths = [f"/story-{n}" for n in range(9)]
    redline("add", publish(press, paths))
    redline("crawl")
    press.page("/", "<title>The Example</title><h1>The Example</h1>")
    for path in paths:
        press.page(path, "", status=302, headers={"Location": "/?access_token=opensesame"})
    crawled = redline("crawl", "--all")
    assert "it leads to the front page" in crawled.stderr
    assert "opensesame" not in crawled.stderr + redline("feeds").stdout
