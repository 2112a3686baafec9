"""Hands each capture of an article to the archive and counts what it showed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crawler.errors import RedlineError
from crawler.items import Capture

if TYPE_CHECKING:
    from scrapy.crawler import Crawler


class ArchivePipeline:
    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ArchivePipeline:
        return cls(crawler)

    def process_item(self, item: Capture) -> Capture:
        archive = self._crawler.spider.archive  # type: ignore[union-attr]
        try:
            outcome = archive.record(item)
        except RedlineError:
            raise  # the archive itself cannot go on
        except Exception as error:
            # A bug of ours in reading a page must not lose the visit; the spider says it, and the run ends with 1.
            archive.record(replace(item, article=None, error=f"could not be recorded: {error!r}"))
            raise
        assert self._crawler.stats
        self._crawler.stats.inc_value(f"redline/{outcome}")
        return item
