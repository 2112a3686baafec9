"""What a page costs: CPU of one article beside an lxml parse of the same bytes, and where it goes.

    python bench/extract.py [FOLDER]     a folder of saved pages, *.html or *.html.gz; default: pages written here

Times are the best of five runs over all pages, in milliseconds a page; ratios are to the lxml parse in the same run.
trafilatura stands beside it where it is installed. Writes bench/out/extract.json.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import lxml.html
from pages import saved, written
from report import about, write
from selectolax.lexbor import LexborHTMLParser

from crawler import extract
from crawler.cli.extract import as_json
from crawler.extract import body, metadata, page

BASELINE = "lxml parse"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("folder", nargs="?", type=Path)
    folder = arguments.parse_args().folder
    machine = about("redline", "lxml", "selectolax", "trafilatura")
    pages = saved(folder) if folder else [written(number) for number in range(60)]
    parser = lxml.html.HTMLParser(encoding="utf-8")
    read = {id(p): page.read(p) for p in pages}
    known = {id(p): metadata.read(read[id(p)], "https://example.org/") for p in pages}
    steps: dict[str, Callable[[bytes], object]] = {
        BASELINE: lambda p: lxml.html.document_fromstring(p or b"<p>", parser=parser),
        "lexbor parse": LexborHTMLParser,
        "page.read": page.read,
        "metadata.read": lambda p: metadata.read(read[id(p)], "https://example.org/"),
        "body.find": lambda p: body.find(read[id(p)], body.Known(text=known[id(p)].body)),
        "article": lambda p: extract.article(p, "https://example.org/"),
        "article, digest, JSON": lambda p: json.dumps(as_json(extract.article(p, "https://example.org/"))),
    }
    size = sum(map(len, pages)) / len(pages) / 1000
    print(f"{len(pages)} pages of {size:.0f} kB, {'saved' if folder else 'written here'}")
    if machine["trafilatura"] != "not installed":
        import trafilatura

        steps["trafilatura"] = lambda p: trafilatura.bare_extraction(p, url="https://example.org/", with_metadata=True)
    unit, found = 0.0, {}
    for name, step in steps.items():
        best = min(_seconds(step, pages) for _ in range(5)) * 1000 / len(pages)
        unit = unit or best
        found[name] = {"ms": best, "x_lxml": best / unit}
        print(f"{name:24}{best:8.2f} ms {best / unit:8.2f} x lxml")
    write("extract", machine, {"pages": len(pages), "kB": size, "steps": found})


def _seconds(step: Callable[[bytes], object], pages: list[bytes]) -> float:
    start = time.process_time()
    for p in pages:
        step(p)
    return time.process_time() - start


if __name__ == "__main__":
    main()
