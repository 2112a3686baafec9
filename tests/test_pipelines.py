from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from crawler.errors import ArchiveError
from crawler.items import Capture, Outcome
from crawler.pipelines import ArchivePipeline
from tests.conftest import page, visit


class FakeArchive:
    """Records visits; fails at those that bring an article, as a bug in reading one would make it."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.recorded: list[Capture] = []

    def record(self, capture: Capture) -> Outcome:
        if capture.article is not None:
            raise self.error
        self.recorded.append(capture)
        return Outcome.FAILED


def pipeline(archive: FakeArchive) -> ArchivePipeline:
    crawler: Any = SimpleNamespace(spider=SimpleNamespace(archive=archive), stats=None)
    return ArchivePipeline.from_crawler(crawler)


def test_a_bug_in_reading_a_page_loses_no_visit() -> None:
    archive = FakeArchive(ValueError("a bug"))
    with pytest.raises(ValueError, match="a bug"):
        pipeline(archive).process_item(visit(1, 0, page("A text.")))
    (kept,) = archive.recorded
    assert (kept.article, kept.status) == (None, 200)
    assert "a bug" in str(kept.error)


def test_an_archive_that_cannot_be_written_is_not_tried_twice() -> None:
    archive = FakeArchive(ArchiveError("the disk is full"))
    with pytest.raises(ArchiveError):
        pipeline(archive).process_item(visit(1, 0, page("A text.")))
    assert archive.recorded == []
