"""The pages: each view asks `reading` for what it shows, and a template shows it. No SQL and no markup here."""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, get_args

from datasette import Forbidden, NotFound, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crawler.browse import host, reading, telling
from crawler.diff import diff, render
from crawler.items import Version

# Our pages need no script of anybody and no picture from anywhere: what is archived cannot act, whatever it holds.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_log = logging.getLogger(__name__)

_templates = Environment(
    loader=PackageLoader("crawler.browse"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters.update(
    stamp=telling.stamp,
    day=telling.day,
    duration=telling.duration,
    count=telling.count,
    kind=telling.kind,
    summary=telling.summary,
    plain=telling.plain,
    link=telling.link,
    short_digest=telling.short_digest,
    lang=telling.lang,
)
_templates.globals.update(between=telling.between, headline=telling.headline, VERDICTS=telling.VERDICTS)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to a page of one archive."""

    datasette: Any
    request: Any
    database: str

    def path(self, *parts: object) -> str:
        """Return the path of one of our pages."""
        return "/".join((host.home_path(self.datasette, self.database), *map(str, parts)))

    def table(self, name: str, **filters: object) -> str:
        """Return the path of a table of Datasette, with filters as `column=value`."""
        path: str = self.datasette.urls.table(self.database, name)
        return path + ("?" + "&".join(f"{column}={value}" for column, value in filters.items()) if filters else "")

    def number(self, name: str, default: int) -> int:
        """Return a number of the query string; `default` where it is left out or is none."""
        text = self.request.args.get(name) or ""
        return int(text) if re.fullmatch(r"\d{1,9}", text) else default

    async def read(self, look: Callable[[reading.Connection], host.Found]) -> host.Found:
        return await host.read(self.datasette, self.database, look)

    def page(self, template: str, **shown: object) -> Any:
        html = _templates.get_template(f"redline/{template}").render(
            visit=self,
            static=self.datasette.urls.static_plugins("redline", ""),
            database_path=self.datasette.urls.database(self.database),
            **shown,
        )
        return Response.html(html, headers=_HEADERS)


View = Callable[[Visit], Awaitable[Any]]


def of_archive(view: View) -> Callable[..., Awaitable[Any]]:
    """Return a view for Datasette: it finds the archive that the path names, if the visitor may see it."""

    async def found(datasette: Any, request: Any) -> Any:
        database = host.unquoted(request.url_vars["database"])
        if database not in await host.archives(datasette):
            raise NotFound(f"no archive of Redline is open as {database}")
        if not await host.may_look(datasette, request.actor, database):
            raise Forbidden("view-table")
        return await view(Visit(datasette, request, database))

    return found


def is_ours(request: Any) -> bool:
    """Return whether a request is for one of our pages."""
    return bool(re.match(r".*/-/redline(/|$)", request.path))


async def failure(datasette: Any, request: Any, exception: Exception) -> Any:
    """Say what went wrong, without the details of a bug: those go to the log."""
    status, title, text = _told(exception)
    if status == 500:
        _log.error("%s failed", request.path, exc_info=exception)
    if request.path.endswith(".json"):
        return Response.json({"ok": False, "error": text, "status": status, "title": title}, status=status)
    html = _templates.get_template("redline/error.html").render(
        visit=None,
        static=datasette.urls.static_plugins("redline", ""),
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


async def home(visit: Visit) -> Any:
    """The latest changes."""
    edits = await visit.read(lambda connection: reading.latest(connection, 50))
    return visit.page("home.html", edits=edits)


async def article(visit: Visit) -> Any:
    """An article: what it is now, each version and what it changed, and the difference between any two."""
    article_id = int(visit.request.url_vars["article"])
    modes = get_args(render.Mode)
    mode = visit.request.args.get("mode")

    def look(connection: reading.Connection) -> tuple[Any, ...]:
        subject = reading.subject(connection, article_id)
        if subject is None:
            raise NotFound(f"there is no article {article_id} in this archive")
        steps = reading.steps(connection, article_id)
        latest = steps[-1].number if steps else 0
        new = visit.number("to", latest)
        old = visit.number("from", max(new - 1, 1))
        return (
            subject,
            steps,
            reading.version(connection, article_id, old),
            reading.version(connection, article_id, new),
        )

    subject, steps, old, new = await visit.read(look)
    if steps and (old is None or new is None):
        raise NotFound(f"article {article_id} has versions 1 to {len(steps)}")
    return visit.page(
        "article.html",
        subject=subject,
        steps=steps,
        old=old,
        new=new,
        mode=mode if mode in modes else "inline",
        modes=modes,
        difference=_difference(old, new, mode if mode in modes else "inline"),
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
        raise NotFound(f"there is no version {number} of an article {article_id} in this archive")
    return visit.page("version.html", subject=subject, version=found)


def _difference(old: Version | None, new: Version | None, mode: Any) -> Markup | None:
    """Return the difference as HTML; None where there is nothing to compare."""
    if old is None or new is None or old.number == new.number:
        return None
    return Markup(render.html(diff(old.article, new.article), mode=mode))  # noqa: S704 - `render` escapes all of it
