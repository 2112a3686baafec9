"""Reading the archive: `log`, `show`, `diff`, `search`."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from crawler.archive import Archive
from crawler.changes import Kind
from crawler.cli.keep import held_line
from crawler.cli.output import ago, as_json, between, count, is_coloured, lasting, plain, shown_url, stamp, width
from crawler.errors import NotFound
from crawler.items import BlockKind, Change, Verdict, Version
from crawler.rows import as_text

_STYLES = {"declared": "green", "dated": "yellow", "stealth": "red", "undated": "blue"}
_SOURCES = {"feed": "feed", "h1": "page", "title": "browser", "og": "social", "json_ld": "search"}
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
@click.option("--min-weight", default=0, type=click.IntRange(0, 100), help="Only changes that weigh at least so much.")
@click.option("--kind", type=click.Choice([*Kind]), help="Only changes of this kind.")
@click.option("--stealth", "verdict", flag_value=Verdict.STEALTH, help="Only changes that were made in silence.")
@click.option("--verdict", type=click.Choice([*Verdict]), help="Only changes that are judged so (see below).")
@click.option("--json", "as_lines", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def log_command(
    archive: Path,
    limit: int,
    since: datetime | None,
    feed: str | None,
    min_weight: int,
    kind: Kind | None,
    verdict: Verdict | None,
    as_lines: bool,
) -> None:
    """Show the latest changes, newest first.

    A change is told with the interval in which it was made: after the last visit that showed the old text, before the
    first that showed the new one. [-words-] are gone, {+words+} are new. Nothing small is left out: it
    is ranked, by its weight.

    \b
    declared   the publisher said so: a correction or update notice came with it
    dated      only the publisher's modified date moved
    stealth    the text changed, the date did not move and nothing was said
    undated    the page has no date to judge by
    """
    with Archive(archive, create=False) as opened:
        found = opened.changes(limit=limit, since=since, feed=feed, min_weight=min_weight, kind=kind, verdict=verdict)
        held = opened.holds()
    if as_lines:
        for change in found:
            click.echo(as_json(_as_object(change)))
        return
    if not found:
        click.echo("no such change was seen" + (" since then" if since else " yet"))
    click.echo("\n\n".join(map(_told, found)), color=is_coloured(), nl=bool(found))
    for hold in held:
        click.echo(held_line(hold))


@click.command("show")
@click.argument("url")
@click.option("--version", "number", type=int, default=-1, help="Which version; the latest by default.")
@click.pass_obj
def show_command(archive: Path, url: str, number: int) -> None:
    """Show an article as it read, and the versions that there are. URL is any address that it ever had."""
    with Archive(archive, create=False) as opened:
        known = opened.find(url)
        versions, titles, touches = opened.versions(known.id), opened.titles(known.id), opened.touches(known.id)
    if not versions:
        raise NotFound(f"{shown_url(known.url)} was listed but not read yet; next visit: {known.next_visit_reason}")
    chosen = next((v for v in versions if v.number == number), versions[-1] if number == -1 else None)
    if chosen is None:
        raise NotFound(f"it has no version {number}; it has {count(len(versions), 'version')}")
    click.echo(_text_of(chosen), color=is_coloured())
    click.echo(
        f"\n{shown_url(known.current_url)}  ({known.state}, last visit {ago(known.last_visit, datetime.now(UTC))})"
    )
    for version in versions:
        mark = "*" if version is chosen else " "
        checks = count(version.checks, "visit")
        click.echo(
            f" {mark} version {version.number}: {between(version.appeared_after, version.first_seen)},"
            f" last seen {stamp(version.last_seen)}, {checks}"
        )
    for touch in touches:
        click.echo(f"   touched: modified {stamp(touch.date_modified)}, seen {stamp(touch.seen_at)}, the same text")
    headline = chosen.article.headline
    for title in (title for title in titles if title.title != headline):
        click.echo(f"   also titled ({_SOURCES[title.source]}): {plain(title.title)}, since {stamp(title.first_seen)}")


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
            raise NotFound(
                f"{shown_url(known.url)} has {count(known.versions, 'version')}: there is nothing to compare"
            )
        before, after = opened.version(known.id, old), opened.version(known.id, new)
    found = diff(before.article, after.article)
    if form == "json":
        click.echo(as_json(render.json_object(found), indent=1))
    elif form == "html":
        click.echo(render.html(found))
    elif form == "unified":
        click.echo(render.unified(found))
    else:
        when = between(after.appeared_after, after.first_seen)
        click.echo(f"{shown_url(known.current_url)}\nversion {before.number} -> {after.number}, {when}\n")
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
        click.echo(f"{shown_url(hit.url)}  (from version {hit.first_version}, {stamp(hit.seen_at)}{until})")
        pieces = (
            click.style(plain(text), reverse=True) if is_hit else plain(text)
            for text, is_hit in marked(hit.text, query)
        )
        click.echo("".join(pieces) + "\n", color=is_coloured())


def _told(change: Change) -> str:
    verdict = click.style(change.verdict, fg=_STYLES[change.verdict], bold=True)
    back = f", back to version {change.reverts_to}" if change.reverts_to else ""
    if change.flips:
        back = f", shown in turn with the one before: {change.flips} times so far, at {change.share:.0%} of the visits"
    if change.explained_after is not None:
        back += f"; a notice on it came {lasting(change.explained_after)} later"
    kinds = ", ".join(kind.replace("_", " ") for kind in change.kinds) or "wording"
    return (
        f"{click.style(plain(change.headline), bold=True)}\n"
        f"  {shown_url(change.feed)}, {between(change.appeared_after, change.seen_at)}\n"
        f"  {verdict} · {kinds} · weight {change.weight} · version {change.number}{back}"
        f" · {count(change.words_added, 'word')} added, {change.words_removed} removed\n"
        f"  {plain(change.summary)}\n"
        f"  {shown_url(change.url)}"
    )


def _as_object(change: Change) -> dict[str, object]:
    told = asdict(change)
    for name in ("seen_at", "appeared_after"):
        told[name] = as_text(told[name])
    after = told.pop("explained_after")
    return told | {"explained_after_seconds": None if after is None else round(after.total_seconds())}


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
