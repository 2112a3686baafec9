"""Which lines of a page are the article's body, in reading order.

Prose is written in lanes: one template puts every paragraph into boxes of one shape (`<p>` in `div.story`). The lanes
that hold most of the page's text are the body; what stands between their lines in boxes of its own is judged box by
box (a list, a quote, a caption, or an advertisement), and what follows the last of them is not the article.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate, takewhile

from crawler.extract import notices, tables, wordings
from crawler.extract.page import HEADINGS, Box, Line, Page
from crawler.extract.text import comparable
from crawler.items import BlockKind

# Elements that are a paragraph themselves; in any other the text stands in the container.
_LEAVES = HEADINGS | {
    "p",
    "li",
    "blockquote",
    "td",
    "th",
    "dd",
    "dt",
    "pre",
    "figcaption",
    "caption",
    "address",
    "summary",
    "legend",
}
_CHROME = frozenset(
    ("nav", "footer", "aside", "form", "menu", "button", "dialog", "fieldset", "figure", "figcaption", "address")
)
_PROSE = _LEAVES - HEADINGS - {"figcaption", "caption", "address", "summary", "legend", "th", "dt"}
_ENDS = frozenset(".!?…:;\"'”“»’)]。！？」』؟۔।॥")
_LISTS = frozenset(("ul", "ol", "dl", "blockquote", "pre"))
_KINDS = {
    "li": BlockKind.LIST_ITEM,
    "dd": BlockKind.LIST_ITEM,
    "dt": BlockKind.LIST_ITEM,
    "blockquote": BlockKind.QUOTE,
    "figcaption": BlockKind.CAPTION,
    "caption": BlockKind.CAPTION,
}
# In characters. None is a fine measure: on 117 pages F1 moves by 0.001 at most when one of them is made a third smaller
# or half larger.
_SHORTEST_PROSE = 50  # of what shows where the body is
_LONG_LINE = 160  # prose although no full stop ends it: no menu entry or label is that long
_PROSE_IN_BOX = 140  # of a box that none of the paragraphs shares
_SECOND_LANE = 300  # of a lane beside the main one; two or three paragraphs
_ENOUGH_ANCHORED = 300  # found again in JSON-LD's articleBody; below, a teaser there picked 2 of 13 paragraphs
_LONGEST_LINK = 300  # of a line that only points elsewhere
# What may stand beside a table in its box.
_TABLE_FRAME = HEADINGS | {"caption", "figcaption"}
# A byline before the body is neither a heading nor a row of a table.
_UNFRAMED = (BlockKind.HEADING, BlockKind.TABLE_ROW)


@dataclass(slots=True)
class Part:
    """A line of the body and what it is."""

    line: Line
    kind: BlockKind


@dataclass(slots=True)
class Body:
    """The body of a page, and the links to other articles that stood in it."""

    parts: list[Part] = field(default_factory=list)
    related: list[tuple[str, str]] = field(default_factory=list)
    core: Box | None = None
    first: int = 0  # the body's own text is within page.lines[first:last]
    last: int = 0


def size(text: str) -> int:
    """How much a text says, in letters of an alphabet: a character of Chinese or Japanese counts twice."""
    return (len(text) + len(text.encode("utf-8", "replace"))) // 2 if not text.isascii() else len(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the metadata says and the body should not repeat; `text` shows where the body is, never what it says."""

    headline: str = ""
    authors: tuple[str, ...] = ()
    text: str = ""  # articleBody of JSON-LD


def find(page: Page, known: Known) -> Body:
    """Return the body of a page; an empty one where there is none."""
    weights = _weights(page, comparable(known.text))
    place = _named_by_site(page) or _found_by_weight(page, weights)
    if place is None:
        return Body()
    core, trusted = place
    rows = tables.data_rows(page, core)
    if any(t and index not in rows for index, t in enumerate(trusted)):
        trusted = [t and index not in rows for index, t in enumerate(trusted)]
    else:  # all prose of the page is laid out in a table
        rows = {}
    indexes = [i for i, t in enumerate(trusted) if t]
    first, last = indexes[0], indexes[-1] + 1
    body = Body(core=core, first=first, last=last)
    _Judge(page, core, trusted, weights, rows, body, known).run()
    return body


def _weights(page: Page, anchor: str) -> dict[int, int]:
    """Return how much each line speaks for its place being the body, by line index: its prose that is not links."""
    weights: dict[int, int] = {}
    known: set[tuple[str, str, str]] = set()
    found = 0
    chrome = _inherited(page, lambda box: box.tag in _CHROME)
    for line in page.lines:
        own = size(line.text) * (len(line.text) - line.link_chars) // len(line.text)
        if (
            own < _SHORTEST_PROSE
            or line.link_chars * 2 > len(line.text)
            or line.box.tag in HEADINGS
            or not _is_sentence(line.text)
        ):
            continue
        if chrome[line.box.index]:
            continue
        weights[line.index] = own
        if anchor and comparable(line.text[:80]) in anchor:
            known.add(_lane(line))
            found += own
    if found >= _ENOUGH_ANCHORED and found * 4 >= sum(weights.values()):
        return {index: own for index, own in weights.items() if _lane(page.lines[index]) in known}
    return weights


def _is_sentence(text: str) -> bool:
    return len(text) > _LONG_LINE or not _ENDS.isdisjoint(text[-3:])


def is_count(text: str) -> bool:
    """Whether a line is a counter or a clock: "161 shares", "vor 2 Stunden", "3 min read"."""
    if len(text) > 60 or not _ENDS.isdisjoint(text[-1:]):
        return False
    words = text.split()
    return sum(word[0].isdigit() for word in words) * 4 >= len(words)


def _found_by_weight(page: Page, weights: dict[int, int]) -> tuple[Box, list[bool]] | None:
    """Return the box that holds the body, and which lines stand in the body's lanes; None if the page has no prose."""
    core = _core(page, weights)
    trusted = _trusted(page, core, weights) if core else []
    return (core, trusted) if core and any(trusted) else None


def _core(page: Page, weights: dict[int, int]) -> Box | None:
    """Return the innermost box that holds three quarters of the weight, and the prose around it; None if none."""
    if not weights:
        return None
    totals = _totals(page, weights)
    small = page.boxes[0].chars // 3
    doubtful = _inherited(page, lambda box: totals[box.index] > 0 and box.chars < small and _is_boilerplate(box))
    if any(doubtful):
        totals = _totals(
            page, {index: own // 4 if doubtful[page.lines[index].box.index] else own for index, own in weights.items()}
        )
    core = page.boxes[max(index for index, total in enumerate(totals) if total * 4 >= totals[0] * 3)]
    box = core
    while box.parent is not None:
        box = box.parent
        more = totals[box.index] - totals[core.index]
        chars = box.chars - box.link_chars - core.chars + core.link_chars
        if chars > core.chars * 2:
            break
        if more and more * 10 >= chars * 4:
            core = box
    return core


def _totals(page: Page, weights: dict[int, int]) -> list[int]:
    """Return for each box the weight of the lines in it."""
    totals = [0] * len(page.boxes)
    for index, own in weights.items():
        totals[page.lines[index].box.index] += own
    for box in reversed(page.boxes):
        if box.parent is not None:
            totals[box.parent.index] += totals[box.index]
    return totals


def _inherited(page: Page, holds: Callable[[Box], bool]) -> list[bool]:
    """Return for each box whether `holds` is true of it or of a box around it."""
    found: list[bool] = []
    for box in page.boxes:
        parent = box.parent
        found.append((parent is not None and found[parent.index]) or holds(box))
    return found


def _is_boilerplate(box: Box) -> bool:
    return bool(box.name) and wordings.names_boilerplate(set(box.name.replace("_", "-").replace("-", " ").split()))


def _lane(line: Line) -> tuple[str, str, str]:
    """Return the shape of the place where a line stands."""
    box = line.box
    if box.tag in _LEAVES and box.parent is not None:
        tag, box = box.tag, box.parent
    else:
        tag = ""
    return tag, box.shape, box.parent.shape if box.parent else ""


def _trusted(page: Page, core: Box, weights: dict[int, int]) -> list[bool]:
    """Return for each line of the page whether it stands in a lane of the body."""
    inside = page.lines[core.first : core.last]
    lanes: dict[tuple[str, str, str], int] = defaultdict(int)
    for line in inside:
        own = weights.get(line.index, 0)
        if own and line.box.tag not in HEADINGS:
            lanes[_lane(line)] += own
    total = sum(lanes.values())
    main = max(lanes, key=lambda lane: lanes[lane], default=None)

    def is_good(lane: tuple[str, str, str], own: int) -> bool:
        has_mains_box = main is not None and lane[:2] == main[:2] and not main[1].endswith(".")
        is_large = own * 10 >= total and own >= _SECOND_LANE
        return lane == main or has_mains_box or (is_large and _runs_on(page, inside, lane))

    good = {lane for lane, own in lanes.items() if is_good(lane, own)}
    trusted = [False] * len(page.lines)
    for line in inside:
        trusted[line.index] = _lane(line) in good and line.box.tag not in HEADINGS
    return trusted


def _named_by_site(page: Page) -> tuple[Box, list[bool]] | None:
    """Return the box around all that the site's rule names, and which lines it trusts; None if it names no text."""
    if not page.named:
        return None
    named = {box.index for box in page.named}
    inside: list[bool] = []
    for box in page.boxes:
        is_within = box.parent is not None and inside[box.parent.index] and box.tag not in _CHROME
        inside.append(is_within or box.index in named)
    trusted = [inside[line.box.index] and line.box.tag not in HEADINGS for line in page.lines]
    if not any(trusted):
        return None
    first, last = min(box.first for box in page.named), max(box.last for box in page.named)
    return next(box for box in page.named[0].ancestors() if box.first <= first and last <= box.last), trusted


def _runs_on(page: Page, inside: list[Line], lane: tuple[str, str, str]) -> bool:
    """Whether the lines of a lane follow prose: under a link each, they are the teasers of other articles."""
    mine = [line for line in inside if _lane(line) == lane]
    under_links = 0
    for line in mine:
        before = page.lines[line.index - 1] if line.index else None
        under_links += before is not None and before.link_chars * 2 > len(before.text)
    return under_links * 2 <= len(mine)


def _up_to(box: Box, outer: Box) -> Iterator[Box]:
    """Yield `box` and what is around it inside `outer`."""
    return takewhile(lambda other: other is not outer, box.ancestors())


def _wrappers(page: Page, core: Box) -> set[str]:
    """Return the shapes of boxes around single paragraphs: one that holds prose twice is no advertisement's."""
    prose: dict[str, int] = defaultdict(int)
    for line in page.lines[core.first : core.last]:
        box = line.box.parent if line.box.tag == "p" else None
        if (
            box is not None
            and box.last - box.first == 1
            and len(line.text) >= _PROSE_IN_BOX
            and _is_sentence(line.text)
        ):
            prose[box.shape] += 1
    return {shape for shape, times in prose.items() if times > 1}


class _Judge:
    """Goes through the lines of the core once, from top to bottom, and keeps what is body."""

    def __init__(
        self,
        page: Page,
        core: Box,
        trusted: list[bool],
        weights: dict[int, int],
        rows: dict[int, Line],
        body: Body,
        known: Known,
    ) -> None:
        self.page, self.core, self.trusted, self.rows, self.body = page, core, trusted, rows, body
        self.headline = wordings.folded(known.headline)
        self.authors = [comparable(name).casefold() for name in known.authors if " " in name.strip()]
        self.prose = ""  # the lanes' text, joined when a repetition is looked for
        self.before = [0, *accumulate(trusted)]
        self.containers = set()
        for line, t in zip(page.lines, trusted, strict=True):
            if t:
                box = line.box.parent if line.box.tag in _LEAVES else line.box
                if box:
                    self.containers.add(box.index)
                    if box.parent and box.last - box.first == 1:  # a wrapper around one paragraph
                        self.containers.add(box.parent.index)
        self.shapes = {page.boxes[index].shape for index in self.containers}
        self.verdicts: dict[int, frozenset[int]] = {}
        self.wrappers = _wrappers(page, core)
        self.weights = weights

    def run(self) -> None:
        for line in self.page.lines[self.core.first : self.core.last]:
            row = self.rows.get(line.index)
            if row is None:
                if (self.trusted[line.index] or self._accepts(line)) and self._is_prose(line):
                    self._keep(line)
            elif row.index == line.index and self._accepts(line):
                self.body.parts.append(Part(row, BlockKind.TABLE_ROW))
        self._trim()

    def _keep(self, line: Line) -> None:
        tag = line.box.tag
        kind = BlockKind.HEADING if tag in HEADINGS else _KINDS.get(tag, BlockKind.PARAGRAPH)
        if kind is BlockKind.PARAGRAPH and any(b.tag == "blockquote" for b in line.box.ancestors()):
            kind = BlockKind.QUOTE
        self.body.parts.append(Part(line, kind))

    def _holds_prose(self, box: Box) -> bool:
        return self.before[box.last] > self.before[box.first]

    def _is_prose(self, line: Line) -> bool:
        """Whether a line in the body's own lane is text of the article and not a pointer, a label or the headline."""
        length, links = len(line.text), line.link_chars
        is_link = links * 10 > length * 7 and length < _LONGEST_LINK and line.text[-1] not in ".。।"
        if is_link or (links * 2 > length and wordings.starts_related(line.text)):
            self.body.related += line.links
            return False
        if wordings.is_label(line.text) or wordings.folded(line.text) == self.headline:
            return False
        return line.box.tag in HEADINGS or line.box.tag == "li" or not is_count(line.text)

    def _accepts(self, line: Line) -> bool:
        """Whether a line outside the body's lanes belongs to it, judged by the largest box around it without them."""
        unit = line.box
        while unit.parent is not None and unit is not self.core and not self._holds_prose(unit.parent):
            unit = unit.parent
        if self._holds_prose(unit):  # text that stands bare beside paragraphs
            is_inside = self.body.first < line.index and unit.index in self.containers
            return is_inside and _is_sentence(line.text) and self._is_prose(line)
        accepted = self.verdicts.get(unit.index)
        if accepted is None:
            accepted = self.verdicts[unit.index] = self._accepted_of(unit)
            if not accepted and unit.link_chars * 2 > unit.chars:
                for other in self.page.lines[unit.first : unit.last]:
                    self.body.related += other.links
        return line.index in accepted

    def _accepted_of(self, unit: Box) -> frozenset[int]:
        """Return the indexes of a unit's lines that are body: none, all of a list or quote, the prose of a box."""
        lines = self.page.lines[unit.first : unit.last]
        everything, nothing = frozenset(range(unit.first, unit.last)), frozenset[int]()
        if len(lines) == 1 and lines[0].box.tag in HEADINGS:
            return everything if self._leads_on(lines[0]) else nothing
        is_container = not unit.shape.endswith(".") and unit.shape in self.shapes
        is_direct = unit.parent is not None and (unit.parent.index in self.containers or unit.parent is self.core)
        if not (is_direct or is_container) or unit.tag == "header" or unit.controls:
            return nothing
        is_table = self._is_table(lines)
        if unit.tag in _CHROME and not (is_table and unit.tag == "figure"):
            return nothing
        if _is_boilerplate(unit) or unit.link_chars * 5 > unit.chars * 2:
            return nothing
        if any(wordings.folded(line.text) == self.headline for line in lines):
            return nothing
        if (
            is_table
            or unit.tag in _LISTS
            or (is_container and all(_LISTS & {box.tag for box in _up_to(line.box, unit)} for line in lines))
        ):
            text = " ".join(line.text for line in lines[:100])
            is_body = unit.first > self.body.first and not wordings.is_embed(unit.name) and not wordings.is_label(text)
            return everything if is_body and not wordings.makes_offer(text) and not self._repeats(text) else nothing
        if unit.tag == "p" and self.body.first < unit.first < self.body.last:
            # Boxes are put between paragraphs by others; a bare paragraph there is the author's own.
            return nothing if wordings.makes_offer(lines[0].text) else everything
        if unit.pictures or unit.first >= self.body.last:
            return nothing
        return self._prose_in(unit, lines)

    def _prose_in(self, unit: Box, lines: list[Line]) -> frozenset[int]:
        """Return the indexes of the lines of a box's largest lane if that is prose and no offer; else none."""
        lanes: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
        for line in lines:
            if line.box.tag not in HEADINGS:
                lanes[_lane(line)].append(line)
        prose = max(lanes.values(), key=lambda lane: sum(len(line.text) - line.link_chars for line in lane), default=[])
        text = " ".join(line.text for line in prose)
        if not text or wordings.makes_offer(text) or self._repeats(text):
            return frozenset()
        is_wrapped = len(lines) == 1 and unit.shape in self.wrappers and _is_sentence(text)
        is_long = len(text) >= _PROSE_IN_BOX and len(text) * 2 >= unit.chars
        if is_wrapped or (is_long and prose[0].box.tag in _PROSE | {"div", "section"}):
            return frozenset(line.index for line in prose)
        return frozenset()

    def _is_table(self, lines: list[Line]) -> bool:
        """Whether lines are a table of data and what it is called."""
        others = [line for line in lines if line.index not in self.rows]
        return len(others) < len(lines) and all(line.box.tag in _TABLE_FRAME for line in others)

    def _leads_on(self, line: Line) -> bool:
        """Whether a heading is the body's: prose or a table comes after it, not links or another heading of a box."""
        if line.link_chars or wordings.is_label(line.text) or wordings.starts_related(line.text):
            return False
        if wordings.folded(line.text) == self.headline or any(box.tag in _CHROME for box in line.box.ancestors()):
            return False
        following = self.page.lines[line.index + 1 : line.index + 11]
        if not following or following[0].link_chars * 2 > len(following[0].text):
            return False
        if following[0].index in self.rows or following[0].box.tag == "caption":
            return self._accepts(following[0])
        if line.index >= self.body.last:
            return False
        return any(self.trusted[other.index] or other.index in self.weights for other in following)

    def _repeats(self, text: str) -> bool:
        """Whether a box only repeats what the body says, as a pull quote does."""
        if not self.prose:
            own = (line.text for line, t in zip(self.page.lines, self.trusted, strict=True) if t)
            self.prose = comparable(" ".join(own)).replace('"', "").casefold()
        start = comparable(text[:80]).replace('"', "").casefold()[:50].strip()
        return len(start) > 20 and start in self.prose

    def _trim(self) -> None:
        """Take from both ends what frames an article: a byline before it; credits, biography and labels after it."""
        parts = self.body.parts
        while parts and parts[0].kind not in _UNFRAMED and self._frames(parts[0].line.text):
            parts.pop(0)
        while parts and parts[-1].kind is not BlockKind.TABLE_ROW:
            text = parts[-1].line.text
            is_pointer = len(text) < 80 and parts[-1].line.link_chars * 5 >= len(text) * 2
            if parts[-1].kind is BlockKind.HEADING or is_pointer or self._frames(text) or self._closes(text):
                parts.pop()
            else:
                break

    def _frames(self, text: str) -> bool:
        """Whether a short line names an author or is no sentence, at either end; a notice stays wherever it stands."""
        if len(text) > 120 or notices.kind_of(text):
            return False
        key = comparable(text).casefold()
        return any(name in key for name in self.authors) or (len(text) < 60 and not _is_sentence(text))

    def _closes(self, text: str) -> bool:
        """Whether a last line gives a source or a credit, tells of an author or makes an offer."""
        if notices.kind_of(text):
            return False
        key = comparable(text).casefold()
        is_source = key[0] in "(©-" and key[-1] in ").0123456789"
        if len(text) < 160 and (is_source or wordings.gives_credit(key)):
            return True
        return any(name in key[:80] for name in self.authors) or (len(text) < 400 and wordings.makes_offer(text))
