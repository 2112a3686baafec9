"""The pages over a small archive, asked through Datasette's own client, as a browser would."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import feedparser
import pytest

from crawler.archive import Archive
from crawler.browse import figures
from crawler.items import FeedCapture
from tests.browse.conftest import HOME, OTHER, Browser, links, text
from tests.conftest import FEED, URL, at, listed, page, visit


def test_the_latest_change_is_first_and_leads_to_its_difference(browser: Browser) -> None:
    tree = browser.page(HOME)
    assert text(tree, ".verdict")[:2] == ["declared", "undated"]
    assert f"{HOME}/article/1?from=2&to=3#difference" in links(tree)


def test_an_article_shows_each_version_and_what_it_changed(browser: Browser) -> None:
    tree = browser.page(f"{HOME}/article/1")
    assert [head.split()[:2] for head in text(tree, ".step-head")] == [["Version", str(n)] for n in (3, 2, 1)]
    assert "Correction: the bill was misstated." in " ".join(text(tree, "ins"))


@pytest.mark.parametrize("mode", ["inline", "side-by-side", "changes"])
def test_any_two_versions_are_compared_in_each_mode(browser: Browser, mode: str) -> None:
    tree = browser.page(f"{HOME}/article/1?from=1&to=2&mode={mode}")
    assert "4.2" in " ".join(text(tree, "del"))
    assert "6.8" in " ".join(text(tree, "ins"))
    assert tree.xpath("//select[@name='mode']/option[@selected]/@value") == [mode]


def test_a_version_reads_as_it_read_then(browser: Browser) -> None:
    tree = browser.page(f"{HOME}/article/1/1")
    assert text(tree, "h1") == ["Minister resigns"]
    assert text(tree, ".paragraph") == ["The bill would reach 4.2 million.", "Nobody answered."]


@pytest.mark.parametrize("path", ["/article/99", "/article/1/9", "/article/1?from=1&to=9", "/nothing"])
def test_what_is_not_there_is_a_404(browser: Browser, path: str) -> None:
    browser.get(HOME + path, 404)


def test_pages_of_ours_have_a_policy_that_runs_nothing_of_others(browser: Browser) -> None:
    policy = browser.get(f"{HOME}/article/1").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_who_may_not_see_the_database_sees_no_page_of_it(written: Archive, opened: Callable[..., Browser]) -> None:
    closed = {"databases": {"archive": {"allow": {"id": "root"}}}}
    browser = opened(written.path, metadata=closed)
    browser.get("/archive", 403)
    browser.get(HOME, 403)
    browser.get(f"{HOME}/article/1", 403)


def test_links_stay_under_the_path_at_which_datasette_stands(written: Archive, opened: Callable[..., Browser]) -> None:
    browser = opened(written.path, settings={"base_url": "/press/"})
    own = [link for link in links(browser.page(f"{HOME}/article/1")) if not urlsplit(link).netloc and link[0] == "/"]
    assert own
    assert all(link.startswith("/press/") for link in own)


def test_a_crawl_may_write_while_pages_are_read(browser: Browser, written: Archive) -> None:
    browser.get(HOME)
    written.record(visit(2, 5, page("Ships went.", headline="Harbour closes"), url=OTHER))
    assert "closes" in " ".join(text(browser.page(HOME), "ins"))
    assert at(5).strftime("%H:%M") in browser.get(f"{HOME}/article/2").text


# Lists


def shown(browser: Browser, **query: object) -> list[str]:
    """Return which differences a list of changes links to, as `article/old..new`."""
    response = browser.get(f"{HOME}/changes?{urlencode(query)}")
    found = re.findall(r"/article/(\d+)\?from=(\d+)&amp;to=(\d+)", response.text)
    return list(dict.fromkeys(f"{article}/{old}..{new}" for article, old, new in found))


def test_a_live_blog_is_one_line_of_a_day(browser: Browser, written: Archive) -> None:
    for number in range(30):
        post = page(f"Ships came, {number} of them.", headline="Harbour opens")
        written.record(visit(2, 5 + number / 60, post, url=OTHER))
    tree = browser.page(f"{HOME}/changes")
    assert len(tree.xpath("//li[@class='edit']")) == 2
    assert "and 29 other edits that day" in text(tree, "summary")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, ["1/2..3", "1/1..2"]),
        ({"verdict": "declared"}, ["1/2..3"]),
        ({"kind": "number"}, ["1/1..2"]),
        ({"weight": "60"}, ["1/2..3"]),
        ({"outlet": "example.org"}, ["1/2..3", "1/1..2"]),
        ({"outlet": "example.com"}, []),
        ({"since": "2026-03-02"}, []),
        ({"until": "2026-03-01"}, ["1/2..3", "1/1..2"]),
        ({"words": "6.8"}, ["1/1..2"]),
        ({"words": "misstated"}, ["1/2..3"]),
        ({"words": "nobody"}, []),
        ({"verdict": "nonsense", "weight": "x", "since": "0000-99-99", "before": "x"}, ["1/2..3", "1/1..2"]),
    ],
)
def test_a_list_is_narrowed_by_its_address(browser: Browser, query: dict[str, str], expected: list[str]) -> None:
    assert shown(browser, **query) == expected


def test_what_was_chosen_stands_in_the_form(browser: Browser) -> None:
    tree = browser.page(f"{HOME}/changes?verdict=declared&words=misstated&since=2026-03-01&weight=25")
    fields = {field.get("name"): field for field in tree.xpath("//form[@class='filters']//*[@name]")}
    assert {name: fields[name].value for name in ("verdict", "words", "since", "weight")} == {
        "verdict": "declared",
        "words": "misstated",
        "since": "2026-03-01",
        "weight": "25",
    }


def test_pages_of_a_list_follow_one_another_without_a_gap(browser: Browser, written: Archive) -> None:
    (other,) = listed(written, "https://example.org/many")
    for day in range(70):
        written.record(visit(other, 24 * (day + 2), page(f"It is day {day}."), url="https://example.org/many"))
    address, seen = f"{HOME}/changes", list[str]()
    while address:
        tree = browser.page(address)
        seen += [link for link in links(tree) if "#difference" in link and f"/article/{other}?" in link]
        (address,) = tree.xpath("//a[@rel='next']/@href") or [""]
    assert [int(re.search(r"to=(\d+)", link)[1]) for link in dict.fromkeys(seen)] == list(range(70, 1, -1))  # type: ignore[index]


def test_changes_that_are_held_back_are_not_told(browser: Browser, written: Archive) -> None:
    connection = sqlite3.connect(written.path)
    with connection:
        connection.execute("INSERT INTO crawls (id, started_at) VALUES (1, '2026-03-01T13:00:00Z')")
        connection.execute("INSERT INTO holds VALUES (1, 1, 1, '2026-03-01T13:00:00Z', 9, 8, NULL, NULL)")
        connection.execute("UPDATE changes SET hold_id = 1 WHERE id = 1")
    connection.close()
    assert shown(browser) == ["1/2..3"]
    assert "Held back:" in browser.get(HOME).text
    assert "held back" in browser.get(f"{HOME}/article/1").text


# Feeds of changes


def test_the_same_list_is_an_atom_feed_with_the_difference_inside(browser: Browser) -> None:
    response = browser.get(f"{HOME}/changes.atom?verdict=declared")
    feed = feedparser.parse(response.content)
    assert response.headers["content-type"].startswith("application/atom+xml")
    assert not feed.bozo
    (entry,) = feed.entries
    assert entry.id == "tag:example.org,2026-03-01:redline/1/3"
    assert entry.link.endswith(f"{HOME}/article/1?from=2&to=3#difference")
    assert "<ins" in entry.content[0].value
    assert "Correction: the bill was misstated." in entry.content[0].value


def test_the_same_list_is_a_json_feed(browser: Browser) -> None:
    feed = browser.get(f"{HOME}/changes.json").json()
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert [item["id"] for item in feed["items"]] == [
        "tag:example.org,2026-03-01:redline/1/3",
        "tag:example.org,2026-03-01:redline/1/2",
    ]
    assert feed["items"][0]["external_url"] == URL


# Search


@pytest.mark.parametrize("query", ["4.2 million", "bill reach", '"bill would reach 4.2"', "BILL"])
def test_words_of_any_version_are_found_and_marked(browser: Browser, query: str) -> None:
    tree = browser.page(f"{HOME}/search?{urlencode({'q': query})}")
    assert text(tree, "h2") == ["Minister resigns"]
    assert text(tree, "mark")


def test_a_search_tells_with_which_version_words_went(browser: Browser) -> None:
    (life,) = browser.page(f"{HOME}/search?q=4.2").xpath("//ul[@class='lives']/li")
    assert "Stood there from version 1, gone with version 2" in " ".join(life.text_content().split())
    (life,) = browser.page(f"{HOME}/search?q=6.8").xpath("//ul[@class='lives']/li")
    assert "Stands there since version 2" in " ".join(life.text_content().split())


def test_words_that_came_back_have_two_lives(browser: Browser, written: Archive) -> None:
    for hour, said in enumerate(["Ships went.", "Ships came."]):
        written.record(visit(2, 3 + hour, page(said, headline="Harbour opens"), url=OTHER))
    assert len(browser.page(f"{HOME}/search?q=came").xpath("//ul[@class='lives']/li")) == 2


def test_scripts_without_spaces_are_searched(browser: Browser, written: Archive) -> None:
    (article,) = listed(written, "https://example.jp/1")
    japanese = page("市立水族館の入館者が多い。", headline="水族館", language="ja")
    written.record(visit(article, 3, japanese, url="https://example.jp/1"))
    tree = browser.page(f"{HOME}/search?{urlencode({'q': '水族館'})}")
    assert text(tree, "mark")[0] == "水族館"
    assert tree.xpath("//p[@class='passage']/@lang") == ["ja"]


@pytest.mark.parametrize("address", [URL, "http://www.example.org/2026/03/minister-resigns/?utm_source=x"])
def test_any_form_of_an_address_leads_to_its_article(browser: Browser, address: str) -> None:
    response = browser.get(f"{HOME}/search?{urlencode({'q': address})}", 302)
    assert response.headers["location"] == f"{HOME}/article/1"


@pytest.mark.parametrize("query", ['"', "AND", "x*", "a NEAR b", "(", "^", "col:x", "'; DROP TABLE feeds; --", "\x00"])
def test_no_search_is_a_syntax_error(browser: Browser, query: str) -> None:
    browser.get(f"{HOME}/search?{urlencode({'q': query})}")
    browser.get(f"{HOME}/changes?{urlencode({'words': query})}")


# Outlets and home


def test_an_outlet_tells_how_openly_it_edits(browser: Browser) -> None:
    tree = browser.page(f"{HOME}/outlet/example.org?days=365")
    assert "2 changes of 1 article in 365 days" in " ".join(text(tree, ".lead"))
    assert text(tree, ".big")[1] == "1 notice"


def test_an_edit_that_two_ages_share_is_no_sure_figure() -> None:
    row = {"found_at": "2026-03-01T12:00:00Z", "appeared_after": "2026-03-01T12:30:00Z"}
    sure, shared = row | {"seen_at": "2026-03-01T12:40:00Z"}, row | {"seen_at": "2026-03-01T14:00:00Z"}
    assert figures._ages([sure, shared])[:3] == (
        ("first hour", 1, 1),
        ("1 to 3 hours", 0, 1),
        ("3 to 6 hours", 0, 0),
    )


def test_home_says_what_ails(browser: Browser, written: Archive) -> None:
    assert "The feed answers" in browser.get("/").text
    broken = FeedCapture(feed_id=1, url=FEED, captured_at=at(1), status=500)
    written.record_feed(broken)
    assert "1 feed of 1 ailing" in browser.get("/").text


def test_the_first_page_is_ours_and_datasettes_own_is_one_step_away(browser: Browser) -> None:
    assert text(browser.page("/"), ".mark") == ["Redline"]
    assert "/archive" in links(browser.page("/-/"))
    assert browser.get("/.json").json()


def test_an_empty_archive_has_pages_too(tmp_path: Path, opened: Callable[..., Browser]) -> None:
    with Archive(tmp_path / "empty.db"):
        pass
    browser = opened(tmp_path / "empty.db")
    for path in ("", "/changes", "/changes.atom", "/changes.json", "/outlets", "/search", "/search?q=x"):
        browser.get(f"/-/redline/empty{path}")


def test_two_archives_are_a_choice(tmp_path: Path, written: Archive, opened: Callable[..., Browser]) -> None:
    with Archive(tmp_path / "other one.db"):
        pass
    browser = opened(written.path, tmp_path / "other one.db")
    choice = [link for link in links(browser.page("/")) if link.startswith("/-/redline/")]
    assert len(set(choice)) >= 2
    for path in choice:
        browser.get(path)


# Versions


def test_a_version_can_be_cited(browser: Browser) -> None:
    (cite,) = text(browser.page(f"{HOME}/article/1/2"), ".cite")
    assert "Example, “Minister resigns”, version 2, captured 1 Mar 2026, 13:00 UTC" in cite
    assert cite.endswith(f"{HOME}/article/1/2")


def test_s9_what_was_received_comes_as_text_to_be_saved(browser: Browser, written: Archive) -> None:
    body = b"<!DOCTYPE html><script>alert(1)</script>"
    written.record(visit(2, 5, page("Ships went."), url=OTHER, body=body))
    response = browser.get(f"{HOME}/article/2/2/received")
    assert response.content == body
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in response.headers["content-security-policy"]


def test_an_article_shows_its_earlier_headlines(browser: Browser, written: Archive) -> None:
    for hour, headline in enumerate(["Harbour closes", "Harbour shut"]):
        written.record(visit(2, 3 + hour, page("Ships came.", headline=headline), url=OTHER))
    assert text(browser.page(f"{HOME}/article/2"), "del")[:2] == ["Harbour closes", "Harbour opens"]


def test_an_article_that_is_gone_says_so(browser: Browser, written: Archive) -> None:
    written.record(visit(2, 3, url=OTHER, status=410))
    tree = browser.page(f"{HOME}/article/2")
    assert text(tree, ".state") == ["gone from the site"]
    assert tree.xpath("//*[contains(@class, 'tick gone')]")
    assert "Not there at the visit of 1 Mar 2026, 15:00" in text(tree, "li")[0]
    assert text(tree, "li")[0].endswith("Not seen since.")


def test_an_article_that_was_away_and_came_back_says_so(browser: Browser, written: Archive) -> None:
    for hour in (3, 4):
        written.record(visit(2, hour, url=OTHER, status=404))
    written.record(visit(2, 6, page("Ships came.", headline="Harbour opens"), url=OTHER))
    shown = " ".join(text(browser.page(f"{HOME}/article/2"), "li"))
    assert "Not there at 2 visits from 1 Mar 2026, 15:00 to 1 Mar 2026, 16:00" in shown
    assert "Back at 1 Mar 2026, 18:00." in shown
