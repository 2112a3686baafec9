"""How two texts are compared: the folding under which a reader would call them the same.

The text itself is stored as it was read; only comparisons go through here. "1.5%" and "15%", "-5" and "5", a removed
comma and a changed case stay different: nothing is dropped but what cannot be seen.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_SINGLE = "\u2018\u2019\u201a\u201b\u2032\u2035\u2039\u203a\u00b4\u0060\u02bc\u02b9\u02bb\uff07"
_DOUBLE = "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u301d\u301e\u301f\uff02"
_DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
# Soft hyphen, zero-width space and joiners, direction marks, word joiner, byte order mark, variation selectors.
_UNSEEN = (
    "\u00ad\u034f\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e"
    "\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\ufeff\ufe0e\ufe0f"
)
_FOLDINGS = {"\u2026": "..."} | dict.fromkeys(_SINGLE, "'") | dict.fromkeys(_DOUBLE, '"') | dict.fromkeys(_DASHES, "-")
_FOLDED = re.compile(f"[{re.escape(''.join(_FOLDINGS))}]")
_DROPPED = re.compile(f"[{_UNSEEN}]")
# Longer texts are not remembered: 2,048 of them would be the memory of a hostile page.
_LONG = 2_000


def comparable(text: str) -> str:
    """Return `text` as it is compared: NFC, one kind of quotes, dashes and white space, nothing that has no width.

    Idempotent: `comparable(comparable(t)) == comparable(t)`.
    """
    return _fold(text) if len(text) > _LONG else _folded(text)


def _fold(text: str) -> str:
    if text.isascii():
        return " ".join(text.replace("`", "'").split())
    text = unicodedata.normalize("NFC", _DROPPED.sub("", text))
    text = _FOLDED.sub(lambda found: _FOLDINGS[found[0]], text)
    return " ".join(text.split())


# One visit folds each of its texts three to five times: read, digested, settled, compared.
_folded = lru_cache(maxsize=2048)(_fold)
