"""What all formats share: an entry is made, checked and counted here, and its texts and dates cleaned."""

from __future__ import annotations

import html
import re
from collections import Counter
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString

from crawler import urls
from crawler.feeds.body import MAX_TEXT_CHARS
from crawler.items import Entry

MAX_TITLE_CHARS = 1_000
MAX_SUMMARY_CHARS = 10_000
MAX_ID_CHARS = 1_000

_BLOCK_TAGS = frozenset(
    "p div br hr ul ol li table tr td th h1 h2 h3 h4 h5 h6 blockquote pre figcaption section article dt dd".split()
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


class Entries:
    """The entries of one document, as they come in; `warnings()` tells what happened to the others."""

    def __init__(self, url: str, max_entries: int) -> None:
        self.url = url
        self.max_entries = max_entries
        self._entries: dict[str, Entry] = {}
        self._counts: Counter[str] = Counter()

    def add(
        self,
        *,
        url: str,
        base: str | None = None,
        id: str = "",
        title: str = "",
        summary: str = "",
        published: datetime | str | None = None,
        modified: datetime | str | None = None,
    ) -> None:
        """Take one entry; `title` and `summary` are plain text, dates as the document has them."""
        address = urls.clean(url, base or self.url) if url.strip() else None
        if address is None:
            self.note("without an http(s) address, left out")
            return
        identity = " ".join(_CONTROL.sub(" ", id).split())
        if not identity or len(identity) > MAX_ID_CHARS:
            identity = address
        if (known := self._entries.get(identity)) is not None:
            if urls.key(known.url) == urls.key(address) or address in self._entries:
                self.note("listed twice, the first kept")
                return
            self.note("with the id of another entry, told apart by their addresses")
            identity = address
        if len(self._entries) >= self.max_entries:
            self.note(f"over the limit of {self.max_entries:,}, left out")
            return
        self._entries[identity] = Entry(
            id=identity,
            url=address,
            title=self._capped(title, MAX_TITLE_CHARS, "title"),
            summary=self._capped(summary, MAX_SUMMARY_CHARS, "summary"),
            date_published=self._date(published),
            date_modified=self._date(modified),
        )

    def note(self, what: str, count: int = 1) -> None:
        """Count entries to which the same thing happened: `what` follows "entries" in the warning."""
        self._counts[what] += count

    def result(self) -> tuple[Entry, ...]:
        return tuple(self._entries.values())

    def warnings(self) -> tuple[str, ...]:
        return tuple(f"{count:,} {'entry' if count == 1 else 'entries'} {what}" for what, count in self._counts.items())

    def _capped(self, text: str, limit: int, what: str) -> str:
        text = " ".join(_CONTROL.sub(" ", text[: 4 * limit]).split())
        if len(text) <= limit:
            return text
        self.note(f"with a {what} cut at {limit:,} characters")
        return text[: limit - 1].rstrip() + "…"

    def _date(self, value: datetime | str | None) -> datetime | None:
        if not value:
            return None
        date = instant(value) if isinstance(value, str) else value
        # Papers put their whole past online under its true dates: the oldest still printed is from 1703.
        if date is None or not 1700 <= date.year <= 2100:
            self.note("with a date that cannot be, read as undated")
            return None
        return date


def instant(text: str) -> datetime | None:
    """Return the time that an ISO 8601 or RFC 822 date names, in UTC; UTC is meant where it names no zone."""
    text = text.strip()[:64]
    if re.fullmatch(r"[0-9]{4}(-[0-9]{2})?", text):  # W3C dates may end at the year or the month
        text = (text + "-01-01")[:10]
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            date = read(text)
            return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
        except (ValueError, OverflowError, TypeError, IndexError):
            continue
    return None


def plain(markup: str) -> str:
    """Return what a reader sees of an HTML fragment, on one line."""
    markup = _CONTROL.sub(" ", markup[:MAX_TEXT_CHARS])
    if "<" in markup:
        # A processing instruction at the start would make BeautifulSoup take the fragment for XML.
        soup = BeautifulSoup(markup.replace("<?", "<!") + "<p>", "lxml")
        pieces = []
        for node in soup.descendants:
            if isinstance(node, Tag):
                pieces.append(" " if node.name in _BLOCK_TAGS else "")
            elif type(node) is NavigableString:  # scripts, styles and comments have classes of their own
                before = node.previous_sibling
                pieces.append(f" {node}" if isinstance(before, Tag) and before.name in _BLOCK_TAGS else node)
        markup = "".join(pieces)
    elif "&" in markup:
        markup = html.unescape(markup)
    return " ".join(_CONTROL.sub(" ", markup).split())
