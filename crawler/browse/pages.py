"""The pages: each view asks for what it shows, and a template shows it. No SQL and no markup here."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, get_args
from urllib.parse import quote, unquote, urlencode

from datasette import Forbidden, NotFound, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crawler.browse import charts, feeds, figures, host, listing, reading, telling
from crawler.diff import diff, render
from crawler.items import Verdict, Version

# Our pages need no script of anybody and no picture from anywhere: what is archived cannot act, whatever it holds.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
# What was received is shown to nobody's browser as a page: it comes as text, to be saved.
_RAW_HEADERS = _HEADERS | {"Content-Security-Policy": "default-src 'none'; sandbox"}

_GROUPS = 30  # articles on a page of changes
_FEED_ITEMS = 30
_PASSAGES = 40  # texts that a page of a search looks at
_VISITS = 2_000  # of an article that are drawn; a year of a visit every four hours
_WEEKS = 26  # of the calendar
_PERIODS = (30, 90, 365)  # days that an outlet's figures are of

_log = logging.getLogger(__name__)

_templates = Environment(
    loader=PackageLoader("crawler.browse"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(
    (name, getattr(telling, name))
    for name in (
        *(
            "stamp",
            "day",
            "ago",
            "duration",
            "count",
            "kind",
            "summary",
            "plain",
            "link",
            "address",
            "short_digest",
            "lang",
        ),
        *("percent", "marked"),
    )
)
_templates.globals.update(
    between=telling.between, headline=telling.headline, VERDICTS=telling.VERDICTS, STATES=telling.STATES
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a page of one archive."""

    datasette: Any
    request: Any
    database: str

    def path(self, *parts: object, **query: object) -> str:
        """Return the path of one of our pages."""
        path = "/".join((host.home_path(self.datasette, self.database), *(quote(str(part), safe="") for part in parts)))
        return f"{path}?{urlencode(query)}" if query else path

    def difference(self, article_id: int, old: int, new: int) -> str:
        """Return the path of the difference between two versions: it stays as long as the archive."""
        return f"{self.path('article', article_id)}?from={old}&to={new}#difference"

    def table(self, name: str, **filters: object) -> str:
        """Return the path of a table of Datasette, with filters as `column=value`."""
        path: str = self.datasette.urls.table(self.database, name)
        return f"{path}?{urlencode(filters)}" if filters else path

    def query(self, name: str) -> str:
        """Return the path of a canned query."""
        path: str = self.datasette.urls.query(self.database, name)
        return path

    def absolute(self, path: str) -> str:
        address: str = self.datasette.absolute_url(self.request, path)
        return address

    def said(self, name: str) -> str:
        """Return a field of the query string; `""` where it is left out."""
        return telling.asked(self.request.args.get(name) or "")

    def number(self, name: str, default: int) -> int:
        """Return a number of the query string; `default` where it is left out or is none."""
        text = self.said(name)
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else default

    async def read(self, look: Callable[[reading.Connection], host.Seen]) -> host.Seen:
        return await host.read(self.datasette, self.database, look)

    def page(self, template: str, **shown: object) -> Any:
        html = _templates.get_template(f"redline/{template}").render(
            visit=self,
            static=host.static_path(self.datasette),
            database_path=self.datasette.urls.database(self.database),
            here=self.request.path,
            **shown,
        )
        return Response.html(html, headers=_HEADERS)


View = Callable[[Visit], Awaitable[Any]]


def of_archive(view: View) -> Callable[..., Awaitable[Any]]:
    """Return a view for Datasette: it finds the archive that the path names, if the visitor may see it."""

    async def found(datasette: Any, request: Any) -> Any:
        database = host.unquoted(request.url_vars["database"])
        if database not in await host.archives(datasette):
            raise NotFound(f"No archive of Redline is open as {database}.")
        if not await host.may_look(datasette, request.actor, database):
            raise Forbidden("view-table")
        return await view(Visit(datasette, request, database))

    return found


async def front(datasette: Any, request: Any) -> Any:
    """The first page of all: the archive's home, a choice where several are open, Datasette's own where none is."""
    names = [name for name in await host.archives(datasette) if await host.may_look(datasette, request.actor, name)]
    if not names:
        return await host.datasettes_index(datasette, request)
    visits = [Visit(datasette, request, name) for name in names]
    return await home(visits[0]) if len(visits) == 1 else visits[0].page("archives.html", visits=visits)


async def home(visit: Visit) -> Any:
    """What is watched, whether it is healthy, what happened today."""
    now = datetime.now(UTC)

    def look(connection: reading.Connection) -> tuple[Any, ...]:
        return (
            figures.overview(connection, now, _WEEKS),
            figures.outlets(connection, now),
            listing.changes(connection, listing.Filter(), groups=8),
        )

    overview, outlets, page = await visit.read(look)
    return visit.page(
        "home.html", overview=overview, outlets=outlets, page=page, calendar=charts.calendar(overview.days), now=now
    )


async def changes(visit: Visit) -> Any:
    """The latest changes, newest first, narrowed by what the query string says."""
    chosen = listing.Filter.of(_flat(visit.request.args))
    now = datetime.now(UTC)
    page, outlets, kinds = await visit.read(
        lambda connection: (
            listing.changes(connection, chosen, groups=_GROUPS),
            figures.outlets(connection, now),
            listing.kinds(connection),
        )
    )
    return visit.page(
        "changes.html",
        chosen=chosen,
        page=page,
        outlets=outlets,
        kinds=sorted({*kinds, *filter(None, [chosen.kind])}),
        verdicts=list(Verdict),
    )


async def feed(visit: Visit) -> Any:
    """The same list as a feed, Atom or JSON, with each difference inside its item."""
    chosen = listing.Filter.of(_flat(visit.request.args) | {"before": ""})

    def look(connection: reading.Connection) -> list[tuple[reading.Edit, Version | None, Version | None]]:
        return [
            (
                edit,
                reading.version(connection, edit.article_id, edit.number - 1),
                reading.version(connection, edit.article_id, edit.number),
            )
            for edit in listing.latest(connection, chosen, _FEED_ITEMS)
        ]

    items = [
        feeds.Item(
            edit=edit,
            address=visit.absolute(visit.difference(edit.article_id, edit.number - 1, edit.number)),
            html=_difference(old, new, "changes") or Markup(),
        )
        for edit, old, new in await visit.read(look)
    ]
    page = visit.absolute(visit.path("changes", **chosen.query()))
    own = visit.absolute(f"{visit.request.path}{'?' if chosen.query() else ''}{urlencode(chosen.query())}")
    write, content_type = feeds.FORMATS[visit.request.url_vars["format"]]
    return Response(write(items, own, page), content_type=content_type, headers=_HEADERS)


async def article(visit: Visit) -> Any:
    """An article: what it is now, each version and what it changed, and the difference between any two."""
    article_id = int(visit.request.url_vars["article"])
    modes = get_args(render.Mode)
    mode = visit.said("mode") if visit.said("mode") in modes else "inline"

    def look(connection: reading.Connection) -> tuple[Any, ...]:
        subject = reading.subject(connection, article_id)
        if subject is None:
            raise NotFound(f"There is no article {article_id} in this archive.")
        steps = reading.steps(connection, article_id)
        latest = steps[-1].number if steps else 0
        new = visit.number("to", latest)
        old = visit.number("from", max(new - 1, 1))
        return (
            subject,
            steps,
            reading.version(connection, article_id, old),
            reading.version(connection, article_id, new),
            reading.visits(connection, article_id, _VISITS),
            reading.titles(connection, article_id),
            reading.addresses(connection, article_id),
        )

    subject, steps, old, new, visits, titles, addresses = await visit.read(look)
    if steps and (old is None or new is None):
        raise NotFound(f"Article {article_id} has versions 1 to {len(steps)}.")
    return visit.page(
        "article.html",
        subject=subject,
        steps=steps,
        old=old,
        new=new,
        mode=mode,
        modes=modes,
        difference=_difference(old, new, mode),
        visits=visits,
        absences=reading.absences(visits),
        titles=_by_text(titles),
        addresses=addresses,
        timeline=charts.timeline(steps, visits),
        earlier=_earlier(steps),
    )


async def version(visit: Visit) -> Any:
    """One version of an article as it read then."""
    article_id, number = int(visit.request.url_vars["article"]), int(visit.request.url_vars["number"])
    subject, found = await visit.read(
        lambda connection: (
            reading.subject(connection, article_id),
            reading.version(connection, article_id, number),
        )
    )
    if subject is None or found is None:
        raise NotFound(f"There is no version {number} of an article {article_id} in this archive.")
    return visit.page(
        "version.html",
        subject=subject,
        version=found,
        address=visit.absolute(visit.path("article", article_id, number)),
    )


async def received(visit: Visit) -> Any:
    """What was received when a version was first seen, byte by byte: as text to be saved, never as a page."""
    article_id, number = int(visit.request.url_vars["article"]), int(visit.request.url_vars["number"])
    if not await host.may_look(visit.datasette, visit.request.actor, visit.database, "payloads"):
        raise Forbidden("view-table")
    body = await visit.read(lambda connection: reading.payload(connection, article_id, number))
    if body is None:
        raise NotFound(f"What was received for version {number} of article {article_id} is not kept.")
    name = f"article-{article_id}-version-{number}.html.txt"
    return Response(
        body,
        content_type="text/plain; charset=utf-8",
        headers=_RAW_HEADERS | {"Content-Disposition": f'attachment; filename="{name}"'},
    )


async def outlets(visit: Visit) -> Any:
    """Every site that articles were found on."""
    now = datetime.now(UTC)
    return visit.page("outlets.html", outlets=await visit.read(lambda connection: figures.outlets(connection, now)))


async def outlet(visit: Visit) -> Any:
    """One site: how often it edits, how soon and how openly."""
    name = unquote(visit.request.url_vars["host"])
    days = visit.number("days", _PERIODS[1])
    days = days if days in _PERIODS else _PERIODS[1]
    now = datetime.now(UTC)

    def look(connection: reading.Connection) -> tuple[Any, ...]:
        found = figures.outlet(connection, name, now)
        if found is None:
            raise NotFound(f"No article of {name} is in this archive.")
        return (
            found,
            figures.outlet_figures(connection, name, now - timedelta(days=days - 1), now),
            listing.changes(connection, listing.Filter(outlet=name), groups=10),
        )

    found, numbers, page = await visit.read(look)
    return visit.page(
        "outlet.html",
        outlet=found,
        figures=numbers,
        page=page,
        days=days,
        periods=_PERIODS,
        by_age=charts.bars(numbers.ages, "Edits by how long after the article was found"),
        by_day=charts.columns(numbers.days, f"Edits on each of the last {days} days"),
        by_kind=charts.bars([(telling.kind(kind), count, 0) for kind, count in numbers.kinds], "Edits by kind"),
    )


async def search(visit: Visit) -> Any:
    """Articles by their words in any version; an address leads to its article at once."""
    query = visit.said("q")[:300]
    article_id = await visit.read(lambda connection: listing.article_at(connection, query)) if query else None
    if article_id is not None:
        return Response.redirect(visit.path("article", article_id))
    found = await visit.read(
        lambda connection: listing.hits(connection, query, limit=_PASSAGES, before=visit.said("before"))
    )
    return visit.page("search.html", query=query, found=found)


def is_ours(request: Any) -> bool:
    """Return whether a request is for one of our pages."""
    return bool(re.search(r"/-/redline(/|$)", request.path))


async def failure(datasette: Any, request: Any, exception: Exception) -> Any:
    """Say what went wrong, without the details of a bug: those go to the log."""
    status, title, text = _told(exception)
    if status == 500:
        _log.error("%s failed", request.path, exc_info=exception)
    if request.path.endswith(".json"):
        return Response.json({"ok": False, "error": text, "status": status, "title": title}, status=status)
    html = _templates.get_template("redline/error.html").render(
        visit=None,
        static=host.static_path(datasette),
        home=datasette.urls.instance(),
        title=title,
        text=text,
    )
    return Response.html(html, status=status, headers=_HEADERS)


def _told(exception: Exception) -> tuple[int, str, str]:
    if isinstance(exception, NotFound):
        said = str(exception)
        return 404, "Not here", "There is no such page." if said in ("", "404") else said
    if isinstance(exception, Forbidden):
        return 403, "Not yours to see", "Whoever runs this Datasette has closed this archive to visitors."
    if "interrupted" in str(exception):
        return 503, "That took too long", "Ask for less: fewer days, one outlet, rarer words."
    return 500, "That went wrong", "This is a bug in Redline; the log of Datasette says where."


def _difference(old: Version | None, new: Version | None, mode: Any) -> Markup | None:
    """Return the difference as HTML; None where there is nothing to compare."""
    if old is None or new is None or old.number == new.number:
        return None
    return Markup(render.html(telling.readable(diff(old.article, new.article)), mode=mode))  # noqa: S704 - `render` escapes all of it


def _earlier(steps: list[reading.Step]) -> list[reading.Step]:
    """Return the latest version with each earlier headline, newest first; a headline that came back counts once."""
    seen = {steps[-1].headline} if steps else set()
    found = []
    for step in reversed(steps):
        if step.headline not in seen:
            seen.add(step.headline)
            found.append(step)
    return found


def _by_text(titles: list[reading.Said]) -> dict[str, list[reading.Said]]:
    """Return where each title stood, by its text."""
    found: dict[str, list[reading.Said]] = {}
    for said in titles:
        found.setdefault(said.text, []).append(said)
    return found


def _flat(arguments: Any) -> dict[str, str]:
    return {name: telling.asked(arguments[name]) for name in arguments}
