from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from crawler.archive import Archive
from crawler.errors import ArchiveError, NotFound, UsageError
from crawler.items import (
    Article,
    Author,
    Block,
    BlockKind,
    Budget,
    Capture,
    Entry,
    Feed,
    FeedCapture,
    FeedFormat,
    FeedLink,
    Headlines,
    Host,
    Image,
    Notice,
    NoticeKind,
    Outcome,
    Quality,
    Related,
    Verdict,
)
from tests.conftest import FEED, START, URL, at, listed, page, visit


def query(archive: Archive, sql: str) -> list[tuple[object, ...]]:
    """Ask the file itself, as a person with sqlite3 would."""
    connection = sqlite3.connect(archive.path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def bodies(archive: Archive, article_id: int) -> list[str]:
    return ["\n".join(block.text for block in v.article.blocks) for v in archive.versions(article_id)]


# Versions


def test_a_revert_is_a_third_version_and_the_change_says_so(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, text in enumerate(["Eleven thousand.", "Twelve thousand.", "Eleven thousand."]):
        archive.record(visit(article, hour, page(text)))
    assert bodies(archive, article) == ["Eleven thousand.", "Twelve thousand.", "Eleven thousand."]
    assert [change.reverts_to for change in archive.changes(limit=9)] == [1, None]


def test_an_edit_beside_an_offer_to_subscribe_is_an_edit(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    text = "The harbour wall will stand until the end of the century."
    archive.record(visit(article, 0, page("Eleven boats sank.", text)))
    offered = page("Twelve boats sank.", text, quality=Quality.STUB, is_paywalled=True)
    assert archive.record(visit(article, 1, offered)) is Outcome.CHANGED
    assert archive.record(visit(article, 2, page("Twelve", quality=Quality.STUB))) is Outcome.FAILED


def test_the_same_text_moves_last_seen_and_makes_no_version(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    outcomes = [archive.record(visit(article, hour, page("One text."))) for hour in range(3)]
    (version,) = archive.versions(article)
    assert outcomes == [Outcome.NEW, Outcome.UNCHANGED, Outcome.UNCHANGED]
    assert (version.first_seen, version.last_seen, version.checks) == (at(0), at(2), 3)


def test_a_change_lies_between_the_last_visit_before_it_and_the_first_after(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("Old text.")))
    archive.record(visit(article, 1, page("Old text.")))
    archive.record(visit(article, 2, status=500))
    archive.record(visit(article, 3, page("New text.")))
    (change,) = archive.changes(limit=9)
    assert (change.appeared_after, change.seen_at) == (at(1), at(3))
    assert "[-Old-]{+New+}" in change.summary


def test_a_304_is_a_visit_that_showed_the_latest_version(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text."), etag='"1"'))
    assert archive.record(visit(article, 5, status=304)) is Outcome.NOT_MODIFIED
    (version,) = archive.versions(article)
    assert (version.last_seen, version.checks) == (at(5), 2)
    (due,) = archive.due_articles(at(9), everything=True)
    assert due.etag == '"1"'


def test_a_304_with_nothing_stored_is_asked_in_full_the_next_time(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    assert archive.record(visit(article, 0, status=304, etag='"1"')) is Outcome.FAILED
    (due,) = archive.due_articles(at(9), everything=True)
    assert (due.etag, archive.versions(article)) == (None, [])


def test_everything_that_a_page_says_comes_back_as_it_was(archive: Archive) -> None:
    full = Article(
        url=URL,
        headline="Minister’s “last” day",
        description="A standfirst.",
        authors=(Author(name="Ana Pérez", role="Editor", url="https://example.org/ana"), Author(name="李明")),
        blocks=(
            Block(text="First."),
            Block(kind=BlockKind.HEADING, text="Then"),
            Block(text="First."),
            Block(kind=BlockKind.POST, text="12:30 Update", at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC)),
            Block(text="Nul-free \u202etext\u202c with \U0001f4f0"),
        ),
        images=(Image(url="https://example.org/a.jpg", caption="A caption", credit="A. Photographer"),),
        date_published=datetime(2026, 3, 1, 9, 0, 5, tzinfo=UTC),
        date_modified=datetime(2026, 3, 1, 10, 0, 5, tzinfo=UTC),
        section="News",
        tags=("politics", "政治"),
        language="en-GB",
        headlines=Headlines(h1="a", title="b", og="c", json_ld="d"),
        canonical_url=URL,
        notices=(Notice(kind=NoticeKind.CORRECTION, text="Correction: it was Monday."),),
        related=(Related(url="https://example.org/other", title="Other"),),
        is_paywalled=True,
        quality=Quality.OK,
    )
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, full))
    assert archive.version(article, 1).article == full


def test_paragraphs_that_stay_are_stored_once(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("One.", "Two.", "Three.")))
    archive.record(visit(article, 1, page("One.", "Two and a half.", "Three.")))
    assert query(archive, "SELECT text, added_in, removed_in FROM blocks ORDER BY id") == [
        ("One.", 1, None),
        ("Two.", 1, 2),
        ("Three.", 1, None),
        ("Two and a half.", 2, None),
    ]
    assert bodies(archive, article) == ["One.\nTwo.\nThree.", "One.\nTwo and a half.\nThree."]


def test_equal_paragraphs_are_told_apart_and_keep_their_places(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    texts = [("Again.", "Middle.", "Again."), ("Again.", "Middle."), ("Middle.", "Again.", "Again.", "Again.")]
    for hour, paragraphs in enumerate(texts):
        archive.record(visit(article, hour, page(*paragraphs)))
    assert bodies(archive, article) == ["\n".join(paragraphs) for paragraphs in texts]


def test_the_view_gives_any_version_as_text(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("One.", "Two.")))
    archive.record(visit(article, 1, page("Two.", "One.")))
    assert query(archive, "SELECT number, headline, text FROM version_text ORDER BY number") == [
        (1, "Minister resigns", "One.\n\nTwo."),
        (2, "Minister resigns", "Two.\n\nOne."),
    ]


def test_what_was_received_can_be_read_again_byte_for_byte(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    sent = [bytes(range(256)) * 300 + text.encode() for text in ("One.", "Two.", "Three.")]
    for hour, body in enumerate(sent):
        archive.record(visit(article, hour, page(f"Text {hour}."), body=body))
    kept = [archive.payload(version.id) for version in archive.versions(article)]
    assert kept == sent
    alone, *deltas = query(archive, "SELECT base_id, length(body) FROM payloads ORDER BY capture_id")
    assert alone[0] is None
    assert all(base is not None and size < alone[1] / 2 for base, size in deltas)  # type: ignore[operator]


# Visits that bring no text


def test_a_404_must_be_seen_twice(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    outcomes = [archive.record(visit(article, hour, status=404)) for hour in (1, 2)]
    assert outcomes == [Outcome.FAILED, Outcome.GONE]
    assert archive.find(URL).state == "gone"


def test_a_404_between_two_good_visits_is_nothing(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, status in enumerate([200, 404, 200, 404]):
        archive.record(visit(article, hour, page("A text.") if status == 200 else None, status=status))
    assert archive.find(URL).state == "suspect"


def test_a_410_is_the_publisher_saying_so_and_the_article_may_come_back(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    assert archive.record(visit(article, 1, status=410)) is Outcome.GONE
    assert archive.find(URL).state == "gone"
    assert archive.record(visit(article, 2, page("A text."))) is Outcome.UNCHANGED
    assert archive.find(URL).state == "up"


@pytest.mark.parametrize("quality", [q for q in Quality if q is not Quality.OK])
def test_a_bad_capture_never_becomes_a_version(archive: Archive, quality: Quality) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    outcome = archive.record(visit(article, 1, page("Prove that you are human.", quality=quality)))
    assert outcome in (Outcome.BLOCKED, Outcome.FAILED)
    assert bodies(archive, article) == ["A text."]
    assert query(archive, "SELECT quality FROM captures ORDER BY id DESC LIMIT 1") == [(quality.value,)]


def test_every_visit_leaves_a_row(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, status in enumerate([200, 304, 404, 410, 403, 500]):
        archive.record(visit(article, hour, page("A text.") if status == 200 else None, status=status))
    archive.record(visit(article, 7, status=None, error="TimeoutError: 30 s"))
    archive.record(visit(article, 8, status=None, refused=True, error="not public"))
    rows = query(archive, "SELECT status, outcome FROM captures WHERE article_id IS NOT NULL ORDER BY id")
    assert rows == [
        (200, "new"),
        (304, "not_modified"),
        (404, "failed"),
        (410, "gone"),
        (403, "blocked"),
        (500, "failed"),
        (None, "failed"),
        (None, "blocked"),
    ]


# Addresses


def test_an_article_is_found_by_any_form_of_any_of_its_addresses(archive: Archive) -> None:
    canonical = "https://www.example.org/news/minister-resigns-42"
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.", canonical_url=canonical)))
    for form in (URL, URL.replace("https", "http") + "/?utm_source=x#top", canonical, "42"):
        if form == "42":
            with pytest.raises(NotFound):
                archive.find(form)
        else:
            assert archive.find(form).id == article
    assert archive.find(str(article)).url == URL


def test_a_permanent_move_is_followed_and_the_first_address_stays(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    moved = "https://example.org/politics/minister-resigns"
    archive.record(visit(article, 0, page("A text.")))
    outcome = archive.record(visit(article, 1, page("A text."), final_url=moved, is_permanent_move=True))
    known = archive.find(moved)
    assert outcome is Outcome.MOVED
    assert (known.id, known.url, known.current_url) == (article, URL, moved)


def test_a_detour_is_no_move(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    outcome = archive.record(visit(article, 0, page("A text."), final_url="https://example.org/consent?back=1"))
    assert outcome is Outcome.NEW
    assert archive.find(URL).current_url == URL


def test_a_canonical_address_on_another_site_is_not_believed(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.", canonical_url="https://elsewhere.net/story")))
    with pytest.raises(NotFound):
        archive.find("https://elsewhere.net/story")


def test_a_new_slug_under_the_same_id_is_the_same_article(archive: Archive) -> None:
    feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))
    for hour, slug in enumerate(["minister-resigns", "minister-sacked"]):
        entries = (Entry(id="post-7", url=f"https://example.org/{slug}", title=slug),)
        document = Feed(url=FEED, format=FeedFormat.ATOM, entries=entries)
        archive.record_feed(FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(hour), status=200, feed=document))
    assert archive.find("https://example.org/minister-sacked").url == "https://example.org/minister-resigns"
    assert query(archive, "SELECT title FROM entries ORDER BY id") == [("minister-resigns",), ("minister-sacked",)]


# Feeds


def test_a_feed_brings_each_article_once(archive: Archive) -> None:
    assert len(listed(archive, URL, URL + "?utm_medium=rss", "https://example.org/other")) == 2
    assert listed(archive, URL, hours=1) == []


def test_a_feed_that_fails_is_asked_ever_more_seldom_and_says_why(archive: Archive) -> None:
    feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))
    waits = []
    for hour in (1, 2, 3):
        archive.record_feed(FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(hour), status=503))
        (watched,) = archive.feeds()
        waits.append(watched.next_visit - at(hour))
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]
    assert (watched.failures, watched.last_error) == (3, "the server answered 503")
    assert watched.last_good_at is None


def test_paused_and_removed_feeds_rest_with_their_articles_and_lose_nothing(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    archive.pause_feed(FEED, at(1))
    assert not archive.due_feeds(at(99), everything=True)
    assert not list(archive.due_articles(at(99), everything=True))
    archive.resume_feed(FEED, at(2))
    assert archive.due_feeds(at(2))
    archive.remove_feed(FEED, at(3))
    assert archive.feeds() == []
    assert bodies(archive, article) == ["A text."]
    _, is_new = archive.add_feed(FeedLink(url=FEED), at(4))
    assert is_new
    assert archive.feeds()[0].articles == 1


def test_an_unknown_feed_is_said_to_be_unknown(archive: Archive) -> None:
    with pytest.raises(UsageError, match="redline feeds"):
        archive.pause_feed("https://nowhere.example/", at(0))


def test_what_is_due_is_due(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    assert [due.id for due in archive.due_articles(at(0))] == [article]
    archive.record(visit(article, 0, page("A text.")))
    assert not list(archive.due_articles(at(0.1)))
    assert [due.id for due in archive.due_articles(at(0.25))] == [article]


# Search


def test_a_text_is_found_in_the_versions_that_had_it(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("The minister allegedly lied.", "東京都知事が辞任した。")))
    archive.record(visit(article, 1, page("The minister lied.", "東京都知事が辞任した。")))
    (hit,) = archive.search("allegedly", limit=9)
    assert (hit.first_version, hit.gone_in, hit.text) == (1, 2, "The minister allegedly lied.")
    assert archive.search("知事", limit=9)[0].gone_in is None
    assert [hit.first_version for hit in archive.search("minister", limit=9)] == [2, 1, 1]
    assert archive.search("absent", limit=9) == archive.search('"', limit=9) == []


# The file


def test_a_transaction_that_fails_leaves_nothing(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    broken = page("A text.", headline="x", tags=("\ud800",))  # a lone surrogate cannot be stored
    with pytest.raises(UnicodeEncodeError):
        archive.record(visit(article, 0, broken))
    assert query(archive, "SELECT (SELECT count(*) FROM versions), (SELECT count(*) FROM blocks)") == [(0, 0)]
    assert archive.record(visit(article, 1, page("A text."))) is Outcome.NEW


def test_an_archive_reads_the_same_when_it_is_opened_again(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    before = archive.versions(article)
    archive.close()
    with Archive(archive.path, create=False) as again:
        assert again.versions(article) == before
    assert query(archive, "PRAGMA integrity_check") == [("ok",)]


def test_a_file_that_is_no_database_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    path.write_bytes(b"This is a letter, not a database. " * 100)
    with pytest.raises(ArchiveError, match="damaged or not an archive"):
        Archive(path)
    assert path.read_bytes() == b"This is a letter, not a database. " * 100
    assert [p.name for p in tmp_path.iterdir()] == ["archive.db"]


def test_a_database_of_another_program_is_refused_untouched(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ArchiveError, match="another program"):
        Archive(path)
    assert path.read_bytes() == before


@pytest.mark.breaks_the_archive
def test_an_archive_of_a_newer_redline_is_refused_untouched(archive: Archive) -> None:
    listed(archive, URL)
    archive.close()
    connection = sqlite3.connect(archive.path)
    connection.execute(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('redline', 'from_the_future', '')"
    )
    connection.commit()
    connection.close()
    before = archive.path.read_bytes()
    with pytest.raises(ArchiveError, match=r"newer Redline.*from_the_future.*pip install -U"):
        Archive(archive.path)
    assert archive.path.read_bytes() == before


@pytest.mark.breaks_the_archive
def test_a_damaged_archive_says_what_can_be_done(archive: Archive) -> None:
    articles = listed(archive, *(f"https://example.org/story-{n}" for n in range(200)))
    archive.record(visit(articles[0], 0, page("A text.")))
    archive.close()
    whole = archive.path.read_bytes()
    archive.path.write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    damaged = archive.path.read_bytes()
    with pytest.raises(ArchiveError, match="recover"), Archive(archive.path) as opened:
        opened.feeds()
    assert archive.path.read_bytes() == damaged


def test_no_archive_is_made_where_one_is_only_read(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="redline add"):
        Archive(tmp_path / "none.db", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_touched_date_is_recorded_on_the_capture_and_makes_no_version(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    first = page("A text.", date_modified=at(0))
    archive.record(visit(article, 0, first))
    assert archive.record(visit(article, 1, replace(first, date_modified=at(1)))) is Outcome.UNCHANGED
    dates = query(archive, "SELECT date_modified FROM captures WHERE article_id IS NOT NULL ORDER BY id")
    assert dates == [("2026-03-01T12:00:00Z",), ("2026-03-01T13:00:00Z",)]


def test_the_verdict_says_whether_the_publisher_said_so(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    notice = Notice(kind=NoticeKind.CORRECTION, text="Correction: it was three.")
    archive.record(visit(article, 0, page("One.", date_modified=at(0))))
    archive.record(visit(article, 1, page("Two.", date_modified=at(0))))
    archive.record(visit(article, 2, page("Three.", date_modified=at(2))))
    archive.record(visit(article, 3, page("Four.", notice.text, date_modified=at(3), notices=(notice,))))
    archive.record(visit(article, 4, page("Five.", notice.text, notices=(notice,))))
    verdicts = [change.verdict for change in reversed(archive.changes(limit=9))]
    assert verdicts == [Verdict.STEALTH, Verdict.DATED, Verdict.DECLARED, Verdict.UNDATED]


# Is it an edit at all?


def read(article_id: int, hours: float, body: list[str], around: list[str], url: str = URL) -> Capture:
    """A visit to a page on which `body` was read as the article, and on which the lines `around` stood too."""
    markup = "".join(f"<p>{line}</p>" for line in body + around)
    return visit(article_id, hours, page(*body), url=url, lines=(*body, *around), body=f"<main>{markup}".encode())


def test_what_a_reader_could_see_on_both_pages_is_no_edit_wherever_it_was_read(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    text, box = ["A first paragraph.", "A second paragraph."], "Extremism"
    archive.record(read(article, 0, [*text, box], []))
    assert archive.record(read(article, 1, text, [box])) is Outcome.UNCHANGED
    assert query(archive, "SELECT wavered FROM captures WHERE article_id IS NOT NULL") == [(None,), (1,)]


def test_an_edit_beside_a_wavering_box_is_stored_without_the_box(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(read(article, 0, ["Eleven boats sank.", "It rained."], ["Extremism"]))
    assert archive.record(read(article, 1, ["Twelve boats sank.", "Extremism", "It rained."], [])) is Outcome.CHANGED
    assert bodies(archive, article)[1] == "Twelve boats sank.\nIt rained."
    assert archive.changes(limit=1)[0].summary == "[-Eleven-]{+Twelve+} boats sank."


def test_a_line_that_stands_around_other_articles_of_the_site_is_furniture(archive: Archive) -> None:
    others = listed(archive, *(f"https://example.org/story-{n}" for n in range(3)))
    (article,) = listed(archive, URL)
    for n, other in enumerate(others):
        archive.record(read(other, 0, [f"Text {n} of its own."], [f"You have {n} free articles left"]))
    archive.record(read(article, 0, ["A text."], []))
    offer = "You have 14 free articles left"
    assert archive.record(read(article, 1, ["A text.", offer], [])) is Outcome.UNCHANGED
    assert query(archive, "SELECT host, example, pages FROM furniture") == [("example.org", offer, 3)]
    connection = sqlite3.connect(archive.path)
    connection.execute("UPDATE furniture SET overruled_at = '2026-03-01T13:00:00Z'")
    connection.commit()
    connection.close()
    assert archive.record(read(article, 2, ["A text.", offer], [])) is Outcome.CHANGED


def test_a_paragraph_that_other_articles_have_in_their_bodies_is_no_furniture(archive: Archive) -> None:
    background = "Russia began its full-scale invasion of Ukraine in February 2022."
    others = listed(archive, *(f"https://example.org/story-{n}" for n in range(5)))
    (article,) = listed(archive, URL)
    for n, other in enumerate(others):
        archive.record(read(other, 0, [f"Text {n} of its own.", background], []))
    archive.record(read(article, 0, ["A text."], []))
    assert archive.record(read(article, 1, ["A text.", background], [])) is Outcome.CHANGED


# Flaps, touches, titles, notices


def test_two_states_in_turn_are_one_growing_fact(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    outcomes = [archive.record(visit(article, hour, page(f"Variant {'AB'[hour % 2]}."))) for hour in range(9)]
    assert outcomes[:3] == [Outcome.NEW, Outcome.CHANGED, Outcome.CHANGED]
    assert set(outcomes[3:]) == {Outcome.UNCHANGED}
    assert len(archive.versions(article)) == 3
    told = archive.changes(limit=9)
    assert [(change.reverts_to, change.flips) for change in told] == [(1, 8), (None, 0)]
    assert told[0].share == pytest.approx(5 / 9)
    shown = query(archive, "SELECT v.number FROM captures AS c JOIN versions AS v ON v.id = c.version_id ORDER BY c.id")
    assert [number for (number,) in shown] == [1, 2, 3, 2, 3, 2, 3, 2, 3], (
        "nothing is lost: each visit says what it showed"
    )


def test_an_edit_ends_a_flap_and_lies_behind_its_latest_visit(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour in range(6):
        archive.record(visit(article, hour, page(f"Variant {'AB'[hour % 2]}.")))
    assert archive.record(visit(article, 6, status=304)) is Outcome.NOT_MODIFIED
    assert archive.record(visit(article, 7, page("Variant C."))) is Outcome.CHANGED
    (edit, *_) = archive.changes(limit=9)
    assert (edit.number, edit.flips, edit.appeared_after) == (4, 0, at(5))


def test_a_touched_date_is_shown(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, modified in enumerate([0, 0, 2, 2]):
        archive.record(visit(article, hour, page("A text.", date_modified=at(modified))))
    (touch,) = archive.touches(article)
    assert (touch.date_modified, touch.seen_at) == (at(2), at(2))


def test_the_other_headlines_have_a_history_of_their_own_and_make_no_version(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, title in enumerate(["One", "One", "Two", "One"]):
        archive.record(visit(article, hour, page("A text.", headlines=Headlines(title=title))))
    assert len(archive.versions(article)) == 1
    assert [(t.source, t.title, t.first_seen) for t in archive.titles(article)] == [
        ("feed", "As in the feed", at(0)),
        ("title", "One", at(0)),
        ("title", "Two", at(2)),
    ]


@pytest.mark.parametrize("title", ["Minister resigns", "Minister resigns | Example", ""])
def test_a_version_has_all_headlines_of_its_page_those_that_read_alike_too(archive: Archive, title: str) -> None:
    (article,) = listed(archive, URL)
    headlines = Headlines(h1="Minister resigns", title=title, og="")
    archive.record(visit(article, 0, page("A text.", headlines=headlines)))
    assert archive.version(article, 1).article.headlines == headlines


def test_a_notice_is_linked_to_the_silent_edit_that_it_explains_with_the_delay(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    notice = Notice(
        kind=NoticeKind.CORRECTION, text="Correction: an earlier version said the ferry had 38 seats, not 58."
    )
    archive.record(visit(article, 0, page("The ferry has 38 seats.", "The harbour is old.", date_modified=at(0))))
    archive.record(visit(article, 1, page("The ferry has 58 seats.", "The harbour is old.", date_modified=at(0))))
    archive.record(visit(article, 2, page("The ferry has 58 seats.", "The harbour is cold.", date_modified=at(0))))
    last = page("The ferry has 58 seats.", "The harbour is cold.", notice.text, date_modified=at(6), notices=(notice,))
    archive.record(visit(article, 6, last))
    delays = [change.explained_after for change in archive.changes(limit=9)]
    assert delays == [None, None, at(6) - at(1)]


# The brake


def redesign(archive: Archive, articles: list[int], hours: float, texts: list[str]) -> None:
    archive.begin_crawl(at(hours))
    for n, (article, text) in enumerate(zip(articles, texts, strict=True)):
        archive.record(read(article, hours, [f"Story {n} begins.", text], [], url=f"https://example.org/story-{n}"))
    archive.end_crawl(at(hours), "finished")


def test_f9_most_articles_of_a_feed_changing_at_once_are_held_until_a_person_says_so(archive: Archive) -> None:
    articles = listed(archive, *(f"https://example.org/story-{n}" for n in range(10)))
    redesign(archive, articles, 0, [f"Text {n}." for n in range(10)])
    redesign(archive, articles, 1, [f"Menu and text {n} of the new design." for n in range(8)] + ["Text 8.", "Text 9."])
    (hold,) = archive.holds()
    assert (hold.visited, hold.changed, len(hold.examples)) == (10, 8, 3)
    assert archive.changes(limit=99) == []
    assert archive.feeds()[0].holds == 1
    assert len(archive.versions(articles[0])) == 2, "the captures and versions are kept"
    archive.accept(FEED, at(2))
    assert len(archive.changes(limit=99)) == 8
    assert archive.holds() == []


def test_a_day_of_many_edits_is_not_held(archive: Archive) -> None:
    articles = listed(archive, *(f"https://example.org/story-{n}" for n in range(10)))
    redesign(archive, articles, 0, [f"Text {n}." for n in range(10)])
    redesign(archive, articles, 1, [f"Edited {n}." for n in range(5)] + [f"Text {n}." for n in range(5, 10)])
    assert archive.holds() == []
    assert len(archive.changes(limit=99)) == 5


def test_a_redesign_in_a_run_that_was_killed_is_held_by_the_next(archive: Archive) -> None:
    articles = listed(archive, *(f"https://example.org/story-{n}" for n in range(10)))
    redesign(archive, articles, 0, [f"Text {n}." for n in range(10)])
    archive.begin_crawl(at(1))
    for n, article in enumerate(articles):
        archive.record(read(article, 1, [f"Story {n} begins.", f"New {n}."], []))
    archive.begin_crawl(at(2))
    assert archive.holds()[0].changed == 10


# Reading again, and pruning


PAGE = (
    "<html><head><title>The wall will stand</title></head><body><main><article><h1>The wall will stand</h1>"
    "<p>{} The harbour master said on Monday that the new wall would stand until the end of the century.</p>"
    "<p>Fishing crews, who had asked for a survey since the spring, were told that it would begin in the autumn.</p>"
    "<p>The council will vote on the plan next week, and its members expect a majority for it, several said.</p>"
    "</article></main></body></html>"
)


def test_a_better_extractor_reads_the_kept_pages_again_and_that_is_no_edit(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    body = PAGE.format("Eleven boats sank.").encode()
    archive.record(visit(article, 0, page("What a poor extractor took for the text."), body=body))
    (said,) = archive.reextract(at(1), write=False)
    assert "Eleven boats sank" in said.differs
    assert len(archive.versions(article)) == 1
    list(archive.reextract(at(1), write=True))
    assert archive.changes(limit=9) == []
    assert archive.version(article, -1).article.headline == "The wall will stand"
    assert archive.payload(archive.version(article, -1).id) == body
    (again,) = archive.reextract(at(2), write=True)
    assert again.differs == ""


def test_reading_again_settles_what_is_held(archive: Archive) -> None:
    articles = listed(archive, *(f"https://example.org/story-{n}" for n in range(10)))
    for hour in (0, 1):
        archive.begin_crawl(at(hour))
        for n, article in enumerate(articles):
            text = "Twelve boats sank." if n == 0 and hour == 1 else f"Boat {n} sank."
            read_so = page(text, *(["Menu"] if hour else []))
            archive.record(visit(article, hour, read_so, body=PAGE.format(text).encode()))
        archive.end_crawl(at(hour), "finished")
    assert archive.holds()[0].changed == 10
    list(archive.reextract(at(2), write=True))
    assert archive.holds() == []
    assert [change.article_id for change in archive.changes(limit=99)] == [articles[0]], "one was an edit indeed"


def test_pruning_frees_old_pages_and_nothing_else(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, text in enumerate(["One.", "Two.", "Three.", "Four."]):
        archive.record(visit(article, hour * 24, page(text), body=PAGE.format(text).encode()))
    assert archive.prune_payloads(at(1000)).number == 2, "the latest stays, and what it is compressed against"
    assert archive.payload(archive.version(article, 4).id) == PAGE.format("Four.").encode()
    with pytest.raises(NotFound, match="not kept"):
        archive.payload(archive.version(article, 2).id)
    assert bodies(archive, article) == ["One.", "Two.", "Three.", "Four."]


# When next


def test_a_feed_whose_articles_change_often_is_visited_more_often(archive: Archive) -> None:
    waits = {}
    for feed, is_busy in (("https://busy.example/feed", True), ("https://calm.example/feed", False)):
        watched, _ = archive.add_feed(FeedLink(url=feed), at(0))
        address = feed.replace("feed", "story-{}")
        for n in range(12):
            entry = Entry(id=str(n), url=address.format(n))
            document = Feed(url=feed, format=FeedFormat.RSS, entries=(entry,))
            seen = FeedCapture(feed_id=watched.id, url=feed, captured_at=at(n), status=200, feed=document)
            _, (article,) = archive.record_feed(seen)
            archive.record(visit(article.id, n, page("First.")))
            archive.record(visit(article.id, n + 0.5, page("Second." if is_busy else "First.")))
            archive.record(visit(article.id, n + 0.9, page("Third." if is_busy else "First.")))
        known = archive.find(address.format(11))
        assert known.next_visit is not None
        waits[is_busy] = known.next_visit - at(11.9)
    assert waits[True] < waits[False] / 2


def test_the_reason_of_the_next_visit_can_be_read(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    assert "expected" in archive.find(URL).next_visit_reason
    archive.record(visit(article, 1, status=500))
    assert "failed once" in archive.find(URL).next_visit_reason
    archive.record(visit(article, 2, status=410))
    assert "gone; looked for again" in archive.find(URL).next_visit_reason
    ((reason,),) = query(archive, "SELECT next_visit_reason FROM feeds")
    assert reason


def test_a_live_blog_and_a_flap_are_told_apart(archive: Archive) -> None:
    live, flapping = listed(archive, URL, "https://example.org/test-of-two-headlines")
    for turn in range(20):
        archive.record(visit(live, turn / 10, page(*(f"Post {n}." for n in range(turn + 1)))))
        archive.record(visit(flapping, turn / 10, page(f"Variant {'AB'[turn % 2]}.")))
    assert "like a live blog" in archive.find(str(live)).next_visit_reason
    assert "it flips between texts" in archive.find(str(flapping)).next_visit_reason


def test_an_entry_that_is_told_otherwise_makes_its_article_due(archive: Archive) -> None:
    feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))

    def read(hour: float, *titles: str) -> list[int]:
        entries = tuple(Entry(id=str(n), url=f"{URL}-{n}", title=title) for n, title in enumerate(titles))
        document = Feed(url=FEED, format=FeedFormat.ATOM, entries=entries)
        seen = FeedCapture(feed_id=feed.id, url=FEED, captured_at=at(hour), status=200, feed=document)
        return [article.id for article in archive.record_feed(seen)[1]]

    for article in read(0, *"abcdef"):
        archive.record(visit(article, 0, page("A text."), url=f"{URL}-{article - 1}"))
    assert read(0.01, *"abcdef") == []
    assert read(0.02, *"Abcdef") == [1]
    assert [due.id for due in archive.due_articles(at(0.02))] == [1]
    assert read(0.03, *"UVWXYZ") == [], "a feed that tells all of them anew has another template"


def test_a_spent_budget_is_shared_among_hosts(archive: Archive) -> None:
    listed(archive, *(f"https://{host}.example/{n}" for host in "ab" for n in range(9)))
    asked = [due.url for due in archive.due_articles(at(0), budget=Budget(requests=7))]
    assert "".join(url[8] for url in asked) == "abababa"
    assert len(list(archive.due_articles(at(0), budget=Budget(per_host=3)))) == 6
    archive.keep_host(Host(name="a.example", crawl_delay=30))
    slow = archive.due_articles(at(0), budget=Budget(per_host=9, seconds=60, delay=1, delay_max=60))
    assert Counter(due.url[8] for due in slow) == {"a": 2, "b": 9}


# What becomes of an article


def test_each_turn_in_what_becomes_of_an_article_has_its_evidence(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour, status in enumerate([200, 404, 200, 404, 404, 404, 200, 410]):
        archive.record(visit(article, hour, page("A text.") if status == 200 else None, status=status))
    turns = [(fate.fate, fate.since, fate.evidence) for fate in archive.fates(article)]
    assert turns == [
        ("suspect", at(1), "not found (404); looked for once more before it is called gone"),
        ("up", at(2), "the server answered 200, with its text"),
        ("suspect", at(3), "not found (404); looked for once more before it is called gone"),
        ("gone", at(4), "not found (404) at two visits in a row"),
        ("back", at(6), "the server answered 200, with its text"),
        ("gone", at(7), "the publisher says that it is gone (410)"),
    ]
    assert query(archive, "SELECT gone_since FROM articles") == [("2026-03-01T19:00:00Z",)]


def test_a_redirect_to_the_front_page_twice_is_gone_and_neither_a_move_nor_a_text(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page("A text.")))
    front = page("Many texts.", headline="The Example")
    outcomes = [
        archive.record(visit(article, hour, front, final_url="https://example.org/", is_permanent_move=True))
        for hour in (1, 2)
    ]
    known = archive.find(URL)
    assert outcomes == [Outcome.FAILED, Outcome.GONE]
    assert (known.state, known.current_url, known.versions) == ("gone", URL, 1)
    assert archive.fates(article)[-1].evidence == (
        "it leads to the front page (https://example.org/) at two visits in a row"
    )


def test_an_article_behind_a_detour_may_be_written_anew(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    there = "https://example.org/politics/resignation"
    archive.record(visit(article, 0, page("She said so on Monday evening."), final_url=there))
    rewritten = page("Nobody had expected it at all.", headline="Out")
    assert archive.record(visit(article, 1, rewritten, final_url=there)) is Outcome.CHANGED
    elsewhere = page("Rain is expected in the north all week.", headline="Weather")
    assert archive.record(visit(article, 2, elsewhere, final_url=there + "-2")) is Outcome.FAILED


# Articles that are one

CANONICAL = "https://example.org/politics/minister-resigns"


def test_two_addresses_with_one_canonical_are_one_article_and_both_keep_their_history(archive: Archive) -> None:
    first, second = listed(archive, URL, f"{URL}-live")
    text = page("She said so on Monday evening.", canonical_url=CANONICAL)
    archive.record(visit(first, 0, text))
    archive.record(visit(second, 0, text, url=f"{URL}-live"))
    (merge,) = archive.merges()
    assert (merge.article_id, merge.into_id, merge.undone_at) == (second, first, None)
    assert f"calls {CANONICAL} its own" in merge.evidence
    assert archive.find(f"{URL}-live").id == archive.find(CANONICAL).id == first
    assert [due.id for due in archive.due_articles(at(99), everything=True)] == [first]
    assert bodies(archive, second) == ["She said so on Monday evening."]
    assert listed(archive, f"{URL}-live?utm_source=x", hours=1) == []


def test_a_merge_can_be_undone_and_is_not_made_again(archive: Archive) -> None:
    first, second = listed(archive, URL, f"{URL}-live")
    text = page("She said so on Monday evening.", canonical_url=CANONICAL)
    for hour in range(2):
        archive.record(visit(first, hour, text))
        archive.record(visit(second, hour, text, url=f"{URL}-live"))
        if hour == 0:
            archive.unmerge(second, at(0.5))
    assert [merge.undone_at for merge in archive.merges()] == [at(0.5)]
    assert archive.find(f"{URL}-live").id == second
    assert {due.id for due in archive.due_articles(at(99), everything=True)} == {first, second}
    with pytest.raises(NotFound, match="merged into no other"):
        archive.unmerge(first, at(1))


@pytest.mark.parametrize(
    ("canonical", "text"),
    [
        ("https://example.org/", "She said so on Monday evening."),
        (CANONICAL, "Rain is expected in the north all week."),
        ("https://elsewhere.net/story", "She said so on Monday evening."),
    ],
)
def test_a_canonical_link_that_cannot_be_true_merges_nothing(archive: Archive, canonical: str, text: str) -> None:
    first, second = listed(archive, URL, f"{URL}-live")
    archive.record(visit(first, 0, page("She said so on Monday evening.", canonical_url=canonical)))
    other = page(text, canonical_url=canonical, headline="Weather")
    archive.record(visit(second, 0, other, url=f"{URL}-live"))
    assert archive.merges() == []


def test_an_article_that_moves_to_the_address_of_another_is_one_with_it(archive: Archive) -> None:
    first, second = listed(archive, URL, f"{URL}-old")
    text = page("She said so on Monday evening.")
    archive.record(visit(first, 0, text))
    archive.record(visit(second, 0, text, url=f"{URL}-old"))
    archive.record(visit(second, 1, text, url=f"{URL}-old", final_url=URL, is_permanent_move=True))
    assert [(merge.article_id, merge.into_id) for merge in archive.merges()] == [(second, first)]


# What becomes of a feed


def read_feed(archive: Archive, feed_id: int, hours: float, **fields: object) -> Outcome:
    given: dict[str, object] = {"url": FEED, "status": 200}
    return archive.record_feed(FeedCapture(feed_id=feed_id, captured_at=at(hours), **(given | fields)))[0]  # type: ignore[arg-type]


def test_a_feed_that_moved_for_good_is_followed_and_found_by_its_old_address(archive: Archive) -> None:
    feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))
    new, document = "https://feeds.example.org/all", Feed(url=FEED, format=FeedFormat.RSS)
    read_feed(archive, feed.id, 0, feed=document, final_url="https://cdn.example.org/all")
    assert archive.feeds()[0].url == FEED, "a detour is no move"
    read_feed(archive, feed.id, 1, feed=document, final_url=new, is_permanent_move=True)
    (moved,) = archive.feeds()
    assert (moved.url, moved.former_urls) == (new, (FEED,))
    assert archive.pause_feed(FEED, at(2)).id == feed.id
    assert archive.add_feed(FeedLink(url=FEED), at(3)) == (archive.feeds()[0], False)


def test_a_dead_feed_is_asked_once_a_month_and_stays_on_the_list(archive: Archive) -> None:
    feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))
    hours = 0.0
    for _ in range(20):
        read_feed(archive, feed.id, hours, status=None, error="DNSLookupError: no such name")
        (dead,) = archive.feeds()
        wait, hours = dead.next_visit - at(hours), (dead.next_visit - START).total_seconds() / 3600
    assert wait == timedelta(days=30)


def test_an_answer_that_is_no_feed_leaves_no_validators_that_would_make_it_one(archive: Archive) -> None:
    feed, _ = archive.add_feed(FeedLink(url=FEED), at(0))
    read_feed(archive, feed.id, 0, feed=Feed(url=FEED, format=FeedFormat.RSS), etag='"feed"')
    read_feed(archive, feed.id, 1, error="a web page came where a feed (rss) stood", etag='"page"')
    assert archive.feeds()[0].etag is None


# A second look


LINES = ["A first paragraph that stays.", "A second one that stays."]


def test_a_short_line_that_came_is_told_after_a_second_look(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page(*LINES)))
    archive.record(visit(article, 1, page(*LINES, "More follows")))
    assert archive.changes(limit=9) == []
    known = archive.find(URL)
    assert (known.next_visit, known.next_visit_reason) == (at(1 + 1 / 12), "a second look at what may be passing")
    archive.record(visit(article, 2, page(*LINES, "More follows")))
    assert [change.summary for change in archive.changes(limit=9)] == ["{+More follows+}"]


def test_a_304_is_a_second_look_too(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page(*LINES)))
    archive.record(visit(article, 1, page(*LINES, "More follows")))
    archive.record(visit(article, 2, status=304))
    assert len(archive.changes(limit=9)) == 1


def test_a_line_that_stays_beside_an_edit_is_told_with_it(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    archive.record(visit(article, 0, page(*LINES)))
    archive.record(visit(article, 1, page(*LINES, "More follows")))
    archive.record(visit(article, 2, page("Another first paragraph.", LINES[1], "More follows")))
    assert len(archive.changes(limit=9)) == 2


def test_a_line_that_changes_at_every_visit_is_never_told_and_learned(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hour in range(5):
        archive.record(visit(article, hour, page(*LINES, f"Updated {hour + 2} minutes ago")))
    assert archive.changes(limit=9) == []
    assert len(archive.versions(article)) == 3, "what was seen is kept"
    assert query(archive, "SELECT key, pages FROM furniture") == [("updated 0 minutes ago", 0)]
    archive.record(visit(article, 5, page("Another first paragraph.", LINES[1], "Updated 9 minutes ago")))
    (edit,) = archive.changes(limit=9)
    assert "Updated" not in edit.summary


def test_a_notice_is_told_at_once(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    notice = Notice(kind=NoticeKind.UPDATE, text="Updated with a comment by the minister")
    archive.record(visit(article, 0, page(*LINES)))
    archive.record(visit(article, 1, page(*LINES, notice.text, notices=(notice,))))
    assert len(archive.changes(limit=9)) == 1


def test_reading_again_settles_a_page_whose_charset_only_its_server_told(archive: Archive) -> None:
    articles = listed(archive, *(f"https://example.org/story-{n}" for n in range(10)))
    cp1251 = "text/html; charset=windows-1251"
    lines = [
        "Портовий майстер сказав у понеділок, що нова стіна простоїть до кінця сторіччя, і ніхто йому не заперечив.",
        "Рибалки, які просили про обстеження ще з весни, дізналися, що його почнуть аж восени, коли вщухнуть шторми.",
        "Рада голосуватиме за план наступного тижня, і її члени чекають на більшість голосів, сказали кілька з них.",
    ]
    box = "Наша редакція щодня готує для вас огляд подій, який ви можете читати вранці за чашкою кави разом із родиною."
    for hour in (0, 1):
        archive.begin_crawl(at(hour))
        for n, article in enumerate(articles):
            # The box stands among the paragraphs on the second page and apart from them on the first.
            inside, apart = (f"<p>{box}</p>", "") if hour else ("", f"<aside>{box}</aside>")
            markup = f"<html><main><h1>Стіна {n}</h1>{inside}<p>{'</p><p>'.join(lines)}</p></main>{apart}</html>"
            read_so = page(*lines, *(["Меню сайту."] if hour else []), headline=f"Стіна {n}")
            archive.record(visit(article, hour, read_so, body=markup.encode("cp1251"), content_type=cp1251))
        archive.end_crawl(at(hour), "finished")
    assert archive.holds()[0].changed == 10
    list(archive.reextract(at(2), write=True))
    assert archive.changes(limit=99) == []
    assert archive.version(articles[0], -1).article.headline == "Стіна 0"
