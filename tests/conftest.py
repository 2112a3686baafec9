"""What the tests share: an archive in a folder of its own, captures made by hand, a local press, the real command."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings

from crawler.archive import Archive
from crawler.archive.soundness import Verification
from crawler.items import Article, Block, Capture, Entry, Feed, FeedCapture, FeedFormat, FeedLink, Finding
from demo.newsroom import Newsroom

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
FEED = "https://example.org/feed.xml"
URL = "https://example.org/2026/03/minister-resigns"

# The same examples in every run: a test that fails by chance stops everybody. To search is what `make fuzz` is for, and
# `pytest --hypothesis-profile=search`.
settings.register_profile("fixed", derandomize=True, database=None, deadline=None, print_blob=True)
settings.register_profile("search", deadline=None, max_examples=2_000)
settings.load_profile("fixed")

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    """An archive that is sound when the test is done with it, unless the test says that it breaks it."""
    with Archive(tmp_path / "archive.db") as opened:
        yield opened
    if "breaks_the_archive" not in request.keywords:
        assert findings(tmp_path / "archive.db") == []


@pytest.fixture
def newsroom() -> Iterator[Newsroom]:
    with Newsroom() as press:
        yield press


@pytest.fixture
def redline(tmp_path: Path) -> Command:
    """The real command, in a folder of its own, with loopback opened and no delay between requests."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [command(), *with_speed(arguments)],
            cwd=tmp_path,
            env=crawl_environment() | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def findings(path: Path, *, is_quick: bool = False) -> list[Finding]:
    """Return all that `redline verify` has to say of an archive."""
    with Verification(path, is_quick=is_quick) as verification:
        return [finding for found in verification for finding in found]


def command() -> str:
    return str(Path(sys.executable).with_name("redline"))


def with_speed(arguments: Sequence[str]) -> list[str]:
    return [*arguments, "-s", "DOWNLOAD_DELAY=0.01"] if "crawl" in arguments else list(arguments)


def crawl_environment() -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REDLINE_")}
    return inherited | {"REDLINE_ALLOW_NETWORKS": "127.0.0.0/8", "REDLINE_CONTACT": "mailto:test@example.org"}


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def listed(archive: Archive, *urls: str, hours: float = 0) -> list[int]:
    """Watch a feed that lists these addresses; return the numbers of the articles that are new."""
    feed, _ = archive.add_feed(FeedLink(url=FEED, title="Example"), at(hours))
    entries = tuple(Entry(id=url, url=url, title="As in the feed") for url in urls)
    document = Feed(url=FEED, format=FeedFormat.RSS, title="Example", entries=entries)
    capture = FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(hours), status=200, feed=document)
    _, new = archive.record_feed(capture)
    return [article.id for article in new]


def page(*paragraphs: str, headline: str = "Minister resigns", **fields: object) -> Article:
    blocks = tuple(Block(text=text) for text in paragraphs)
    return Article(url=URL, headline=headline, blocks=blocks, **fields)  # type: ignore[arg-type]


def visit(article_id: int, hours: float, article: Article | None = None, **fields: object) -> Capture:
    """A visit that showed `article`; a 200 with the text as its body unless the fields say otherwise."""
    given: dict[str, object] = {"status": 200, "url": URL}
    if article is not None:
        given["body"] = "\n".join(block.text for block in article.blocks).encode()
    return Capture(article_id=article_id, captured_at=at(hours), article=article, **(given | fields))  # type: ignore[arg-type]
