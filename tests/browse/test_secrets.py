"""What opens doors in an address (S27) is on no page of ours and in no cell of Datasette's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from crawler.archive import Archive
from crawler.items import Entry, Feed, FeedCapture, FeedFormat, FeedLink
from tests.browse.conftest import HOME, Browser
from tests.conftest import at, page, visit

SECRET = "s3cret-of-ours"
QUERY = f"?id=7&access_token={SECRET}"


@pytest.fixture
def guarded(archive: Archive) -> Archive:
    """A feed and an article whose addresses hold a token, in every column that may hold one."""
    feed, _ = archive.add_feed(FeedLink(url=f"https://example.org/feed{QUERY}"), at(0))
    story, moved = f"https://example.org/story{QUERY}", f"https://example.org/moved{QUERY}"
    entries = (Entry(id="1", url=story, title="The wall will stand"),)
    document = Feed(url=feed.url, format=FeedFormat.RSS, site_url=f"https://example.org/{QUERY}", entries=entries)
    _, (due,) = archive.record_feed(
        FeedCapture(feed_id=feed.id, url=feed.url, captured_at=at(0), status=200, feed=document)
    )
    for hour, text in enumerate(("Eleven boats sank off the wall.", "Twelve boats sank off the wall.")):
        seen = page(text, canonical_url=moved)
        archive.record(visit(due.id, hour, seen, url=story, final_url=moved))
    archive.record_feed(
        FeedCapture(feed_id=feed.id, url=feed.url, captured_at=at(3), status=500, final_url=feed.url + "&more=1")
    )
    return archive


@pytest.mark.parametrize(
    "path",
    [
        *(HOME + path for path in ("", "/article/1", "/article/1/1", "/article/1/2", "/changes.atom", "/changes.json")),
        *(f"/archive/{table}" for table in ("feeds", "articles", "urls", "captures", "versions", "entries", "changes")),
        *("/archive/feeds/1", "/archive/articles/1", "/archive/feed_health", "/archive/latest_changes"),
    ],
)
def test_s27_no_page_and_no_cell_shows_a_secret(guarded: Archive, opened: Callable[..., Browser], path: str) -> None:
    answer = opened(guarded.path).follow(path)
    assert answer.status_code == 200, path
    assert SECRET not in answer.text
