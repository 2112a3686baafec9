"""How the pages say it: times, kinds, verdicts, languages, links. Pure; each function is a filter of the templates."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from crawler import search, urls
from crawler.diff import Diff, Span, SpanKind, new_text, old_text, render, spans

VERDICTS = {
    "declared": "A correction or update notice came with it.",
    "dated": "The publisher's modified date moved; nothing was said.",
    "stealth": "The text changed; the date did not move and nothing was said.",
    "undated": "The page has no date to judge by.",
}
STATES = {
    "new": "not read yet",
    "suspect": "missing at the latest visit",
    "gone": "gone from the site",
}
_MARK = re.compile(r"\[-(?P<gone>.*?)-\]|\{\+(?P<new>.*?)\+\}|\{moved: (?P<moved>.*?)\}", re.DOTALL)
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_AROUND = 140  # letters shown before the first word that was found
_RTL = frozenset("ar arc azb ckb dv fa he iw ku ks ms-arab nqo pnb ps sd syr ug ur yi".split())
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*\Z")


def stamp(when: datetime) -> Markup:
    """Return a `<time>` that reads `10 Mar 2026, 12:00`; UTC, which the foot of every page says."""
    when = when.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(_machine(when), f"{when.day} {when:%b %Y, %H:%M}")


def day(when: datetime) -> Markup:
    when = when.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(f"{when:%Y-%m-%d}", f"{when:%A}, {when.day} {when:%B %Y}")


def between(after: datetime | None, seen: datetime) -> Markup:
    """Return when something was made, as what we know of it: between two visits."""
    if after is None:
        return Markup("first seen {}").format(stamp(seen))
    after, seen = after.astimezone(UTC), seen.astimezone(UTC)
    if _machine(after)[:16] == _machine(seen)[:16]:
        return stamp(seen)
    if after.date() == seen.date():
        return Markup('{}, between <time datetime="{}">{}</time> and <time datetime="{}">{}</time>').format(
            f"{seen.day} {seen:%b %Y}", _machine(after), f"{after:%H:%M}", _machine(seen), f"{seen:%H:%M}"
        )
    return Markup("between {} and {}").format(stamp(after), stamp(seen))


def ago(when: datetime | None, now: datetime) -> str:
    """Return how long ago, as a person says it: `3 hours ago`, `never`."""
    if when is None:
        return "never"
    seconds = (now - when).total_seconds()
    for unit, size in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return f"{count(int(seconds // size), unit)} ago"
    return "just now"


def duration(span: timedelta) -> str:
    """Return how long, in the one or two units that matter: `40 s`, `12 min`, `3 h 5 min`, `2 days`."""
    seconds = int(span.total_seconds())
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86400:
        hours, minutes = seconds // 3600, seconds % 3600 // 60
        return f"{hours} h {minutes} min" if minutes and hours < 10 else f"{hours} h"
    return count(seconds // 86400, "day")


def count(number: int, noun: str) -> str:
    """Return `1 article`, `2,000 articles`."""
    plural = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeou" else noun + "s"
    return f"{number:,} {noun if number == 1 else plural}"


def percent(part: int, whole: int) -> str:
    """Return a share as a whole percentage, `under 1 %` where that would read 0; `–` of nothing."""
    if not whole:
        return "–"
    share = 100 * part / whole
    return "under 1 %" if 0 < share < 1 else f"{share:.0f} %"


def kind(name: str) -> str:
    """Return a kind as words: `fact_added` -> `fact added`."""
    return name.replace("_", " ")


def headline(old: str, new: str) -> Markup:
    """Return a headline with the words that changed marked in it."""
    return plain(new) if old == new else _html(spans(old, new))


def summary(text: str) -> Markup:
    """Return the short form of a change, `[-old-]{+new+}`, with real marks in place of the brackets."""
    found: list[Span] = []
    end = 0
    for mark in _MARK.finditer(text):
        found.append(Span(SpanKind.EQUAL, text[end : mark.start()]))
        end = mark.end()
        if mark["moved"] is not None:
            found.append(Span(SpanKind.INSERT, mark["moved"], move=0))
        elif mark["gone"] is not None:
            found.append(Span(SpanKind.DELETE, mark["gone"]))
        else:
            found.append(Span(SpanKind.INSERT, mark["new"]))
    found.append(Span(SpanKind.EQUAL, text[end:]))
    return _html(span for span in found if span.text)


def readable(difference: Diff) -> Diff:
    """Return a difference whose dates read as those of the page around it: `10 Mar 2026, 12:00 UTC`."""
    fields = tuple(
        replace(field, spans=tuple(replace(span, text=_date(span.text)) for span in _whole(field.spans)))
        if field.name.startswith("date_")
        else field
        for field in difference.fields
    )
    return replace(difference, fields=fields)


def _whole(found: tuple[Span, ...]) -> Iterator[Span]:
    """Yield what was and what is as two spans: half a date is none."""
    for kind, text in ((SpanKind.DELETE, old_text(found)), (SpanKind.INSERT, new_text(found))):
        if text:
            yield Span(kind, text)


def _date(text: str) -> str:
    when = datetime.fromisoformat(text).astimezone(UTC)
    return f"{when.day} {when:%b %Y, %H:%M} UTC"


def plain(text: str | None) -> Markup:
    """Return a text of others, with characters that steer a terminal or turn the reading direction shown as signs."""
    return _html((Span(SpanKind.EQUAL, text or ""),))


def asked(text: str) -> str:
    """Return what a visitor typed without what steers a terminal or turns the reading direction."""
    return _STEERING.sub(" ", text).strip()


def marked(text: str, query: str) -> Markup:
    """Return a passage around the words looked for, with these marked."""
    pieces = list(search.marked(text, query))
    start = sum(len(piece) for piece, _ in itertools.takewhile(lambda piece: not piece[1], pieces))
    begin = text.rfind(" ", 0, max(start - _AROUND, 0)) + 1 if start > _AROUND else 0
    shown = Markup("… ") if begin else Markup()
    at = 0
    for piece, is_hit in pieces:
        visible = piece[max(begin - at, 0) : max(begin + 4 * _AROUND - at, 0)]
        at += len(piece)
        if visible:
            shown += Markup("<mark>{}</mark>").format(plain(visible)) if is_hit else plain(visible)
    return shown + " …" if at > begin + 4 * _AROUND else shown


def link(url: str | None, text: str | None = None) -> Markup:
    """Return a link to a page of others, or its address as text where it is not http or https; without its secrets."""
    url = urls.without_secrets(url or "")
    shown = plain(text or url)
    address = urls.clean(url) if url else None
    if address is None:
        return shown
    return Markup('<a href="{}" rel="noreferrer nofollow external">{}</a>').format(address, shown)


def address(url: str | None) -> Markup:
    """Return an address as text, without its secrets."""
    return plain(urls.without_secrets(url or ""))


def lang(tag: str | None) -> Markup:
    """Return `lang` and `dir` attributes for a text in a language that a page named; only `dir` if it is no tag."""
    if not tag or not _TAG.match(tag.replace("_", "-")):
        return Markup('dir="auto"')
    tag = tag.replace("_", "-")
    direction = "rtl" if tag.lower().split("-")[0] in _RTL else "auto"
    return Markup('lang="{}" dir="{}"').format(tag, direction)


def short_digest(digest: str) -> str:
    """Return the first letters of a digest: enough to tell versions apart by eye."""
    return digest.partition(":")[2][:10] or digest[:10]


def _html(found: Iterable[Span]) -> Markup:
    return Markup(render.html_spans(found))  # noqa: S704 - `render` escapes every piece by itself


def _machine(when: datetime) -> str:
    return f"{when:%Y-%m-%dT%H:%M:%SZ}"
