"""The bundled newsroom keeps its promises: the other tests, and the demonstration, lean on them."""

from __future__ import annotations

import errno
import gzip
import html
import http.client
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import closing
from email.message import Message
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

import demo.newsroom
from demo import pages
from demo.check import Report, compare
from demo.newsroom import Newsroom
from demo.press import OUTLETS, ROUNDS, load

WALL = "/harbour-wall-repair-bill/"
FERRY = "/night-ferry-returns/"
FURNITURE = ("Advertisement:", "Реклама:", "広告", "この記事は")


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, Message, bytes]:
    """Return the status, headers and body of one request on a connection of its own; no redirect is followed."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request(
            method,
            parts.path + (f"?{parts.query}" if parts.query else ""),
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def text(url: str) -> str:
    return get(url)[2].decode()


def words(markup: str) -> str:
    """Return the text of some HTML, its spacing evened out."""
    return re.sub(r"[ \t\n]+", " ", html.unescape(re.sub(r"<[^>]+>", "", markup)))


def paragraphs(page: str) -> list[str]:
    """Return the paragraphs of a page's text, and of the boxes around it."""
    return [words(found).strip() for found in re.findall(r"(?s)<p(?: class=\"c-paragraph[^\"]*\")?>(.*?)</p>", page)]


# ---------------------------------------------------------------------------------------------------- the press


def test_each_outlet_has_an_address_of_its_own_or_at_least_a_port(newsroom):
    assert len({urlsplit(newsroom.url(name)).netloc for name in OUTLETS}) == len(OUTLETS)


def test_on_one_address_each_outlet_has_its_own_port():
    with Newsroom(host="127.0.0.1") as newsroom:
        assert {urlsplit(newsroom.url(name)).hostname for name in OUTLETS} == {"127.0.0.1"}
        assert [get(newsroom.feed(name))[0] for name in OUTLETS] == [200, 200, 200]


def test_where_there_is_one_loopback_address_alone_it_is_shared(monkeypatch):
    def bound_as_on_macos(host: str, port: int) -> socket.socket:
        if host != "127.0.0.1":
            raise OSError(errno.EADDRNOTAVAIL, "Can't assign requested address")
        return listener(host, port)

    listener = demo.newsroom._listener
    monkeypatch.setattr("demo.newsroom._listener", bound_as_on_macos)
    with Newsroom() as newsroom:
        assert [get(newsroom.feed(name))[0] for name in OUTLETS] == [200, 200, 200]


@pytest.mark.parametrize("outlet", OUTLETS)
def test_a_front_page_announces_the_feed_and_the_feed_lists_articles_that_exist(newsroom, outlet):
    front = text(newsroom.url(outlet))
    assert f'href="{newsroom.feed(outlet)}"' in re.search(r"<link rel=\"alternate\"[^>]*>", front)[0]
    feed = text(newsroom.feed(outlet))
    for story in load(outlet).stories_at(0):
        assert newsroom.url(outlet, story.path) in feed
        assert get(newsroom.url(outlet, story.path))[0] == 200


def test_each_feed_is_in_a_format_of_its_own(newsroom):
    assert ET.fromstring(text(newsroom.feed("courier"))).tag == "rss"
    assert ET.fromstring(text(newsroom.feed("limansk"))).tag == "{http://www.w3.org/2005/Atom}feed"
    assert json.loads(text(newsroom.feed("shiomi")))["version"] == "https://jsonfeed.org/version/1.1"


@pytest.mark.parametrize("outlet", OUTLETS)
def test_the_json_ld_of_every_article_can_be_read(newsroom, outlet):
    for story in load(outlet).stories_at(0):
        page = text(newsroom.url(outlet, story.path))
        for script in re.findall(r"<script type=\"application/ld\+json\"[^>]*>(.*?)</script>", page, re.DOTALL):
            assert json.loads(script)["@context"] == "https://schema.org"


def test_the_section_page_leads_to_every_article_behind_show_more(newsroom):
    first = text(newsroom.url("courier", "/news-feed/"))
    more = re.search(r"href=\"([^\"]+)\" rel=\"next\">Show more<", first)[1]
    second = text(newsroom.url("courier", more))
    linked = re.findall(r"class=\"c-feed__link\" href=\"([^\"]+)\"", first + second)
    assert sorted(linked) == sorted(story.path for story in load("courier").stories_at(0))
    assert "Show more" not in second


def test_an_article_in_arabic_runs_from_right_to_left(newsroom):
    page = text(newsroom.url("limansk", "/ar/2026/03/10/layali-al-mina/"))
    assert '<html lang="ar" dir="rtl"' in page


# ---------------------------------------------------------------------------------------------------- the rounds


def test_every_text_edit_is_on_the_page_from_its_round_on_and_not_before(newsroom):
    for edit in newsroom.truth:
        if not edit.is_text or edit.kind == "move":
            continue
        newsroom.round = edit.round - 1
        before = words(text(newsroom.url(edit.outlet, edit.path)))
        newsroom.round = edit.round
        after = words(text(newsroom.url(edit.outlet, edit.path)))
        assert (edit.old in before, edit.new in before) == (True, False), edit
        assert edit.new in after, edit


def test_a_moved_paragraph_keeps_its_words(newsroom):
    (move,) = [edit for edit in newsroom.truth if edit.kind == "move" and edit.outlet == "courier"]
    before, after = (story_blocks("courier", move.path, round) for round in (move.round - 1, move.round))
    assert before != after
    assert sorted(before) == sorted(after)


def story_blocks(outlet: str, path: str, round: int) -> tuple[str, ...]:
    (story,) = [story for story in load(outlet).stories_at(round) if story.path == path]
    return story.blocks


def test_only_the_articles_of_the_truth_change_their_text():
    for outlet in map(load, OUTLETS):
        for before, after in pairwise(range(ROUNDS)):
            planned = {edit.path for edit in outlet.edits() if edit.round == after and edit.is_text}
            told = [{story.path: reader_sees(story) for story in outlet.stories_at(round)} for round in (before, after)]
            assert {path for path in told[0].keys() & told[1].keys() if told[0][path] != told[1][path]} == planned


def reader_sees(story) -> tuple[object, ...]:
    return story.headline, story.standfirst, story.author, story.figure, story.blocks, story.notice


def test_the_noise_changes_the_bytes_of_each_page_and_no_word_of_its_text():
    """Advertisements, counters, related links, nonces, entities and line breaks: none of them is an edit."""
    for outlet in map(load, OUTLETS):
        edited = {edit.path for edit in outlet.edits() if edit.round == 2}
        for story in outlet.stories_at(2):
            if story.path in edited:
                continue
            before, after = (pages.answer(outlet, "http://h", story.path, round).body.decode() for round in (1, 2))
            assert before != after
            told = [[text for text in paragraphs(page) if not text.startswith(FURNITURE)] for page in (before, after)]
            assert told[0] == told[1]
            assert len(told[0]) >= len([block for block in story.blocks if not block.startswith(("##", ">"))])


def test_a_stealth_edit_leaves_the_printed_date_and_a_dated_one_moves_it(newsroom):
    def printed_dates(outlet: str, path: str) -> set[str]:
        return set(re.findall(r"\"dateModified\": ?\"([^\"]+)\"", text(newsroom.url(outlet, path))))

    stealth, dated = (
        next(edit for edit in newsroom.truth if edit.verdict == verdict) for verdict in ("stealth", "dated")
    )
    before = [printed_dates(edit.outlet, edit.path) for edit in (stealth, dated)]
    newsroom.round = 1
    after = [printed_dates(edit.outlet, edit.path) for edit in (stealth, dated)]
    assert before[0] == after[0] != set()
    assert before[1] != after[1]


def test_a_declared_edit_prints_its_notice(newsroom):
    newsroom.round = 2
    assert "Correction, 10 March" in text(newsroom.url("courier", FERRY))


def test_the_last_round_removes_moves_and_publishes_an_article(newsroom):
    def shown(outlet: str, path: str) -> tuple[int, str | None]:
        status, headers, _ = get(newsroom.url(outlet, path))
        return status, headers["Location"]

    removed, moved, published = (
        next(edit for edit in newsroom.truth if edit.kind == kind) for kind in ("removed", "moved", "published")
    )
    assert shown(published.outlet, published.path) == (404, None)
    newsroom.round = 3
    assert shown(removed.outlet, removed.path) == (410, None)
    assert shown(moved.outlet, moved.old) == (301, newsroom.url(moved.outlet, moved.new))
    assert shown(moved.outlet, moved.new) == (200, None)
    assert shown(published.outlet, published.path) == (200, None)
    assert removed.path not in text(newsroom.feed(removed.outlet))
    assert published.path in text(newsroom.feed(published.outlet))


def test_an_edit_that_does_not_fit_its_text_is_named_when_it_is_read(tmp_path, monkeypatch):
    folder = tmp_path / "courier"
    (folder / "stories").mkdir(parents=True)
    source = load("courier").folder
    (folder / "outlet.toml").write_bytes((source / "outlet.toml").read_bytes())
    story = (source / "stories" / "harbour-wall.toml").read_text(encoding="utf-8")
    (folder / "stories" / "wall.toml").write_text(story.replace('old = "£4.2 million"', 'old = "£9"'), encoding="utf-8")
    monkeypatch.setattr("demo.press.OUTLETS_DIR", tmp_path)
    with pytest.raises(ValueError, match="courier/wall, round 1, number: the text has no '£9'"):
        load("courier")


# ---------------------------------------------------------------------------------------------------- HTTP


@pytest.mark.parametrize(("asks", "given"), [("If_None_Match", "ETag"), ("If_Modified_Since", "Last-Modified")])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_a_page_that_is_the_same_is_a_304_without_a_body(newsroom, asks, given, encoding):
    url = newsroom.url("courier", WALL)
    _, headers, _ = get(url, Accept_Encoding=encoding)
    same = {asks: headers[given], "Accept_Encoding": encoding}
    status, again, body = get(url, **same)
    assert (status, body) == (304, b"")
    assert again["ETag"] == headers["ETag"]
    newsroom.round = 1
    assert get(url, **same)[0] == 200


def test_a_page_is_compressed_for_those_who_accept_it(newsroom):
    _, headers, body = get(newsroom.url("courier", WALL), Accept_Encoding="gzip, deflate")
    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == get(newsroom.url("courier", WALL))[2]


def test_head_gives_the_headers_alone(newsroom):
    status, headers, body = get(newsroom.url("courier", WALL), method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["Content-Length"]) == len(get(newsroom.url("courier", WALL))[2])


def test_one_connection_serves_many_requests_and_each_is_kept(newsroom):
    connection = http.client.HTTPConnection(urlsplit(newsroom.url("courier")).netloc, timeout=10)
    for path in (WALL, FERRY, "/nowhere/?a=b"):
        connection.request("GET", path, headers={"User-Agent": "Redline-test"})
        connection.getresponse().read()
    connection.close()
    assert [(request.path, request.status) for request in newsroom.requests] == [
        (WALL, 200),
        (FERRY, 200),
        ("/nowhere/?a=b", 404),
    ]
    assert {request.headers["user-agent"] for request in newsroom.requests} == {"Redline-test"}
    assert newsroom.asked("/nowhere/", "courier")[0].outlet == "courier"
    assert [later.time >= earlier.time for earlier, later in pairwise(newsroom.requests)] == [True, True]


def test_a_query_does_not_hide_an_article(newsroom):
    assert get(newsroom.url("courier", WALL) + "?utm_source=rss")[0] == 200


# ---------------------------------------------------------------------------------------------------- own pages


def test_a_test_may_add_a_page_replace_it_and_get_true_validators(newsroom):
    url = newsroom.page("/extra/", "<h1>One</h1>", outlet="shiomi")
    _, first, _ = get(url)
    assert get(url, If_None_Match=first["ETag"])[0] == 304
    newsroom.page("/extra/", "<h1>Two</h1>", outlet="shiomi")
    assert get(url, If_None_Match=first["ETag"])[::2] == (200, b"<h1>Two</h1>")


def test_a_page_may_be_anything(newsroom):
    robots = newsroom.page("/robots.txt", "User-agent: *\nDisallow: /\n", content_type="text/plain")
    assert get(robots)[2].endswith(b"Disallow: /\n")
    detour = newsroom.page("/old/", b"", status=302, headers={"Location": "/new/"})
    status, headers, _ = get(detour)
    assert (status, headers["Location"]) == (302, "/new/")
    plain = newsroom.page("/plain/?page=2", "x", validators=False)
    assert get(plain)[1]["ETag"] is None


def test_a_newsroom_without_outlets_serves_own_pages_alone():
    with Newsroom(outlets=()) as newsroom:
        assert get(newsroom.page("/a", "x"))[0] == 200
        assert get(newsroom.url("", "/b"))[0] == 404


# ---------------------------------------------------------------------------------------------------- faults


@pytest.mark.parametrize("status", [403, 404, 410, 429, 500, 503])
def test_a_fault_gives_a_status_so_many_times_and_then_the_page(newsroom, status):
    newsroom.fault(WALL, status=status, headers={"Retry-After": "7"}, times=2)
    answers = [get(newsroom.url("courier", WALL)) for _ in range(3)]
    assert [answer[0] for answer in answers] == [status, status, 200]
    assert answers[0][1]["Retry-After"] == "7"
    assert answers[2][1]["Retry-After"] is None


def test_faults_of_one_path_are_played_in_order(newsroom):
    newsroom.fault(WALL, status=500, times=1)
    newsroom.fault(WALL, status=429, times=1)
    assert [get(newsroom.url("courier", WALL))[0] for _ in range(3)] == [500, 429, 200]


def test_a_fault_lasts_until_it_is_mended(newsroom):
    newsroom.fault("/", status=500, outlet="limansk")
    assert [get(newsroom.url(name))[0] for name in OUTLETS] == [200, 500, 200]
    newsroom.mend("/")
    assert get(newsroom.url("limansk"))[0] == 200


def test_a_fault_may_put_another_body_under_the_same_status(newsroom):
    newsroom.fault(WALL, body="<title>Just a moment...</title>", times=1)
    status, headers, body = get(newsroom.url("courier", WALL))
    assert (status, body, headers["ETag"]) == (200, b"<title>Just a moment...</title>", None)


def test_a_truncated_body_is_shorter_than_was_promised(newsroom):
    newsroom.fault(WALL, truncate=True, times=1)
    with pytest.raises(http.client.IncompleteRead) as error:
        get(newsroom.url("courier", WALL))
    assert 0 < len(error.value.partial) <= error.value.expected + 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [({"close": True}, http.client.RemoteDisconnected), ({"reset": True}, ConnectionResetError)],
)
def test_a_connection_may_end_without_an_answer(newsroom, fault: Mapping[str, bool], error: type[Exception]):
    newsroom.fault(WALL, times=1, **fault)
    with pytest.raises(error):
        get(newsroom.url("courier", WALL))
    assert newsroom.asked(WALL)[0].status == 0


def test_a_delayed_answer_keeps_no_other_request_waiting_nor_the_end(newsroom):
    newsroom.fault(WALL, delay=3600)
    parts = urlsplit(newsroom.url("courier"))
    with socket.create_connection((parts.hostname, parts.port)) as waiting:
        waiting.sendall(f"GET {WALL} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        start = time.monotonic()
        assert get(newsroom.url("courier", FERRY))[0] == 200
        assert time.monotonic() - start < 60


# ---------------------------------------------------------------------------------------------------- the check


STARTS = [f"2026-03-10T1{2 + round}:00:00Z" for round in range(ROUNDS)]
WALL_URL = f"http://courier{WALL}"


@pytest.fixture
def true_archive(tmp_path) -> Path:
    """As much of an archive as the check reads, holding just what the Courier did."""
    path = tmp_path / "archive.db"
    outlet = load("courier")
    with closing(sqlite3.connect(path)) as db, db:
        db.executescript(
            """
            CREATE TABLE articles (id INTEGER PRIMARY KEY, url);
            CREATE TABLE urls (article_id, url);
            CREATE TABLE captures (article_id, captured_at, outcome);
            CREATE TABLE versions (id INTEGER PRIMARY KEY, article_id, number, first_seen, headline, description,
                                   authors, image_ids);
            CREATE TABLE version_text (version_id, text);
            CREATE TABLE changes (version_id, verdict);
            CREATE TABLE images (id INTEGER PRIMARY KEY, caption);
            """
        )
        for number, story in enumerate(outlet.stories, start=1):
            db.execute("INSERT INTO articles VALUES (?, ?)", (number, f"http://courier{story.path}"))
            rounds = {edit.round: edit for edit in story.edits()}
            for place, round in enumerate(sorted({story.first_round, *rounds}), start=1):
                told = story.at(round)
                assert told
                if told.is_removed:
                    db.execute("INSERT INTO captures VALUES (?, ?, 'gone')", (number, STARTS[round]))
                    continue
                authors = json.dumps([{"name": told.author}])
                row = (number, place, STARTS[round], told.headline, told.standfirst, authors, "[]")
                version = db.execute(
                    "INSERT INTO versions (article_id, number, first_seen, headline, description, authors, image_ids)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    row,
                ).lastrowid
                blocks = [block.removeprefix("## ").removeprefix("> ") for block in told.blocks]
                db.execute("INSERT INTO version_text VALUES (?, ?)", (version, "\n\n".join(blocks)))
                if place > 1:
                    db.execute("INSERT INTO changes VALUES (?, ?)", (version, rounds[round].verdict))
    return path


def held_against_the_truth(archive: Path, *spoiling: str) -> Report:
    with closing(sqlite3.connect(archive)) as db, db:
        for statement in spoiling:
            db.execute(statement)
    return compare(archive, load("courier").edits(), STARTS, lambda outlet, path: f"http://{outlet}{path}")


def test_the_check_accepts_an_archive_that_tells_what_was_done(true_archive):
    report = held_against_the_truth(true_archive)
    assert report.closing_line == "7 edits planned, 7 found, 0 invented"
    assert report.is_true


@pytest.mark.parametrize(
    ("spoiling", "fault"),
    [
        ("DELETE FROM versions WHERE first_seen LIKE '%T13:%'", "no version of round 1"),
        ("UPDATE changes SET verdict = 'undated'", "called undated, and was stealth"),
        (
            "UPDATE version_text SET text = replace(text, '58 seats', '57 seats')",
            "the new words are not in the new version",
        ),
        ("UPDATE version_text SET text = 'Another text'", "the paragraph is not found elsewhere"),
        ("DELETE FROM captures", "no visit of round 3 is recorded as gone"),
        (
            f"UPDATE articles SET url = 'http://elsewhere/' WHERE url = '{WALL_URL}'",
            "the archive does not know the article",
        ),
    ],
)
def test_the_check_names_what_an_archive_missed(true_archive, spoiling, fault):
    report = held_against_the_truth(true_archive, spoiling)
    assert not report.is_true
    assert any(finding.fault.startswith(fault) for finding in report.findings)


def test_the_check_names_what_an_archive_made_up(true_archive):
    report = held_against_the_truth(
        true_archive,
        "INSERT INTO versions (article_id, number, first_seen, headline, description, authors, image_ids)"
        f" SELECT id, 3, '{STARTS[2]}', 'Subscribe now', '', '[]', '[]' FROM articles WHERE url = '{WALL_URL}'",
        "INSERT INTO version_text SELECT max(id), 'Half-price oysters' FROM versions",
    )
    assert report.closing_line.endswith("7 found, 1 invented")
    assert report.invented == [f"round 2: {WALL_URL}"]


# ---------------------------------------------------------------------------------------------------- the demonstration


def test_the_demonstration_finds_every_edit_and_invents_none(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(Path(demo.__file__).parent.parent)}
    run = subprocess.run(
        [sys.executable, "-m", "demo"], cwd=tmp_path, env=environment, capture_output=True, text=True, encoding="utf-8"
    )
    assert "16 edits planned, 16 found, 0 invented" in run.stdout, run.stdout + run.stderr
    assert (run.returncode, run.stderr) == (0, "")
    assert "is not a public address" in run.stdout
    assert "\033[" not in run.stdout
