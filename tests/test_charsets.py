"""F5: whatever a page's bytes are and whatever is said of them, it is stored, and the same bytes are never an edit."""

from __future__ import annotations

import codecs
import os
import subprocess
from pathlib import Path

import pytest

from crawler import extract, feeds
from crawler.archive import Archive
from crawler.items import FeedCapture, FeedLink, Outcome
from tests.conftest import FEED, URL, at, command, listed, visit

RUSSIAN = "Министр ушёл в отставку после того, как суд отменил решение о строительстве моста."
GERMAN = "Die Brücke über den Fluß wird größer, sagte die Bürgermeisterin am späten Nachmittag."
JAPANESE = "大臣は橋の建設をめぐる裁判所の決定を受けて辞任したと市長が述べた。"


def html(text: str, head: str = "") -> str:
    paragraphs = "".join(f"<p>{text} {number}.</p>" for number in range(8))
    return f"<html><head>{head}</head><body><h1>{text}</h1><article>{paragraphs}</article></body></html>"


def meta(name: str) -> str:
    return f"<meta charset={name}>"


# What came, what the server said of it, and a text that must stand in the article; None: any reading will do.
PAGES: dict[str, tuple[bytes, str | None, str | None]] = {
    "UTF-8 that is called Latin-1": (html(RUSSIAN, meta("iso-8859-1")).encode(), "text/html; charset=latin1", RUSSIAN),
    "windows-1251 by its header": (html(RUSSIAN).encode("cp1251"), "text/html; charset=windows-1251", RUSSIAN),
    "windows-1251 by its meta": (html(RUSSIAN, meta("windows-1251")).encode("cp1251"), "text/html", RUSSIAN),
    "Shift_JIS by its meta": (html(JAPANESE, meta("Shift_JIS")).encode("cp932"), None, JAPANESE),
    "windows-1252, unnamed": (html(GERMAN).encode("cp1252"), None, GERMAN),
    "header and meta differ": (html(RUSSIAN, meta("utf-8")).encode("cp1251"), "text/html; charset=cp1251", RUSSIAN),
    "a charset that there is not": (html(GERMAN).encode("cp1252"), "text/html; charset=x-nonsense", GERMAN),
    "a codec that is none of text": (html(GERMAN).encode("cp1252"), "text/html; charset=unicode_escape", GERMAN),
    "UTF-8 with a mark": (codecs.BOM_UTF8 + html(GERMAN).encode(), None, GERMAN),
    "UTF-16 with a mark": (html(RUSSIAN).encode("utf-16"), None, RUSSIAN),
    "UTF-16 with a mark, other way round": (codecs.BOM_UTF16_BE + html(RUSSIAN).encode("utf-16-be"), None, RUSSIAN),
    "UTF-16 without a mark": (html(RUSSIAN).encode("utf-16-le"), None, RUSSIAN),
    "UTF-16 without a mark, other way round": (html(RUSSIAN).encode("utf-16-be"), None, RUSSIAN),
    "UTF-16 by its header": (html(GERMAN).encode("utf-16-le"), "text/html; charset=utf-16", GERMAN),
    "UTF-32 with a mark": (html(RUSSIAN).encode("utf-32"), None, RUSSIAN),
    "UTF-8 encoded twice": (html(GERMAN).encode().decode("latin-1").encode(), "text/html; charset=utf-8", None),
    "cut in the middle of a letter": (html(GERMAN).encode().replace("ü".encode(), "ü".encode()[:1], 1), None, GERMAN),
    "with NUL bytes": (html(GERMAN).replace("B", "\0B").encode(), None, GERMAN),
    "with lone surrogates": (html(GERMAN + "\ud83d").encode("utf-8", "surrogatepass"), None, GERMAN),
    "two charsets in one page": (html(GERMAN).encode() + html(GERMAN).encode("cp1252"), None, None),
    "any bytes": (html("x").encode() + bytes(range(256)) * 20, "text/html; charset=utf-16be", None),
}


@pytest.mark.parametrize("name", PAGES)
def test_f5_a_page_in_any_charset_is_stored_and_the_same_bytes_are_no_edit(archive: Archive, name: str) -> None:
    body, said, expected = PAGES[name]
    (article,) = listed(archive, URL)

    outcomes = [archive.record(seen(article, hour, body, said)) for hour in range(3)]

    assert outcomes[1:] == [Outcome.UNCHANGED] * 2 or outcomes[0] not in (Outcome.NEW, Outcome.CHANGED)
    if expected is not None:
        assert outcomes[0] is Outcome.NEW
        assert expected in archive.versions(article)[0].article.blocks[0].text


@pytest.mark.parametrize(
    ("first", "then"), [("text/html; charset=windows-1251", None), ("text/html; charset=cp1251", "text/html")]
)
def test_f5_a_charset_that_comes_and_goes_makes_no_edit_and_hides_none(
    archive: Archive, first: str, then: str | None
) -> None:
    (article,) = listed(archive, URL)
    page = html(RUSSIAN).encode("cp1251")
    edited = page.replace("мост".encode("cp1251"), "порт".encode("cp1251"), 1)
    for hour, said in enumerate((first, then, first, then)):
        nonce = page.replace(b"<html>", f"<html data-nonce={hour}>".encode())
        assert archive.record(seen(article, hour, nonce, said)) in (Outcome.NEW, Outcome.UNCHANGED)
    assert archive.record(seen(article, 5, edited, then)) is Outcome.CHANGED
    assert archive.record(seen(article, 6, edited, first)) is Outcome.UNCHANGED
    assert archive.versions(article)[1].article.headline == RUSSIAN.replace("мост", "порт", 1)
    assert [result.differs for result in archive.reextract(at(7), write=False)] == [""]


def seen(article: int, hours: float, body: bytes, said: str | None) -> object:
    headers = {"Content-Type": said} if said else {}
    read, lines = extract.read(body, URL, headers=headers)
    return visit(article, hours, read, body=body, lines=lines, content_type=said)


@pytest.mark.parametrize("name", PAGES)
def test_f5_a_feed_in_any_charset_is_stored_and_its_titles_are_no_news_twice(archive: Archive, name: str) -> None:
    _, said, expected = PAGES[name]
    charset = {"windows-1251": "cp1251"}.get(name.split()[0], "utf-8")
    text = expected or GERMAN
    item = f"<item><title>{text}</title><link>{URL}</link><description>{text} \0&#0;&#xD800;</description></item>"
    body = f"<rss><channel><title>{text}\x1b</title>{item}</channel></rss>".encode(charset)
    feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))
    content_type = said if charset == "cp1251" and said and "charset" in said else f"application/xml; charset={charset}"

    for hour in range(2):
        document = feeds.parse(body, FEED, content_type=content_type)
        capture = FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(hour), status=200, feed=document)
        outcome, _ = archive.record_feed(capture)

    assert outcome is Outcome.UNCHANGED
    assert archive.feeds()[0].title == text
    assert document.entries[0].title == text


@pytest.mark.parametrize(
    "terminal", [{"LANG": "C", "LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUTF8": "0", "LC_ALL": "POSIX"}]
)
def test_f5_a_terminal_without_unicode_is_told_all_the_same(tmp_path: Path, terminal: dict[str, str]) -> None:
    with Archive(tmp_path / "archive.db") as archive:
        (article,) = listed(archive, URL)
        for hour, text in enumerate((RUSSIAN, JAPANESE, GERMAN)):
            archive.record(seen(article, hour, html(text).encode(), None))

    for arguments in (("log",), ("log", "--json"), ("show", URL), ("diff", URL), ("search", "Brücke"), ("feeds",)):
        done = subprocess.run(
            [command(), *arguments],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **terminal},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")[-500:]
        assert done.stdout
