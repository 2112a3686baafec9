"""S26: what others wrote cannot act on the terminal of who reads it, whichever command prints it."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler.archive import Archive
from crawler.cli import logs, main
from crawler.items import Author, Entry, Feed, FeedCapture, FeedFormat, FeedLink, Headlines, Image, Notice, NoticeKind
from tests.conftest import FEED, at, page, visit

# Clears the screen, renames the window, moves the cursor (7 and 8 bit), hides what follows, turns letters round.
EVIL = "owned \x1b[2J\x1b]0;title\x07\x9b1A\x08\r\x7f \u202egnp.exe\u2066 \x1b[8m"
ACTING = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
HOST = "https://evil.example/2026/owned"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "archive.db"
    with Archive(path) as archive:
        feed, _ = archive.add_feed(FeedLink(url=FEED, title=EVIL), at(0))
        entry = Entry(id=EVIL, url=HOST, title=EVIL, summary=EVIL)
        seen = Feed(url=FEED, format=FeedFormat.RSS, title=EVIL, entries=(entry,))
        _, (article,) = archive.record_feed(
            FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(0), status=200, feed=seen)
        )
        for hour in range(3):
            article_text = page(
                f"{EVIL} {hour}. " * 3,
                headline=f"{EVIL} {hour}",
                description=EVIL,
                authors=(Author(name=EVIL, role=EVIL),),
                section=EVIL,
                tags=(EVIL,),
                headlines=Headlines(h1=EVIL, title=f"t {EVIL}", og=f"o {EVIL}", json_ld=f"j {EVIL}"),
                images=(Image(url=HOST, caption=EVIL, credit=EVIL),),
                notices=(Notice(kind=NoticeKind.CORRECTION, text=f"Correction: {EVIL} {hour}"),),
            )
            body = f"<title>{EVIL}</title><h1>{EVIL}</h1><p>{EVIL} {hour}</p>".encode()
            archive.record(visit(article.id, hour, article_text, url=HOST, body=body))
        archive.record(visit(article.id, 4, url=HOST, status=None, error=EVIL))
        archive.record_feed(FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(5), error=EVIL))
    return path


@pytest.mark.parametrize(
    "arguments",
    [
        "log", "log --json", "log --feed 1", f"show {HOST}", f"show {HOST} --version 1", f"diff {HOST}",
        f"diff {HOST} --format unified", f"diff {HOST} --format html", f"diff {HOST} --format json", "search owned",
        "feeds", "status", "status --json",
        "reextract", "verify", "pause 1", "resume 1", "export",
    ],
)  # fmt: skip
def test_s26_no_command_lets_a_text_act(hostile: Path, arguments: str) -> None:
    done = CliRunner().invoke(main, ["--archive", str(hostile), *arguments.split()])
    assert done.output
    assert not isinstance(done.exception, UnicodeError | AssertionError | KeyError | TypeError)
    assert not ACTING.search(done.output), repr(ACTING.search(done.output))


def test_s26_json_says_the_text_as_it_is(hostile: Path) -> None:
    done = CliRunner().invoke(main, ["--archive", str(hostile), "log", "--json", "-n", "1"])
    assert json.loads(done.stdout)["headline"] == f"{EVIL} 2"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_s26_an_extracted_page_cannot_act(tmp_path: Path, options: list[str]) -> None:
    paragraphs = "".join(f"<p>{EVIL} &#27;[2J &#155;1A&#8238; is a sentence of the article {n}.</p>" for n in range(9))
    (tmp_path / "page.html").write_text(f"<h1>{EVIL} the headline</h1>{paragraphs}", "utf-8")
    done = CliRunner().invoke(main, ["extract", *options, str(tmp_path / "page.html")])
    assert "owned" in done.output
    assert not ACTING.search(done.output), repr(ACTING.search(done.output))


@pytest.mark.parametrize("arguments", [["show", f"https://x.example/{EVIL}"], ["pause", EVIL], ["extract", f"/{EVIL}"]])
def test_s26_an_error_cannot_act_either(hostile: Path, arguments: list[str]) -> None:
    done = CliRunner().invoke(main, ["--archive", str(hostile), *arguments])
    assert done.exit_code
    assert "owned" in done.output
    assert not ACTING.search(done.output), repr(ACTING.search(done.output))


def test_s26_a_line_of_the_log_cannot_act() -> None:
    record = logging.LogRecord("redline", logging.WARNING, __file__, 1, "%s", (EVIL,), None)
    for formatter in (logs._Terminal, logs._Lines, logs._Json):
        assert not ACTING.search(formatter([]).format(record))
