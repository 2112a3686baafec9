"""The domain: what a feed, a page, a visit and a version are. Values only: frozen and typed.

Every `datetime` is aware. `captured_at`, `first_seen` and `last_seen` are our clock; `date_published` and
`date_modified` are the publisher's claim, with the offset that the publisher gave. Every `str` is plain text as a
reader sees it, never markup, and never `None` for "empty": `""` means that the page has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class FeedFormat(StrEnum):
    """How a feed was written."""

    RSS = "rss"
    RDF = "rdf"
    ATOM = "atom"
    JSON = "json"
    SITEMAP = "sitemap"
    SITEMAP_INDEX = "sitemapindex"
    PAGE = "page"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of a feed. `id` is the feed's own, or the URL where it gives none; unique in its feed."""

    id: str
    url: str
    title: str = ""
    summary: str = ""
    date_published: datetime | None = None
    date_modified: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A document that lists entries, as it was read at `url`; entries in the order of the document, each id once.

    `more` are further documents to read for the same feed: the sitemaps of an index, the pages behind "Show more".
    `refresh_minutes` is how often the publisher says the document is worth asking for (`ttl`, `sy:updatePeriod`).
    `warnings` are sentences on what was repaired, capped or left out.
    """

    url: str
    format: FeedFormat
    title: str = ""
    site_url: str | None = None
    language: str | None = None
    entries: tuple[Entry, ...] = ()
    more: tuple[str, ...] = ()
    hub: str | None = None
    refresh_minutes: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLink:
    """A feed that somebody points to: a page's `<link rel=alternate>`, a line of an OPML file."""

    url: str
    title: str = ""
    site_url: str | None = None


class BlockKind(StrEnum):
    """What a piece of the body is; the value is what the archive stores."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    QUOTE = "quote"
    LIST_ITEM = "list_item"
    TABLE_ROW = "table_row"
    CAPTION = "caption"
    POST = "post"  # the head line of a live blog's post; its paragraphs follow as blocks of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One piece of the body in reading order. `at` is a live blog post's own time, None on every other block."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A picture of the article; `caption` and `credit` apart, as a reader would tell them apart."""

    url: str
    caption: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who signs the article: the bare name; role and profile page where the page gives them."""

    name: str
    role: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Headlines:
    """The page's own headlines, kept apart: tests of variants and search titles show where they differ."""

    h1: str = ""
    title: str = ""  # <title>
    og: str = ""  # og:title
    json_ld: str = ""  # schema.org headline


class NoticeKind(StrEnum):
    """What the publisher calls its own note on a change."""

    CORRECTION = "correction"
    UPDATE = "update"
    CLARIFICATION = "clarification"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A note on the page by which the publisher declares a change. It stands in its place in the body too."""

    kind: NoticeKind
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """A link to another article that the page embeds; never body."""

    url: str
    title: str = ""


class Quality(StrEnum):
    """What a capture holds. Only `ok`, and a stub that was always one, may become a version."""

    OK = "ok"
    EMPTY = "empty"
    STUB = "stub"  # a teaser; the rest is behind a paywall
    BOT_WALL = "bot_wall"
    CONSENT = "consent"
    LOGIN = "login"
    ERROR = "error"  # an error page, whatever its status says
    NOT_ARTICLE = "not_article"  # a section page, a video page
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """What a page says, and how far to trust it: `quality`, and in `quality_reason` the sign that decided it.

    `says_missing` are the words by which an error page says that nothing is there, as against "out of order".
    """

    url: str
    headline: str = ""
    description: str = ""
    authors: tuple[Author, ...] = ()
    blocks: tuple[Block, ...] = ()
    images: tuple[Image, ...] = ()
    date_published: datetime | None = None
    date_modified: datetime | None = None
    section: str = ""
    tags: tuple[str, ...] = ()
    language: str = ""  # BCP 47, as the page says it
    headlines: Headlines = field(default_factory=Headlines)
    canonical_url: str | None = None
    amp_url: str | None = None
    notices: tuple[Notice, ...] = ()
    related: tuple[Related, ...] = ()
    is_paywalled: bool = False
    quality: Quality = Quality.OK
    quality_reason: str = ""
    says_missing: str = ""


class Outcome(StrEnum):
    """What a visit showed."""

    NEW = "new"  # the first version, or for a feed its first reading
    CHANGED = "changed"
    UNCHANGED = "unchanged"  # 200, and the same text
    NOT_MODIFIED = "not_modified"  # 304
    MOVED = "moved"  # permanently, to another address, with the same text
    GONE = "gone"
    BLOCKED = "blocked"  # by us (address, robots.txt, size), by them (401, 403, 429, 451) or by a wall in between
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One visit to one article at one instant, with its status and what came.

    `status` is None when no response came; `error` then says why in a sentence. `article` is None when the body was
    not read (304, errors). `is_permanent_move`: every hop from `url` to `final_url` was a 301 or 308, so it is a move,
    not a detour. `asked_in_full`: no validators went with the request. `refused` says that we did not ask or did not
    take the answer: a private address, robots.txt, a size limit.
    """

    article_id: int
    url: str
    captured_at: datetime
    status: int | None = None
    final_url: str | None = None
    is_permanent_move: bool = False
    article: Article | None = None
    body: bytes | None = None
    lines: tuple[str, ...] = ()  # all text that a reader of the page can see, around the article too
    etag: str | None = None
    last_modified: str | None = None
    content_type: str | None = None
    elapsed_ms: int | None = None
    asked_in_full: bool = False
    refused: bool = False
    error: str | None = None
    robots: tuple[str, ...] = ()  # what the page asks of robots: noarchive, noindex ...
    is_tls_unverified: bool = False  # the certificate of a hop was not verified, because the user's setting says so
    keeps_page: bool = True  # false: the page itself is not to be kept, only what it says


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedCapture:
    """One visit to one feed; `feed` is None where nothing readable came. Other fields as in `Capture`.

    `max_age` is how long the answer says that it stays fresh.
    """

    feed_id: int
    url: str
    captured_at: datetime
    status: int | None = None
    final_url: str | None = None
    is_permanent_move: bool = False
    feed: Feed | None = None
    body_bytes: int | None = None
    etag: str | None = None
    last_modified: str | None = None
    elapsed_ms: int | None = None
    max_age: timedelta | None = None
    asked_in_full: bool = False
    refused: bool = False
    error: str | None = None
    is_tls_unverified: bool = False


class Trust(StrEnum):
    """What is known of a host's validators (ETag, Last-Modified)."""

    HONEST = "honest"  # a text changed, and they with it
    LYING = "lying"  # a text changed, and they did not


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A host (with its port where it is not the usual one) and how to behave towards it.

    `robots` is its robots.txt, "" if it has none, None if it could never be read; `crawl_delay` (seconds) is what that
    asks for. `failures` counts how often it turned us away, within a day each; until `backoff_until` it is not asked.
    `misses` counts articles that were there and are missed, with none read since `missed_since`.
    """

    name: str
    robots: str | None = None
    robots_status: int | None = None  # None: no answer, or never asked
    robots_fetched_at: datetime | None = None
    robots_failing_since: datetime | None = None
    crawl_delay: float | None = None
    delay_reason: str | None = None  # why another delay is kept
    failures: int = 0
    backoff_until: datetime | None = None
    backoff_reason: str | None = None
    misses: int = 0
    missed_since: datetime | None = None  # None: the latest visit brought its article
    storm_since: datetime | None = None  # None: it is in none
    trust: Trust | None = None
    trust_since: datetime | None = None
    trust_evidence: str | None = None


class Verdict(StrEnum):
    """Whether the publisher said that the text was changed."""

    DECLARED = "declared"  # a correction or update notice came with it
    DATED = "dated"  # the publisher's modified date moved, nothing said
    STEALTH = "stealth"  # the date did not move and nothing was said
    UNDATED = "undated"  # no date on the page to judge by


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFeed:
    """A feed on our list: what to ask for, and how it fares.

    `articles` is how many it brought; `holds` how often its changes wait for a person to say whether they are edits.
    """

    id: int
    url: str
    title: str
    site_url: str | None
    etag: str | None
    last_modified: str | None
    added_at: datetime
    paused_at: datetime | None
    last_visit: datetime | None
    last_good_at: datetime | None
    last_error: str | None
    failures: int
    next_visit: datetime
    articles: int
    holds: int
    format: FeedFormat | None = None  # None: it was not read yet
    entries: int | None = None  # that it listed last
    former_urls: tuple[str, ...] = ()  # before it moved
    warnings: tuple[str, ...] = ()  # what its latest reading left out or repaired, as sentences
    asks_in_full: bool = False  # as in DueArticle


@dataclass(frozen=True, slots=True, kw_only=True)
class DueArticle:
    """An article to visit now, with the validators of its latest good answer.

    `asks_in_full`: not to be asked with them, because they are to be put to the test or are known to lie. `is_failing`:
    its latest visit brought nothing.
    """

    id: int
    url: str
    etag: str | None
    last_modified: str | None
    asks_in_full: bool = False
    is_failing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a run may ask for; None: no limit.

    `requests` in all, `per_host` of one host, in `seconds`, with `delay` seconds between two to a host, or as many as
    its robots.txt asks for up to `delay_max`.
    """

    requests: int | None = None
    per_host: int | None = None
    seconds: float | None = None
    delay: float = 0.0
    delay_max: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownArticle:
    """An article in the archive as of now. `url` never changes; `current_url` is where it stands today."""

    id: int
    url: str
    current_url: str
    headline: str
    state: str
    versions: int
    found_at: datetime
    last_visit: datetime | None
    next_visit: datetime | None
    next_visit_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """A turn in what became of an article: `fate` is suspect, gone, up or back; `evidence` says what showed it."""

    fate: str
    since: datetime
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """Two articles that are one: `url` is visited no more, `into_url` in its stead. Undone if `undone_at` is set."""

    article_id: int
    url: str
    into_id: int
    into_url: str
    merged_at: datetime
    evidence: str
    undone_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One distinct state of an article.

    It appeared after `appeared_after` (the last visit that still showed the one before; None for the first) and not
    later than `first_seen`. `checks` counts the visits in a row that showed it.
    """

    id: int
    article_id: int
    number: int
    article: Article
    digest: str
    appeared_after: datetime | None
    first_seen: datetime
    last_seen: datetime
    checks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step from a version to the next: `number` is the version that it led to."""

    article_id: int
    version_id: int
    number: int
    url: str
    host: str
    feed: str
    headline: str
    seen_at: datetime
    appeared_after: datetime
    kinds: tuple[str, ...]
    weight: int
    verdict: Verdict
    words_added: int
    words_removed: int
    summary: str
    reverts_to: int | None
    explained_after: timedelta | None = None  # until a later version brought a notice on it; None: none did
    flips: int = 0  # how often it and the version before were shown in turn; 0: they were not
    share: float = 1.0  # of the visits while they were: how many showed this version, 0 to 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A text that a search found, in the versions from `first_version` to before `gone_in` (None: to the latest)."""

    article_id: int
    url: str
    headline: str
    text: str
    first_version: int
    gone_in: int | None
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Changes of one feed and run that are not told until a person settles it; `examples` are a few of them."""

    id: int
    feed_id: int
    feed: str
    held_at: datetime
    visited: int
    changed: int
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """Another headline of an article: `source` is feed, h1, title, og or json_ld."""

    source: str
    title: str
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """The publisher's modified date moved and the text did not."""

    date_modified: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A version whose page was read again. `differs` says in a line what reads otherwise; "" if nothing does.

    `is_kept` is false where the page was pruned: nothing could be read.
    """

    url: str
    number: int
    is_kept: bool
    differs: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freed:
    """What was pruned: `number` of pages or visits, and the `room` in bytes that is free in the file for it."""

    number: int
    room: int


class Level(StrEnum):
    """How bad a finding is: nothing to do, worth a look, or something is broken."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look at the archive or at the machine has shown: `what` is a sentence, `mend` the way out, or "".

    `check` is the name of what looked, one word that stays the same from release to release: for scripts.
    """

    level: Level
    what: str
    mend: str = ""
    check: str = ""


class Sign(StrEnum):
    """What can ail a feed that answers; the value is what the archive stores."""

    UNREADABLE = "unreadable"  # its pages hold no article any more
    TEASER = "teaser"  # only teasers are public
    SHORT = "short"  # texts are suddenly short
    HEADLINE = "headline"  # articles lack it that had it, as with the next three
    AUTHOR = "author"
    DATE = "date"
    STANDFIRST = "standfirst"
    SILENT = "silent"  # nothing new for much longer than usual
    HELD = "held"  # changes wait for a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Ailment:
    """Something that ails a feed (`feed` is its title or URL) since a look at it; `evidence` is a sentence."""

    feed_id: int
    feed: str
    sign: Sign
    since: datetime
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of the crawl. `ended_at` None: it is at work, or was killed; then `reason` may say so.

    `counts` are visits by `feeds`, `articles` and each `Outcome`. `archive_bytes` is what the archive held at its end,
    None where that was not written down.
    """

    started_at: datetime
    ended_at: datetime | None
    reason: str | None
    counts: dict[str, int]
    archive_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """What runs have added since a moment."""

    articles: int  # read for the first time
    versions: int
    visits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How an archive fares as a whole, at one moment.

    `runs` are those of the last 30 days, the newest first, at most some thousands. `grown` is by days back from the
    moment: 1, 7, 30. `since` is when the first run began, None before it. `due_since` is the longest overdue visit's
    appointment, None if nothing is due. `pending` are the steps that the schema lacks: then all else is empty.
    """

    at: datetime
    pending: tuple[str, ...] = ()
    since: datetime | None = None
    runs: tuple[Run, ...] = ()
    feeds: int = 0  # watched, those paused left out
    paused: int = 0
    addresses: tuple[str, ...] = ()  # of those watched
    failing: tuple[WatchedFeed, ...] = ()  # the latest visit of each went wrong
    due_feeds: int = 0
    due_articles: int = 0
    due_since: datetime | None = None
    articles: int = 0
    versions: int = 0
    visits: int = 0
    grown: dict[int, Growth] = field(default_factory=dict)
    used_bytes: int = 0
    free_bytes: int = 0  # in the file, to be used again
    latest_capture: datetime | None = None
    ailments: tuple[Ailment, ...] = ()
    hosts: tuple[Host, ...] = ()  # those that asked us to wait, or whose validators lie
    older_extractor: int = 0  # articles last changed before a run read by today's rules
