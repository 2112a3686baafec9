from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crawler import search


def found(text: str, query: str) -> bool:
    db = sqlite3.connect(":memory:")
    try:
        db.execute("create virtual table t using fts5(x, content='', tokenize='unicode61 remove_diacritics 2')")
        db.execute("insert into t(rowid, x) values (1, ?)", [search.index_text(text)])
        expression = search.match_expression(query)
        return bool(expression) and bool(db.execute("select 1 from t where t match ?", [expression]).fetchall())
    finally:
        db.close()


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The minister resigned on Monday.", "minister"),
        ("The minister resigned on Monday.", "MONDAY resigned"),
        ("The minister resigned on Monday.", '"resigned on"'),
        ("Le président a démissionné", "president"),
        ("東京都知事が辞任した", "知事"),
        ("東京都知事が辞任した", "東京都"),
        ("นายกรัฐมนตรีลาออก", "รัฐมนตรี"),
        ("استقال الوزير يوم الاثنين", "الوزير"),
        ("Міністр подав у відставку", "відставку"),
        ("a 1.5% rise", "1.5%"),
        ("AND OR NOT NEAR", "NOT NEAR"),
    ],
)
def test_a_word_of_any_script_is_found(text: str, query: str) -> None:
    assert found(text, query)


@pytest.mark.parametrize(
    ("text", "query"), [("resigned on Monday", '"Monday resigned"'), ("東京都", "京東"), ("x", "  ")]
)
def test_what_is_not_there_is_not_found(text: str, query: str) -> None:
    assert not found(text, query)


@given(st.text())
def test_nothing_a_person_types_is_a_syntax_error(query: str) -> None:
    found("some text", query.replace("\x00", ""))


@given(st.text(), st.text())
def test_marking_loses_nothing(text: str, query: str) -> None:
    assert "".join(piece for piece, _ in search.marked(text, query)) == text


def test_the_words_looked_for_are_marked() -> None:
    assert [p for p, hit in search.marked("Minister resigns, minister says", "minister") if hit] == [
        "Minister",
        "minister",
    ]


@pytest.mark.parametrize(
    ("text", "count"),
    [("Eleven boats sank: 1.5% more.", 5), ("東京都", 3), ("Ein Schiff, 東京 und Łódź", 6), ("", 0), (" \n", 0)],
)
def test_words_are_counted(text: str, count: int) -> None:
    assert search.word_count(text) == count
