"""What a person types, and what comes back."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crawler import feeds
from crawler.archive import Archive
from crawler.cli import COMMANDS, main
from crawler.items import Image
from demo.newsroom import Newsroom
from tests.conftest import FEED, URL, Command, listed, page, visit


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Path]:
    """An archive with one article in three versions."""
    path = tmp_path / "archive.db"
    with Archive(path) as archive:
        (article,) = listed(archive, URL)
        picture = Image(url="https://example.org/a.jpg", caption="The wall", credit="A. Lens")
        for hour, number in enumerate(["Eleven", "Twelve", "Eleven"]):
            text = f"{number} boats sank at <b>dawn</b>."
            archive.record(visit(article, hour, page(text, "A second paragraph.", images=(picture,))))
    return path


def run(archive: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["--archive", str(archive), *arguments])


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 3


def test_the_log_tells_what_was_changed_when_and_how_it_is_judged(told: Path) -> None:
    result = run(told, "log")
    latest, first = result.output.strip().split("\n\n")
    assert "[-Twelve-]{+Eleven+} boats sank" in latest
    assert "back to version 1" in latest
    assert "2026-03-01 between 12:00 and 13:00 UTC" in first
    assert "undated" in first


def test_the_log_as_json_is_one_object_a_line(told: Path) -> None:
    lines = run(told, "log", "--json").output.splitlines()
    change = json.loads(lines[0])
    assert len(lines) == 2
    assert (change["url"], change["number"], change["seen_at"]) == (URL, 3, "2026-03-01T14:00:00Z")


@pytest.mark.parametrize(
    ("since", "count"), [("2026-03-01T13:30Z", 1), ("2026-03-01", 2), ("2026-03-01T15:30+01:00", 0), ("30m", 0)]
)
def test_the_log_since_a_moment(told: Path, since: str, count: int) -> None:
    assert run(told, "log", "--since", since).output.count(URL) == count


def test_a_time_that_is_none_is_explained(told: Path) -> None:
    result = run(told, "log", "--since", "yesterdayish")
    assert result.exit_code == 2
    assert "2d" in result.output


def test_show_gives_the_text_of_any_version(told: Path) -> None:
    assert "Twelve boats sank" in run(told, "show", URL, "--version", "2").output
    latest = run(told, "show", URL + "/?utm_source=feed").output
    assert "Eleven boats sank" in latest
    assert "[picture] The wall (A. Lens)" in latest
    assert "* version 3: 2026-03-01 between 13:00 and 14:00 UTC" in latest
    missing = run(told, "show", URL, "--version", "9")
    assert (missing.exit_code, "it has 3 versions" in missing.output) == (1, True)


def test_diff_shows_the_latest_step_or_any_two_versions(told: Path) -> None:
    assert "[-Twelve-]{+Eleven+} boats sank" in run(told, "diff", URL).output
    assert "[-Eleven-]{+Twelve+} boats sank" in run(told, "diff", URL, "1", "2").output
    assert "[-" not in run(told, "diff", URL, "1", "3").output


def test_diff_in_every_format(told: Path) -> None:
    html = run(told, "diff", URL, "--format", "html").output
    assert re.search(r"<del[^>]*>.*Twelve</del>", html)
    assert "&lt;b&gt;dawn" in html
    assert json.loads(run(told, "diff", URL, "--format", "json").output)["words_added"] == 1
    assert "-Twelve boats" in run(told, "diff", URL, "--format", "unified").output


def test_search_finds_words_in_every_version(told: Path) -> None:
    found = run(told, "search", "twelve", "boats").output
    assert "from version 2" in found
    assert "gone in version 3" in found
    assert run(told, "search", "absent").output == "nothing found\n"


def test_what_is_not_there_is_said(told: Path) -> None:
    result = run(told, "show", "https://example.org/unheard-of")
    assert result.exit_code == 1
    assert "redline search" in result.output
    assert run(told.with_name("other.db"), "log").exit_code == 1


def test_s26_text_of_others_cannot_act_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    with Archive(path) as archive:
        (article,) = listed(archive, URL)
        for hour, text in enumerate(["calm", "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe"]):
            archive.record(visit(article, hour, page(text, headline=f"Head \x1b[31m{hour}")))
    outputs = [
        run(path, *arguments).output for arguments in (["log"], ["show", URL], ["diff", URL], ["search", "owned"])
    ]
    for output in outputs:
        assert "owned" in output
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", output)


def test_the_list_of_feeds_shows_how_they_fare(told: Path) -> None:
    assert "Example" in run(told, "feeds").output
    assert "paused" in run(told, "pause", FEED).output
    assert "paused" in run(told, "feeds").output
    assert run(told, "resume", "1").exit_code == 0
    assert "stay in the archive" in run(told, "remove", FEED).output
    assert "no feed is watched" in run(told, "feeds").output
    assert run(told, "remove", FEED).exit_code == 2


def test_opml_goes_out_and_comes_in(told: Path, tmp_path: Path) -> None:
    exported = CliRunner().invoke(main, ["--archive", str(told), "export", "--opml"])
    file = tmp_path / "feeds.opml"
    file.write_bytes(exported.stdout_bytes)
    fresh = tmp_path / "fresh.db"
    assert "1 feed added" in run(fresh, "import", str(file)).output
    assert "0 feeds added, 1 already on the list" in run(fresh, "import", str(file)).output
    file.write_text("not OPML")
    assert run(fresh, "import", str(file)).exit_code == 1


def test_the_feeds_that_come_along_are_a_dozen_in_several_scripts() -> None:
    links = feeds.read_opml((Path(__file__).parent.parent / "feeds.opml").read_bytes())
    assert len(links) >= 12
    assert "https://kyivindependent.com/feed/" in {link.url for link in links}
    assert sum(not link.title.isascii() for link in links) >= 3


def test_add_finds_the_feeds_of_a_site(newsroom: Newsroom, redline: Command) -> None:
    added = redline("add", newsroom.url("courier"))
    assert added.returncode == 0, added.stderr
    assert newsroom.feed("courier") in added.stdout
    again = redline("add", newsroom.feed("courier"))
    assert again.stdout.startswith("already watched")


def test_add_takes_a_page_without_feeds_as_a_list_of_articles(redline: Command) -> None:
    with Newsroom(outlets=()) as press:
        cards = "".join(
            f"<article><h3><a href='/2026/03/{n}-a-headline-of-several-words/'>A headline of several words, number {n}"
            f"</a></h3><p>What it is about.</p></article>"
            for n in range(8)
        )
        front = press.page("/news", f"<html><title>News</title><body><main>{cards}</main></body></html>")
        added = redline("add", front)
        assert (added.returncode, added.stdout) == (0, f"watching: News  {front}\n")


def test_add_says_what_it_looked_for_when_there_is_nothing(redline: Command) -> None:
    with Newsroom(outlets=()) as press:
        added = redline("add", press.page("/about", "<html><title>About</title><p>We are a bakery.</p></html>"))
        assert added.returncode == 1
        assert "no feed at" in added.stderr
        unreachable = redline("add", press.url("", "/nothing"))
        assert (unreachable.returncode, "404" in unreachable.stderr) == (1, True)


@pytest.mark.parametrize("address", ["ftp://example.org/feed", "javascript:alert(1)", "http://a@b\\c/"])
def test_s6_add_takes_web_addresses_only(redline: Command, address: str) -> None:
    added = redline("add", address)
    assert added.returncode == 2
    assert "no address of a web page" in added.stderr


def test_unmerge_says_what_is_merged_into_nothing(told: Path) -> None:
    result = run(told, "unmerge", URL)
    assert (result.exit_code, "merged into no other" in result.output) == (1, True)
