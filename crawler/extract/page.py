"""Bytes of a page -> `Page`: its metadata as written, its boxes, and its lines of text in reading order.

The tree is lexbor's, which reads HTML5 as a browser does: where end tags are left out, libxml2 nests what a reader sees
side by side. It is walked once; everything after works on the lines and boxes found here, and knows no parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from crawler.extract import wordings

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

    from crawler.extract.sites import SiteRule

Attributes = Mapping[str, str | None]

# What follows is drawn by the browser, filled in by a visitor or never shown: no text of the page.
_UNREAD = frozenset(
    "style template svg math iframe object embed applet audio canvas map select textarea datalist option "
    "input noembed noframes noscript frameset dialog progress meter".split()
)
HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
# A `<div>` in one of these is part of its line; in an h1 it may be a kicker or a standfirst.
_SUBHEADINGS = HEADINGS - {"h1"}
_LANDMARKS = frozenset(("article", "main", "nav"))
# What is read of one page: fifty times what the largest of 117 real pages has (1,446 boxes, 592 lines).
_MOST_BOXES = 80_000
_MOST_LINES = 40_000
_PARAGRAPH_ENDS = frozenset('.!?…"”»。')
# Inline elements whose attributes say nothing that is asked for.
_PLAIN = frozenset(("b", "strong", "em", "i", "u", "sub", "sup", "mark", "q", "nobr"))
_CONTROLS = frozenset(("input", "select", "textarea", "iframe"))
_BLOCKS = frozenset(
    "html body address article aside blockquote center dd details dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu nav ol p pre section summary table tbody td tfoot th "
    "thead tr caption ul amp-layout button video picture".split()
)
_NO_DIGITS = str.maketrans("", "", "0123456789")
# React streams parts of a page in `<div hidden id="S:1f">` and a script moves them to their place.
_STREAMED = re.compile(r"S:[0-9a-f]{1,4}")
_HIDDEN_STYLE = re.compile(r"(?:display\s{0,9}:\s{0,9}none|visibility\s{0,9}:\s{0,9}hidden)", re.IGNORECASE)
_CREDIT_NAMES = ("credit", "copyright", "photographer", "rights", "attribution", "source")
_AUTHOR_NAME = re.compile(r"(?:^|[\s_-])(?:authors?|byline)(?:[\s_-]*(?:names?|link|item|wrap(?:per)?|list))?(?:$|\s)")
# A character reference that has an invisible character in it, as software leaves that hyphenates escaped text.
_CUT_REFERENCE = re.compile(
    rb"(&#?[0-9A-Za-z]{0,8})(?:\xc2\xad|\xe2\x80[\x8b-\x8d]|\xe2\x81\xa0|\xef\xbb\xbf){1,4}([0-9A-Za-z]{0,8};)"
)


class Box:
    """A block-level element of the page: the lines that it holds are page.lines[first:last]."""

    __slots__ = (
        "_name", "_shape", "attributes", "chars", "controls", "first", "index", "last", "link_chars", "parent",
        "pictures", "tag",
    )  # fmt: skip

    def __init__(self, index: int, tag: str, attributes: Attributes, parent: Box | None, first: int) -> None:
        self.index = index  # in document order; a box inside another has a higher one
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.first = self.last = first
        self.chars = 0  # of text in its lines
        self.link_chars = 0  # of those, in links
        self.controls = 0  # what a visitor would type into or press
        self.pictures = 0
        self._name: str | None = None
        self._shape: str | None = None

    @property
    def name(self) -> str:
        """The box's class and id, in lower case."""
        if self._name is None:
            self._name = f"{self.attributes.get('class') or ''} {self.attributes.get('id') or ''}".strip().lower()
        return self._name

    @property
    def shape(self) -> str:
        """What boxes made by one template share: the tag and the classes without their numbers."""
        if self._shape is None:
            self._shape = f"{self.tag}.{(self.attributes.get('class') or '').translate(_NO_DIGITS)}"
        return self._shape

    def ancestors(self) -> Iterator[Box]:
        """Yield the box itself and then each box around it."""
        box: Box | None = self
        while box is not None:
            yield box
            box = box.parent


@dataclass(slots=True)
class Line:
    """A run of text that a reader sees as one, and the innermost box that holds it."""

    text: str
    box: Box
    index: int
    link_chars: int = 0
    links: tuple[tuple[str, str], ...] = ()  # (href, text), the first fifty


@dataclass(slots=True)
class Picture:
    """An `<img>` of the page, and the line before which it stands."""

    attributes: Attributes
    box: Box
    line: int


class Mark(NamedTuple):
    """Text that the page marks as a credit or as an author, in the line with that index or before it."""

    kind: Literal["credit", "author"]
    line: int
    text: str
    href: str


@dataclass(slots=True)
class Page:
    """What stands on a page, before any judgement."""

    language: str = ""
    title: str = ""
    metas: list[tuple[str, str]] = field(default_factory=list)  # (name or property or itemprop, content)
    links: list[tuple[str, str]] = field(default_factory=list)  # (rel, href)
    json_ld: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    times: list[tuple[str, int]] = field(default_factory=list)  # (datetime attribute, line before which it stands)
    marks: list[Mark] = field(default_factory=list)
    controls: list[Box] = field(default_factory=list)  # the box around each field or button
    has_password: bool = False
    is_capped: bool = False  # the page has more than is read of any
    named: list[Box] = field(default_factory=list)  # what the site's own rule calls the body; empty without one


def read(body: bytes, *, encoding: str | None = None, headers: Mapping[str, str] | None = None) -> Page:
    """Return the page that `body` holds. Never raises; linear in the length of `body`."""
    return parse(to_utf8(body, encoding, headers))


def parse(html: bytes, site: SiteRule | None = None) -> Page:
    """Return the page that `html` holds, which is UTF-8, without what the rule for its site leaves out."""
    from selectolax.lexbor import LexborHTMLParser

    if not html.isascii():
        html = _CUT_REFERENCE.sub(rb"\1\2", html)
    page = Page()
    root = LexborHTMLParser(tame(html)).root
    if root is not None:
        if site is None:
            _walk(root, page)
        else:
            _walk(root, page, named=_found(root, site.body), left_out=_found(root, site.leave_out))
    return page


def _found(root: LexborNode, selectors: tuple[str, ...]) -> frozenset[int]:
    return frozenset(node.mem_id for selector in selectors for node in root.css(selector))


def data_scripts(html: bytes) -> list[str]:
    """Return the text of every script in `html`. A second parsing, for the few pages that have their text there."""
    from selectolax.lexbor import LexborHTMLParser

    return [node.text() for node in LexborHTMLParser(tame(html)).css("script") if "src" not in node.attributes]


# What HTML says of old names for encodings (https://encoding.spec.whatwg.org/#names-and-labels), as Python names them.
_BROWSER_NAMES = {
    "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874", "gb2312": "gb18030", "gbk": "gb18030",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949", "big5": "big5hkscs",
}  # fmt: skip
# Python knows more codecs than pages may ask for: "unicode_escape" would run over the bytes as if they were source.
_CODEC = re.compile(
    r"utf-?8|iso-?8859-\d{1,2}|windows-\d{3,4}|cp\d{3,5}|koi8-[rut]|euc-?jp|gb18030"
    r"|big5hkscs|iso-2022-jp|macintosh|mac-cyrillic"
)
_CHARSET = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([\w.:-]{1,40})", re.IGNORECASE)


def to_utf8(body: bytes, encoding: str | None = None, headers: Mapping[str, str] | None = None) -> bytes:
    """Return `body` in UTF-8 and without NUL, byte order mark or lone surrogates.

    A byte order mark decides, or the zeros in every other byte of UTF-16; then UTF-8 where the bytes are valid UTF-8,
    which no other encoding's prose is by chance; then `encoding`, the Content-Type header, the page's own word; last
    windows-1252, as browsers do.
    """
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace").replace("\0", "").encode("utf-8", "replace")
    body = body.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in body:
        if wide := _wide(body[:256]):
            return body.decode(wide, "replace").replace("\0", "").encode("utf-8", "replace")
        body = body.replace(b"\0", b"")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return _decoded(body, encoding, headers or {}).encode("utf-8", "replace")
    return body


def _wide(head: bytes) -> str | None:
    """Return which UTF-16 a page's first bytes are in, None if they are not: its markup is zeros at every other byte.

    No server's word is needed for it, and none is believed: in UTF-16 any other page is Chinese without a meaning.
    """
    first, second = head[::2].count(0), head[1::2].count(0)
    if max(first, second) < 16 or min(first, second) * 8 > max(first, second):
        return None
    return "utf-16-be" if first > second else "utf-16-le"


def _decoded(body: bytes, encoding: str | None, headers: Mapping[str, str]) -> str:
    valid = body.decode("utf-8", "replace")
    # A cut or a stray byte leaves most of a UTF-8 page's letters whole; in another encoding hardly one of them is.
    damaged = valid.count("\ufffd")
    if len(valid) - len(valid.encode("ascii", "ignore")) > 3 * damaged:
        return valid
    content_type = next((value for name, value in headers.items() if name.lower() == "content-type"), "")
    said = [encoding or ""]
    for source in (content_type, body[:4096].decode("ascii", "replace")):
        found = _CHARSET.search(source)
        said.append(found[1] if found else "")
    for name in filter(None, said):
        name = _BROWSER_NAMES.get(name.lower(), name.lower())
        if _CODEC.fullmatch(name):
            try:
                return body.decode(name, "replace")
            except LookupError:
                continue
    return body.decode("cp1252", "replace")


_TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
# The worst that so many tags can do, 1,500 different `<font>` across paragraphs, takes lexbor 0.25 s; five of six real
# pages have fewer, and need not be looked through.
_FEW_TAGS = 3000
_AUTO_CLOSED = frozenset(
    b"area base br col embed hr img input link meta param source track wbr p li dt dd td th tr option tbody thead "
    b"path rect circle line polygon polyline use g ellipse stop html body head".split()
)
# Browsers draw no more than 512 levels. The deepest of 117 real pages has 60.
_DEEPEST = 512


def tame(html: bytes) -> bytes:
    """Return `html` without what costs a parser quadratic time; almost every page is returned as it is.

    lexbor looks through all open elements at some tags (21 s for 100,000 nested `<div>`), repeats open `<font>` in
    every paragraph, and compares each attribute of a tag with all others.
    """
    chunks = html.split(b"<")
    if any(_is_overloaded(chunk) for chunk in chunks if len(chunk) > 1000):
        html = b"<".join(_bare_tag(chunk) if _is_overloaded(chunk) else chunk for chunk in chunks)
    if len(chunks) <= _FEW_TAGS:
        return html
    opened: dict[bytes, int] = {}
    depth = deepest = 0
    for close, name in _TAG.findall(html):
        if not close:
            if name not in _AUTO_CLOSED:
                opened[name] = opened.get(name, 0) + 1
                depth += 1
                if depth > deepest:
                    deepest = depth
        elif opened.get(name):
            opened[name] -= 1
            depth -= 1
    return html if deepest <= _DEEPEST else _TAG.sub(_Flat(), html)


class _Flat:
    """Takes the tags out that are nested deeper than half of what browsers draw."""

    def __init__(self) -> None:
        self.opened: dict[bytes, list[bool]] = {}  # of each name, which of the open tags were kept
        self.depth = 0

    def __call__(self, tag: re.Match[bytes]) -> bytes:
        name = tag[2].lower()
        if name in _AUTO_CLOSED or name in (b"script", b"style", b"title"):
            return tag[0]
        kept = self.opened.setdefault(name, [])
        if tag[1]:
            if not kept or not kept.pop():
                return b"<!-"
            self.depth -= 1
            return tag[0]
        kept.append(self.depth < _DEEPEST // 2)
        self.depth += kept[-1]
        return tag[0] if kept[-1] else b"<!-"


def _is_overloaded(chunk: bytes) -> bool:
    """Whether what stands between two `<` begins with a tag of hundreds of attributes."""
    if not chunk[:1].isalpha() or chunk[:6].lower() in (b"script", b"style ", b"style>"):
        return False
    return chunk.count(b"=") > 300 and (b">" not in chunk[:1000] or len(chunk) > 4000)


def _bare_tag(chunk: bytes) -> bytes:
    tag, end, rest = chunk.partition(b">")
    return tag.split(None, 1)[0] + end + rest


_Traits = tuple[bool, bool, Literal["credit", "author"] | None]


def _traits(classes: str) -> _Traits:
    """Return what a class list says: that the element is not seen, is a line break, is a credit or an author."""
    return _remembered_traits(classes) if len(classes) <= _USUAL_CLASSES else _read_traits(classes)


def _read_traits(classes: str) -> _Traits:
    lower = classes.lower()
    words = lower.split()
    kind: Literal["credit", "author"] | None = None
    if wordings.holds(lower, _CREDIT_NAMES):
        kind = "credit"
    elif ("author" in lower or "byline" in lower) and _AUTHOR_NAME.search(lower):
        kind = "author"
    return wordings.is_unseen(words), "br" in words, kind


# A site's templates have 150 class lists. 32,768 are those of 200 sites, and 10 MB at most.
_USUAL_CLASSES = 200
_remembered_traits = lru_cache(maxsize=2**15)(_read_traits)


_NONE: frozenset[int] = frozenset()


def _walk(root: LexborNode, page: Page, *, named: frozenset[int] = _NONE, left_out: frozenset[int] = _NONE) -> None:
    """Go through the tree once, without recursion, and write down what a reader sees.

    `named` and `left_out` are what the site's rule picks, by the nodes' addresses in memory.
    """
    boxes, lines, marks = page.boxes, page.lines, page.marks
    box = Box(0, "html", root.attributes, None, 0)
    boxes.append(box)
    page.language = (root.attributes.get("lang") or root.attributes.get("xml:lang") or "").strip()[:35]
    pieces: list[str] = []  # of the line at hand
    links: list[tuple[str, str]] = []
    link_chars = breaks = in_link = in_author = 0
    # The elements around the node at hand: the box around it if it is one, its mark, its link, where it began.
    stack: list[tuple[LexborNode, str, Box | None, Literal["credit", "author"] | None, str, int, int]] = []

    def flush() -> None:
        nonlocal link_chars, breaks
        text = " ".join("".join(pieces).split())
        if text:
            lines.append(Line(text, box, len(lines), min(link_chars, len(text)), tuple(links)))
        pieces.clear()
        links.clear()
        link_chars = breaks = 0

    node: LexborNode | None = root.first_child
    while node is not None or stack:
        if node is None:
            opened, tag, ended, mark, href, start, line = stack.pop()
            in_author -= mark == "author"
            if ended is not None:
                if pieces:
                    flush()
                box.last = len(lines)
                if mark and 0 < box.last - box.first <= 4:
                    marks.append(Mark(mark, box.first, " ".join(line.text for line in lines[box.first : box.last]), ""))
                box = ended
            elif tag == "a":
                in_link -= 1
                if line < len(lines):  # a link around boxes: it is called what the first of them says
                    lines[line].links += ((href, lines[line].text),)
                elif len(links) < 50:
                    links.append((href, " ".join("".join(pieces[start:]).split())))
            if mark and ended is None:
                marks.append(Mark(mark, len(lines), " ".join("".join(pieces[start:]).split()), href))
            node = opened.next
            continue
        tag = node.tag or "-"
        if tag == "-text":
            text = node.text_content or ""
            if not text.isspace():
                if breaks and pieces and (breaks > 1 or _ends_paragraph(pieces, box)):
                    flush()
                    if len(lines) >= _MOST_LINES:
                        page.is_capped = True
                        break
                breaks = 0
                if in_link:
                    link_chars += len(text.strip())
                pieces.append(text)
            elif pieces:
                pieces.append(" ")
        elif left_out and node.mem_id in left_out:
            pass
        elif tag in _PLAIN:
            stack.append((node, tag, None, None, "", len(pieces), len(lines)))
            node = node.first_child
            continue
        elif tag in _SPECIAL:
            if tag == "br":
                breaks += 1
                pieces.append(" ")
            elif tag in _HEAD:
                _HEAD[tag](node, page)
            elif tag == "img" or tag == "amp-img":
                page.pictures.append(Picture(node.attributes, box, len(lines)))
            elif tag in _CONTROLS and node.attributes.get("type") != "hidden":
                page.controls.append(box)
                page.has_password = page.has_password or node.attributes.get("type") == "password"
        else:
            attributes = node.attributes
            classes = attributes.get("class")
            mark = None
            if classes:
                unseen, is_break, mark = _traits(classes)
                if unseen or (is_break and tag == "span" and node.first_child is None):
                    breaks += 0 if unseen else 2
                    pieces.append(" ")
                    node = node.next
                    continue
            if ("style" in attributes or "hidden" in attributes) and _is_hidden(attributes):
                for script in node.css("script"):
                    _script(script, page)
                node = node.next
                continue
            if tag == "time" and attributes.get("datetime"):
                page.times.append((attributes["datetime"] or "", len(lines)))
            ended = None
            href = ""
            if tag in _BLOCKS and not (tag == "div" and box.tag in _SUBHEADINGS):
                if pieces:
                    flush()
                else:
                    breaks = 0
                if len(boxes) >= _MOST_BOXES or len(lines) >= _MOST_LINES:
                    page.is_capped = True
                    break
                ended = box
                box = Box(len(boxes), tag, attributes, box, len(lines))
                boxes.append(box)
                if named and node.mem_id in named:
                    page.named.append(box)
                if tag == "button":
                    page.controls.append(box)
            elif tag == "a":
                href = attributes.get("href") or ""
                in_link += 1
                if "author" in (attributes.get("rel") or ""):
                    mark = "author"
            if mark is None and (
                attributes.get("itemprop") == "author" or (in_author and ended is None and tag in ("a", "span"))
            ):
                mark = "author"
            child = node.first_child
            if child is None and mark is None and tag != "a":  # an empty element, as one in six is
                box = ended or box
                node = node.next
                continue
            in_author += mark == "author"
            stack.append((node, tag, ended, mark, href, len(pieces), len(lines)))
            node = child
            continue
        node = node.next
    flush()
    for open_box in box.ancestors():
        open_box.last = len(lines)
    _unwrap(page)
    _add_up(page)


def _ends_paragraph(pieces: list[str], box: Box) -> bool:
    """Whether one line break is enough: text that stands bare in a box has no other way to end a paragraph."""
    if box.tag not in ("div", "section", "article"):
        return False
    last = next((piece for piece in reversed(pieces) if not piece.isspace()), "").rstrip()
    return last[-1:] in _PARAGRAPH_ENDS and sum(map(len, pieces)) >= 80


def _is_hidden(attributes: Attributes) -> bool:
    if "hidden" in attributes and not _STREAMED.fullmatch(attributes.get("id") or ""):
        return True
    style = attributes.get("style")
    return bool(style and "n" in style and _HIDDEN_STYLE.search(style))


def _unwrap(page: Page) -> None:
    """Take a form that holds the article, the menu or the main part for what it is: the page itself.

    ASP.NET wraps every page in a form; a form that a visitor fills in holds none of these.
    """
    holding: set[int] = set()
    for box in reversed(page.boxes):
        if box.index in holding and box.tag == "form":
            box.tag = "div"
        if box.parent is not None and (box.tag in _LANDMARKS or box.index in holding):
            holding.add(box.parent.index)


def _add_up(page: Page) -> None:
    """Give each box the sums over what it holds."""
    for line in page.lines:
        line.box.chars += len(line.text)
        line.box.link_chars += line.link_chars
    for picture in page.pictures:
        picture.box.pictures += 1
    for holder in page.controls:
        holder.controls += 1
    for box in reversed(page.boxes):
        if box.parent is not None:
            box.parent.chars += box.chars
            box.parent.link_chars += box.link_chars
            box.parent.pictures += box.pictures
            box.parent.controls += box.controls


def _meta(node: LexborNode, page: Page) -> None:
    a = node.attributes
    name = a.get("property") or a.get("name") or a.get("itemprop") or a.get("http-equiv")
    content = a.get("content")
    if name and content:
        page.metas.append((name.strip().lower(), content))


def _link(node: LexborNode, page: Page) -> None:
    rel, href = node.attributes.get("rel"), node.attributes.get("href")
    if rel and href:
        page.links.append((rel.lower(), href))


def _title(node: LexborNode, page: Page) -> None:
    page.title = page.title or " ".join(node.text().split())


def _script(node: LexborNode, page: Page) -> None:
    kind = node.attributes.get("type")
    if kind and "ld+json" in kind.lower():
        page.json_ld.append(node.text())


_HEAD = {"meta": _meta, "link": _link, "title": _title, "script": _script}
# What holds no text; "-comment" and "!doctype" are lexbor's names.
_SPECIAL = _UNREAD | _HEAD.keys() | {"br", "img", "amp-img", "-comment", "!doctype", "-"}
