"""From the bytes that came to text and trees: charsets, gzip, hostile XML. Bounded whatever comes."""

from __future__ import annotations

import codecs
import html
import re

from lxml import etree

from crawler import packing
from crawler.errors import FeedError

MAX_BODY_BYTES = 32 * 1024 * 1024  # unpacked; sitemaps.org allows 50 MB, news sitemaps stay under 1 MB
MAX_TEXT_CHARS = 200_000  # of one text or tag: a long read has 50,000; libxml2 gives up the document at 10 million

_XML_CHARSET = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([A-Za-z0-9._:-]{1,40})["']""")
_META_CHARSET = re.compile(rb"""(?i)<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?([A-Za-z0-9._:-]{1,40})""")
_BOMS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it starts with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
# Latin-1 and its kin are decoded as what is meant by them, as browsers do (WHATWG Encoding).
_MEANT = {"iso8859-1": "cp1252", "iso8859-9": "cp1254", "gb2312": "gb18030", "gbk": "gb18030"}
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_REFERENCE = re.compile(r"&(#[0-9]{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)?")
_TAG_AND_TEXT = re.compile(r"<?[^<]+")
_STRAY_LESS_THAN = re.compile(r"<(?![A-Za-z_/!?])")
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,99})")


def gunzipped(body: bytes, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the body without its gzip wrapping, if it has one (`sitemap.xml.gz`); a second one is left on.

    Raises `FeedError` over `max_bytes`, and where it is damaged.
    """
    try:
        if body[:2] == b"\x1f\x8b":
            body = packing.unpacked(body, ["gzip"], max_bytes=max_bytes)
        elif len(body) > max_bytes:
            raise packing.TooLarge
    except packing.TooLarge:
        size = f"{max_bytes / 2**20:g} MiB when unpacked (DOWNLOAD_MAXSIZE)"
        raise FeedError(f"larger than {size}: watch a smaller feed of this outlet") from None
    except packing.Damaged as cause:
        raise FeedError(f"{cause}; the next visit may bring it whole") from cause
    return body


def text_of(body: bytes, content_type: str | None) -> str:
    """Return the document as text, without what XML and SQLite cannot hold (NUL, control characters, surrogates).

    Byte order mark, UTF-8, HTTP charset, the document's own, windows-1252: the first that fits every byte. UTF-8 comes
    before what is declared, because servers declare Latin-1 for it and nothing else is valid UTF-8 by accident.
    """
    head = body[:2048]
    declared = [re.search(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", content_type or "", re.IGNORECASE)]
    names = [match[1] for match in declared if match]
    names += [match[1].decode("ascii") for match in (_XML_CHARSET.search(head), _META_CHARSET.search(head)) if match]
    for mark, name in _BOMS.items():
        if body.startswith(mark):
            body, names = body.removeprefix(mark), [name]
            break
    else:
        # XML without a mark shows its width by where the zeros of "<?" or "<r" stand.
        if body[:1] == b"<" and body[1:2] == b"\0":
            names = ["utf-16-le"]
        elif body[:2] == b"\0<":
            names = ["utf-16-be"]
        elif not any(name.lower().startswith(("iso-2022", "hz", "utf-16")) for name in names):
            names.insert(0, "utf-8")  # those three write other letters in bytes that are UTF-8 too
    for name in [*names, "utf-8", "cp1252"]:
        try:
            codec = codecs.lookup(name).name
            text = body.decode(_MEANT.get(codec, codec))
        except (LookupError, UnicodeError, ValueError, AttributeError):
            continue
        if isinstance(text, str):  # "hex" and "rot13" are codecs too
            break
    else:
        text = body.decode("utf-8", "replace")
    return _NOT_XML.sub("", text)


def root_name(text: str) -> str:
    """Return the local name of the document's first element in lower case, "" if it has none."""
    match = _ROOT.search(text, _prolog_end(text))
    return match[1].rpartition(":")[2].lower() if match else ""


def _prolog_end(text: str) -> int:
    """Return where the root element starts: behind declaration, comments, and the DTD with its entities."""
    at = 0
    while (at := text.find("<", at)) >= 0:
        if text.startswith("<!--", at):
            end = text.find("-->", at)
        elif text.startswith("<?", at):
            end = text.find("?>", at)
        elif text.startswith("<!", at):
            subset, end = text.find("[", at), text.find(">", at)
            if 0 <= subset < end:
                closing = re.compile(r"\]\s*>").search(text, subset)
                end = closing.end() - 1 if closing else -1
        elif _ROOT.match(text, at):
            return at
        else:
            end = at
        if end < 0:
            break
        at = end + 1
    return len(text)


def tree(text: str) -> etree._Element:
    """Return the root of an XML document, repaired where it is broken. Raises `FeedError` if nothing can be saved.

    The DTD is cut off before any parser sees it, so there is no entity to expand and nothing to load. libxml2's own
    limits stay on (256 levels, 10 MB in a node).
    """
    parser = etree.XMLParser(
        recover=True, resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(_repaired(text[_prolog_end(text) :]).encode("utf-8"), parser)
    except etree.XMLSyntaxError as cause:
        raise FeedError(f"the XML is broken beyond repair ({cause}); the next visit may be better") from cause
    if root is None:
        raise FeedError("the XML holds no element; the next visit may be better")
    return root


def _repaired(text: str) -> str:
    """Return XML with its commonest faults mended outside CDATA: a bare `&`, HTML's entities, a bare `<`.

    Texts are cut one character over `MAX_TEXT_CHARS`, so that the caller can tell; tags that long are left out.
    """

    def capped(match: re.Match[str]) -> str:
        piece = match[0]
        if len(piece) <= MAX_TEXT_CHARS:
            return piece
        tag_end = piece.find(">") + 1 if piece.startswith("<") else 0
        return "" if tag_end > MAX_TEXT_CHARS else piece[: tag_end + MAX_TEXT_CHARS + 1]

    def spelled_out(match: re.Match[str]) -> str:
        reference = match[1]
        if reference is None:
            return "&amp;"
        if reference.startswith("#"):
            code = int(reference[2:-1], 16) if reference[1] in "xX" else int(reference[1:-1])
            return match[0] if code < 0x110000 and not _NOT_XML.match(chr(code)) else ""
        if reference in ("amp;", "lt;", "gt;", "quot;", "apos;"):
            return match[0]
        character = html.unescape(match[0])
        return html.escape(character) if character != match[0] else f"&amp;{reference}"

    pieces, at = [], 0
    while at < len(text):
        start = text.find("<![CDATA[", at)
        outside = _TAG_AND_TEXT.sub(capped, text[at : start if start >= 0 else len(text)])
        pieces.append(_STRAY_LESS_THAN.sub("&lt;", _REFERENCE.sub(spelled_out, outside)))
        if start < 0:
            break
        end = text.find("]]>", start)
        end = end if end >= 0 else len(text)
        pieces.append(text[start : min(end, start + MAX_TEXT_CHARS)] + "]]>")
        at = end + 3
    return "".join(pieces)


def local_name(element: etree._Element) -> str:
    """Return an element's name in lower case without its namespace, "" for comments and the like."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2].lower() if isinstance(tag, str) else ""


def printable(text: str) -> str:
    """Return the text without the characters that XML cannot hold."""
    return _NOT_XML.sub("", text)
