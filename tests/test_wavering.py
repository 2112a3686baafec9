from __future__ import annotations

from dataclasses import replace

import pytest

from crawler.diff import diff
from crawler.items import Article, Block, BlockKind
from crawler.wavering import fingerprint, furniture_key, holds, may_be_passing, passing_lines, settle
from tests.conftest import URL


def body(*texts: str, description: str = "") -> Article:
    return Article(url=URL, description=description, blocks=tuple(Block(text=text) for text in texts))


def settled(
    old: Article, new: Article, *, old_page: set[str] | None = None, new_page: set[str] | None = None
) -> list[str]:
    """Settle two readings of pages on which these texts stand too; return the description and the blocks."""
    found = settle(
        old, new, was_there=lambda text: text in (old_page or ()), is_there=lambda text: text in (new_page or ())
    )
    return [found.article.description, *(block.text for block in found.article.blocks)]


def test_what_stood_on_the_old_page_is_not_new() -> None:
    assert settled(body("A", "B"), body("A", "Teaser", "B"), old_page={"Teaser"}) == ["", "A", "B"]


def test_what_stands_on_the_new_page_is_not_gone() -> None:
    assert settled(body("A", "Byline", "B"), body("A", "B"), new_page={"Byline"}) == ["", "A", "Byline", "B"]


def test_what_is_new_and_what_is_gone_stays_so() -> None:
    assert settled(body("A", "B", "C"), body("A", "X", "C")) == ["", "A", "X", "C"]


def test_edits_beside_a_wavering_box_are_kept() -> None:
    old, new = body("Top", "A", "B"), body("A", "Box", "B2", "New")
    assert settled(old, new, old_page={"Box"}, new_page={"Top"}) == ["", "Top", "A", "B2", "New"]


def test_of_equal_blocks_as_many_stand_as_both_have() -> None:
    assert settled(body("Ad", "A", "Ad"), body("A", "Ad"), new_page={"Ad"}) == ["", "A", "Ad", "Ad"]
    assert settled(body("A", "Ad"), body("Ad", "A", "Ad"), old_page={"Ad"}) == ["", "Ad", "A"]


def test_a_standfirst_that_only_moved_about_the_page_is_no_edit() -> None:
    old, new = body("A", description="S"), body("S", "A")
    assert settled(old, new, old_page={"S", "A"}, new_page={"S", "A"}) == ["S", "A"]
    assert settled(old, new, old_page=set(), new_page=set()) == ["", "S", "A"]


def test_how_much_wavered_is_counted() -> None:
    found = settle(body("A", "B"), body("A", "C"), was_there=lambda _: True, is_there=lambda _: True)
    assert found.wavered == 2
    assert settle(body("A"), body("A"), was_there=lambda _: True, is_there=lambda _: True).wavered == 0


def test_furniture_is_known_whatever_its_numbers() -> None:
    page = fingerprint(["You have 3 free articles left", "12:30 · 1,204 shares", "A paragraph."], body("A paragraph."))
    assert holds(page, furniture_key("You have 14 free articles left"))
    assert holds(page, furniture_key("9.05 · 7 Shares"))
    assert not holds(page, furniture_key("A paragraph."))
    assert not holds(page, furniture_key("Get the briefing"))


def test_a_long_text_is_no_furniture() -> None:
    assert furniture_key("word " * 60) == ""


@pytest.mark.parametrize(
    ("old", "new", "may_be"),
    [
        (["A sentence."], ["A sentence.", "34 comments"], True),
        (["Updated 3 minutes ago", "A sentence."], ["Updated 9 minutes ago", "A sentence."], True),
        (["A sentence.", "12:30"], ["A sentence."], True),
        (["Eleven boats sank."], ["Twelve boats sank."], False),
        (["A sentence."], ["A sentence.", "Correction: it was Monday."], False),
        (["A sentence.", "12 shares"], ["Another sentence.", "13 shares"], False),
        (["A sentence."], ["A sentence."], False),
        (["one " * 30], ["two " * 30], False),
    ],
)
def test_short_lines_that_come_and_go_may_be_passing(old: list[str], new: list[str], may_be: bool) -> None:
    assert may_be_passing(diff(body(*old), body(*new))) == may_be


def test_a_change_of_the_headline_or_of_a_heading_is_never_passing() -> None:
    old, new = body("A sentence."), body("A sentence.", "34 comments")
    assert not may_be_passing(diff(old, replace(new, headline="Other")))
    heading = replace(old, blocks=(*old.blocks, Block(text="What comes next", kind=BlockKind.HEADING)))
    assert not may_be_passing(diff(old, heading))


def test_passing_lines_are_those_of_both_sides() -> None:
    found = diff(body("12 shares", "A sentence."), body("13 shares", "A sentence.", "LIVE"))
    assert passing_lines(found) == ["12 shares", "13 shares", "LIVE"]
