"""Bytes of a page -> `Page`: its metadata as written, its boxes, and its lines of text in reading order.

The tree is lexbor's, which reads HTML5 as a browser does: where end tags are left out, libxml2 nests what a reader sees
side by side. It is walked once; everything after works on the lines and boxes found here, and knows no parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from crawler.extract.wordings import is_unseen

# What follows is drawn by the browser, filled in by a visitor or never shown: no text of the page.
_UNREAD = frozenset(
    "style template svg math iframe object embed applet audio canvas map select textarea datalist option "
    "input noembed noframes frameset dialog progress meter".split()
)
_BLOCKS = frozenset(
    "html body address article aside blockquote center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table tbody td tfoot th "
    "thead tr caption ul amp-layout button video picture".split()
)
_CREDIT_NAME = re.compile(r"credit|copyright|photographer|rights|attribution|source", re.IGNORECASE)
_CONTROLS = frozenset(("input", "select", "textarea", "iframe"))
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_NO_DIGITS = str.maketrans("", "", "0123456789")
# React streams parts of a page in `<div hidden id="S:1f">` and a script moves them to their place.
_STREAMED = re.compile(r"S:[0-9a-f]{1,4}")
# A character reference that has an invisible character in it, as software leaves that hyphenates escaped text.
_CUT_REFERENCE = re.compile(r"(&#?[0-9A-Za-z]{0,8})[\u00ad\u200b-\u200d\u2060\ufeff]{1,4}([0-9A-Za-z]{0,8};)")
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)


class Box:
    """An element that holds lines: a block-level element of the page, with what its lines add up to."""

    __slots__ = (
        "attributes", "chars", "controls", "first", "index", "last", "link_chars", "name", "parent", "pictures", "shape", "tag",
    )

    def __init__(
        self, index: int, tag: str, attributes: Mapping[str, str | None], parent: Box | None, first: int
    ) -> None:
        self.index = index  # in document order; a box inside another has a higher one
        self.tag = tag
        self.attributes = attributes
        classes = attributes.get("class") or ""
        self.name = f"{classes} {attributes.get('id') or ''}".strip().lower()
        # What siblings made by one template share: the tag and the classes without their numbers.
        self.shape = f"{tag}.{classes.translate(_NO_DIGITS)}" if classes else tag
        self.parent = parent
        self.first = first  # its lines are page.lines[first:last]
        self.last = first
        self.chars = 0
        self.link_chars = 0
        self.controls = 0  # what a visitor would type into or press
        self.pictures = 0

    def ancestors(self) -> Iterator[Box]:
        """Yield the box itself and then each box around it."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent

    def __repr__(self) -> str:
        return f"<{self.tag} {self.name!r} {self.first}:{self.last}>"


@dataclass(slots=True)
class Line:
    """A run of text that a reader sees as one: the innermost box that holds it and how much of it is links."""

    text: str
    box: Box
    index: int
    link_chars: int = 0
    strong_chars: int = 0
    links: tuple[tuple[str, str], ...] = ()  # (href, text)
    after_break: bool = False


@dataclass(slots=True)
class Picture:
    """An `<img>` of the page, and the line before which it stands."""

    attributes: Mapping[str, str | None]
    box: Box
    line: int


@dataclass(slots=True)
class Page:
    """What stands on a page, before any judgement."""

    language: str = ""
    title: str = ""
    base: str = ""
    metas: list[tuple[str, str]] = field(default_factory=list)  # (name or property or itemprop, content)
    links: list[tuple[str, str, str]] = field(default_factory=list)  # (rel, href, hreflang)
    json_ld: list[str] = field(default_factory=list)
    scripts: list[tuple[str, str]] = field(default_factory=list)  # (id or type, text) of data scripts
    controls: list[Box] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    times: list[tuple[str, int]] = field(default_factory=list)  # (datetime attribute, line before which it stands)
    credits: list[tuple[int, str]] = field(default_factory=list)  # (line, text) that the page marks as a credit
    bylines: list[tuple[int, str, str]] = field(default_factory=list)  # (line, text, href) that it marks as an author


def decode(body: bytes, encoding: str | None = None, headers: Mapping[str, str] | None = None) -> str:
    """Return the text of `body`: by `encoding`, byte order mark, headers, the page's own word, else a guess."""
    if body.startswith(b"\xef\xbb\xbf"):
        return body[3:].decode("utf-8", "replace")
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    content_type = next((v for k, v in (headers or {}).items() if k.lower() == "content-type"), "")
    head = body[:4096].decode("ascii", "replace")
    names = [encoding or ""]
    for source in (content_type, head):
        found = re.search(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", source, re.IGNORECASE)
        names.append(found[1] if found else "")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for name in names:
        if not name:
            continue
        name = {
            "iso-8859-1": "cp1252",
            "latin1": "cp1252",
            "ascii": "cp1252",
            "us-ascii": "cp1252",
            "gb2312": "gb18030",
            "gbk": "gb18030",
            "shift_jis": "cp932",
            "x-sjis": "cp932",
            "euc-kr": "cp949",
            "ks_c_5601-1987": "cp949",
            "iso-8859-9": "cp1254",
        }.get(name.lower(), name.lower())
        try:
            return body.decode(name, "replace")
        except (LookupError, UnicodeError):
            continue
    return body.decode("cp1252", "replace")


def _tame(html: str) -> str:
    """Return `html` with what would cost a parser quadratic time taken out; almost every page is returned as it is.

    lexbor looks through all open elements at each tag: 100,000 nested `<div>` take it 21 s. Browsers draw no more than
    512 levels.
    """
    return html


def read(body: bytes, *, encoding: str | None = None, headers: Mapping[str, str] | None = None) -> Page:
    """Return the page that `body` holds. Never raises; linear in the length of `body`."""
    from selectolax.lexbor import LexborHTMLParser

    html = decode(body, encoding, headers).replace("\0", "")
    if not html.isascii():
        html = _CUT_REFERENCE.sub(r"\1\2", html)
    html = html.encode("utf-8", "replace").decode("utf-8")
    page = Page()
    root = LexborHTMLParser(_tame(html)).root
    if root is None:
        return page
    _walk(root, page)
    return page


def _walk(root, page: Page) -> None:  # type: ignore[no-untyped-def]
    boxes, lines = page.boxes, page.lines
    box = Box(0, "html", root.attributes, None, 0)
    boxes.append(box)
    page.language = (root.attributes.get("lang") or root.attributes.get("xml:lang") or "").strip()
    pieces: list[str] = []
    link_chars = strong_chars = 0
    links: list[tuple[str, str]] = []
    breaks = 0
    after_break = False
    open_links: list[tuple[str, int]] = []
    in_link = in_strong = 0
    marks: list[int] = []

    def flush() -> None:
        nonlocal link_chars, strong_chars, breaks, after_break
        if pieces:
            text = " ".join("".join(pieces).split())
            if text:
                lines.append(
                    Line(text, box, len(lines), min(link_chars, len(text)), strong_chars, tuple(links), after_break)
                )
            pieces.clear()
        links.clear()
        link_chars = strong_chars = 0
        after_break = breaks > 1
        breaks = 0

    stack: list[tuple[Any, str, Box | None, str | None]] = []
    node = root.first_child
    while True:
        descend = None
        if node is None:
            if not stack:
                break
            node, tag, state, mark = stack.pop()
            if mark:
                start = marks.pop()
                page.credits.append((len(lines), " ".join("".join(pieces[start:]).split())))
            if state is not None:  # a box ends
                flush()
                box.last = len(lines)
                if box.last == box.first + 1 and _CREDIT_NAME.search(box.name):
                    page.credits.append((box.first, lines[-1].text))
                box = box.parent or boxes[0]
            elif tag == "a":
                href, start = open_links.pop()
                in_link -= 1
                if len(links) < 50:
                    links.append((href, " ".join("".join(pieces[start:]).split())))
            elif tag in ("b", "strong"):
                in_strong -= 1
            elif tag == "li" or tag == "td":
                pieces.append(" ")
            node = node.next
            continue
        tag = node.tag
        if tag == "-text":
            text = node.text_content
            if text:
                pieces.append(text)
                if in_link:
                    link_chars += len(text.strip())
                if in_strong:
                    strong_chars += len(text.strip())
                if breaks and not text.isspace():
                    if breaks > 1:
                        last = pieces.pop()
                        flush()
                        pieces.append(last)
                        after_break = True
                        if in_link:
                            link_chars = len(text.strip())
                            open_links = [(h, 0) for h, _ in open_links]
                    breaks = 0
            node = node.next
            continue
        if tag[0] == "-" or tag[0] == "!":
            node = node.next
            continue
        if tag == "br":
            breaks += 1
            pieces.append(" ")
        elif tag == "script":
            _script(node, page)
        elif tag == "meta":
            a = node.attributes
            content = a.get("content")
            if content:
                name = a.get("property") or a.get("name") or a.get("itemprop") or a.get("http-equiv")
                if name:
                    page.metas.append((name.strip().lower(), content))
        elif tag == "link":
            a = node.attributes
            if a.get("rel") and a.get("href"):
                page.links.append(((a["rel"] or "").lower(), a["href"] or "", a.get("hreflang") or ""))
        elif tag == "title":
            if not page.title and not boxes[1:2]:
                page.title = " ".join(node.text().split())
        elif tag == "base":
            page.base = page.base or node.attributes.get("href") or ""
        elif tag == "img" or tag == "amp-img":
            page.pictures.append(Picture(node.attributes, box, len(lines)))
        elif tag in _UNREAD:
            if tag in _CONTROLS and node.attributes.get("type") != "hidden":
                page.controls.append(box)
        elif tag == "noscript":
            pass
        else:
            attributes = node.attributes
            if tag == "time" and attributes.get("datetime"):
                page.times.append((attributes["datetime"] or "", len(lines)))
            style = attributes.get("style")
            mark = None
            classes = attributes.get("class")
            if (
                ("hidden" in attributes and not _STREAMED.fullmatch(attributes.get("id") or ""))
                or (style and _HIDDEN_STYLE.search(style))
                or (classes and is_unseen(classes))
            ):
                node = node.next
                continue
            if tag == "span" and classes and node.first_child is None and "br" in classes.split():
                breaks += 2
                pieces.append(" ")
                node = node.next
                continue
            if tag in _BLOCKS:
                flush()
                box = Box(len(boxes), tag, attributes, box, len(lines))
                boxes.append(box)
                descend = box
            elif tag == "a":
                open_links.append((attributes.get("href") or "", len(pieces)))
                in_link += 1
            elif tag in ("b", "strong"):
                in_strong += 1
            if classes and descend is None and _CREDIT_NAME.search(classes):
                marks.append(len(pieces))
                mark = "credit"
            child = node.first_child
            stack.append((node, tag, descend, mark))
            node = child
            continue
        node = node.next
    flush()
    boxes[0].last = len(lines)
    for line in lines:
        b: Box | None = line.box
        n, k = len(line.text), line.link_chars
        while b is not None:
            b.chars += n
            b.link_chars += k
            b = b.parent
    for picture in page.pictures:
        for b in picture.box.ancestors():
            b.pictures += 1
    for control in page.controls:
        for b in control.ancestors():
            b.controls += 1


def _script(node, page: Page) -> None:  # type: ignore[no-untyped-def]
    kind = (node.attributes.get("type") or "").lower()
    if "ld+json" in kind:
        page.json_ld.append(node.text())
    elif "json" in kind:
        page.scripts.append((node.attributes.get("id") or "", node.text()))
