"""Tables of data: a row is read as one line, so that an edit in a cell is seen as an edit of its row.

Most tables of old pages only lay them out. They are told from data much as HTML advises browsers to tell them
(https://html.spec.whatwg.org/#the-table-element), and by what their cells hold.
"""

from __future__ import annotations

from collections.abc import Collection

from crawler.extract.page import HEADINGS, Box, Line, Page

# Characters and lines. Prose laid out in a table has cells of several paragraphs; data is a name, a figure, a remark.
_LONGEST_CELL = 300
_MOST_LINES_IN_CELL = 3

_Rows = dict[int, list[Box]]  # the cells of each row, by the index of the row's box


def data_rows(page: Page, core: Box) -> dict[int, Line]:
    """Return, by its index, for each line in a table of data inside `core` the row that it stands in, as one line.

    Cells are divided by " | ", and an empty one keeps its place: a figure that moves to another column is an edit. The
    row's line has the index of its first.
    """
    if not any(box.tag == "table" for box in page.boxes):
        return {}
    found: dict[int, Line] = {}
    for table, rows in _innermost_tables(page, core).items():
        if _is_data(page.boxes[table], rows.values()):
            for index, cells in rows.items():
                row = page.boxes[index]
                if row.first < row.last:
                    found.update(dict.fromkeys(range(row.first, row.last), _joined(page, row, cells)))
    return found


def _innermost_tables(page: Page, core: Box) -> dict[int, _Rows]:
    """Return the rows of each table inside `core`, by its index; not of those that have tables or headings in them."""
    around: list[Box | None] = []  # of each box, the innermost table around it
    found: dict[int, _Rows] = {}
    for box in page.boxes:
        table = around[box.parent.index] if box.parent else None
        is_inside = box.index > core.index and core.first <= box.first < box.last <= core.last
        if box.tag == "table" and is_inside:
            if table:
                found.pop(table.index, None)
            found[box.index] = {}
            table = box
        elif table and box.tag in HEADINGS:
            found.pop(table.index, None)
        elif table and table.index in found and box.parent and box.parent.tag == "tr":
            found[table.index].setdefault(box.parent.index, []).append(box)
        around.append(table)
    return found


def _is_data(table: Box, rows: Collection[list[Box]]) -> bool:
    """Whether a table holds data: short cells, in two rows and two columns at least, and nothing to fill in."""
    if table.controls or table.attributes.get("role") in ("presentation", "none"):
        return False
    for cell in (cell for row in rows for cell in row):
        if cell.chars > _LONGEST_CELL or cell.last - cell.first > _MOST_LINES_IN_CELL:
            return False
    filled = [sum(cell.chars > 0 for cell in row) for row in rows]
    return sum(cells >= 2 for cells in filled) >= 2


def _joined(page: Page, row: Box, cells: list[Box]) -> Line:
    lines = page.lines[row.first : row.last]
    texts = (" ".join(line.text for line in page.lines[cell.first : cell.last]) for cell in cells)
    return Line(
        text=" ".join(" | ".join(texts).split()),
        box=row,
        index=row.first,
        link_chars=sum(line.link_chars for line in lines),
        links=tuple(link for line in lines for link in line.links),
    )
