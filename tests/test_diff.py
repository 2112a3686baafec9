"""The diff: what a reader is shown, and what holds for any two articles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler.diff import BREAK, Alignment, Diff, SpanKind, diff, new_text, old_text, spans, words
from crawler.diff.render import html, json_object, terminal, unified
from crawler.items import Article, Block

ONE = "The minister said on Tuesday that the bridge will open in May."
TWO = "Engineers had warned of cracks in the northern pillar for years."
THREE = "The city council votes on the budget of 11,000 euros next week."


def article(*paragraphs: str, headline: str = "") -> Article:
    blocks = tuple(Block(text=text) for text in paragraphs)
    return Article(url="https://example.org/a", headline=headline, blocks=blocks)


def marked(found: object) -> str:
    return "".join(
        span.text
        if span.kind is SpanKind.EQUAL
        else f"[-{span.text}-]"
        if span.kind is SpanKind.DELETE
        else f"{{+{span.text}+}}"
        for span in found  # type: ignore[attr-defined]
    )


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("the cat sat", "a dog sat", "[-the cat-]{+a dog+} sat"),
        ("rose 1.5% today", "rose 15% today", "rose [-1.5%-]{+15%+} today"),
        ("some 11,000 people", "some 12,000 people", "some [-11,000-]{+12,000+} people"),
        ("the dog", "the big dog", "the {+big +}dog"),
        ("A spoke. C spoke.", "A spoke. B spoke. C spoke.", "A spoke. {+B spoke. +}C spoke."),
    ],
)
def test_an_edit_reads_as_one_replacement(old, new, shown):
    assert marked(spans(old, new)) == shown


def test_a_paragraph_that_moved_is_shown_once_with_the_edit_inside_it():
    found = diff(article(ONE, TWO, THREE), article(THREE.replace("11,000", "12,000"), ONE, TWO))
    assert [block.alignment for block in found.blocks] == [Alignment.MOVED, Alignment.EQUAL, Alignment.EQUAL]
    assert (found.words_added, found.words_removed) == (1, 1)


def test_a_paragraph_cut_in_two_is_a_split():
    found = diff(article(f"{ONE} {TWO}", THREE), article(ONE, TWO, THREE))
    assert [block.alignment for block in found.blocks] == [Alignment.SPLIT, Alignment.EQUAL]
    assert found.words_added == found.words_removed == 0


def test_two_paragraphs_made_one_are_a_join():
    found = diff(article(ONE, TWO, THREE), article(f"{ONE} {TWO}", THREE))
    assert [block.alignment for block in found.blocks] == [Alignment.JOINED, Alignment.EQUAL]


TEXT = st.text(st.sampled_from("ab cd.é\u0301\u200d“'1,5% \n<&>東京น้\U0001f1e9👩"), max_size=60)


@given(st.lists(TEXT, max_size=6), st.lists(TEXT, max_size=6))
def test_any_diff_rebuilds_both_sides_and_is_the_same_again(old, new):
    found = diff(article(*old), article(*new))
    assert found == diff(article(*old), article(*new))
    sides: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for block in found.blocks:
        sides[0].update(zip(block.old, old_text(block.spans).split(BREAK), strict=True) if block.old else ())
        sides[1].update(zip(block.new, new_text(block.spans).split(BREAK), strict=True) if block.new else ())
    assert [text for _, text in sorted(sides[0].items())] == old
    assert [text for _, text in sorted(sides[1].items())] == new


@given(st.text())
def test_words_lose_nothing(text):
    assert "".join(words(text)) == text


@given(TEXT, TEXT)
def test_every_rendering_takes_any_text(old, new):
    found: Diff = diff(article(old, headline=old), article(new, headline=new))
    for mode in ("inline", "side-by-side", "changes"):
        assert html(found, mode=mode).startswith("<div")
    terminal(found, colour=True, width=40)
    unified(found)
    json_object(found)
