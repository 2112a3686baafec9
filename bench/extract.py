"""What a page costs: CPU of one article beside an lxml parse of the same bytes, and where it goes.

    python bench/extract.py [DIR of *.html or *.html.gz]     default: the pages of the tests

Times are the best of five runs over all pages, in milliseconds a page.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lxml.html
from selectolax.lexbor import LexborHTMLParser

from crawler import extract
from crawler.cli.extract import as_json
from crawler.extract import body, metadata, page


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1] / "tests/data/articles"
    files = sorted([*folder.glob("*.html"), *folder.glob("*.html.gz")])
    pages = [gzip.decompress(f.read_bytes()) if f.suffix == ".gz" else f.read_bytes() for f in files]
    parser = lxml.html.HTMLParser(encoding="utf-8")
    read = {id(p): page.read(p) for p in pages}
    known = {id(p): metadata.read(read[id(p)], "https://example.org/") for p in pages}
    steps: dict[str, Callable[[bytes], object]] = {
        "lxml parse": lambda p: lxml.html.document_fromstring(p or b"<p>", parser=parser),
        "lexbor parse": LexborHTMLParser,
        "page.read": page.read,
        "metadata.read": lambda p: metadata.read(read[id(p)], "https://example.org/"),
        "body.find": lambda p: body.find(read[id(p)], body.Known(text=known[id(p)].body)),
        "article": lambda p: extract.article(p, "https://example.org/"),
        "article, digest, JSON": lambda p: json.dumps(as_json(extract.article(p, "https://example.org/"))),
    }
    size = sum(map(len, pages)) / len(pages) / 1000
    print(f"{len(pages)} pages, {size:.0f} kB each")
    unit = 0.0
    for name, step in steps.items():
        best = min(_seconds(step, pages) for _ in range(5)) * 1000 / len(pages)
        unit = unit or best
        print(f"{name:24}{best:8.2f} ms {best / unit:8.2f} x lxml")


def _seconds(step: Callable[[bytes], object], pages: list[bytes]) -> float:
    start = time.process_time()
    for p in pages:
        step(p)
    return time.process_time() - start


if __name__ == "__main__":
    main()
