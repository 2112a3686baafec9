"""The four forms of a diff: what is read, and that nothing in a text can act."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawler.diff import diff, spans, tokens
from crawler.diff.render import html, html_spans, json_object, terminal, unified
from crawler.items import Article, Block, BlockKind

MODES = ("inline", "side-by-side", "changes")


def article(*paragraphs: str, headline: str = "") -> Article:
    blocks = tuple(Block(text=text) for text in paragraphs)
    return Article(url="https://example.org/a", headline=headline, blocks=blocks)


BEFORE = article(
    "The minister said the bridge opens in May.", "Nobody was hurt.", "Rain is due.", headline="Bridge opens"
)
AFTER = article("The minister claimed the bridge opens in May.", "Nobody was hurt.", "Rain is due.", headline="Bridge")


class Markup(HTMLParser):
    """Collects what a browser would make of a page: its tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.open: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def handle_comment(self, data):
        raise AssertionError(f"a comment: {data}")

    def handle_decl(self, decl):
        raise AssertionError(f"a declaration: {decl}")


OURS = {"div", "p", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "ins", "del", "span", "br"}
MARKUP = ["<script>", "</script>", "<", ">", "<img src=x onerror=alert(1)>", "<!--", "-->", "</ins>", "</p><p>", "]]>"]
SIGNS = ['"', "'", "`", "&lt;", "&", " ", "alert(1)", "javascript:", "\u202e", "\x1b[2J", "\x00", "\ud800"]
HOSTILE = st.lists(st.sampled_from(MARKUP + SIGNS), max_size=12).map("".join)


@given(HOSTILE, HOSTILE)
@settings(deadline=None)
def test_s8_no_markup_arises_from_the_pieces_of_two_texts(old, new):
    found = diff(article(old, "same", headline=old), article(new, "same", headline=new))
    for mode in MODES:
        page = Markup(html(found, mode=mode))
        assert page.open == []
        assert page.tags <= OURS
        assert page.attributes <= {"class", "dir", "lang", "data-mode", "data-move", "role", "aria-label", "scope"}
    assert not {"\x1b", "\x00", "\u202e"} & set(html(found) + unified(found) + terminal(found, colour=False, width=60))


def test_s8_the_old_and_the_new_text_can_be_read_off_a_hostile_diff():
    page = Markup(html_spans(spans("a <b>x</b> & b", "a <i>x</i> & b")))
    assert page.text == "a <−b+i>x</−b+i> & b"


@pytest.mark.parametrize("mode", MODES)
def test_html_says_in_words_and_by_a_sign_what_colour_says(mode):
    page = html(diff(BEFORE, AFTER), mode=mode)
    assert (
        '<del class="rl-del" dir="auto"><span class="rl-mark" role="img" aria-label="removed:">−</span>said</del>'
        in page
    )
    assert (
        '<ins class="rl-ins" dir="auto"><span class="rl-mark" role="img" aria-label="added:">+</span>claimed</ins>'
        in page
    )
    assert "style=" not in page


def test_changes_show_the_neighbours_that_were_asked_for_and_no_more():
    found = diff(BEFORE, AFTER)
    assert "Rain is due." not in html(found, mode="changes", context=1)
    assert "Nobody was hurt." in html(found, mode="changes", context=1)
    assert "Nobody was hurt." not in html(found, mode="changes", context=0)
    assert "Rain is due." in html(found, mode="inline")


def test_blocks_keep_what_they_are():
    heading = Article(url="u", blocks=(Block(text="What next?", kind=BlockKind.HEADING),))
    assert '<h3 class="rl-block rl-inserted rl-heading" dir="auto">' in html(diff(article(), heading))


def test_a_terminal_without_colour_shows_marks():
    assert terminal(diff(BEFORE, AFTER), colour=False, width=80) == (
        "Headline: Bridge[- opens-]\n\n~ The minister [-said-]{+claimed+} the bridge opens in May.\n"
    )


def test_a_terminal_with_colour_has_the_marks_too():
    shown = terminal(diff(BEFORE, AFTER), colour=True, width=80)
    assert "\x1b[31m[-said-]\x1b[0m\x1b[32m{+claimed+}\x1b[0m" in shown


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_terminal_if_a_break_can_help_it(width, monkeypatch):
    monkeypatch.setattr(tokens, "_dictionary_words", None)
    old = article("The minister said the bridge opens in May. " * 5, "東京都は橋を開通すると発表した。" * 5)
    new = article("The minister claimed a bridge opened in June. " * 5, "大阪市は駅を開業すると発表していた。" * 5)
    for line in terminal(diff(old, new), colour=False, width=width).splitlines():
        assert sum(2 if ord(char) > 0x2E80 else 1 for char in line) <= width


def test_unified_text_has_old_and_new_lines_with_their_places():
    assert unified(diff(BEFORE, AFTER)) == (
        "--- before\n+++ after\n"
        "@@ headline @@\n-Bridge opens\n+Bridge\n"
        "@@ -1,2 +1,2 @@\n"
        "-The minister said the bridge opens in May.\n+The minister claimed the bridge opens in May.\n"
        " Nobody was hurt.\n"
    )


def test_nothing_changed_is_nothing_to_read_on_a_terminal():
    same = diff(BEFORE, BEFORE)
    assert terminal(same, colour=True, width=80) == ""
    assert unified(same) == ""


def test_json_has_the_spans_as_they_are():
    found = json.loads(json.dumps(json_object(diff(BEFORE, AFTER))))
    assert found["blocks"][0]["alignment"] == "edited"
    assert found["blocks"][0]["spans"][1] == {"kind": "delete", "text": "said"}
    assert (found["words_added"], found["words_removed"]) == (1, 2)
