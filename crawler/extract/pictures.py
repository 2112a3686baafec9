"""The pictures of an article with caption and credit, in the order of the page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate

from crawler.extract import wordings
from crawler.extract.metadata import absolute
from crawler.extract.page import Box, Line, Page, Picture
from crawler.extract.text import comparable

# Longer than any caption measured on 117 news pages (the longest has 560 characters): a box with more text holds prose.
_LONGEST = 700
# The longest unmarked credit beside a caption on those pages has 47 characters.
_LONGEST_CREDIT = 60
_DIGIT = re.compile(r"\d")
_CREDIT_START = re.compile(
    r"[(\[]?\s?(?:photo(?:graph)?s?(?: by| credit)?\s?[:/]|photo(?:graph)? by |images?(?: credit| source)?\s?[:,]"
    r"|picture\s?:|credits?\s?[:/]|fotos?\s?(?:[:/]|de )|bild(?:er|rechte|quelle)?\s?:|quelle\s?:|source\s?:"
    r"|fuente\s?:|cr[ée]dits?\s?:|foto di |copyright|fotoğraf\s?:|фото\s?:|©|\(c\)|写真\s?[:=]|사진\s?[:=]"
    r"|图片?来源\s?[:：])",
    re.IGNORECASE,
)
_AGENCY = re.compile(
    r"\b(?:AFP|AP|Reuters|Getty|EPA|dpa|ANSA|EFE|TASS|Shutterstock|Alamy|PA Wire|Xinhua|Keystone|Imago|Anadolu|Yonhap"
    r"|Kyodo|iStock|Unsplash|Wikimedia|via|Handout|OpenStreetMaps?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture that a reader sees with the article. `text` is caption and credit as they stand; `line` its place."""

    line: int
    url: str
    text: str
    caption: str
    credit: str


def find(page: Page, url: str, first: int, last: int, prose: set[int], authors: tuple[str, ...]) -> list[Figure]:
    """Return the figures from page.lines[first] on to the end of the body at `last`.

    `prose` are the indexes of the body's own lines.
    """
    before = [0, *accumulate(index in prose for index in range(len(page.lines)))]
    names = [comparable(name).casefold() for name in authors]
    by_box: dict[int, Picture] = {}
    seen: set[str] = set()
    found: list[Figure] = []

    def add(box: Box, lines: tuple[int, int], picture: Picture | None) -> None:
        texts = [line for line in _caption_lines(page, box) if not wordings.is_label(line.text)]
        text = " ".join(line.text for line in texts)
        key = comparable(text).casefold()
        if not text or len(text) > _LONGEST or key in seen:
            return
        if any(key.startswith(name) and len(key) < len(name) + 60 for name in names):  # an author's portrait
            return
        if sum(line.link_chars for line in texts) * 10 > len(text) * 6 and not _CREDIT_START.search(text):
            return
        seen.add(key)
        marks = [mark.text for mark in page.marks if mark.kind == "credit" and lines[0] <= mark.line < lines[1]]
        caption, credit = split(text, marks)
        if credit and text.endswith(credit) and caption:
            text = f"{text[: -len(credit)].rstrip()} {credit}"  # the space between two elements comes and goes
        found.append(Figure(lines[0], _address(picture, url), text, caption, credit))

    taken: set[int] = set()
    for picture in page.pictures:
        if first <= picture.line <= last + 5:
            for box in picture.box.ancestors():
                by_box.setdefault(box.index, picture)
    for box in page.boxes:
        if box.first < first or box.first == box.last or box.chars > _LONGEST:
            continue
        if box.last > last and (box.tag not in ("figure", "figcaption") or not _stands_beside(box, last)):
            continue
        if before[box.last] > before[box.first]:
            continue
        holder: Box | None = box
        if box.tag == "figcaption":
            holder = next((b for b in box.ancestors() if b.tag == "figure"), box.parent)
        elif box.tag == "figure":
            if any(
                page.lines[i].box.tag == "figcaption" or _within(page.lines[i].box, "figcaption")
                for i in range(box.first, box.last)
            ):
                continue
        elif "caption" in box.name:
            holder = box.parent
        elif not box.pictures or box.controls or not _is_caption_box(page, box):
            continue
        if any(b.index in taken for b in box.ancestors()):
            continue
        taken.add(box.index)
        add(box, (box.first, box.last), by_box.get(holder.index) if holder else None)
    found.sort(key=lambda figure: figure.line)
    return found


def _caption_lines(page: Page, box: Box) -> list[Line]:
    """Return the lines of a caption's box. Where a box inside it is called a caption, these are that one's and the
    credits beside it: an advertisement that was put there, or the caption once more for the lightbox, is none.
    """
    lines = page.lines[box.first : box.last]
    named = {line.index: comparable(line.text) for line in lines if _is_called_caption(line.box, box)}
    if not named:
        return lines
    marked = {mark.line for mark in page.marks if mark.kind == "credit"}
    return [
        line
        for line in lines
        if line.index in named
        or line.index in marked
        or (_may_be_credit(line) and comparable(line.text) not in named.values())
    ]


def _may_be_credit(line: Line) -> bool:
    """Whether a line beside a caption reads like a name or an agency: short, no sentence, no count, no link."""
    if _CREDIT_START.match(line.text):
        return True
    is_short = len(line.text) <= _LONGEST_CREDIT and not line.text.endswith((".", "!", "?", "…"))
    return is_short and not line.link_chars and not _DIGIT.search(line.text) and not wordings.makes_offer(line.text)


def _is_called_caption(inner: Box, outer: Box) -> bool:
    """Whether a box, or one around it inside `outer`, says that it is a caption."""
    for box in inner.ancestors():
        if box is outer:
            return False
        if box.tag == "figcaption" or "caption" in box.name:
            return True
    return False


def _stands_beside(box: Box, last: int) -> bool:
    """Whether a figure after the last paragraph stands in the same box as that."""
    figure = next((b for b in box.ancestors() if b.tag == "figure"), None)
    return figure is not None and figure.parent is not None and figure.parent.first < last


def _within(box: Box, tag: str) -> bool:
    return any(b.tag == tag for b in box.ancestors())


def _is_caption_box(page: Page, box: Box) -> bool:
    """Whether a box with a picture holds nothing else but its caption: no heading, no list, hardly a link."""
    lines = page.lines[box.first : box.last]
    if len(lines) > 3 or box.link_chars * 2 > box.chars:
        return False
    return not any(line.box.tag[0] == "h" or line.box.tag in ("li", "button", "time") for line in lines)


def split(text: str, marks: list[str]) -> tuple[str, str]:
    """Return caption and credit of a text: at what the page marks as credit, else where the wording begins one."""
    for mark in marks:
        if mark and mark in text and len(mark) < len(text) + 1:
            start = text.rindex(mark)
            rest = (text[:start] + " " + text[start + len(mark) :]).strip()
            return _bare(rest), mark.strip(" ()[]")
    inside = text.rstrip(" .")
    if inside.endswith((")", "]")):
        start = max(inside.rfind("("), inside.rfind("["))
        part = inside[start + 1 : -1]
        if start >= 0 and (_AGENCY.search(part) or _CREDIT_START.match(part) or "/" in part):
            return _bare(inside[:start]), part.strip()
    for match in _CREDIT_START.finditer(text):
        if match.start() == 0 or text[match.start() - 1] in " .(|)":
            return _bare(text[: match.start()]), text[match.start() :].strip(" ()[]")
    return text, ""


def _bare(text: str) -> str:
    return text.strip().rstrip("|·–-(").strip()


def _address(picture: Picture | None, url: str) -> str:
    if picture is None:
        return ""
    a = picture.attributes
    for name in ("data-src", "data-original", "data-lazy-src", "src"):
        found = a.get(name)
        if found and not found.startswith("data:"):
            return absolute(found, url) or ""
    first = (a.get("srcset") or a.get("data-srcset") or "").split()
    return absolute(first[0], url) or "" if first else ""
