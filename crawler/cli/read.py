"""Reading the archive: `log`, `show`, `diff`, `search`."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from crawler.archive import Archive
from crawler.cli.output import ago, between, count, is_coloured, plain, stamp, width
from crawler.errors import NotFound
from crawler.items import BlockKind, Change, Version

_STYLES = {"declared": "green", "dated": "yellow", "stealth": "red", "undated": "blue"}
_SPAN = re.compile(r"(\d+)\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Since(click.ParamType[datetime]):
    """A moment: `2d`, `6h`, `30m`, `1w` ago, a date, or an ISO 8601 time (UTC where it names no zone)."""

    name = "2d|6h|DATE"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        text = str(value).strip()
        if match := _SPAN.fullmatch(text):
            return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(f"{text!r} is no time; write 30m, 6h, 2d, 1w, a date like 2026-03-01, or 2026-03-01T12:00Z")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.command("log")
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1), help="How many changes.")
@click.option("--since", type=Since(), help="Only changes seen since then.")
@click.option("--feed", help="Only articles of this feed (its address or number).")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def log_command(archive: Path, limit: int, since: datetime | None, feed: str | None, as_json: bool) -> None:
    """Show the latest changes, newest first.

    A change is told with the interval in which it was made: after the last visit that showed the old text, before the
    first that showed the new one. [-words-] are gone, {+words+} are new.

    \b
    declared   the publisher said so: a correction or update notice came with it
    dated      only the publisher's modified date moved
    stealth    the text changed, the date did not move and nothing was said
    undated    the page has no date to judge by
    """
    with Archive(archive, create=False) as opened:
        found = opened.changes(limit=limit, since=since, feed=feed)
    if as_json:
        for change in found:
            click.echo(json.dumps(_as_object(change), ensure_ascii=False))
        return
    if not found:
        click.echo("no change was seen" + (" since then" if since else " yet"))
    for change in found:
        click.echo(_told(change) + "\n", color=is_coloured())


@click.command("show")
@click.argument("url")
@click.option("--version", "number", type=int, default=-1, help="Which version; the latest by default.")
@click.pass_obj
def show_command(archive: Path, url: str, number: int) -> None:
    """Show an article as it read, and the versions that there are. URL is any address that it ever had."""
    with Archive(archive, create=False) as opened:
        known = opened.find(url)
        versions = opened.versions(known.id)
    if not versions:
        raise NotFound(f"{plain(known.url)} was listed but not read yet; next visit: {known.next_visit_reason}")
    chosen = next((v for v in versions if v.number == number), versions[-1] if number == -1 else None)
    if chosen is None:
        raise NotFound(f"it has no version {number}; it has {count(len(versions), 'version')}")
    click.echo(_text_of(chosen), color=is_coloured())
    click.echo(f"\n{plain(known.current_url)}  ({known.state}, last visit {ago(known.last_visit, datetime.now(UTC))})")
    for version in versions:
        mark = "*" if version is chosen else " "
        checks = count(version.checks, "visit")
        click.echo(
            f" {mark} version {version.number}: {between(version.appeared_after, version.first_seen)},"
            f" last seen {stamp(version.last_seen)}, {checks}"
        )


@click.command("diff")
@click.argument("url")
@click.argument("old", type=int, default=-2)
@click.argument("new", type=int, default=-1)
@click.option(
    "--format",
    "form",
    type=click.Choice(["ansi", "html", "json", "unified"]),
    default="ansi",
    show_default=True,
    help="ansi: for a terminal, without colour elsewhere.",
)
@click.pass_obj
def diff_command(archive: Path, url: str, old: int, new: int, form: str) -> None:
    """Show what changed in an article between version OLD and version NEW: by default, the latest step.

    Negative numbers count from the latest, after `--`: `redline diff URL -- -3 -1`.
    """
    from crawler.diff import diff, render

    with Archive(archive, create=False) as opened:
        known = opened.find(url)
        if known.versions < 2:
            raise NotFound(f"{plain(known.url)} has {count(known.versions, 'version')}: there is nothing to compare")
        before, after = opened.version(known.id, old), opened.version(known.id, new)
    found = diff(before.article, after.article)
    if form == "json":
        click.echo(json.dumps(render.json_object(found), ensure_ascii=False, indent=1))
    elif form == "html":
        click.echo(render.html(found))
    elif form == "unified":
        click.echo(render.unified(found))
    else:
        when = between(after.appeared_after, after.first_seen)
        click.echo(f"{plain(known.current_url)}\nversion {before.number} -> {after.number}, {when}\n")
        click.echo(render.terminal(found, colour=is_coloured(), width=width()), color=is_coloured())


@click.command("search")
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "--limit", default=20, show_default=True, type=click.IntRange(1), help="How many texts.")
@click.pass_obj
def search_command(archive: Path, words: tuple[str, ...], limit: int) -> None:
    """Find texts of every version, in any script, that hold all WORDS; "in double quotes" as a phrase."""
    from crawler.search import marked

    query = " ".join(words)
    with Archive(archive, create=False) as opened:
        hits = opened.search(query, limit=limit)
    if not hits:
        click.echo("nothing found")
    for hit in hits:
        until = "" if hit.gone_in is None else f", gone in version {hit.gone_in}"
        click.echo(click.style(plain(hit.headline), bold=True), color=is_coloured())
        click.echo(f"{plain(hit.url)}  (from version {hit.first_version}, {stamp(hit.seen_at)}{until})")
        pieces = (
            click.style(plain(text), reverse=True) if is_hit else plain(text)
            for text, is_hit in marked(hit.text, query)
        )
        click.echo("".join(pieces) + "\n", color=is_coloured())


def _told(change: Change) -> str:
    verdict = click.style(change.verdict, fg=_STYLES[change.verdict], bold=True)
    back = f", back to version {change.reverts_to}" if change.reverts_to else ""
    kinds = ", ".join(kind.replace("_", " ") for kind in change.kinds) or "wording"
    return (
        f"{click.style(plain(change.headline), bold=True)}\n"
        f"  {plain(change.feed)}, {between(change.appeared_after, change.seen_at)}\n"
        f"  {verdict} · {kinds} · weight {change.weight} · version {change.number}{back}"
        f" · {count(change.words_added, 'word')} added, {change.words_removed} removed\n"
        f"  {plain(change.summary)}\n"
        f"  {plain(change.url)}"
    )


def _as_object(change: Change) -> dict[str, object]:
    from dataclasses import asdict

    return {
        name: value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(value, datetime) else value
        for name, value in asdict(change).items()
    }


def _text_of(version: Version) -> str:
    article = version.article
    lines = [click.style(plain(article.headline), bold=True)]
    if article.description:
        lines.append(plain(article.description))
    byline = ", ".join(plain(author.name) for author in article.authors)
    dates = [
        f"{name} {stamp(moment.astimezone(UTC))}"
        for name, moment in (("published", article.date_published), ("modified", article.date_modified))
        if moment is not None
    ]
    lines.append(" · ".join(filter(None, [byline, plain(article.section), *dates])))
    marks = {BlockKind.HEADING: "## ", BlockKind.QUOTE: "> ", BlockKind.LIST_ITEM: "- ", BlockKind.POST: "** "}
    lines += (marks.get(block.kind, "") + plain(block.text) for block in article.blocks)
    lines += (
        "[picture] " + " ".join(filter(None, [plain(image.caption), image.credit and f"({plain(image.credit)})"]))
        for image in article.images
        if image.caption or image.credit
    )
    return "\n\n".join(filter(None, lines))
