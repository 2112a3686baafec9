"""Is it an edit at all? What two visits know together and one page does not: pure.

A page's furniture (a newsletter line, a counter) comes and goes around and inside the article, and an extractor that
takes it for body once and not the next time wavers. Neither is an edit. What settles it is the rest of the page: a text
that a reader could see on both pages is neither new nor gone, wherever the extractor put it; and a line that stands on
other articles of the same site, outside their bodies, is the site's and not the article's.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from zlib import crc32

from crawler.diff import Alignment, BlockDiff, Diff, new_text, old_text
from crawler.diff.model import READ_FIELDS
from crawler.extract import comparable
from crawler.items import Article, Block, BlockKind

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
# Longer texts are no furniture: the longest newsletter lines seen have 200 characters, a short paragraph 250.
_LONGEST_FURNITURE = 240
_HASH_BYTES = 4
# "Updated 12 minutes ago by our politics desk" has 43 characters; a sentence that is set as a line ends as one.
_LONGEST_LINE = 80
_SENTENCE_ENDS = frozenset('.!?…。！？」』”"»؟۔।')
_COMES_AND_GOES = frozenset({Alignment.INSERTED, Alignment.DELETED, Alignment.EDITED})
_LINES = frozenset({BlockKind.PARAGRAPH, BlockKind.LIST_ITEM})


@dataclass(frozen=True, slots=True)
class Settled:
    """A new reading as it compares with the version before it.

    `article` is the reading without what only seemed to be new and with what only seemed to be gone; `wavered` counts
    the pieces in which that differs from what was read.
    """

    article: Article
    wavered: int


def settle(old: Article, new: Article, *, was_there: Callable[[str], bool], is_there: Callable[[str], bool]) -> Settled:
    """Return what of a new reading is news beside the version before it.

    `was_there` says of a text that it is no news: a reader could see it on the old page too, or it is the site's
    furniture. `is_there` says so of a text that the reading has no more: it still stands on the new page.
    """
    blocks, wavered = _settled_blocks(old.blocks, new.blocks, was_there, is_there)
    description = new.description
    if comparable(old.description) != comparable(new.description):
        was_no_news = not new.description or was_there(new.description)
        is_no_loss = not old.description or is_there(old.description)
        if was_no_news and is_no_loss:
            description, wavered = old.description, wavered + 1
    return Settled(replace(new, blocks=blocks, description=description), wavered)


def may_be_passing(difference: Diff) -> bool:
    """Return whether all that changed are short lines without a sentence.

    So change a clock, a count, a picked headline: with the visit, not with an editor. One look cannot tell them from an
    edit of such a line; a second one can.
    """
    if any(field.name in READ_FIELDS for field in difference.fields):
        return False
    changed = [block for block in difference.blocks if block.alignment is not Alignment.EQUAL]
    return bool(changed) and all(
        block.alignment in _COMES_AND_GOES and block.kind in _LINES and all(map(_is_line, _sides(block)))
        for block in changed
    )


def passing_lines(difference: Diff) -> list[str]:
    """Return the lines on both sides of a change that `may_be_passing`, the old one of each first."""
    changed = (block for block in difference.blocks if block.alignment is not Alignment.EQUAL)
    return [side for block in changed for side in _sides(block)]


def furniture_key(text: str) -> str:
    """Return what all showings of one piece of furniture share: numbers masked, case folded; "" if it is too long."""
    return "" if len(text) > _LONGEST_FURNITURE else _furniture_key(text)


# The menus of a site stand on each of its pages. 32,768 lines are those of 200 sites, and 10 MB.
@lru_cache(maxsize=2**15)
def _furniture_key(text: str) -> str:
    return _NUMBER.sub("0", comparable(text)).casefold()


def fingerprint(lines: Iterable[str], article: Article) -> bytes:
    """Return the lines of a page that are not its article's, as sorted hashes of four bytes each.

    About 600 bytes a page. A line that stands nowhere is found on three of 200 pages by chance once in 10^15 times.
    """
    own = {furniture_key(text) for text in (article.headline, *(block.text for block in article.blocks))}
    keys = {furniture_key(line) for line in lines} - own - {""}
    return b"".join(sorted(map(_hash, keys)))


def holds(fingerprint: bytes, key: str) -> bool:
    """Return whether a page with this fingerprint has a line with this `furniture_key` outside its article."""
    wanted = _hash(key)
    at = fingerprint.find(wanted)
    while at >= 0 and at % _HASH_BYTES:
        at = fingerprint.find(wanted, at + 1)
    return at >= 0


def _sides(block: BlockDiff) -> list[str]:
    return [side for side in (old_text(block.spans), new_text(block.spans)) if side]


def _is_line(text: str) -> bool:
    return len(text) <= _LONGEST_LINE and text.rstrip()[-1:] not in _SENTENCE_ENDS


def _settled_blocks(
    old: Sequence[Block],
    new: Sequence[Block],
    was_there: Callable[[str], bool],
    is_there: Callable[[str], bool],
) -> tuple[tuple[Block, ...], int]:
    """Return the blocks that stand, in order, and how many were taken out or put back."""
    old_keys, new_keys = ([comparable(block.text) for block in blocks] for blocks in (old, new))
    shared = Counter(old_keys) & Counter(new_keys)
    wavered = 0

    # What is put back stands behind the nearest block before it that is still there; None: at the top.
    back: defaultdict[str | None, list[Block]] = defaultdict(list)
    anchor, left = None, shared.copy()
    for block, key in zip(old, old_keys, strict=True):
        if left[key]:
            left[key] -= 1
            anchor = key
        elif is_there(block.text):
            back[anchor].append(block)
            wavered += 1

    standing, left = back.pop(None, []), shared.copy()
    for block, key in zip(new, new_keys, strict=True):
        if left[key]:
            left[key] -= 1
        elif was_there(block.text):
            wavered += 1
            continue
        standing.append(block)
        standing += back.pop(key, ())
    return tuple(standing), wavered


def _hash(key: str) -> bytes:
    return crc32(key.encode("utf-8", "surrogatepass")).to_bytes(_HASH_BYTES, "big")
