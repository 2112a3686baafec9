"""Tells a monitor that a run has ended: one request, through the same guards as a crawl; it never fails a run."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import scrapy
from scrapy.http import Request, Response
from twisted.python.failure import Failure

from crawler.spiders.news import reason_of

_log = logging.getLogger("redline")


class Heartbeat(scrapy.Spider):
    name = "heartbeat"
    # Seconds: nobody waits for it, and the next run is near.
    custom_settings: dict[str, Any] | None = {  # noqa: RUF012 - as Scrapy declares it
        "ITEM_PIPELINES": {},
        "EXTENSIONS": {},
        "DOWNLOAD_TIMEOUT": 10,
        "CLOSESPIDER_TIMEOUT": 20,
    }

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def start(self) -> AsyncIterator[Request]:
        # A monitor is asked to be called: what its robots.txt wants of crawlers does not concern it.
        meta = {"dont_obey_robotstxt": True, "download_maxsize": 64 * 1024}
        yield Request(self._url, callback=self.answered, errback=self.failed, meta=meta)

    def answered(self, response: Response) -> None:
        if response.status >= 400:
            _log.info("the heartbeat was not taken: the server answered %d", response.status)

    def failed(self, failure: Failure) -> None:
        _log.info("the heartbeat could not be sent: %s", reason_of(failure.value)[1])
