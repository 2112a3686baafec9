"""What a visit showed, decided from the answer alone: pure, one table of cases in the tests."""

from __future__ import annotations

from crawler.items import Capture, FeedCapture, Outcome, Quality

# Their refusals, as against errors: unauthorized, payment, forbidden, too many requests, legal reasons.
_REFUSALS = frozenset({401, 402, 403, 429, 451})
_WALLS = frozenset({Quality.BOT_WALL, Quality.CONSENT, Quality.LOGIN})


def outcome_without_text(
    capture: Capture, *, latest_quality: Quality | None, was_missing: bool
) -> tuple[Outcome, str | None] | None:
    """Return what a visit showed, with a sentence on what went wrong, if it brought no text to compare; else None.

    `latest_quality` is that of the latest version, None if there is none yet. `was_missing` says that the visit before
    found nothing either (404): a deploy gone wrong is missing once, a deleted article stays missing.
    """
    status = capture.status
    if capture.refused:
        return Outcome.BLOCKED, capture.error
    if status is None:
        return Outcome.FAILED, capture.error or "no answer came"
    if status == 304:
        if latest_quality is not None:
            return Outcome.NOT_MODIFIED, None
        return (
            Outcome.FAILED,
            "the server answered 304 (not modified) though we have no text yet; asked in full next time",
        )
    if status == 410:
        return Outcome.GONE, "the publisher says that it is gone (410)"
    if status == 404:
        if was_missing:
            return Outcome.GONE, "not found (404) at two visits in a row"
        return Outcome.FAILED, "not found (404); looked for once more before it is called gone"
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


def feed_outcome_without_entries(capture: FeedCapture) -> tuple[Outcome, str | None]:
    """Return what a visit to a feed showed that brought no list, with a sentence on what went wrong."""
    if capture.refused:
        return Outcome.BLOCKED, capture.error
    if capture.status == 304:
        return Outcome.NOT_MODIFIED, None
    if capture.status in _REFUSALS:
        return Outcome.BLOCKED, f"the server refused ({capture.status})"
    return Outcome.FAILED, capture.error or f"the server answered {capture.status}"
