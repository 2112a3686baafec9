"""What a page costs: CPU of one article beside an lxml parse of the same bytes, and where it goes.

    python bench/extract.py [FOLDER]     a folder of saved pages, *.html or *.html.gz; default: the pages of the tests

Times are the best of five runs over all pages, in milliseconds a page. The pages of the tests are 2 kB each, nearly all
of it article, so their ratio is far above that of real pages, which are nine tenths markup. Writes
bench/out/extract.json.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import lxml.html
from selectolax.lexbor import LexborHTMLParser

from crawler import extract
from crawler.cli.extract import as_json
from crawler.extract import body, metadata, page

HERE = Path(__file__).parent
OUT = HERE / "out"


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("folder", nargs="?", type=Path, default=HERE.parent / "tests/data/articles")
    folder = arguments.parse_args().folder
    files = sorted([*folder.glob("*.html"), *folder.glob("*.html.gz")])
    if not files:
        sys.exit(f"there is no *.html and no *.html.gz in {folder}; name a folder of saved pages")
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
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}")
    print(f"{len(pages)} pages, {size:.0f} kB each")
    unit, found = 0.0, {}
    for name, step in steps.items():
        best = min(_seconds(step, pages) for _ in range(5)) * 1000 / len(pages)
        unit = unit or best
        found[name] = {"ms": best, "x_lxml": best / unit}
        print(f"{name:24}{best:8.2f} ms {best / unit:8.2f} x lxml")

    OUT.mkdir(exist_ok=True)
    (OUT / "extract.json").write_text(json.dumps({"pages": len(pages), "kB": size, "steps": found}, indent=1))


def _seconds(step: Callable[[bytes], object], pages: list[bytes]) -> float:
    start = time.process_time()
    for p in pages:
        step(p)
    return time.process_time() - start


if __name__ == "__main__":
    main()
