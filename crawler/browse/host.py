"""The Datasette that we live in: all that differs between 0.65 and 1.0 stands here, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import datasette
from datasette import Forbidden
from datasette.utils import sqlite_timelimit, tilde_decode, tilde_encode
from datasette.views.index import IndexView

from crawler.browse import schema
from crawler.browse.reading import Connection

Seen = TypeVar("Seen")

IS_0 = datasette.__version_info__[0] == "0"

# A page reads for a few milliseconds; who asks for more than this asks for something that no page should cost.
_READ_LIMIT_MS = 2000

# What the pages ask for: a file without one of these is of another program, or of a Redline before its first release.
_TABLES = set("feeds articles urls entries captures versions blocks images changes crawls flaps holds titles".split())

# What each running Datasette has been told: metadata by database, in the shape of 0.65.
_told: WeakKeyDictionary[Any, dict[str, dict[str, Any]]] = WeakKeyDictionary()


def home_path(datasette: Any, database: str) -> str:
    """Return the path of our first page for a database."""
    path: str = datasette.urls.path(f"/-/redline/{quoted(database)}")
    return path


def static_path(datasette: Any) -> str:
    """Return the path under which the plugin's static files are."""
    path: str = datasette.urls.static_plugins("redline", "")
    return path


def quoted(part: str) -> str:
    """Return a database name as one segment of a path, in Datasette's own spelling."""
    segment: str = tilde_encode(part)
    return segment


def unquoted(segment: str) -> str:
    name: str = tilde_decode(segment)
    return name


async def archives(datasette: Any) -> list[str]:
    """Return the names of the open databases that are archives of ours, in the order in which they were opened."""
    found = []
    for name, database in datasette.databases.items():
        if not name.startswith("_") and set(await database.table_names()) >= _TABLES:
            found.append(name)
    return found


async def may_look(datasette: Any, actor: Any, database: str, table: str = "versions") -> bool:
    """Return whether a visitor may see an archive: who may see its versions may see the pages made of them."""
    if IS_0:
        permissions = [("view-table", (database, table)), ("view-database", database), "view-instance"]
        try:
            await datasette.ensure_permissions(actor, permissions)
        except Forbidden:
            return False
        return True
    from datasette.resources import TableResource

    resource = TableResource(database=database, table=table)
    return bool(await datasette.allowed(action="view-table", resource=resource, actor=actor))


async def read(datasette: Any, database: str, look: Callable[[Connection], Seen]) -> Seen:
    """Run `look` over one state of an archive: a crawl that writes meanwhile is not seen in the middle.

    Raises SQLite's OperationalError ("interrupted") if it takes longer than a page may.
    """

    def within(connection: Any) -> Seen:
        with sqlite_timelimit(connection, _READ_LIMIT_MS):
            connection.execute("BEGIN")
            try:
                return look(connection)
            finally:
                connection.execute("ROLLBACK")

    seen: Seen = await datasette.get_database(database).execute_fn(within)
    return seen


async def tell(datasette: Any) -> None:
    """Describe every open archive to Datasette: what a person has configured is left as it is."""
    told = _told.setdefault(datasette, {})
    for name in await archives(datasette):
        rows = await datasette.get_database(name).execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        described = schema.describe(row["sql"] for row in rows)
        metadata = schema.metadata(described, home_path(datasette, name))
        if IS_0:
            told.pop(name, None)
            _leave_order(metadata, datasette.metadata(database=name, fallback=False))
        else:
            await _tell_1(datasette, name, metadata)
        told[name] = metadata


def told(datasette: Any) -> dict[str, Any]:
    """Return what Datasette 0.65 asks for as metadata."""
    return {"databases": _told.get(datasette, {})}


def is_told(datasette: Any, database: str | None) -> bool:
    """Return whether a database is an archive of ours, as of when Datasette started."""
    return database in _told.get(datasette, {})


def menu(datasette: Any) -> list[tuple[str, str]]:
    """Return each archive with the words that lead to its pages."""
    names = list(_told.get(datasette, {}))
    return [(name, "Redline" if len(names) == 1 else f"Redline: {name}") for name in names]


def questions(datasette: Any, database: str) -> dict[str, dict[str, str]]:
    """Return the canned queries of an archive as Datasette 0.65 asks for them; {} for another database."""
    if database not in _told.get(datasette, {}):
        return {}
    return {
        question.name: {"title": question.title, "description": question.description, "sql": question.sql}
        for question in schema.QUESTIONS
    }


def _leave_order(metadata: Mapping[str, Any], chosen: Mapping[str, Any]) -> None:
    """Take back our order of a table where a person chose one: Datasette 0.65 refuses to have two."""
    for table, said in metadata["tables"].items():
        if {"sort", "sort_desc"} & set(chosen.get("tables", {}).get(table, {})):
            said.pop("sort", None)
            said.pop("sort_desc", None)


async def _tell_1(datasette: Any, database: str, metadata: Mapping[str, Any]) -> None:
    """Tell Datasette 1.0: words go to its internal database, the way a table opens to its configuration."""
    known = await datasette.get_database_metadata(database)
    for key in ("title", "description_html"):
        if key not in known:
            await datasette.set_database_metadata(database, key, metadata[key])
    settings = _part(_part(_part(datasette.config, "databases"), database), "tables")
    for table, said in metadata["tables"].items():
        if "description" in said and "description" not in await datasette.get_resource_metadata(database, table):
            await datasette.set_resource_metadata(database, table, "description", said["description"])
        for column, text in said.get("columns", {}).items():
            if "description" not in await datasette.get_column_metadata(database, table, column):
                await datasette.set_column_metadata(database, table, column, "description", text)
        opened = _part(settings, table)
        is_sorted = "sort" in opened or "sort_desc" in opened
        for key in ("label_column", "sort", "sort_desc", "facets", "hidden"):
            if key in said and not (is_sorted and key.startswith("sort")):
                opened.setdefault(key, said[key])
    for question in schema.QUESTIONS:
        if await datasette.get_query(database, question.name) is None:
            await datasette.add_query(
                database,
                question.name,
                question.sql,
                title=question.title,
                description=question.description,
                is_trusted=True,
                source="redline",
            )


def _part(config: dict[str, Any], key: str) -> dict[str, Any]:
    part: dict[str, Any] = config.setdefault(key, {})
    return part


async def datasettes_index(datasette: Any, request: Any) -> Any:
    """Return Datasette's own first page, which ours stands in front of."""
    return await IndexView.as_view(datasette)(request, None)
