"""The fingerprint of what a reader sees: equal digests mean that there is no new version."""

from __future__ import annotations

import hashlib
import json

from crawler.extract.text import comparable
from crawler.items import Article

# Raised when the folding or the fields change, so that a better rule is not taken for an edit.
DIGEST_VERSION = 1


def digest(article: Article) -> str:
    """Return "<version>:<hex>", equal exactly when a reader would see the same text.

    Over headline, standfirst, authors' names, blocks, captions and credits. Not over what a block is (a heading that
    becomes a paragraph reads the same), dates, links, tags or the page's other headlines.
    """
    seen = [
        comparable(article.headline),
        comparable(article.description),
        [comparable(author.name) for author in article.authors],
        [comparable(block.text) for block in article.blocks],  # captions and their credits stand among them
    ]
    text = json.dumps(seen, ensure_ascii=False, separators=(",", ":"))
    return f"{DIGEST_VERSION}:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
