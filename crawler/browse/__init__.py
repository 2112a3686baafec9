"""The Datasette plugin: an archive as pages, and its tables made kind. Every hook stands here.

schema.py    what the file says of itself, as Datasette's metadata; canned queries
reading.py   rows -> values, through Datasette's own connection; listing.py and figures.py: of many articles
telling.py   values -> words: times, kinds, links (the templates' filters)
cells.py     cells of Datasette's own tables
pages.py     one view a page; templates/ and static/ beside it; charts.py draws, feeds.py writes Atom and JSON
spreadsheets.py  no headline is a formula in Datasette's CSV
host.py      what differs between Datasette 0.65 and 1.0

It never imports `crawler.archive`, which would migrate or lock the file that is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datasette import NotFound
from datasette import hookimpl as untyped_hookimpl
from pluggy import HookimplMarker

from crawler.browse import cells, host, pages, spreadsheets

hookimpl: HookimplMarker = untyped_hookimpl

_ARCHIVE = r"/-/redline/(?P<database>[^/]+)"


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    pages_of_archives = {
        "": pages.home,
        "/changes": pages.changes,
        r"/changes\.(?P<format>atom|json)": pages.feed,
        r"/article/(?P<article>\d{1,12})": pages.article,
        r"/article/(?P<article>\d{1,12})/(?P<number>\d{1,9})": pages.version,
        r"/article/(?P<article>\d{1,12})/(?P<number>\d{1,9})/received": pages.received,
        "/outlets": pages.outlets,
        "/outlet/(?P<host>[^/]+)": pages.outlet,
        "/search": pages.search,
    }
    return [
        *((f"{_ARCHIVE}{path}$", pages.of_archive(view)) for path, view in pages_of_archives.items()),
        # Datasette's own first page asks for a format: none here.
        ("/(?P<format>)$", pages.front),
        ("/-/redline/?(?P<format>)$", pages.front),
        ("/-/(?P<format>)$", host.datasettes_index),
    ]


@hookimpl
def startup(datasette: Any) -> Any:
    async def tell() -> None:
        await host.tell(datasette)

    return tell


@hookimpl(optionalhook=True)
def get_metadata(datasette: Any) -> dict[str, Any]:
    return host.told(datasette)


@hookimpl(optionalhook=True)
def canned_queries(datasette: Any, database: str) -> dict[str, dict[str, str]]:
    return host.questions(datasette, database)


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None, database: str, datasette: Any) -> Any:
    return (
        cells.cell(row, value, column, table, host.home_path(datasette, database))
        if host.is_told(datasette, database)
        else None
    )


@hookimpl
def extra_css_urls(database: str | None, datasette: Any) -> list[str]:
    return [datasette.urls.static_plugins("redline", "tables.css")] if host.is_told(datasette, database) else []


@hookimpl
def menu_links(datasette: Any) -> list[dict[str, str]]:
    return [{"href": host.home_path(datasette, name), "label": label} for name, label in host.menu(datasette)]


@hookimpl
def database_actions(datasette: Any, database: str) -> list[dict[str, str]]:
    if not host.is_told(datasette, database):
        return []
    return [{"href": host.home_path(datasette, database), "label": "Latest changes"}]


@hookimpl
def asgi_wrapper(datasette: Any) -> Any:
    return lambda app: spreadsheets.guard(app, lambda segment: host.is_told(datasette, host.unquoted(segment)))


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Iterator[None]:
    """Answer for our own pages; and for any that is missing: Datasette fails at that where rich is installed.

    It calls `rich.print_exception` outside of an `except` block (0.65.5 and 1.0a41), and "not found" becomes a 500.
    """
    outcome: Any = yield
    if pages.is_ours(request) or isinstance(exception, NotFound):
        outcome.force_result([lambda: pages.failure(datasette, request, exception)])
