"""The schema of the archive and its steps, to be read from top to bottom.

A step that was released is never changed; the next one is appended. The words behind each column reach the reader in
Datasette (`crawler.browse` reads them from the file itself), so they say what the value is, its unit, and what its
absence means. Every time is text in ISO 8601, UTC, with seconds and `Z`: it sorts as it reads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from sqlite_utils import Database

# The four letters "RLNE" in the file's header: `file archive.db` and Archive tell our files from others by it.
APPLICATION_ID = 0x524C4E45

Step = Callable[["Database"], None]
_steps: list[Step] = []


def step(function: Step) -> Step:
    """Append a step to the schema: the function changes the file, its name is written down in it."""
    _steps.append(function)
    return function


def known() -> list[str]:
    """Return the names of all steps, in order: what a file of today has behind it."""
    return [function.__name__ for function in _steps]


def applied(connection: sqlite3.Connection) -> list[str]:
    """Return the steps that a file has behind it, in order; none for an empty one.

    This is sqlite-utils' own list. It is read without it because every command does: its import takes a third of the
    time in which `redline log` is to be done.
    """
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = '_sqlite_migrations'").fetchone() is None:
        return []
    rows = connection.execute("SELECT name FROM _sqlite_migrations WHERE migration_set = 'redline' ORDER BY rowid")
    return [name for (name,) in rows]


def apply(connection: sqlite3.Connection) -> None:
    """Take a file through the steps that it lacks."""
    from sqlite_utils import Database, Migrations

    migrations = Migrations("redline")
    for function in _steps:
        migrations()(function)
    migrations.apply(Database(connection))


@step
def the_first_schema(db: Database) -> None:
    for statement in _FIRST.split(";\n\n"):
        db.execute(statement)


@step
def what_ails_feeds_and_how_the_file_grows(db: Database) -> None:
    db.execute(
        """CREATE TABLE ailments (
    -- What was found to ail feeds that answer, at the end of a run: they are held against their own past.
    id INTEGER PRIMARY KEY, -- number of the row
    feed_id INTEGER NOT NULL REFERENCES feeds (id), -- the feed
    sign TEXT NOT NULL, -- unreadable, teaser, short, headline, author, date, standfirst (what is missing) or silent
    since TEXT NOT NULL, -- when it was first found
    evidence TEXT NOT NULL, -- what showed it at the latest look, as a sentence
    over_at TEXT -- since when it is well again, or what is new is usual; null: it is not
)"""
    )
    db.execute("CREATE INDEX ailments_feed ON ailments (feed_id) WHERE over_at IS NULL")
    # SQLite cuts a comment off from the end of a new column: what stands after it keeps it.
    db.execute(
        "ALTER TABLE crawls ADD COLUMN bytes INTEGER"
        " -- what the archive held at its end, free pages left out; null: not known\n DEFAULT NULL"
    )
    db.execute(
        "ALTER TABLE crawls ADD COLUMN extractor INTEGER"
        " -- by which rules it read pages; null: not known\n DEFAULT NULL"
    )


@step
def lighter_titles_and_visits(db: Database) -> None:
    for statement in _LIGHTER.split(";\n\n"):
        db.execute(statement)


@step
def storms_of_hosts(db: Database) -> None:
    for column in _STORMS.strip().split("\n"):
        # SQLite puts a bracket behind the last word, where a comment would swallow it; an end of line alone it drops.
        db.execute(f"ALTER TABLE hosts ADD COLUMN {column}\n/**/")


_STORMS = """
misses INTEGER NOT NULL DEFAULT 0 -- articles that were there and are missed, with none read between
missed_since TEXT -- since when nothing was read of its articles; null: the latest visit brought one
storm_since TEXT -- since when it answers so for all of them, which says nothing of any; null: it does not
"""


@step
def what_a_feed_left_out_and_whom_we_trusted_unseen(db: Database) -> None:
    db.execute(
        "ALTER TABLE feeds ADD COLUMN warnings TEXT NOT NULL"
        " -- what its latest reading left out or repaired: a JSON list of sentences\n DEFAULT '[]'"
    )
    db.execute(
        "ALTER TABLE captures ADD COLUMN tls_unverified INTEGER"
        " -- 1: the certificate of a host on the way was not verified, as TLS_UNVERIFIED_HOSTS asks; null: all were,"
        " or there was no TLS\n DEFAULT NULL"
    )


@step
def old_visits_as_numbers(db: Database) -> None:
    db.execute(
        """CREATE TABLE captures_by_month (
    -- Old visits that `redline prune` rolled up: of a row of visits that showed the same, those between first and last.
    id INTEGER PRIMARY KEY, -- number of the row
    feed_id INTEGER REFERENCES feeds (id), -- the feed visited; null: an article was
    article_id INTEGER REFERENCES articles (id), -- the article visited; null: a feed was
    month TEXT NOT NULL, -- when, by our clock: year and month, UTC
    outcome TEXT NOT NULL, -- as in captures
    version_id INTEGER REFERENCES versions (id), -- the version that they showed; null: none
    visits INTEGER NOT NULL, -- how many there were
    CHECK ((feed_id IS NULL) <> (article_id IS NULL))
)"""
    )
    db.execute(
        "CREATE UNIQUE INDEX captures_by_month_of ON captures_by_month"
        " (coalesce(article_id, 0), coalesce(feed_id, 0), month, outcome, coalesce(version_id, 0))"
    )
    db.execute("CREATE INDEX captures_by_month_version ON captures_by_month (version_id)")
    db.execute(
        "ALTER TABLE crawls ADD COLUMN rolled_up INTEGER NOT NULL"
        " -- how many of its visits are no more in captures, but in captures_by_month\n DEFAULT 0"
    )


_FIRST = """
CREATE TABLE feeds (
    -- Documents that list articles: RSS, Atom, JSON Feed, sitemaps, section pages.
    id INTEGER PRIMARY KEY, -- number of the feed
    url TEXT NOT NULL UNIQUE, -- where it is asked for
    title TEXT NOT NULL DEFAULT '', -- what it calls itself
    site_url TEXT, -- the site it belongs to; null if it does not say
    format TEXT, -- rss, rdf, atom, json, sitemap, sitemapindex or page; null until it was read once
    language TEXT, -- as the feed says it; null if it does not
    added_at TEXT NOT NULL, -- when we began to watch it
    paused_at TEXT, -- since when it is not visited; null: it is
    removed_at TEXT, -- since when it is off the list (what it brought stays); null: it is on it
    last_visit TEXT, -- our latest visit, good or bad; null before the first
    last_good_at TEXT, -- our latest visit that brought a readable feed or a 304; null: none yet
    last_error TEXT, -- what went wrong at the latest visit; null: nothing
    failures INTEGER NOT NULL DEFAULT 0, -- visits in a row that went wrong
    next_visit TEXT NOT NULL, -- when it is due
    next_visit_reason TEXT NOT NULL DEFAULT '', -- why then
    entries INTEGER, -- how many entries it listed last; null: not read yet
    former_urls TEXT NOT NULL DEFAULT '[]', -- where it was asked for before it moved: a JSON list of {url, until}
    refresh_minutes INTEGER, -- how often it says that it is worth asking for; null if it does not
    max_age_seconds INTEGER, -- how long its latest good answer said that it stays fresh; null: it did not
    hub TEXT, -- its WebSub hub; null: none
    etag TEXT, -- validator for the next request; null: none given
    last_modified TEXT, -- validator for the next request; null: none given
    not_modified INTEGER NOT NULL DEFAULT 0, -- answers of "not modified" in a row: now and then it is asked in full
    new_entries REAL NOT NULL DEFAULT 0, -- entries new to us, older ones counted less; beside watched_hours
    watched_hours REAL NOT NULL DEFAULT 0, -- hours in which they came, older ones counted less
    fresh_seen REAL NOT NULL DEFAULT 0, -- changes seen in articles under 3 hours old, older ones counted less
    fresh_expected REAL NOT NULL DEFAULT 0, -- changes that studies of the press let expect there in the same time
    day_seen REAL NOT NULL DEFAULT 0, -- changes seen in articles from 3 hours to a day old
    day_expected REAL NOT NULL DEFAULT 0, -- changes that the studies let expect there
    late_seen REAL NOT NULL DEFAULT 0, -- changes seen in articles over a day old
    late_expected REAL NOT NULL DEFAULT 0 -- changes that the studies let expect there
);

CREATE INDEX feeds_next_visit ON feeds (next_visit);

CREATE TABLE hosts (
    -- How to behave towards each host, and whether its word is good.
    host TEXT PRIMARY KEY, -- its name, with the port where it is not the usual one
    robots TEXT, -- its robots.txt; empty: it has none; null: it could never be read
    robots_status INTEGER, -- HTTP status of the latest answer for it; null: no answer, or never asked
    robots_fetched_at TEXT, -- when it was last asked for; a copy counts for a day
    robots_failing_since TEXT, -- since when it cannot be had: an older copy counts, without one nothing may be asked
    crawl_delay REAL, -- seconds between two requests that it asks for; null: it does not
    delay_reason TEXT, -- why another delay is kept; null: none is
    failures INTEGER NOT NULL DEFAULT 0, -- how often it turned us away, each time within a day of the one before
    backoff_until TEXT, -- not to be asked before, its articles stay due; null: it never turned us away
    backoff_reason TEXT, -- what it answered then; null: see backoff_until
    trust TEXT, -- of its validators: honest, lying (pages are asked for in full); null: not put to the test yet
    trust_since TEXT, -- since when that is known; null: it is not
    trust_evidence TEXT -- the visit that showed it, as a sentence; null: none did
);

CREATE TABLE articles (
    -- One row for each article that a feed has listed, with its state as of now.
    id INTEGER PRIMARY KEY, -- number of the article
    headline TEXT NOT NULL DEFAULT '', -- of its latest version; before that, the feed's title
    url TEXT NOT NULL UNIQUE, -- its address as it was first found; never altered, so it can be relied on
    current_url TEXT NOT NULL, -- its address now; other than url after a move
    host TEXT NOT NULL, -- the site it was found on
    feed_id INTEGER NOT NULL REFERENCES feeds (id), -- the feed that listed it first
    state TEXT NOT NULL DEFAULT 'new', -- new (not read yet), up, suspect (missing once), gone; see fates
    versions INTEGER NOT NULL DEFAULT 0, -- how many distinct states we have
    section TEXT, -- of the latest version; null: none given
    authors TEXT NOT NULL DEFAULT '[]', -- names in the latest version, as a JSON list
    tags TEXT NOT NULL DEFAULT '[]', -- of the latest version, as a JSON list
    language TEXT, -- of the latest version; null: none given
    date_published TEXT, -- the publisher's claim; null: none
    date_modified TEXT, -- the publisher's claim at our latest reading; null: none
    found_at TEXT NOT NULL, -- when a feed first listed it
    last_visit TEXT, -- our latest visit, good or bad; null before the first
    last_changed TEXT, -- when we first saw the latest version; null before the first
    next_visit TEXT, -- when it is due; null: never again
    next_visit_reason TEXT NOT NULL DEFAULT '', -- why then
    flap_id INTEGER REFERENCES flaps (id), -- two states that it shows in turn; null: it does not
    failures INTEGER NOT NULL DEFAULT 0, -- visits in a row that brought nothing readable
    gone_since TEXT, -- the first visit of the row that missed it; null: it is there
    merged_into INTEGER REFERENCES articles (id), -- the article that it is one with, visited in its stead; null: none
    pace_seen REAL NOT NULL DEFAULT 0, -- changes seen, older ones counted less; beside pace_expected
    pace_expected REAL NOT NULL DEFAULT 0, -- changes that its feed's habits let expect in the same time
    etag TEXT, -- validator for the next request; null: none given
    last_modified TEXT, -- validator for the next request; null: none given
    not_modified INTEGER NOT NULL DEFAULT 0 -- answers of "not modified" in a row: now and then it is asked in full
);

CREATE INDEX articles_next_visit ON articles (next_visit);

CREATE INDEX articles_host ON articles (host);

CREATE INDEX articles_feed ON articles (feed_id);

CREATE INDEX articles_section ON articles (section);

CREATE INDEX articles_language ON articles (language);

CREATE INDEX articles_state ON articles (state);

CREATE INDEX articles_last_changed ON articles (last_changed);

CREATE INDEX articles_merged ON articles (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE fates (
    -- What became of an article: each turn, with its evidence.
    id INTEGER PRIMARY KEY, -- number of the turn
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    fate TEXT NOT NULL, -- suspect (missing once), gone, up (it was only suspect), back (it was gone)
    since TEXT NOT NULL, -- the visit that showed it
    capture_id INTEGER NOT NULL REFERENCES captures (id), -- that visit
    evidence TEXT NOT NULL -- what it showed, as a sentence
);

CREATE INDEX fates_article ON fates (article_id);

CREATE TABLE merges (
    -- Articles that turned out to be one. Both keep their history; the second is visited in the first one's stead.
    id INTEGER PRIMARY KEY, -- number of the merge
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article that is visited no more
    into_id INTEGER NOT NULL REFERENCES articles (id), -- the article that it is one with
    merged_at TEXT NOT NULL, -- the visit that showed it
    evidence TEXT NOT NULL, -- what it showed, as a sentence
    undone_at TEXT -- since when a person says that they are two after all; null: nobody does
);

CREATE INDEX merges_article ON merges (article_id);

CREATE TABLE urls (
    -- Every address at which an article was seen, and from when to when.
    id INTEGER PRIMARY KEY, -- number of the address
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    url TEXT NOT NULL, -- the address
    key TEXT NOT NULL, -- what all spellings of it share: no scheme, www., tracking parameters, trailing slash
    source TEXT NOT NULL, -- who said so: entry (a feed), redirect, canonical or amp (the page)
    first_seen TEXT NOT NULL, -- when we first saw it so
    last_seen TEXT NOT NULL, -- when we last saw it so
    UNIQUE (article_id, url, source)
);

CREATE INDEX urls_key ON urls (key);

CREATE TABLE entries (
    -- What feeds said of articles; a new row when an entry's title, summary or address changed.
    id INTEGER PRIMARY KEY, -- number of the row
    feed_id INTEGER NOT NULL REFERENCES feeds (id), -- the feed
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article it lists
    entry_id TEXT NOT NULL, -- the feed's own id for it
    url TEXT NOT NULL, -- as in the feed
    title TEXT NOT NULL, -- as in the feed, as text
    summary TEXT NOT NULL, -- as in the feed, as text
    date_published TEXT, -- the feed's claim; null: none
    date_modified TEXT, -- the feed's claim; null: none
    first_seen TEXT NOT NULL, -- when it first stood there so
    last_seen TEXT NOT NULL -- when it last stood there so
);

CREATE INDEX entries_feed_entry ON entries (feed_id, entry_id);

CREATE INDEX entries_article ON entries (article_id);

CREATE TABLE crawls (
    -- One row for each run of the crawl.
    id INTEGER PRIMARY KEY, -- number of the run
    started_at TEXT NOT NULL, -- when it began
    ended_at TEXT, -- when it ended; null: it is at work, or was killed
    reason TEXT, -- how it ended: finished, or the signal or limit that ended it; null: see ended_at
    feeds INTEGER NOT NULL DEFAULT 0, -- visits to feeds
    articles INTEGER NOT NULL DEFAULT 0, -- visits to articles
    new INTEGER NOT NULL DEFAULT 0, -- articles read for the first time
    changed INTEGER NOT NULL DEFAULT 0, -- visits that showed a new version
    unchanged INTEGER NOT NULL DEFAULT 0, -- visits that showed the same text
    not_modified INTEGER NOT NULL DEFAULT 0, -- visits answered by 304
    moved INTEGER NOT NULL DEFAULT 0, -- visits that led to a new address for good
    gone INTEGER NOT NULL DEFAULT 0, -- visits at which the publisher said that it is gone
    blocked INTEGER NOT NULL DEFAULT 0, -- visits refused by us or by them
    failed INTEGER NOT NULL DEFAULT 0 -- visits that brought nothing readable
);

CREATE TABLE captures (
    -- Every visit to a feed or an article, whatever came of it.
    id INTEGER PRIMARY KEY, -- number of the visit
    crawl_id INTEGER REFERENCES crawls (id), -- the run; null: made outside of one
    feed_id INTEGER REFERENCES feeds (id), -- the feed visited; null: an article was
    article_id INTEGER REFERENCES articles (id), -- the article visited; null: a feed was
    captured_at TEXT NOT NULL, -- when the answer had come, by our clock
    outcome TEXT NOT NULL, -- new, changed, unchanged, not_modified, moved, gone, blocked or failed
    status INTEGER, -- HTTP status; null: no answer
    url TEXT NOT NULL, -- the address asked
    final_url TEXT, -- the address that answered; null: the same
    version_id INTEGER REFERENCES versions (id), -- the version that it showed; null: none
    quality TEXT, -- what the page held: ok, stub, bot_wall ...; null: not read
    wavered INTEGER, -- pieces that only seemed new or gone: they stood on both pages, or are furniture; null: none
    error TEXT, -- what went wrong, as a sentence; null: nothing
    date_modified TEXT, -- the publisher's claim on the page; null: none, or not read
    robots TEXT, -- what the page asks of robots (noarchive, noindex ...); null: nothing, or not read
    body_bytes INTEGER, -- size of the answer, decompressed; null: none
    elapsed_ms INTEGER, -- from request to answer, in milliseconds; null: no answer
    CHECK ((feed_id IS NULL) <> (article_id IS NULL))
);

CREATE INDEX captures_article ON captures (article_id, captured_at);

CREATE INDEX captures_feed ON captures (feed_id, captured_at);

CREATE INDEX captures_crawl ON captures (crawl_id);

CREATE INDEX captures_version ON captures (version_id);

CREATE INDEX captures_outcome ON captures (outcome, captured_at);

CREATE TABLE versions (
    -- Each distinct state of an article, numbered from 1.
    id INTEGER PRIMARY KEY, -- number of the row
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    number INTEGER NOT NULL, -- 1 is the first that we saw
    headline TEXT NOT NULL, -- as it read
    description TEXT NOT NULL, -- the standfirst, as it read; empty: none
    authors TEXT NOT NULL, -- who signed it: a JSON list of {name, role, url}
    section TEXT NOT NULL, -- where it stood; empty: not said
    tags TEXT NOT NULL, -- as a JSON list
    language TEXT NOT NULL, -- as the page said it; empty: not said
    words INTEGER NOT NULL, -- words of the body; characters where a script has no spaces
    digest TEXT NOT NULL, -- equal for texts that read the same; the number before the colon is the rule's
    appeared_after TEXT, -- the last visit that still showed the version before; null: the first version
    first_seen TEXT NOT NULL, -- the first visit that showed it
    last_seen TEXT NOT NULL, -- the latest visit that showed it
    checks INTEGER NOT NULL DEFAULT 1, -- visits in a row that showed it
    date_published TEXT, -- the publisher's claim; null: none
    date_modified TEXT, -- the publisher's claim; null: none
    quality TEXT NOT NULL, -- ok, or stub where only a teaser is public
    is_paywalled INTEGER NOT NULL, -- 1: behind a paywall
    headlines TEXT NOT NULL, -- the page's other headlines: JSON of h1, title, og, json_ld
    notices TEXT NOT NULL, -- corrections and updates that the page declares: a JSON list of {kind, text}
    related TEXT NOT NULL, -- links to other articles that it embeds: a JSON list of {url, title}
    canonical_url TEXT, -- the address that the page calls its own; null: none
    reread_of INTEGER REFERENCES versions (id), -- the version whose page a better extractor read again; null: none
    block_ids TEXT NOT NULL, -- its body: a JSON list of blocks.id in reading order
    image_ids TEXT NOT NULL, -- its pictures: a JSON list of images.id in order
    UNIQUE (article_id, number)
);

CREATE INDEX versions_first_seen ON versions (first_seen);

CREATE INDEX versions_digest ON versions (article_id, digest);

CREATE TABLE blocks (
    -- Paragraphs and other pieces of bodies; one row serves every version from added_in until removed_in.
    id INTEGER PRIMARY KEY, -- number of the block
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    kind TEXT NOT NULL, -- paragraph, heading, quote, list_item, table_row, caption or post
    text TEXT NOT NULL, -- as it read
    at TEXT, -- the time that a live blog gives its post; null: no post
    added_in INTEGER NOT NULL, -- number of the first version that has it
    removed_in INTEGER -- number of the first later version that has it no more; null: the latest has it
);

CREATE INDEX blocks_article ON blocks (article_id, removed_in);

CREATE TABLE images (
    -- Pictures of articles, with lifetimes like blocks.
    id INTEGER PRIMARY KEY, -- number of the row
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    url TEXT NOT NULL, -- where the picture was
    caption TEXT NOT NULL, -- as it read; empty: none
    credit TEXT NOT NULL, -- who made it, as it read; empty: not said
    added_in INTEGER NOT NULL, -- number of the first version that has it
    removed_in INTEGER -- number of the first later version that has it no more; null: the latest has it
);

CREATE INDEX images_article ON images (article_id, removed_in);

CREATE TABLE changes (
    -- Each step from a version to the next: what kind of edit it was, and whether the publisher said so.
    id INTEGER PRIMARY KEY, -- number of the change
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    version_id INTEGER NOT NULL UNIQUE REFERENCES versions (id), -- the version that it led to
    seen_at TEXT NOT NULL, -- the first visit that showed it
    appeared_after TEXT NOT NULL, -- the last visit that did not: it was made between the two
    kinds TEXT NOT NULL, -- what kinds of edit, as a JSON list
    weight INTEGER NOT NULL, -- how much it matters to the sense, 0 to 100
    verdict TEXT NOT NULL, -- declared (a notice came with it), dated (only the date moved), stealth, undated
    words_added INTEGER NOT NULL, -- words that are new
    words_removed INTEGER NOT NULL, -- words that are gone
    summary TEXT NOT NULL, -- the changed words in short: [-old-]{+new+}
    reverts_to INTEGER, -- number of the earlier version that it restores; null: none
    explained_by INTEGER REFERENCES changes (id), -- the later change that brought a notice on it; null: none did
    hold_id INTEGER REFERENCES holds (id), -- held back with others of its feed; null: it never was
    evidence TEXT NOT NULL -- why these kinds, this weight, this verdict: JSON
);

CREATE TABLE flaps (
    -- Two states that an article shows in turn, such as a test of two headlines: one fact, not a hundred versions.
    id INTEGER PRIMARY KEY, -- number of the flap
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    version_a INTEGER NOT NULL REFERENCES versions (id), -- the one state
    version_b INTEGER NOT NULL REFERENCES versions (id), -- the other
    shown INTEGER NOT NULL REFERENCES versions (id), -- which of them the latest visit showed
    flips INTEGER NOT NULL, -- how often the one was seen to take the other's place, the first versions included
    seen_a INTEGER NOT NULL, -- visits that showed the one
    seen_b INTEGER NOT NULL, -- visits that showed the other
    first_seen TEXT NOT NULL, -- since when
    last_seen TEXT NOT NULL -- the latest visit that showed either
);

CREATE INDEX flaps_article ON flaps (article_id);

CREATE TABLE holds (
    -- Changes that are not told: most articles of a feed changed in one run (a redesign, more likely, than so many
    -- edits), or a short line came or went (a second look says whether it is passing).
    id INTEGER PRIMARY KEY, -- number of the hold
    feed_id INTEGER NOT NULL REFERENCES feeds (id), -- the feed
    crawl_id INTEGER REFERENCES crawls (id), -- the run; null: outside of one
    held_at TEXT NOT NULL, -- when
    visited INTEGER NOT NULL, -- articles of the feed that were read in the run and had been read before
    changed INTEGER NOT NULL, -- how many of them seemed changed
    settled_at TEXT, -- when it was settled last; null: it waits for a person
    settlement TEXT -- accepted (edits, and told), reread or passing (none), second look (waits for it); null: open
);

CREATE INDEX holds_feed ON holds (feed_id);

CREATE TABLE titles (
    -- The page's other headlines and when each came up: tests of headlines and titles for search engines show here.
    id INTEGER PRIMARY KEY, -- number of the row
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    source TEXT NOT NULL, -- h1, title, og or json_ld
    title TEXT NOT NULL, -- as it read
    first_seen TEXT NOT NULL, -- the first visit that showed it
    last_came TEXT NOT NULL, -- the latest visit at which it took the place of another
    UNIQUE (article_id, source, title)
);

CREATE INDEX changes_article ON changes (article_id);

CREATE INDEX changes_seen ON changes (seen_at);

CREATE INDEX changes_verdict ON changes (verdict, seen_at);

CREATE INDEX changes_weight ON changes (weight, seen_at);

CREATE TABLE payloads (
    -- What was received for each capture that made a version, so that it can be read again.
    capture_id INTEGER PRIMARY KEY REFERENCES captures (id), -- the visit
    base_id INTEGER REFERENCES payloads (capture_id), -- the payload that it was compressed against; null: stands alone
    content_type TEXT, -- as the server said; null: it did not
    bytes INTEGER NOT NULL, -- size before compression
    body BLOB NOT NULL -- zstd
);

CREATE INDEX payloads_base ON payloads (base_id);

CREATE TABLE furniture (
    -- Lines that belong to a site and not to its articles: their coming and going is no edit.
    id INTEGER PRIMARY KEY, -- number of the line
    host TEXT NOT NULL, -- the site
    key TEXT NOT NULL, -- the line with its numbers masked and its case folded
    example TEXT NOT NULL, -- as it was first met
    pages INTEGER NOT NULL, -- on how many other articles of the site it stood then; 0: it changed at visit after visit
    learned_at TEXT NOT NULL, -- when it was learned
    overruled_at TEXT, -- since when a person says that it is article text after all; null: nobody does
    UNIQUE (host, key)
);

CREATE TABLE page_lines (
    -- What stood around an article on its page, as hashes: what furniture is learned from.
    article_id INTEGER PRIMARY KEY REFERENCES articles (id), -- the article
    hashes BLOB NOT NULL -- one for each line outside the article: CRC-32 of furniture's key, four bytes, sorted
);

CREATE VIRTUAL TABLE block_search USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');

CREATE VIRTUAL TABLE version_search USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2');

CREATE VIEW version_text AS
    -- The text of every version, its blocks in reading order with a blank line between.
    SELECT v.id AS version_id, v.article_id, v.number, v.headline,
           (SELECT group_concat(text, char(10) || char(10))
              FROM (SELECT b.text FROM json_each(v.block_ids) AS j JOIN blocks AS b ON b.id = j.value ORDER BY j.key)
           ) AS text
      FROM versions AS v;

CREATE VIEW latest_changes AS
    -- Changes with what they belong to, newest first.
    SELECT c.seen_at, a.host, v.headline, c.verdict, c.weight, c.kinds, c.summary, c.words_added, c.words_removed,
           v.number AS version, c.appeared_after, a.url, f.title AS feed, c.article_id, c.version_id
      FROM changes AS c
      JOIN versions AS v ON v.id = c.version_id
      JOIN articles AS a ON a.id = c.article_id
      JOIN feeds AS f ON f.id = a.feed_id
      LEFT JOIN holds AS h ON h.id = c.hold_id
     WHERE c.hold_id IS NULL OR h.settlement = 'accepted'
     ORDER BY c.seen_at DESC, c.id DESC
"""

# The unique index of titles held each title a second time; most visits are of articles, and stood in the feeds' index.
_LIGHTER = """
CREATE TABLE lighter_titles (
    -- The page's other headlines and when each came up: tests of headlines and titles for search engines show here.
    id INTEGER PRIMARY KEY, -- number of the row
    article_id INTEGER NOT NULL REFERENCES articles (id), -- the article
    source TEXT NOT NULL, -- h1, title, og or json_ld
    title TEXT NOT NULL, -- as it read; once for an article and source
    first_seen TEXT NOT NULL, -- the first visit that showed it
    last_came TEXT NOT NULL -- the latest visit at which it took the place of another
);

INSERT INTO lighter_titles SELECT id, article_id, source, title, first_seen, last_came FROM titles;

DROP TABLE titles;

ALTER TABLE lighter_titles RENAME TO titles;

CREATE INDEX titles_article ON titles (article_id);

DROP INDEX captures_feed;

CREATE INDEX captures_feed ON captures (feed_id, captured_at) WHERE feed_id IS NOT NULL
"""
