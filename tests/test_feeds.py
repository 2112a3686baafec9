"""Feeds of every format: one small file per behaviour in `data/feeds/`, its expectation in the `.json` beside it.

An expectation names the `url` it was read at and the fields of the `Feed` that the file is about; `entries` lists the
fields of each entry that matter. `error` is a pattern for the message of the `FeedError` instead.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from crawler import feeds
from crawler.errors import FeedError

DATA = Path(__file__).parent / "data" / "feeds"
CASES = sorted(path for path in DATA.iterdir() if not path.name.endswith(".expected.json"))


def plainly(value: object) -> Any:
    """Return what JSON would hold."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, tuple):
        return [plainly(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: plainly(getattr(value, field.name)) for field in fields(value)}
    return value


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.name)
def test_a_feed_is_read_as_expected(path):
    expected = json.loads((DATA / f"{path.name}.expected.json").read_text(encoding="utf-8"))
    url, content_type = expected.pop("url", "https://example.com/feed"), expected.pop("content_type", None)
    expected.pop("about")
    if "error" in expected:
        with pytest.raises(FeedError) as caught:
            feeds.parse(path.read_bytes(), url, content_type=content_type)
        assert re.search(expected["error"], str(caught.value))
        return
    feed = plainly(feeds.parse(path.read_bytes(), url, content_type=content_type))
    entries = expected.pop("entries", None)
    assert {name: feed[name] for name in expected} == expected
    assert [{name: got[name] for name in want} for got, want in zip(feed["entries"], entries or [], strict=False)] == (
        entries or []
    )
    if entries is not None:
        assert len(feed["entries"]) == len(entries)
    assert feed["warnings"] == expected.get("warnings", [])
