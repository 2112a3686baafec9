"""What a run says, where and how; and the heartbeat at its end."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from crawler import urls
from crawler.cli import logs
from demo.newsroom import Newsroom
from tests.conftest import Command, command, crawl_environment


@pytest.fixture
def press() -> Iterator[Newsroom]:
    """A site with a feed of one article, a feed that fails, and a monitor."""
    with Newsroom(outlets=()) as site:
        text = "<p>A sentence that is long enough to stand for the prose of an article in a test.</p>" * 6
        site.page(
            "/a-story/", f"<html><title>A story</title><body><article><h1>A story of the day</h1>{text}</article>"
        )
        link = site.url("", "/a-story/")
        item = f"<item><title>A story</title><link>{link}</link></item>"
        site.page("/feed.xml", f"<rss version='2.0'><channel><title>Press</title>{item}</channel></rss>")
        site.page("/broken.xml", "<html><p>No feed.</p></html>", status=500)
        site.page("/ping/a-secret", "OK")
        site.page("/ping/a-secret/fail", "OK")
        yield site


@pytest.fixture
def watching(redline: Command, press: Newsroom) -> Command:
    assert redline("add", press.url("", "/feed.xml")).returncode == 0
    return redline


def with_a_broken_feed(redline: Command, press: Newsroom, tmp_path: Path) -> None:
    opml = tmp_path / "feeds.opml"
    opml.write_text(f"<opml version='2.0'><body><outline xmlUrl='{press.url('', '/broken.xml')}'/></body></opml>")
    assert redline("import", str(opml)).returncode == 0


def pings(press: Newsroom) -> list[str]:
    return [request.path for request in press.requests if request.path.startswith("/ping/")]


def test_a_run_is_silent_and_says_a_line_with_v(watching: Command) -> None:
    silent = watching("crawl")
    assert (silent.returncode, silent.stdout, silent.stderr) == (0, "", "")
    said = watching("crawl", "-v", "--all").stderr
    assert re.fullmatch(r"1 feed and 1 article visited in \d+ s: 1 (unchanged|not modified)\n", said)


def test_what_scrapy_says_comes_with_vv(watching: Command) -> None:
    said = watching("crawl", "-vv").stderr
    assert re.search(r"^\d\d:\d\d:\d\d \[scrapy\.core\.engine\] INFO: Spider opened$", said, re.MULTILINE)
    assert "DEBUG" not in said
    assert "DEBUG: Crawled (304)" in watching("crawl", "-vvv", "--all").stderr


def test_json_is_one_object_a_line_with_what_went_wrong(watching: Command, press: Newsroom, tmp_path: Path) -> None:
    with_a_broken_feed(watching, press, tmp_path)
    run = watching("crawl", "-v", "--log-format", "json")
    failed, ended = map(json.loads, run.stderr.splitlines())
    assert run.returncode == 3
    assert (failed["level"], failed["logger"], failed["event"]) == ("warning", "redline", "feed_failed")
    assert "broken.xml" in failed["message"]
    assert (ended["event"], ended["exit_code"], ended["counts"]["new"]) == ("ended", 3, 1)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", ended["time"])


def test_json_tells_of_a_run_that_could_not_begin_too(redline: Command) -> None:
    run = redline("crawl", "--log-format", "json")
    (line,) = map(json.loads, run.stderr.splitlines())
    assert (run.returncode, line["level"], line["exit_code"]) == (1, "error", 1)


def test_a_log_file_has_a_line_of_each_run_and_is_appended_to(watching: Command, tmp_path: Path) -> None:
    file = tmp_path / "redline.log"
    for _ in range(2):
        assert watching("crawl", "--log-file", str(file)).stderr == ""
    lines = file.read_text().splitlines()
    assert len(lines) == 2
    assert all(re.match(r"\d{4}-\d\d-\d\dT[\d:]{8}Z INFO redline: \d feed", line) for line in lines)
    file.rename(tmp_path / "redline.log.1")
    watching("crawl", "--log-file", str(file), "--log-format", "json")
    assert json.loads(file.read_text())["event"] == "ended"


def test_a_log_file_that_is_cut_back_while_it_is_open_is_written_from_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "redline.log"
    with begun(file=file) as log:
        log.info("before")
        file.write_text("")  # what logrotate's copytruncate does
        log.info("after")
    assert re.fullmatch(r"\S+ INFO redline: after\n", file.read_text())


def test_a_log_file_that_cannot_be_written_is_a_matter_of_usage(watching: Command) -> None:
    run = watching("crawl", "--log-file", "/nowhere/redline.log")
    assert (run.returncode, "--log-file" in run.stderr) == (2, True)


class begun:
    """Logging as a run has it, and pytest's own again afterwards."""

    def __init__(self, verbosity: int = 1, **arguments: object) -> None:
        self._begin = lambda: logs.begin(verbosity, **arguments)  # type: ignore[arg-type]

    def __enter__(self) -> logging.Logger:
        root = logging.getLogger()
        self._before, self._level, self._hook = list(root.handlers), root.level, sys.excepthook
        root.handlers.clear()
        self._begin()
        return logging.getLogger(logs.OURS)

    def __exit__(self, *error: object) -> None:
        root = logging.getLogger()
        for handler in root.handlers:
            handler.close()
        root.handlers[:], root.level, sys.excepthook = self._before, self._level, self._hook
        logging.disable(logging.NOTSET)
        logging.captureWarnings(False)


@pytest.mark.parametrize("form", ["text", "json"])
def test_s26_a_traceback_is_told_and_nothing_acts_on_a_terminal(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    with begun(form=form) as log:
        try:
            raise ValueError("\x1b[2J\x1b]0;owned\x07\u202e")
        except ValueError:
            log.exception("read \x1b[31m\u202egnp.exe", extra={"event": "bug"})
    said = capsys.readouterr().err
    assert "owned" in said
    assert "Traceback" in said
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", said)
    if form == "json":
        (line,) = said.splitlines()
        assert "ValueError" in json.loads(line)["traceback"]


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "secret", ["https://monitor.example/ping/a-secret", "https://m.example/a-secret?token=a-secret"]
)
def test_s27_a_secret_stands_in_no_line(
    form: str, secret: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    address = "https://ada:a-secret@example.org/feed?api_key=a-secret"
    with begun(3, form=form, file=tmp_path / "log", secrets=[secret]) as log:
        try:
            raise ValueError(f"{secret}/fail {address}")
        except ValueError:
            log.exception("asked for %s and %s", secret, address, extra={"mend": f"see {address}"})
        logging.getLogger("scrapy.core.engine").debug("Crawled (200) <GET %s>", urls.without_secrets(secret))
    said = capsys.readouterr().err + (tmp_path / "log").read_text()
    assert "a-secret" not in said
    assert said.count("[secret]") >= 6


def test_a_bar_is_drawn_on_a_terminal_with_a_rate_and_what_is_left(watching: Command, tmp_path: Path) -> None:
    ours, its = pty.openpty()
    arguments = [command(), "crawl", "-s", "DOWNLOAD_DELAY=0.3"]
    environment = crawl_environment() | {"TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(arguments, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=its) as running:
        os.close(its)
        drawn = b""
        # A terminal whose other end was closed reads as an error.
        with contextlib.suppress(OSError):
            while more := os.read(ours, 4096):
                drawn += more
        assert running.wait(timeout=60) == 0
    os.close(ours)
    told = drawn.decode()
    assert re.search(r"crawl.*1/2.*new", told)
    assert re.search(r"\d/s", told)
    assert "-:--:--" in told or re.search(r"0:00:\d\d", told)


# The heartbeat --------------------------------------------------------------------------------------------------------


def test_a_run_sends_a_heartbeat_though_feeds_may_fail(watching: Command, press: Newsroom, tmp_path: Path) -> None:
    url = press.url("", "/ping/a-secret")
    assert watching("crawl", "--heartbeat", url).returncode == 0
    with_a_broken_feed(watching, press, tmp_path)
    assert watching("crawl", REDLINE_HEARTBEAT=url).returncode == 3
    assert pings(press) == ["/ping/a-secret", "/ping/a-secret"]


def test_a_failed_run_sends_another_and_says_no_secret(watching: Command, press: Newsroom, tmp_path: Path) -> None:
    url = press.url("", "/ping/a-secret")
    with sqlite3.connect(tmp_path / "archive.db") as connection:
        connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON captures BEGIN SELECT raise(ROLLBACK, 'disk is full'); END"
        )
    full = watching("crawl", "-vvv", "--heartbeat", url)
    assert (full.returncode, pings(press)) == (1, ["/ping/a-secret/fail"])
    (tmp_path / "archive.db").write_bytes(b"no archive" * 100)
    damaged = watching("crawl", "-vvv", "--heartbeat", url)
    assert (damaged.returncode, pings(press)) == (1, ["/ping/a-secret/fail"] * 2)
    assert "a-secret" not in full.stderr + damaged.stderr


def test_a_wrong_setting_sends_no_heartbeat(watching: Command, press: Newsroom, tmp_path: Path) -> None:
    (tmp_path / "sites.toml").write_text("nonsense")
    run = watching(
        "crawl", REDLINE_HEARTBEAT=press.url("", "/ping/a-secret"), REDLINE_SITES=str(tmp_path / "sites.toml")
    )
    assert (run.returncode, pings(press)) == (2, [])


@pytest.mark.parametrize("path", ["/nowhere", "/ping/a-secret"])
def test_a_heartbeat_that_fails_fails_nothing_and_is_said_with_v(watching: Command, press: Newsroom, path: str) -> None:
    closed = "" if path == "/nowhere" else "10.0.0.0/8"  # the guard of a crawl: our own network is not opened
    allowed = {"REDLINE_ALLOW_NETWORKS": closed} if closed else {}
    silent = watching("crawl", "--heartbeat", press.url("", path), **allowed)
    assert silent.returncode == (3 if closed else 0)
    assert "heartbeat" not in silent.stderr
    told = watching("crawl", "-v", "--heartbeat", press.url("", path), **allowed)
    assert "heartbeat" in told.stderr
    assert pings(press) == []


def test_a_heartbeat_is_a_web_address(watching: Command) -> None:
    assert watching("crawl", "--heartbeat", "file:///etc/passwd").returncode == 2


def test_a_run_that_is_ended_by_a_signal_sends_no_heartbeat(watching: Command, press: Newsroom, tmp_path: Path) -> None:
    arguments = ["crawl", "-vv", "--heartbeat", press.url("", "/ping/a-secret"), "-s", "DOWNLOAD_DELAY=30"]
    with subprocess.Popen(
        [command(), *arguments], cwd=tmp_path, env=crawl_environment(), stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stderr
        for line in running.stderr:
            if "Spider opened" in line:
                running.send_signal(signal.SIGTERM)
                break
        running.stderr.read()
        assert running.wait(timeout=60) == 0
    assert pings(press) == []
