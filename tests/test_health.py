"""Feeds that fall ill, slowly and suddenly; and healthy ones, which must be left in peace."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from crawler import health
from crawler.archive import Archive
from crawler.cli import main
from crawler.health import Reading
from crawler.items import Article, Author, Block, Entry, Feed, FeedCapture, FeedFormat, FeedLink, Quality, Sign
from demo.newsroom import Newsroom
from tests.conftest import FEED, START, URL, Command, at, visit

WHOLE = Reading(
    found_at=START,
    is_read=True,
    has_author=True,
    has_date=True,
    has_standfirst=True,
    has_headline=True,
    is_whole=True,
    words=600,
)
LOSSES = {
    Sign.UNREADABLE: replace(WHOLE, is_read=False),
    Sign.TEASER: replace(WHOLE, is_whole=False),
    Sign.SHORT: replace(WHOLE, words=80),
    Sign.HEADLINE: replace(WHOLE, has_headline=False),
    Sign.AUTHOR: replace(WHOLE, has_author=False),
    Sign.DATE: replace(WHOLE, has_date=False),
    Sign.STANDFIRST: replace(WHOLE, has_standfirst=False),
}


def newest_first(readings: Iterable[Reading]) -> list[Reading]:
    return list(readings)[::-1]


def first_sign(feed: list[Reading], sign: Sign) -> int | None:
    """Return after how many articles a sign is first told; None: never."""
    return next((n for n in range(len(feed) + 1) if sign in health.signs(newest_first(feed[:n]))), None)


@pytest.mark.parametrize("sign", LOSSES)
def test_what_every_article_had_and_suddenly_none_has_is_told_within_five(sign: Sign) -> None:
    feed = [WHOLE] * 100 + [LOSSES[sign]] * 40
    assert first_sign(feed, sign) == 104  # four of the newest five
    assert health.signs(newest_first(feed)).keys() == {sign}


@pytest.mark.parametrize("sign", LOSSES)
def test_a_slow_end_is_told_too(sign: Sign) -> None:
    chance = random.Random(1)
    feed = [LOSSES[sign] if chance.random() < (n - 200) / 150 else WHOLE for n in range(400)]
    told = first_sign(feed, sign)
    assert told is not None
    assert 210 < told < 320


def test_the_evidence_is_the_two_shares() -> None:
    told = health.signs(newest_first([WHOLE] * 100 + [LOSSES[Sign.AUTHOR]] * 5))
    assert told[Sign.AUTHOR] == "none of the newest 5 articles name an author, of the 100 before 100%"
    short = health.signs(newest_first([WHOLE] * 60 + [LOSSES[Sign.SHORT]] * 7))
    assert short[Sign.SHORT] == "the newest 5 articles have 80 words in the median, the 62 before 600"


def test_a_feed_is_well_again_with_five_good_articles_and_what_lasts_is_usual_in_the_end() -> None:
    ill = [WHOLE] * 100 + [LOSSES[Sign.AUTHOR]] * 30
    assert health.signs(newest_first(ill + [WHOLE] * 5)) == {}
    assert health.signs(newest_first(ill + [LOSSES[Sign.AUTHOR]] * 200)) == {}


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9, 0.97])
def test_a_feed_that_is_as_it_always_was_is_left_in_peace(share: float) -> None:
    cries = 0
    for seed in range(8):
        chance = random.Random(seed)
        feed = [
            replace(
                WHOLE,
                is_read=chance.random() < max(share, 0.5),
                has_author=chance.random() < share,
                has_date=chance.random() < share,
                has_standfirst=chance.random() < share,
                words=round(chance.lognormvariate(6, 0.8)),
            )
            for _ in range(300)
        ]
        cries += sum(bool(health.signs(newest_first(feed[:n]))) for n in range(300))
    assert cries == 0


def test_three_articles_a_week_are_judged_by_a_past_of_seven_weeks_and_no_less() -> None:
    assert health.signs(newest_first([WHOLE] * 19 + [LOSSES[Sign.AUTHOR]] * 5)) == {}
    assert health.signs([]) == {}
    assert first_sign([WHOLE] * 21 + [LOSSES[Sign.AUTHOR]] * 20, Sign.AUTHOR) == 30


def found(days: int, every: Callable[[int], int]) -> list[float]:
    """Return hours at which articles were found: `every(weekday)` of them on each day, between 8 and 18 h."""
    return [day * 24 + 8 + 10 * n / max(1, every(day % 7)) for day in range(days) for n in range(every(day % 7))]


FEEDS = {
    "an agency": lambda weekday: 90,
    "an office's, on weekdays alone": lambda weekday: 20 if weekday < 5 else 0,
    "a small one, three a week": lambda weekday: 1 if weekday in (0, 2, 4) else 0,
    "a weekly": lambda weekday: 12 if weekday == 3 else 0,
}


def silent_after(hours: list[float], quiet_days: float) -> str | None:
    times = [START + timedelta(hours=hour) for hour in hours][::-1]
    return health.silence(times, last_good=times[0] + timedelta(days=quiet_days))


@pytest.mark.parametrize("name", FEEDS)
def test_a_night_a_weekend_and_a_usual_pause_are_no_silence(name: str) -> None:
    hours = found(60, FEEDS[name])
    gaps = [newer - older for older, newer in pairwise(hours)]
    assert silent_after(hours, 1.8 * max(gaps) / 24) is None


@pytest.mark.parametrize(("name", "days"), [("an agency", 2), ("an office's, on weekdays alone", 6)])
def test_a_feed_of_every_day_that_falls_silent_is_told(name: str, days: int) -> None:
    told = silent_after(found(60, FEEDS[name]), days)
    assert told is not None
    assert told.startswith(f"nothing new for {days * 24 if days < 2 else days} ")


def test_a_small_feed_falls_silent_in_weeks_not_days() -> None:
    hours = found(60, FEEDS["a small one, three a week"])
    assert silent_after(hours, 12) is None
    assert silent_after(hours, 20) is not None


def test_nothing_is_silent_while_nobody_looks_or_nothing_is_known() -> None:
    hours = found(60, FEEDS["an agency"])
    times = [START + timedelta(hours=hour) for hour in hours][::-1]
    later = times[0] + timedelta(days=9)
    assert health.silence(times, last_good=times[0]) is None
    assert health.silence(times, last_good=None) is None
    assert health.silence(times[:100], last_good=later) is None
    assert "lists nothing" in (health.silence(times, last_good=later, entries=0) or "")


def test_what_stood_in_a_feed_when_we_came_is_no_rhythm() -> None:
    times = [START + timedelta(days=day) for day in (40, 20)] + [START] * 50
    assert health.silence(times, last_good=at(90 * 24)) is None


# In the archive -------------------------------------------------------------------------------------------------------

SIGNED = Article(
    url=URL,
    headline="Minister resigns",
    authors=(Author(name="A. Reporter"),),
    blocks=(Block(text="The minister resigned on Monday. " * 20),),
)


def run(archive: Archive, hours: float, articles: dict[str, Article | None]) -> list[Sign]:
    """One run: the feed lists these articles by their addresses, each is read; return what is told of the feed."""
    archive.begin_crawl(at(hours))
    feed, _ = archive.add_feed(FeedLink(url=FEED, title="Example"), at(hours))
    entries = tuple(Entry(id=url, url=url) for url in articles)
    document = Feed(url=FEED, format=FeedFormat.RSS, title="Example", entries=entries)
    _, new = archive.record_feed(
        FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(hours), status=200, feed=document)
    )
    for due, article in zip(new, articles.values(), strict=True):
        archive.record(visit(due.id, hours, article, url=due.url, error=None if article else "a wall"))
    archive.end_crawl(at(hours + 0.1), "finished")
    return [ailment.sign for ailment in archive.examine_feeds(at(hours + 0.1))]


def pages(numbers: range, article: Article | None) -> dict[str, Article | None]:
    return {f"https://example.org/{n}": article for n in numbers}


def test_a_run_tells_what_is_new_and_then_once_a_day(archive: Archive) -> None:
    assert run(archive, 0, pages(range(60), SIGNED)) == []
    assert run(archive, 1, pages(range(60, 66), replace(SIGNED, authors=()))) == [Sign.AUTHOR]
    assert run(archive, 2, pages(range(66, 68), replace(SIGNED, authors=()))) == []
    assert [ailment.sign for ailment in archive.ailments()] == [Sign.AUTHOR]
    assert run(archive, 24, pages(range(68, 69), replace(SIGNED, authors=()))) == [Sign.AUTHOR]
    assert run(archive, 25, pages(range(69, 75), SIGNED)) == []
    assert archive.ailments() == []


def test_pages_that_hold_no_article_any_more_ail_a_feed(archive: Archive) -> None:
    run(archive, 0, pages(range(60), SIGNED))
    wall = replace(SIGNED, blocks=(), quality=Quality.BOT_WALL, quality_reason="a wall")
    assert run(archive, 1, pages(range(60, 66), wall)) == [Sign.UNREADABLE]


def test_a_feed_that_is_paused_or_removed_ails_nobody(archive: Archive) -> None:
    run(archive, 0, pages(range(60), SIGNED))
    run(archive, 1, pages(range(60, 66), replace(SIGNED, authors=())))
    archive.pause_feed(FEED, at(2))
    assert archive.ailments() == []


def test_feeds_tells_what_ails_one_and_what_to_do(tmp_path: Path) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        run(archive, 0, pages(range(60), SIGNED))
        run(archive, 1, pages(range(60, 66), replace(SIGNED, authors=())))
    told = CliRunner().invoke(main, ["--archive", str(tmp_path / "archive.db"), "feeds"]).output
    assert "1: Example: none of the newest 5 articles name an author, of the 61 before 98% (since" in told
    assert "REDLINE_SITES" in told


def test_a_crawl_whose_feed_falls_ill_says_so_once_and_ends_with_3(redline: Command) -> None:
    with Newsroom(outlets=()) as press:
        feed = press_with(press, range(25), "Anne Leroux")
        redline("add", feed)
        assert redline("crawl").returncode == 0
        press_with(press, range(25, 36), "")
        ill = redline("crawl", "--all")
        assert ill.returncode == 3, ill.stderr
        assert "name an author" in ill.stderr
        again = redline("crawl", "--all")
        assert (again.returncode, again.stderr) == (0, "")


def press_with(press: Newsroom, numbers: range, author: str) -> str:
    """Publish articles signed so, and a feed of all up to the last one; return the feed's address."""
    for n in numbers:
        data = json.dumps({"@type": "NewsArticle", "headline": f"Story {n}", "author": author})
        text = "".join(f"<p>Sentence {i} of story {n} is long enough to stand for prose.</p>" for i in range(9))
        press.page(
            f"/2026/story-{n}/",
            f"<html><title>Story {n}</title><script type='application/ld+json'>{data}</script>"
            f"<body><article><h1>Story {n} of the day</h1>{text}</article>",
        )
    items = "".join(
        f"<item><title>Story {n}</title><link>{press.url('', f'/2026/story-{n}/')}</link></item>"
        for n in range(numbers.stop)
    )
    return press.page("/feed.xml", f"<rss version='2.0'><channel><title>Press</title>{items}</channel></rss>")
