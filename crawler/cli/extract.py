"""`redline extract`: what a page says, without an archive."""

from __future__ import annotations

import binascii
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from crawler import extract
from crawler.items import Article, BlockKind

# The shape of what `--json` and `--jsonl` write; raised when a field changes its meaning or goes.
FORMAT_VERSION = 1

_SAMPLE = b"<h1>Loaded</h1><p>This sentence is long enough to be taken for the prose of an article, and so it is.</p>"


def as_json(article: Article) -> dict[str, Any]:
    """Return an article as the JSON object of the public interface."""
    return {
        "url": article.url,
        "title": article.headline,
        "headlines": {
            "h1": article.headlines.h1,
            "title": article.headlines.title,
            "og": article.headlines.og,
            "json_ld": article.headlines.json_ld,
        },
        "summary": article.description,
        "authors": [author.name for author in article.authors],
        "published": _iso(article.date_published),
        "modified": _iso(article.date_modified),
        "paragraphs": [block.text for block in article.blocks if block.kind is not BlockKind.CAPTION],
        "blocks": [
            {"kind": block.kind.value, "text": block.text, **({"at": _iso(block.at)} if block.at else {})}
            for block in article.blocks
        ],
        "captions": [block.text for block in article.blocks if block.kind is BlockKind.CAPTION],
        "images": [{"url": i.url, "caption": i.caption, "credit": i.credit} for i in article.images],
        "section": article.section,
        "tags": list(article.tags),
        "language": article.language,
        "canonical_url": article.canonical_url,
        "amp_url": article.amp_url,
        "corrections": [{"kind": notice.kind.value, "text": notice.text} for notice in article.notices],
        "related": [{"url": link.url, "title": link.title} for link in article.related],
        "paywall": article.is_paywalled,
        "quality": article.quality.value,
        "quality_reason": article.quality_reason,
        "digest": extract.digest(article),
        "extractor": extract.EXTRACTOR_VERSION,
        "format": FORMAT_VERSION,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


@click.command(name="extract")
@click.argument("sources", nargs=-1, metavar="[URL or FILE ...]")
@click.option("--json", "as_one", is_flag=True, help="One JSON object an article.")
@click.option("--jsonl", is_flag=True, help="Read JSON lines from standard input, write JSON lines.")
def extract_command(sources: tuple[str, ...], as_one: bool, jsonl: bool) -> None:
    """Print the article that a page holds."""
    if jsonl:
        extract.article(_SAMPLE, "")  # loads parser and word lists before the first line is waited for
        for line in sys.stdin.buffer:
            if line.strip():
                sys.stdout.write(json.dumps(_answer(line), ensure_ascii=False) + "\n")
                sys.stdout.flush()
        return
    for source in sources:
        if "://" in source:
            from crawler.cli.fetch import fetch

            fetched = fetch(source)
            found = extract.article(fetched.body, fetched.url, headers=fetched.headers)
        else:
            found = extract.article(Path(source).read_bytes(), "")
        click.echo(json.dumps(as_json(found), ensure_ascii=False, indent=2) if as_one else _as_text(found))


def _answer(line: bytes) -> dict[str, Any]:
    asked: Any = None
    try:
        asked = json.loads(line)
        body = binascii.a2b_base64(asked["html_b64"])
        found = extract.article(body, asked["url"], encoding=asked.get("encoding"), headers=asked.get("headers"))
    except (ValueError, KeyError, TypeError) as error:
        return {"id": asked.get("id") if isinstance(asked, dict) else None, "error": f"{type(error).__name__}: {error}"}
    return {"id": asked.get("id"), **as_json(found)}


def _as_text(article: Article) -> str:
    parts = [article.headline, article.description, ", ".join(a.name for a in article.authors)]
    return "\n\n".join([p for p in parts if p] + [block.text for block in article.blocks]) + "\n"
