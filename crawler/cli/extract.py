"""`redline extract`: what a page says, without an archive."""

from __future__ import annotations

import binascii
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crawler import extract
from crawler.cli import output
from crawler.cli.output import plain
from crawler.errors import NotFound, RedlineError
from crawler.extract import sites
from crawler.items import Article, BlockKind

if TYPE_CHECKING:
    from crawler.cli.fetch import Fetched, FetchError, Get

# The version of what `--json` and `--jsonl` write, in each object as "format": raised when a field changes its meaning
# or goes, not when one is added.
FORMAT_VERSION = 1
_SAMPLE = b"<h1>Loaded</h1><p>This sentence is long enough to be taken for the prose of an article, and so it is.</p>"
_MARKS = {BlockKind.HEADING: "## ", BlockKind.POST: "## ", BlockKind.QUOTE: "> ", BlockKind.LIST_ITEM: "- "}


@click.command(name="extract")
@click.argument("sources", nargs=-1, metavar="[URL or FILE ...]")
@click.option("--json", "as_object", is_flag=True, help="Print one JSON object a page instead of text to read.")
@click.option("--jsonl", is_flag=True, help="Read pages as JSON lines from standard input, write JSON lines.")
@click.option("--url", default="", help="The address that a FILE came from; its links are made absolute by it.")
@click.option(
    "--sites",
    "rules_file",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rules for single sites, as TOML; an expired one is not applied.",
)
def extract_command(sources: tuple[str, ...], as_object: bool, jsonl: bool, url: str, rules_file: Path | None) -> None:
    """Print the article that a page holds, without touching an archive.

    A URL or FILE that cannot be had is named on standard error, the others are printed, and the exit code is 1.

    \b
    --jsonl reads one object a line and answers each with one, in the same order, as soon as it is done:
      in   {"id", "url", "html_b64", "encoding"?, "headers"?}
      out  {"id", "url", "title", "headlines": {"h1", "title", "og", "json_ld"}, "summary", "authors": [],
            "published", "modified", "paragraphs": [], "captions": [], "blocks": [{"kind", "text", "at"?}],
            "images": [{"url", "caption", "credit"}], "bylines": [{"name", "role", "url"}], "section", "tags": [],
            "language", "canonical_url", "amp_url", "corrections": [{"kind", "text"}],
            "related": [{"url", "title"}], "paywall", "quality", "quality_reason", "digest", "extractor",
            "format"}
    A line that cannot be read is answered with {"id", "error"}, and the next one is read. Times are ISO 8601 with
    the publisher's offset, null where the page has none. Equal digests: a reader would see the same text.
    "paragraphs" are all blocks but captions; "format" is the version of this list.
    """
    reader = _Reader(sites.load(rules_file or ""), datetime.now(UTC).date())
    if jsonl:
        if sources:
            raise click.UsageError("--jsonl reads pages from standard input: name no URL or FILE beside it")
        _answer_lines(reader)
        return
    if not sources:
        raise click.UsageError("name a URL or a FILE, or use --jsonl")
    printed = 0
    failures = 0
    for found in _articles(sources, url, reader):
        if isinstance(found, RedlineError):
            click.echo(f"redline: {plain(str(found))}", err=True)
            failures += 1
            continue
        if as_object:
            click.echo(output.as_json(as_json(found)))
        else:
            click.echo(("\n" if printed else "") + _as_text(found))
        printed += 1
    if failures:
        sys.exit(RedlineError.exit_code)


def as_json(article: Article) -> dict[str, Any]:
    """Return an article as the object of the public interface."""
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
        "bylines": [{"name": a.name, "role": a.role, "url": a.url} for a in article.authors],
        "published": _iso(article.date_published),
        "modified": _iso(article.date_modified),
        "paragraphs": [block.text for block in article.blocks if block.kind is not BlockKind.CAPTION],
        "captions": [block.text for block in article.blocks if block.kind is BlockKind.CAPTION],
        "blocks": [
            {"kind": block.kind.value, "text": block.text, **({"at": _iso(block.at)} if block.at else {})}
            for block in article.blocks
        ],
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


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads pages by the rules for their sites that hold today."""

    rules: Sequence[sites.SiteRule]
    today: date

    def article(
        self, body: bytes, url: str, *, encoding: str | None = None, headers: Mapping[str, str] | None = None
    ) -> Article:
        rule = sites.rule_for(self.rules, url, self.today)
        return extract.article(body, url, encoding=encoding, headers=headers, site=rule)


def _answer_lines(reader: _Reader) -> None:
    reader.article(_SAMPLE, "")  # loads the parser and the word lists before the first line is waited for
    for line in sys.stdin.buffer:
        if line.strip():
            sys.stdout.buffer.write(output.as_json(_answer(line, reader)).encode("utf-8") + b"\n")
            sys.stdout.buffer.flush()


def _answer(line: bytes, reader: _Reader) -> dict[str, Any]:
    asked: Any = None
    try:
        asked = json.loads(line)
        body = binascii.a2b_base64(asked["html_b64"])
        article = reader.article(body, asked["url"], encoding=asked.get("encoding"), headers=asked.get("headers"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return {"id": asked.get("id") if isinstance(asked, dict) else None, "error": f"{type(error).__name__}: {error}"}
    return {"id": asked.get("id"), **as_json(article)}


def _articles(sources: tuple[str, ...], url: str, reader: _Reader) -> Iterator[Article | RedlineError]:
    """Yield the article of each file and address, in order, or why it cannot be had.

    All addresses are fetched in one go, before the first article.
    """
    fetched = iter(_fetched([source for source in sources if "://" in source]))
    for source in sources:
        if "://" in source:
            page = next(fetched)
            yield page if isinstance(page, RedlineError) else reader.article(page.body, page.url, headers=page.headers)
            continue
        try:
            body = Path(source).read_bytes()
        except OSError as error:
            yield NotFound(f"{source}: {error.strerror}; name a file that can be read, or an address")
        else:
            yield reader.article(body, url)


def _fetched(addresses: list[str]) -> Sequence[Fetched | FetchError]:
    """Return what each address answered, or why nothing usable came; Scrapy is loaded only if there is one."""
    if not addresses:
        return []
    from crawler.cli.fetch import FetchError, visit

    async def get_all(get: Get) -> list[Fetched | FetchError]:
        answers: list[Fetched | FetchError] = []
        for address in addresses:
            try:
                answers.append(await get(address))
            except FetchError as error:
                answers.append(error)
        return answers

    return visit(get_all)


def _as_text(article: Article) -> str:
    """Return an article as a person reads it; its control characters cannot act on a terminal."""
    signed = ", ".join(f"{a.name} ({a.role})" if a.role else a.name for a in article.authors)
    dates = [("published", article.date_published), ("modified", article.date_modified)]
    said = "; ".join(f"{name} {at.isoformat(sep=' ', timespec='minutes')}" for name, at in dates if at)
    parts = [article.headline, article.description, " - ".join(filter(None, (signed, said)))]
    if article.quality != "ok":
        parts.append(f"[{article.quality.value}: {article.quality_reason}]")
    for block in article.blocks:
        mark = "[picture] " if block.kind is BlockKind.CAPTION else _MARKS.get(block.kind, "")
        parts.append(mark + block.text)
    return "\n\n".join(plain(part) for part in parts if part)
