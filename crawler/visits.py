"""What a visit showed, decided from the answer alone: pure, one table of cases in the tests."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import urlsplit

from crawler import urls
from crawler.items import Article, BlockKind, Capture, Feed, FeedCapture, FeedFormat, Outcome, Quality

# Visits that showed a text: one that is new to us, or the same as before.
NEW_TEXT = frozenset({Outcome.NEW, Outcome.CHANGED})
SAME_TEXT = frozenset({Outcome.UNCHANGED, Outcome.NOT_MODIFIED, Outcome.MOVED})

# Their refusals, as against errors: unauthorized, payment, forbidden, too many requests, legal reasons.
_REFUSALS = frozenset({401, 402, 403, 429, 451})
_WALLS = frozenset({Quality.BOT_WALL, Quality.CONSENT, Quality.LOGIN})
# A text of so many letters stands on two pages because it is the same article's; "Advertisement" need not be.
_TELLING_LETTERS = 20
# A teaser shows a third of a text or less; an edit seldom takes away a tenth.
_WHOLE_SHARE, _MOST = 0.9, 0.5


def as_whole(capture: Capture, latest: Article | None) -> Capture:
    """Return a visit as it is to be judged beside the `latest` version; None: there is none yet.

    A teaser ends early. A page that shows as much text as before, most of it the same, or most of it with its end, is
    none, whatever offer to subscribe stands beside it today.
    """
    article = capture.article
    if article is None or latest is None or (article.quality, latest.quality) != (Quality.STUB, Quality.OK):
        return capture
    shown, known = (
        [block.text for block in page.blocks if block.kind is not BlockKind.CAPTION] for page in (article, latest)
    )
    letters, before, same = (sum(map(len, texts)) for texts in (shown, known, {*shown} & {*known}))
    has_end = not {*known[-2:]}.isdisjoint(shown)
    if 2 * same < letters or letters < (_MOST if has_end else _WHOLE_SHARE) * before:
        return capture
    reason = f"{letters} of {before} characters as before, beside an offer to subscribe"
    return replace(capture, article=replace(article, quality=Quality.OK, quality_reason=reason))


def outcome_without_text(
    capture: Capture,
    *,
    latest_quality: Quality | None,
    was_missing: bool,
    missing: str | None = None,
    is_well: bool | None = None,
    is_storm: bool = False,
) -> tuple[Outcome, str | None] | None:
    """Return what a visit showed, with a sentence on what went wrong, if it brought no text to compare; else None.

    `latest_quality` is that of the latest version, None if there is none yet. `missing` is what `missing_by` says of
    this visit, `was_missing` that the one before missed it too: a deploy gone wrong is missing once, a deleted article
    stays missing. `is_well`: another article of its host was read since it was first missed; None: the host has no
    other. `is_storm`: the host answers so for all of them, which says nothing of this one.
    """
    status = capture.status
    missing = missing or missing_by(capture, None)
    if capture.refused:
        return Outcome.BLOCKED, capture.error
    if status is None:
        return Outcome.FAILED, capture.error or "no answer came"
    if status == 304:
        if latest_quality is None:
            why = "though we have no text yet"
        elif capture.asked_in_full:
            why = "though it was asked for in full"
        else:
            return Outcome.NOT_MODIFIED, None
        return Outcome.FAILED, f"the server answered 304 (not modified) {why}; asked in full next time"
    if status == 410 and not is_storm:
        return Outcome.GONE, "the publisher says that it is gone (410)"
    if missing is not None or status == 410:
        return _when_missing(missing or "gone (410)", capture, was_missing, is_well, is_storm)
    if status in _REFUSALS:
        return Outcome.BLOCKED, f"the server refused ({status})"
    if not 200 <= status < 300 or capture.article is None:
        return Outcome.FAILED, capture.error or f"the server answered {status}"
    quality = capture.article.quality
    if quality is Quality.OK or (quality is Quality.STUB and latest_quality in (None, Quality.STUB)):
        return None
    sentence = f"the page is no article text: {quality.replace('_', ' ')}"
    if capture.article.quality_reason:
        sentence += f" ({capture.article.quality_reason})"
    return (Outcome.BLOCKED if quality in _WALLS else Outcome.FAILED), sentence


def _when_missing(
    missing: str, capture: Capture, was_missing: bool, is_well: bool | None, is_storm: bool
) -> tuple[Outcome, str]:
    """Return whether an article that is not there is gone, on the evidence of its host."""
    if is_storm:
        return Outcome.FAILED, f"{missing}, as all of its host; that is no word on the article"
    if not was_missing:
        return Outcome.FAILED, f"{missing}; looked for once more before it is called gone"
    # A page that only says so may be what a site answers to everything; a status or a redirect is no slip of the text.
    if is_well or (is_well is None and (capture.status != 200 or _answered_elsewhere(capture))):
        return Outcome.GONE, f"{missing} at two visits in a row"
    return Outcome.FAILED, f"{missing} at two visits in a row; gone once another article of its host was read"


def missing_by(capture: Capture, latest: Article | None) -> str | None:
    """Return by what sign an answer says that the article is not there (any more), as a sentence; None if it does not.

    404, a page that says so with status 200, or a redirect that leads to something else: the front page, a section,
    another text than the `latest` known.
    """
    if capture.status == 404:
        return "not found (404)"
    answered, article = capture.final_url, capture.article
    if capture.status != 200:
        return None
    if article is not None and article.says_missing:
        return f"the page says that it is not there ({article.says_missing!r})"
    if answered is None or not _answered_elsewhere(capture):
        return None
    if article is not None and article.quality in _WALLS:
        return None
    if is_front_page(answered) and not is_front_page(capture.url):
        return f"it leads to the front page ({answered})"
    if _is_section(answered, of=capture.url) or (article is not None and article.quality is Quality.NOT_ARTICLE):
        return f"it leads to a page that is no article ({answered})"
    if article is not None and latest is not None and not is_same_article(article, latest):
        return f"it leads to another text ({answered})"
    return None


def is_passing(status: int) -> bool:
    """Return whether an answer is to be asked for once more in the same run: a server out of order, or too busy."""
    return status == 429 or 500 <= status <= 599


def _answered_elsewhere(capture: Capture) -> bool:
    return capture.final_url is not None and urls.key(capture.final_url) != urls.key(capture.url)


def is_front_page(url: str) -> bool:
    """Return whether an address is a site's front page, of one of its languages too (`/en/`)."""
    parts = urlsplit(url)
    path = re.sub(r"/(?:index|default|home)(?:\.[a-z]{2,5})?$", "/", parts.path, flags=re.IGNORECASE)
    return re.fullmatch(r"/*(?:[a-z]{2}(?:[-_][A-Za-z]{2})?/*)?", path) is not None and not re.search(
        "[0-9]", parts.query
    )


def is_same_article(a: Article, b: Article) -> bool:
    """Return whether two readings are of one article: the same headline, or a text of some length in common."""
    if a.headline and a.headline == b.headline:
        return True
    texts = {block.text for block in a.blocks if len(block.text) >= _TELLING_LETTERS}
    return any(block.text in texts for block in b.blocks)


def _is_section(url: str, *, of: str) -> bool:
    """Return whether an address is a folder that an article's stands in, and no article's by its look."""
    folder, path = ([part for part in urlsplit(one).path.split("/") if part] for one in (url, of))
    is_above = len(folder) < len(path) and path[: len(folder)] == folder
    return is_above and urls.same_site(url, of) and not re.search(r"[0-9]|-.*-", folder[-1] if folder else "")


def state_after(state: str, outcome: Outcome, *, is_good: bool, missing: str | None) -> tuple[str, str | None]:
    """Return an article's state after a visit, and the turn that this is in what became of it; None: it is none."""
    if outcome is Outcome.GONE:
        return "gone", None if state == "gone" else "gone"
    if missing is not None:
        return ("gone", None) if state == "gone" else ("suspect", None if state == "suspect" else "suspect")
    if not is_good:
        return state, None
    return "up", {"gone": "back", "suspect": "up"}.get(state)


def feed_document_error(feed: Feed, *, was: FeedFormat | None, entries: int | None) -> str | None:
    """Return what is wrong with a document that can be read, as a sentence; None if it goes on as the feed that it was.

    `was` and `entries` are the feed's format and how many entries it listed last; None before its first reading.
    """
    if feed.format is FeedFormat.PAGE and was not in (None, FeedFormat.PAGE):
        return f"a web page came where a feed ({was}) stood"
    # A news sitemap holds the articles of two days: where nothing was published, none.
    if not feed.entries and not feed.more and entries and feed.format is not FeedFormat.SITEMAP:
        return f"it went empty; it listed {entries} entries before"
    return None


def feed_outcome_without_entries(capture: FeedCapture) -> tuple[Outcome, str | None]:
    """Return what a visit to a feed showed that brought no list, with a sentence on what went wrong."""
    if capture.refused:
        return Outcome.BLOCKED, capture.error
    if capture.status == 304 and not capture.asked_in_full:
        return Outcome.NOT_MODIFIED, None
    if capture.status == 304:
        return Outcome.FAILED, "the server answered 304 (not modified) though it was asked for in full"
    if capture.status in _REFUSALS:
        return Outcome.BLOCKED, f"the server refused ({capture.status})"
    return Outcome.FAILED, capture.error or f"the server answered {capture.status}"
