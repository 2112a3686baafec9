"""Hands each capture of an article to the archive and counts what it showed."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
        outcome = self._crawler.spider.archive.record(item)  # type: ignore[union-attr]
        assert self._crawler.stats
        self._crawler.stats.inc_value(f"redline/{outcome}")
        return item
