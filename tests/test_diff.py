"""The diff: what a reader is shown, and what holds for any two articles."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.diff import BREAK, Alignment, Span, SpanKind, diff, new_text, old_text, spans, tokens, words
from crawler.extract.digest import digest
from crawler.items import Article, Author, Block, BlockKind, Image
from tests.growth import assert_linear

ONE = "The minister said on Tuesday that the bridge will open in May."
TWO = "Engineers had warned of cracks in the northern pillar for years."
THREE = "The city council votes on the budget of 11,000 euros next week."
FOUR = "Nobody was hurt when a lorry hit the railing on Sunday night."


def article(*paragraphs: str, headline: str = "") -> Article:
    blocks = tuple(Block(text=text) for text in paragraphs)
    return Article(url="https://example.org/a", headline=headline, blocks=blocks)


def marked(found: Iterable[Span]) -> str:
    marks = {SpanKind.EQUAL: "{}", SpanKind.DELETE: "[-{}-]", SpanKind.INSERT: "{{+{}+}}"}
    return "".join(marks[span.kind].format(span.text) for span in found)


@pytest.fixture(params=["characters", "dictionary"])
def cut(request, monkeypatch):
    """Scripts without spaces, cut with and without the dictionaries."""
    if request.param == "characters":
        monkeypatch.setattr(tokens, "_dictionary_words", None)
    elif tokens._dictionary_words is None:
        pytest.skip("PyICU is not installed")
    return request.param


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("the cat sat", "a dog sat", "[-the cat-]{+a dog+} sat"),
        ("the dog", "the big dog", "the {+big +}dog"),
        ("the dog", "the dog, too", "the dog{+, too+}"),
        ("the big dog", "dog", "[-the big -]dog"),
        ("A spoke. C spoke.", "A spoke. B spoke. C spoke.", "A spoke. {+B spoke. +}C spoke."),
        ("rose 1.5% today", "rose 15% today", "rose [-1.5%-]{+15%+} today"),
        ("some 11,000 people", "some 12,000 people", "some [-11,000-]{+12,000+} people"),
        ("at 10:05, they said", "at 10:50, they said", "at [-10:05-]{+10:50+}, they said"),
        ("He didn't go.", "He did go.", "He [-didn't-]{+did+} go."),
        ("a -5 degree day", "a 5 degree day", "a [---]5 degree day"),
        ("Nice, he said", "nice he said", "[-Nice,-]{+nice+} he said"),
        ("co operate", "cooperate", "[-co operate-]{+cooperate+}"),
        ("", "new", "{+new+}"),
        ("old", "", "[-old-]"),
        ("", "", ""),
        ("قال الوزير إن ثلاثة قتلوا", "قال الوزير إن أربعة قتلوا", "قال الوزير إن [-ثلاثة-]{+أربعة+} قتلوا"),
    ],
)
def test_an_edit_reads_as_a_person_would_mark_it(old, new, shown):
    assert marked(spans(old, new)) == shown


def test_a_rewritten_stretch_is_one_replacement_and_not_a_comb():
    old = "Police arrested two men on the street after a long chase of several hours."
    new = "Officers in plain clothes stopped a car on a motorway near the old town at dawn."
    assert sum(span.kind is SpanKind.EQUAL for span in spans(old, new)) <= 3


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("“It’s over,” she said — finally…", '"It\'s over," she said - finally...'),
        ("caf\u00e9 na\u00efve", "cafe\u0301 nai\u0308ve"),
        ("co\u00adopera\u200btion  of\u00a0all", "cooperation of all"),
        ("11\u202f000 euros", "11 000 euros"),
        (" padded\n", "padded"),
        ("a \u200b b", "a b"),
        ("Памʼятка", "Пам'ятка"),
    ],
)
def test_what_the_digest_folds_is_no_difference_and_is_kept_as_it_was_read(old, new):
    assert [span.kind for span in spans(old, new)] == [SpanKind.EQUAL]
    found = spans(f"{old} then one", f"{new} then two")
    assert marked(found).endswith("then [-one-]{+two+}")
    assert [span.kind for span in found] == [SpanKind.EQUAL, SpanKind.DELETE, SpanKind.INSERT]
    assert (old_text(found), new_text(found)) == (f"{old} then one", f"{new} then two")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rose 1.5% to 11,000.", ["rose", " ", "1.5%", " ", "to", " ", "11,000", "."]),
        ("don’t, l'été", ["don’t", ",", " ", "l'été"]),
        ("the 19th, £3.5bn", ["the", " ", "19th", ",", " ", "£", "3.5bn"]),
        ("👨\u200d👩\u200d👧 👍🏽🇩🇪🇫🇷", ["👨\u200d👩\u200d👧", " ", "👍🏽", "🇩🇪", "🇫🇷"]),
        ("nai\u0308ve…", ["nai\u0308ve", "…"]),
        ("हिन्दी में", ["हिन्दी", " ", "में"]),
        ("ok--so...", ["ok", "--", "so", "..."]),
    ],
)
def test_words_are_those_that_readers_know(text, expected):
    assert words(text) == expected


def test_scripts_without_spaces_are_cut_by_character_but_never_inside_one(monkeypatch):
    monkeypatch.setattr(tokens, "_dictionary_words", None)
    assert words("東京都は3人") == ["東", "京", "都", "は", "3", "人"]
    assert words("น้ำดี") == ["น้ำ", "ดี"]
    assert words("か\u3099き") == ["か\u3099", "き"]


def test_a_japanese_edit_is_small(cut):
    old, new = "東京都は３日、橋を開通すると発表した。", "東京都は４日、橋を開通すると発表した。"
    assert marked(spans(old, new)) == "東京都は[-３-]{+４+}日、橋を開通すると発表した。"


def test_a_paragraph_that_moved_is_shown_once_with_the_edit_inside_it():
    found = diff(article(ONE, TWO, THREE), article(THREE.replace("11,000", "12,000"), ONE, TWO))
    assert [block.alignment for block in found.blocks] == [Alignment.MOVED, Alignment.EQUAL, Alignment.EQUAL]
    assert (
        marked(found.blocks[0].spans) == "The city council votes on the budget of [-11,000-]{+12,000+} euros next week."
    )
    assert (found.words_added, found.words_removed) == (1, 1)


def test_a_paragraph_cut_in_two_is_a_split_and_no_word_is_new():
    found = diff(article(f"{ONE} {TWO}", THREE), article(ONE, TWO, THREE))
    assert [block.alignment for block in found.blocks] == [Alignment.SPLIT, Alignment.EQUAL]
    assert (found.blocks[0].old, found.blocks[0].new) == ((0,), (0, 1))
    assert marked(found.blocks[0].spans) == f"{ONE}[- -]{{+{BREAK}+}}{TWO}"
    assert found.words_added == found.words_removed == 0
    assert not found.is_empty


def test_two_paragraphs_made_one_are_a_join():
    found = diff(article(ONE, TWO, THREE), article(f"{ONE} {TWO}", THREE))
    assert [block.alignment for block in found.blocks] == [Alignment.JOINED, Alignment.EQUAL]


def test_a_sentence_that_moved_to_another_paragraph_is_tied_to_where_it_was():
    found = diff(article(f"{ONE} {TWO}", THREE, FOUR), article(ONE, THREE, f"{FOUR} {TWO}"))
    assert [block.alignment for block in found.blocks] == [Alignment.EDITED, Alignment.EQUAL, Alignment.EDITED]
    went, came = found.blocks[0].spans[-1], found.blocks[2].spans[-1]
    assert (went.kind, went.move, went.text.strip()) == (SpanKind.DELETE, 1, TWO)
    assert (came.kind, came.move, came.text.strip()) == (SpanKind.INSERT, 1, TWO)
    assert found.words_added == found.words_removed == 0


def test_a_removed_paragraph_is_shown_where_it_stood():
    found = diff(article(ONE, TWO, THREE), article(ONE, THREE))
    assert [block.alignment for block in found.blocks] == [Alignment.EQUAL, Alignment.DELETED, Alignment.EQUAL]


def test_an_unrelated_paragraph_in_the_same_place_is_no_edit_of_the_old_one():
    found = diff(article(ONE, TWO), article(ONE, "Rain is due at the weekend, forecasters say; bring a coat."))
    assert [block.alignment for block in found.blocks] == [Alignment.EQUAL, Alignment.INSERTED, Alignment.DELETED]


def test_fields_are_compared_and_only_those_that_differ_are_given():
    old = Article(
        url="https://example.org/a",
        headline="Bridge opens in May",
        authors=(Author(name="Ann Lee"),),
        images=(Image(url="https://cdn.example/1.jpg", caption="The bridge", credit="AP"),),
        date_modified=datetime(2026, 3, 1, 10, tzinfo=UTC),
    )
    new = Article(
        url="https://example.org/a",
        headline="Bridge opens in June",
        authors=(Author(name="Ann Lee"), Author(name="Bo Ek")),
        images=(Image(url="https://cdn.example/1.jpg", caption="The old bridge", credit="AP"),),
        date_modified=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )
    assert {field.name: marked(field.spans) for field in diff(old, new).fields} == {
        "headline": "Bridge opens in [-May-]{+June+}",
        "authors": f"Ann Lee{{+{BREAK}Bo Ek+}}",
        "captions": "The {+old +}bridge — AP",
        "date_modified": "[-2026-03-01T10:00:00+00:00-]{+2026-03-01T12:00:00+00:00+}",
    }


def test_a_date_and_a_picture_s_address_alone_leave_the_diff_empty():
    old = Article(url="https://example.org/a", images=(Image(url="https://a.example/1.jpg"),))
    new = Article(
        url="https://example.org/a",
        images=(Image(url="https://b.example/2.jpg"),),
        date_modified=datetime(2026, 3, 1, tzinfo=UTC),
    )
    found = diff(old, new)
    assert [field.name for field in found.fields] == ["images", "date_modified"]
    assert found.is_empty
    assert found.words_added == found.words_removed == 0


@pytest.mark.parametrize(
    ("old", "new", "is_coarse"),
    [
        ("the cat " * 30_000, "the dog " * 30_000, True),
        ("".join(f"w{n} " for n in range(30_000)), "".join(f"w{n} " for n in range(30_000) if n % 50), False),
    ],
)
def test_s18_a_diff_of_very_large_texts_ends_and_says_what_it_gave_up(old, new, is_coarse):
    found = diff(article(old), article(new))
    assert found.is_coarse == is_coarse
    assert (old_text(span for b in found.blocks for span in b.spans)) == old


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Nothing in common, hardly anything but the same. Five megabytes take four times this.
        (lambda n: "a" * n, lambda n: "b" * n),
        (lambda n: "one two " * (n // 8), lambda n: "two one " * (n // 8)),
        (lambda n: "".join(f"a{i} " for i in range(n // 8)), lambda n: "".join(f"b{i} " for i in range(n // 8))),
    ],
)
def test_s18_very_large_texts_take_time_in_proportion_and_are_said_to_be_coarse(old, new):
    def sides(eighths):
        return tuple(article(*text(eighths * 160_000).split("\n")) for text in (old, new))

    assert_linear(lambda both: diff(*both), sides, 1)
    assert diff(*sides(8)).is_coarse


def test_s18_tens_of_thousands_of_tiny_blocks_are_bounded():
    found = diff(article(*(f"a{n}" for n in range(20_000))), article(*(f"b{n}" for n in range(20_000))))
    assert found.is_coarse
    assert len(found.blocks) == 40_000


# Few words, so that they are shared, repeated and moved; and what is hard to cut.
PIECES = [
    "the",
    "cat",
    "sat",
    "1.5%",
    "15%",
    "it's",
    "it’s",
    "東京",
    "น้ำ",
    "e\u0301",
    "é",
    ".",
    ",",
    "“",
    '"',
    "…",
    "\u00ad",
]
PIECES += [" ", " ", " ", "\u00a0", "\n", "<b>", "&", "\U0001f1e9\U0001f1ea", "\u200b", "He said no to us all. "]
TEXT = st.lists(st.sampled_from(PIECES), max_size=14).map("".join)
BLOCK = st.builds(Block, text=TEXT, kind=st.sampled_from([BlockKind.PARAGRAPH, BlockKind.HEADING]))
IMAGE = st.builds(Image, url=st.just("u"), caption=TEXT, credit=st.sampled_from(["", "AP"]))
ARTICLE = st.builds(
    Article,
    url=st.just("https://example.org/a"),
    headline=TEXT,
    description=TEXT,
    authors=st.lists(st.builds(Author, name=st.sampled_from(["Ann Lee", "Bo", "Lee"])), max_size=2).map(tuple),
    images=st.lists(IMAGE, max_size=2).map(tuple),
    blocks=st.lists(BLOCK, max_size=7).map(tuple),
)


@given(ARTICLE, ARTICLE)
@settings(max_examples=300, deadline=None)
def test_any_diff_rebuilds_both_sides_and_is_the_same_again(old, new):
    found = diff(old, new)
    assert found == diff(old, new)
    sides: tuple[dict[int, str], dict[int, str]] = ({}, {})
    for block in found.blocks:
        for side, indexes, text in ((0, block.old, old_text(block.spans)), (1, block.new, new_text(block.spans))):
            if indexes:
                sides[side].update(zip(indexes, text.split(BREAK), strict=True))
    for side, whole in enumerate((old, new)):
        assert [sides[side][index] for index in range(len(sides[side]))] == [block.text for block in whole.blocks]
    assert [j for block in found.blocks for j in block.new] == list(range(len(new.blocks)))


@given(ARTICLE, ARTICLE)
@settings(max_examples=300, deadline=None)
def test_a_diff_is_empty_exactly_when_the_digests_are_equal(old, new):
    assert diff(old, new).is_empty == (digest(old) == digest(new))
    assert diff(old, old).is_empty


@given(ARTICLE, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_a_shuffled_article_has_no_new_word(old, rng: random.Random):
    blocks = list(old.blocks)
    rng.shuffle(blocks)
    found = diff(old, Article(url=old.url, blocks=tuple(blocks), headline=old.headline, images=old.images))
    assert [span for block in found.blocks for span in block.spans if span.kind is not SpanKind.EQUAL] == []


@given(TEXT, TEXT)
@settings(deadline=None)
def test_any_two_strings_are_rebuilt_with_what_went_before_what_came(old, new):
    found = spans(old, new)
    assert (old_text(found), new_text(found)) == (old, new)
    kinds = [span.kind for span in found]
    assert (SpanKind.INSERT, SpanKind.DELETE) not in pairwise(kinds)


@given(st.text())
@settings(deadline=None)
def test_words_lose_nothing(text):
    assert "".join(words(text)) == text
