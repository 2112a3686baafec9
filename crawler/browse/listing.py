"""Lists over all articles: the latest changes, filtered and grouped, and what a search found. Newest first.

A page costs the same however large the archive is: a list looks through a bounded stretch of changes, and says where it
stopped so that the next page goes on from there.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from crawler import search, urls
from crawler.browse.reading import Connection, Edit, edits, first
from crawler.items import Verdict
from crawler.rows import Row, known_moment, moment

# A page that has not found enough after as many changes says so, and the next one goes on from there.
_STRETCH = 10_000
# How many passages with the words looked for are followed to the changes that brought or took them.
_PASSAGES = 1_000
# How many of these changes are looked at word by word for a page.
_CANDIDATES = 400
# An outlet with fewer articles than this is read by its articles, one with more by time.
_FEW_ARTICLES = 2_000

_WORD = re.compile(r"\w+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a list of changes is narrowed to; an empty field narrows nothing.

    `since` and `until` are days, both included, UTC. `weight` is the least. `words` must have been added or removed.
    `before` is where an earlier page stopped: a time and the number of a change.
    """

    outlet: str = ""
    kind: str = ""
    verdict: str = ""
    weight: int = 0
    since: str = ""
    until: str = ""
    words: str = ""
    before: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """Return the filter that a query string asks for; what makes no sense there narrows nothing."""
        weight = query.get("weight", "")
        days = {name: day for name in ("since", "until") if _is_day(day := query.get(name, "").strip())}
        before = query.get("before", "")
        return cls(
            outlet=query.get("outlet", "").strip()[:300],
            kind=query.get("kind", "").strip()[:100],
            verdict=verdict if (verdict := query.get("verdict", "")) in set(Verdict) else "",
            weight=min(int(weight), 100) if re.fullmatch(r"[0-9]{1,3}", weight) else 0,
            words=query.get("words", "").strip()[:300],
            before=before if re.fullmatch(r"[0-9T:Z-]{20}\.[0-9]{1,18}", before) else "",
            **days,
        )

    def query(self, **changed: object) -> dict[str, str]:
        """Return the query string's fields, with some changed: what `of` reads."""
        chosen = replace(self, **changed)  # type: ignore[arg-type]
        return {name: str(value) for name in self.__slots__ if (value := getattr(chosen, name))}

    @property
    def is_any(self) -> bool:
        """Whether nothing is narrowed."""
        return replace(self, before="") == Filter()


@dataclass(frozen=True, slots=True)
class Group:
    """Edits of one article on one day, the latest first: a live blog is one line of the page."""

    edits: tuple[Edit, ...]

    @property
    def latest(self) -> Edit:
        return self.edits[0]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of changes by day, newest first. `before` is where the next page begins; `""`: there is none.

    `stopped_at` is set where the page ended because it had looked far enough, not because it was full.
    """

    days: tuple[tuple[datetime, tuple[Group, ...]], ...]
    before: str
    stopped_at: datetime | None


def changes(connection: Connection, chosen: Filter, *, groups: int) -> Page:
    """Return a page of at most `groups` groups of edits."""
    found, end, is_end = _found(connection, chosen, groups * 8)
    days: dict[datetime, dict[int, list[Edit]]] = {}
    shown = 0
    last: Edit | None = None
    for edit in found:
        day = edit.seen_at.replace(hour=0, minute=0, second=0, microsecond=0)
        of_day = days.setdefault(day, {})
        if edit.article_id not in of_day:
            if shown == groups:
                if not of_day:
                    del days[day]
                assert last is not None
                return Page(_grouped(days), _cursor(last), None)
            shown += 1
        of_day.setdefault(edit.article_id, []).append(edit)
        last = edit
    if is_end:
        return Page(_grouped(days), "", None)
    return Page(_grouped(days), end, None if shown else known_moment(end.partition(".")[0]))


def latest(connection: Connection, chosen: Filter, limit: int) -> list[Edit]:
    """Return the latest `limit` changes, ungrouped: for feeds of changes."""
    return _found(connection, chosen, limit)[0]


def _found(connection: Connection, chosen: Filter, limit: int) -> tuple[list[Edit], str, bool]:
    """Return changes, where a next page would begin, and whether there is nothing left to look at."""
    since = chosen.since or "0"
    until = f"{datetime.fromisoformat(chosen.until) + timedelta(days=1):%Y-%m-%d}" if chosen.until else "9999"
    seen, _, number = chosen.before.partition(".") if chosen.before else ("9999", "", "0")
    span = (since, until, seen, seen, int(number))
    fits = (chosen.weight, chosen.verdict, chosen.verdict, chosen.outlet, chosen.outlet, chosen.kind, chosen.kind)
    if chosen.words:
        return _with_words(connection, chosen.words, (*span, *fits), limit)
    if chosen.outlet and is_small(connection, chosen.outlet):
        ids = _ids(connection.execute(_BY_ARTICLE, (chosen.outlet, *span, *fits, limit + 1)))
        return _cut(connection, ids, limit)
    stretch = limit + 1 if chosen.query(since="", until="", before="") == {} else _STRETCH
    ids = _ids(connection.execute(_BY_TIME, (*span, stretch, *fits, limit + 1)))
    end = first(connection.execute(_END, (*span, stretch - 1)))
    if len(ids) > limit or end is None:
        return _cut(connection, ids, limit)
    return edits_of(connection, ids), f"{end['seen_at']}.{end['id']}", False


def _cut(connection: Connection, ids: list[int], limit: int) -> tuple[list[Edit], str, bool]:
    found = edits_of(connection, ids[:limit])
    return found, _cursor(found[-1]) if found else "", len(ids) <= limit


def _ids(rows: Iterable[Row]) -> list[int]:
    return [row["id"] for row in rows]


_SPAN = "c.seen_at >= ? AND c.seen_at < ? AND c.seen_at <= ? AND (c.seen_at, c.id) < (?, ?)"
_FITS = (
    "c.weight >= ? AND (? = '' OR c.verdict = ?) AND (? = '' OR a.host = ?)"
    " AND (? = '' OR EXISTS (SELECT 1 FROM json_each(c.kinds) AS k WHERE k.value = ?))"
    " AND (c.hold_id IS NULL OR (SELECT h.settlement FROM holds AS h WHERE h.id = c.hold_id) IS 'accepted')"
)
_NEWEST = "ORDER BY c.seen_at DESC, c.id DESC LIMIT ?"
# CROSS JOIN keeps SQLite to the order that is written: a stretch along the index by time, then what fits of it.
_BY_TIME = " ".join(
    (
        "SELECT c.id FROM (SELECT * FROM changes AS c WHERE",
        _SPAN,
        _NEWEST,
        ") AS c CROSS JOIN articles AS a ON a.id = c.article_id WHERE",
        _FITS,
        _NEWEST,
    )
)
_END = " ".join(("SELECT c.seen_at, c.id FROM changes AS c WHERE", _SPAN, _NEWEST.replace("?", "1 OFFSET ?")))
_BY_ARTICLE = " ".join(
    (
        "SELECT c.id FROM articles AS a CROSS JOIN changes AS c ON c.article_id = a.id AND a.host = ? WHERE",
        _SPAN,
        "AND",
        _FITS,
        _NEWEST,
    )
)
# A passage came with the version that it was added in and went with the one that it was removed in; a heading stands
# in the index where it was new, and goes with a later version at the earliest with the next.
_WITH_WORDS = " ".join(
    (
        "WITH passages AS (SELECT rowid FROM block_search WHERE block_search MATCH ? ORDER BY rowid DESC LIMIT ?),",
        "headings AS (SELECT rowid FROM version_search WHERE version_search MATCH ? ORDER BY rowid DESC LIMIT ?),",
        "touched AS (",
        "SELECT b.article_id, b.added_in AS number FROM passages AS p JOIN blocks AS b ON b.id = p.rowid",
        "UNION SELECT b.article_id, b.removed_in FROM passages AS p JOIN blocks AS b ON b.id = p.rowid",
        "UNION SELECT v.article_id, v.number FROM headings AS h JOIN versions AS v ON v.id = h.rowid",
        "UNION SELECT v.article_id, (SELECT min(n.number) FROM versions AS n WHERE n.article_id = v.article_id",
        "AND n.number > v.number AND (n.headline <> v.headline OR n.description <> v.description))",
        "FROM headings AS h JOIN versions AS v ON v.id = h.rowid)",
        "SELECT c.id, c.article_id, c.seen_at, v.number FROM touched AS t",
        "CROSS JOIN versions AS v ON v.article_id = t.article_id AND v.number = t.number",
        "CROSS JOIN changes AS c ON c.version_id = v.id CROSS JOIN articles AS a ON a.id = c.article_id WHERE",
        _SPAN,
        "AND",
        _FITS,
        _NEWEST,
    )
)


def _with_words(
    connection: Connection, words: str, span_and_fits: tuple[object, ...], limit: int
) -> tuple[list[Edit], str, bool]:
    """Return changes that added or removed any of the words, of those that touched a passage with all of them."""
    expression = search.match_expression(words)
    if not expression:
        return [], "", True
    rows = connection.execute(
        _WITH_WORDS, (expression, _PASSAGES, expression, _PASSAGES, *span_and_fits, _CANDIDATES + 1)
    )
    fitting: list[int] = []
    end = ""
    for looked_at, row in enumerate(rows):
        if len(fitting) == limit or looked_at == _CANDIDATES:
            return edits_of(connection, fitting), end, False
        if _counts_differ(connection, row, words):
            fitting.append(row["id"])
        end = f"{row['seen_at']}.{row['id']}"
    return edits_of(connection, fitting), "", True


def _counts_differ(connection: Connection, row: Row, words: str) -> bool:
    """Return whether a change added or removed any of the words: a passage edited elsewhere came and went with them."""
    texts = connection.execute(
        "SELECT text, added_in = ? AS is_new FROM blocks WHERE article_id = ? AND (added_in = ? OR removed_in = ?)"
        " UNION ALL SELECT headline || char(10) || description, number = ? FROM versions"
        " WHERE article_id = ? AND number IN (?, ?)",
        (
            *(row["number"], row["article_id"], row["number"], row["number"]),
            *(row["number"], row["article_id"], row["number"] - 1, row["number"]),
        ),
    )
    sides: tuple[list[str], list[str]] = ([], [])
    for text in texts:
        sides[text["is_new"]].append(text["text"])
    before, after = ("\n".join(side).casefold() for side in sides)
    return any(before.count(word) != after.count(word) for word in map(str.casefold, search.needles(words)))


def edits_of(connection: Connection, ids: Sequence[int]) -> list[Edit]:
    """Return the changes with these numbers, newest first."""
    condition = "WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY c.seen_at DESC, c.id DESC"
    return edits(connection, condition, json.dumps(ids))


def is_small(connection: Connection, outlet: str) -> bool:
    """Return whether an outlet is better read by its articles than by time."""
    row = first(
        connection.execute(
            "SELECT count(*) AS n FROM (SELECT 1 FROM articles WHERE host = ? LIMIT ?)", (outlet, _FEW_ARTICLES)
        )
    )
    return row is None or row["n"] < _FEW_ARTICLES


def _grouped(days: Mapping[datetime, Mapping[int, list[Edit]]]) -> tuple[tuple[datetime, tuple[Group, ...]], ...]:
    return tuple((day, tuple(Group(tuple(of_article)) for of_article in found.values())) for day, found in days.items())


def _cursor(edit: Edit) -> str:
    return f"{edit.seen_at:%Y-%m-%dT%H:%M:%SZ}.{edit.id}"


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.match(text)) and datetime.fromisoformat(text).year < 9000
    except ValueError:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifetime:
    """From where to where words stood in an article: they came with version `first` and went with version `gone`.

    They came after `after` and not later than `seen_at`, went after `gone_after` and not later than `gone_at`. `after`
    is None for the first version, and all of `gone` while the latest version has them.
    """

    first: int
    after: datetime | None
    seen_at: datetime
    gone: int | None
    gone_after: datetime | None
    gone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """An article in which words were found: `text` is the newest passage that has them, `more` how many others have."""

    article_id: int
    headline: str
    host: str
    feed: str
    language: str
    text: str
    number: int
    more: int
    lifetimes: tuple[Lifetime, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found, newest first; `before` is where the next page begins, `""` if there is none."""

    hits: tuple[Hit, ...] = ()
    before: str = ""


def hits(connection: Connection, query: str, *, limit: int, before: str = "") -> Found:
    """Return the articles that hold all words of `query` in one paragraph, or in one headline with its standfirst.

    At most `limit` passages are looked at for a page; `before` is what an earlier page gave.
    """
    expression = search.match_expression(query)
    if not expression:
        return Found()
    is_further = re.fullmatch(r"[0-9]{1,18}\.[0-9]{1,18}", before)
    bounds = [int(bound) for bound in before.split(".")] if is_further else [2**62, 2**62]
    rows = list(
        connection.execute(_HITS, (expression, bounds[0], limit + 1, expression, bounds[1], limit + 1, limit + 1))
    )
    articles: dict[int, list[Row]] = {}
    for row in rows[:limit]:
        articles.setdefault(row["article_id"], []).append(row)
        place = row["place"]
        bounds[place] = min(bounds[place], row["id"])
    return Found(
        hits=tuple(
            Hit(
                article_id=article_id,
                headline=newest["headline"],
                host=newest["host"],
                feed=newest["feed"] or newest["host"],
                language=newest["language"],
                text=newest["text"],
                number=newest["number"],
                more=len(others),
                lifetimes=tuple(_lifetimes(connection, article_id, query)),
            )
            for article_id, (newest, *others) in articles.items()
        ),
        before=f"{bounds[0]}.{bounds[1]}" if len(rows) > limit else "",
    )


_HITS = """
SELECT 0 AS place, b.id, b.article_id, a.headline, a.host, w.title AS feed, v.language, b.text, v.number, v.first_seen
  FROM (SELECT rowid FROM block_search WHERE block_search MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?) AS f
  JOIN blocks AS b ON b.id = f.rowid
  JOIN articles AS a ON a.id = b.article_id
  JOIN feeds AS w ON w.id = a.feed_id
  JOIN versions AS v ON v.article_id = b.article_id AND v.number = b.added_in
 UNION ALL
SELECT 1, v.id, v.article_id, a.headline, a.host, w.title, v.language, trim(v.headline || char(10) || v.description),
       v.number, v.first_seen
  FROM (SELECT rowid FROM version_search WHERE version_search MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?) AS f
  JOIN versions AS v ON v.id = f.rowid
  JOIN articles AS a ON a.id = v.article_id
  JOIN feeds AS w ON w.id = a.feed_id
 ORDER BY v.first_seen DESC, v.article_id DESC, b.id DESC LIMIT ?
"""


def _lifetimes(connection: Connection, article_id: int, query: str) -> Iterator[Lifetime]:
    """Yield from where to where an article held the words of `query`, the first one first."""
    versions = list(
        connection.execute(
            "SELECT number, headline, description, appeared_after, first_seen FROM versions WHERE article_id = ?"
            " ORDER BY number",
            (article_id,),
        )
    )
    having = {row["number"] for row in versions if _holds(f"{row['headline']}\n{row['description']}", query)}
    for block in connection.execute(
        "SELECT text, added_in, removed_in FROM blocks WHERE article_id = ?", (article_id,)
    ):
        if _holds(block["text"], query):
            having.update(range(block["added_in"], block["removed_in"] or len(versions) + 1))
    came: Row | None = None
    for row in versions:
        if row["number"] in having:
            came = came or row
        elif came is not None:
            yield _lifetime(came, row)
            came = None
    if came is not None:
        yield _lifetime(came, None)


def _lifetime(came: Row, went: Row | None) -> Lifetime:
    return Lifetime(
        first=came["number"],
        after=moment(came["appeared_after"]),
        seen_at=known_moment(came["first_seen"]),
        gone=went["number"] if went else None,
        gone_after=moment(went["appeared_after"]) if went else None,
        gone_at=known_moment(went["first_seen"]) if went else None,
    )


def _holds(text: str, query: str) -> bool:
    """Return whether a text holds all words of a query as the index finds them, but for accents."""
    words = f" {' '.join(_WORD.findall(search.index_text(text).casefold()))} "
    return all(
        f" {' '.join(_WORD.findall(search.index_text(needle).casefold()))} " in words
        for needle in search.needles(query)
    )


def article_at(connection: Connection, address: str) -> int | None:
    """Return the article that has, or had, this address in any of its forms; None if there is none."""
    if "." not in address or any(letter.isspace() for letter in address):
        return None
    row = first(
        connection.execute("SELECT article_id FROM urls WHERE key = ? ORDER BY id LIMIT 1", (urls.key(address),))
    )
    return int(row["article_id"]) if row else None


def kinds(connection: Connection) -> list[str]:
    """Return the kinds that the latest thousand changes have."""
    rows = connection.execute(
        "SELECT DISTINCT k.value AS kind FROM (SELECT kinds FROM changes ORDER BY seen_at DESC LIMIT 1000) AS c,"
        " json_each(c.kinds) AS k ORDER BY 1"
    )
    return [row["kind"] for row in rows]
