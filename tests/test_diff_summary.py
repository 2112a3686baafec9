from __future__ import annotations

import pytest

from crawler.diff import diff, render
from crawler.diff.summary import summary
from crawler.items import Article, Block, BlockKind, Image
from tests.conftest import URL


def told(old: str, new: str, **fields: str) -> str:
    before = Article(url=URL, headline="Minister resigns", blocks=tuple(Block(text=t) for t in old.split("\n")))
    after = Article(
        url=URL,
        headline=fields.get("headline", "Minister resigns"),
        blocks=tuple(Block(text=t) for t in new.split("\n")),
    )
    return summary(diff(before, after))


LONG = "The council of the harbour town met on Monday evening to hear what the survey of the wall had found"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Eleven boats sank.", "Twelve boats sank.", "[-Eleven-]{+Twelve+} boats sank."),
        (f"{LONG}: 38 cracks.", f"{LONG}: 58 cracks.", "… of the wall had found: [-38-]{+58+} cracks."),
        (f"A {LONG} b.", f"X {LONG} y.", "[-A-]{+X+} The council of the harb… …y of the wall had found [-b-]{+y+}."),
        ("One. Gone.\nTwo.", "One.\nTwo.", "One.[- Gone.-]"),
    ],
)
def test_a_change_in_one_line(old: str, new: str, line: str) -> None:
    assert told(old, new) == line


def test_the_headline_comes_first() -> None:
    line = told("One boat sank.", "Two boats sank.", headline="Minister sacked")
    assert line.startswith("Minister [-resigns-]{+sacked+} ")


def test_a_moved_paragraph_is_told_as_moved() -> None:
    paragraphs = [f"Paragraph number {n} tells of {LONG[n:]}." for n in range(4)]
    moved = told("\n".join(paragraphs), "\n".join([*paragraphs[1:], paragraphs[0]]))
    assert moved == "{moved: Paragraph number 0 tells of The council of the h…}"


def test_a_line_stays_a_line() -> None:
    assert len(told("a\n" * 5000, "b\n" * 5000)) < 600
    assert "\n" not in told("a\nb", "c\nd")


def test_a_caption_that_stands_in_the_body_is_told_once() -> None:
    def article(caption: str) -> Article:
        blocks = (Block(text=caption, kind=BlockKind.CAPTION), Block(text="A paragraph."))
        return Article(url=URL, headline="H", blocks=blocks, images=(Image(url="/a.jpg", caption=caption),))

    found = diff(article("The old wall"), article("The new wall"))
    assert summary(found) == "The [-old-]{+new+} wall"
    assert render.html(found).count("<ins") == 1
