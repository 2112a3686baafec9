"""Which lines of a page are the article's body, in reading order."""

from __future__ import annotations

from crawler.extract.page import Box, Line, Page

_CHROME = frozenset(("nav", "footer", "aside", "form", "menu", "button", "dialog"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))


def weight(line: Line) -> int:
    """How much a line speaks for its box being the body: its text that is not links."""
    own = len(line.text) - line.link_chars
    return own if own >= 40 and own * 2 > len(line.text) and line.box.tag not in _HEADINGS else 0


def find(page: Page) -> list[Line]:
    """Return the lines of the body."""
    weights: dict[int, int] = {}
    total = 0
    for line in page.lines:
        w = weight(line)
        if not w:
            continue
        chain = list(line.box.ancestors())
        if any(b.tag in _CHROME for b in chain):
            continue
        total += w
        for b in chain:
            weights[b.index] = weights.get(b.index, 0) + w
    if not total:
        return []
    best = max((b for b in page.boxes if weights.get(b.index, 0) >= 0.75 * total), key=lambda b: b.index)
    return [line for line in page.lines[best.first : best.last] if _is_body(line, best)]


def _is_body(line: Line, best: Box) -> bool:
    for b in line.box.ancestors():
        if b is best:
            break
        if b.tag in _CHROME or b.tag in ("figure", "figcaption", "header", "h1"):
            return False
    if line.link_chars * 2 > len(line.text):
        return False
    return line.box.tag in ("p", "blockquote", "li", "h2", "h3", "h4") or len(line.text) > 80
