"""What Datasette is told of an archive: descriptions, order, facets, labels, questions. Read from the file itself.

SQLite keeps the text of `CREATE TABLE` with its comments, so the words behind each column travel in the archive: an
older or newer file describes itself. Pure: SQL text in, Datasette's metadata out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_NAME = re.compile(r'CREATE (?:TABLE|VIEW)\s+"?(\w+)"?', re.IGNORECASE)
_COLUMN = re.compile(r'^\s*"?(?P<name>[a-z_]+)"?\s+[A-Z].*?--\s*(?P<text>.*)$')
# A column that a later step added. Where a rule of the table follows, it stands in the line of the column before it,
# whose comment then comes late: `elapsed_ms INTEGER, added INTEGER -- of added`, ` DEFAULT NULL, -- of elapsed_ms`.
_ADDED = re.compile(r'^[^-]*,\s*"?(?P<name>[a-z_]+)"? [A-Z][^,]*?--\s*(?P<text>[^\n]*)$')
_LATE = re.compile(r"^\s*DEFAULT [^\s,]+, --\s*(?P<text>.*)$")
_COMMENT = re.compile(r"^\s*--\s*(?P<text>.*)$")
_ALIAS = re.compile(r"(?:FROM|JOIN)\s+(\w+)\s+AS\s+(\w+)")
_SELECTED = re.compile(r"\b(\w+)\.(\w+)(?:\s+AS\s+(\w+))?")


@dataclass(slots=True)
class Described:
    """A table or view in words; `columns` by name, only those that have a comment."""

    text: str = ""
    columns: dict[str, str] = field(default_factory=dict)


def describe(statements: Iterable[str]) -> dict[str, Described]:
    """Return what the comments of `CREATE` statements say, by table or view.

    A column of a view is described by the column that it shows.
    """
    found: dict[str, Described] = {}
    views: list[tuple[str, str]] = []
    for sql in statements:
        if name := _NAME.match(sql):
            found[name[1]] = _comments(sql)
            if sql[:11].upper() == "CREATE VIEW":
                views.append((name[1], sql))
    for view, sql in views:
        tables = {alias: table for table, alias in _ALIAS.findall(sql)}
        for alias, column, shown_as in _SELECTED.findall(sql):
            source = found.get(tables.get(alias, ""))
            if source and column in source.columns:
                found[view].columns.setdefault(shown_as or column, source.columns[column])
    return found


def _comments(sql: str) -> Described:
    """Return the comments of one statement: before the first column the table's, then each behind its column."""
    described = Described()
    last: str | None = None
    waits: str | None = None  # the column whose comment comes late
    for line in sql.split("\n")[1:]:
        first, added = _COLUMN.match(line), _ADDED.match(line)
        if column := added or first:
            last = column["name"]
            described.columns[last] = column["text"].strip()
            waits = first["name"] if added and first else waits
        elif waits and (late := _LATE.match(line)):
            described.columns[waits] = late["text"].strip()
            waits = None
        elif comment := _COMMENT.match(line):
            if last is None:
                described.text = f"{described.text} {comment['text']}".strip()
            else:
                described.columns[last] += f" {comment['text'].strip()}"
    return described


def metadata(described: Mapping[str, Described], home: str) -> dict[str, Any]:
    """Return the metadata of one database in Datasette's shape (0.65's `metadata.json`); `home` is our page's path."""
    tables: dict[str, dict[str, Any]] = {}
    for name, table in described.items():
        shown = _SHOWN.get(name, {})
        tables[name] = {
            **({"description": table.text} if table.text else {}),
            **({"columns": dict(table.columns)} if table.columns else {}),
            **shown,
        }
    for name in ("_sqlite_migrations", "sqlite_migrations"):
        tables[name] = {"hidden": True}
    return {
        "title": "Redline archive",
        "description_html": (
            f'Every version of every article that was seen. <a href="{home}">Latest changes, articles and search</a>'
            " are pages of their own; here are the tables behind them. Times are UTC."
        ),
        "tables": tables,
    }


# How each table opens. A facet named here has an index, or counts in Datasette's 200 ms up to some size of the archive:
# lists (`kinds`, `authors`) up to 10,000 to 25,000 rows, the view `latest_changes` up to 100,000. Then it is left out.
_SHOWN: dict[str, dict[str, Any]] = {
    "feeds": {"label_column": "title", "sort": "id", "facets": ["format", "language"]},
    "articles": {
        "label_column": "headline",
        "sort_desc": "last_changed",
        "facets": ["host", "state", "language", "section", {"array": "authors"}],
    },
    # Not by the address: a label is printed as it is, with a token that stands in it.
    "urls": {"label_column": "source", "sort_desc": "id", "facets": ["source"]},
    "entries": {"label_column": "title", "sort_desc": "id", "facets": ["feed_id"]},
    "crawls": {"label_column": "started_at", "sort_desc": "id", "facets": ["reason"]},
    "captures": {"label_column": "captured_at", "sort_desc": "id", "facets": ["outcome"]},
    "captures_by_month": {"label_column": "month", "sort_desc": "month"},
    "versions": {"label_column": "headline", "sort_desc": "id"},
    "blocks": {"label_column": "text", "sort_desc": "id"},
    "images": {"label_column": "caption", "sort_desc": "id"},
    "changes": {"label_column": "summary", "sort_desc": "seen_at", "facets": ["verdict", {"array": "kinds"}]},
    "payloads": {"sort_desc": "capture_id"},
    "flaps": {"sort_desc": "last_seen"},
    "ailments": {"label_column": "evidence", "sort_desc": "id", "facets": ["sign"]},
    "holds": {"label_column": "held_at", "sort_desc": "id", "facets": ["settlement"]},
    "titles": {"label_column": "title", "sort_desc": "id", "facets": ["source"]},
    "furniture": {"label_column": "example", "sort_desc": "id", "facets": ["host"]},
    "page_lines": {"hidden": True},
    "latest_changes": {"facets": ["host", "verdict"]},
}


@dataclass(frozen=True, slots=True)
class Question:
    """A canned query: what a person wants to know, and the SQL that answers it."""

    name: str
    title: str
    description: str
    sql: str


QUESTIONS = (
    Question(
        "stealth_edits",
        "Which edits were made in silence?",
        "Changes without a notice and without a new date, the weightiest first, of the days that you name.",
        """SELECT c.seen_at, a.host, v.headline, c.weight, c.kinds, c.summary, v.number AS version,
       c.article_id
  FROM changes AS c JOIN versions AS v ON v.id = c.version_id JOIN articles AS a ON a.id = c.article_id
 WHERE c.verdict = 'stealth' AND c.seen_at >= coalesce(nullif(:since, ''), '0')
 ORDER BY c.weight DESC, c.seen_at DESC LIMIT 200""",
    ),
    Question(
        "changed_since",
        "What changed since then?",
        "Changes seen at or after a moment such as 2026-03-01 or 2026-03-01T12:00:00Z, the oldest first.",
        """SELECT c.seen_at, a.host, v.headline, c.verdict, c.weight, c.kinds, c.summary, v.number AS version,
       c.article_id
  FROM changes AS c JOIN versions AS v ON v.id = c.version_id JOIN articles AS a ON a.id = c.article_id
 WHERE c.seen_at >= :since ORDER BY c.seen_at, c.id LIMIT 500""",
    ),
    Question(
        "headline_changes",
        "Which headlines were rewritten?",
        "Each headline beside the one that it replaced, newest first.",
        """SELECT v.first_seen, a.host, o.headline AS was, v.headline, v.number AS version, v.article_id
  FROM changes AS c JOIN versions AS v ON v.id = c.version_id
  JOIN versions AS o ON o.article_id = v.article_id AND o.number = v.number - 1
  JOIN articles AS a ON a.id = v.article_id
 WHERE o.headline <> v.headline ORDER BY c.seen_at DESC LIMIT 200""",
    ),
    Question(
        "most_rewritten",
        "Which articles were rewritten most?",
        "Articles by how many versions of them were seen.",
        """SELECT a.headline, a.host, a.versions, a.found_at, a.last_changed, a.state, a.url, a.id AS article_id
  FROM articles AS a WHERE a.versions > 1 ORDER BY a.versions DESC, a.last_changed DESC LIMIT 200""",
    ),
    Question(
        "reverts",
        "What was changed and changed back?",
        "Versions that restore an earlier one: a headline on trial, an edit undone.",
        """SELECT c.seen_at, a.host, v.headline, v.number AS version, c.reverts_to, c.article_id
  FROM changes AS c JOIN versions AS v ON v.id = c.version_id JOIN articles AS a ON a.id = c.article_id
 WHERE c.reverts_to IS NOT NULL ORDER BY c.seen_at DESC LIMIT 200""",
    ),
    Question(
        "disappeared",
        "Which articles are gone?",
        "Articles whose publisher says that they are gone, or that were missing at the latest visit.",
        """SELECT a.headline, a.host, a.state, a.versions, a.last_visit, a.last_changed, a.url, a.id AS article_id
  FROM articles AS a WHERE a.state IN ('gone', 'suspect') ORDER BY a.last_visit DESC LIMIT 200""",
    ),
    Question(
        "corrections",
        "Which corrections were declared?",
        "Notices that came to stand on the pages, with the version that brought them.",
        """SELECT v.first_seen, a.host, v.headline, json_extract(n.value, '$.kind') AS notice,
       json_extract(n.value, '$.text') AS text, v.number AS version, v.article_id
  FROM changes AS c JOIN versions AS v ON v.id = c.version_id JOIN articles AS a ON a.id = v.article_id
  JOIN versions AS o ON o.article_id = v.article_id AND o.number = v.number - 1,
       json_each(v.notices) AS n
 WHERE c.verdict = 'declared' AND n.value NOT IN (SELECT value FROM json_each(o.notices))
 ORDER BY c.seen_at DESC LIMIT 200""",
    ),
    Question(
        "feed_health",
        "Are the feeds healthy?",
        "Feeds with their latest good visit, what went wrong since, and how many articles they brought.",
        """SELECT f.id AS feed_id, f.title, f.last_good_at, f.failures, f.last_error, f.next_visit,
       (SELECT count(*) FROM articles AS a WHERE a.feed_id = f.id) AS articles, f.url
  FROM feeds AS f WHERE f.removed_at IS NULL ORDER BY f.failures DESC, f.last_good_at LIMIT 500""",
    ),
    Question(
        "find_address",
        "Which article stands at this address?",
        "Articles one of whose addresses holds these letters.",
        """SELECT a.headline, u.url, u.source, u.first_seen, u.last_seen, u.article_id
  FROM urls AS u JOIN articles AS a ON a.id = u.article_id
 WHERE :address <> '' AND instr(u.key, lower(:address)) > 0
 ORDER BY u.last_seen DESC LIMIT 200""",
    ),
)
