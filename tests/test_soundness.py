"""`redline verify` finds what is broken and nothing else. That sound archives are found sound, the fixture `archive`
holds after every test that uses it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from crawler import migrations
from crawler.archive import Archive
from crawler.archive.rules import RULES
from crawler.cli import main
from crawler.items import Level
from tests.conftest import URL, findings, listed, page, visit
from tests.history import everything

# What is done to a sound archive -> the check that must find it, and no other.
BREAKS = [
    ("numbers", "UPDATE versions SET number = 3 WHERE article_id = {headline} AND number = 2"),
    ("counts", "UPDATE articles SET versions = versions + 1 WHERE id = {wall}"),
    ("crawls", "UPDATE crawls SET articles = articles + 1 WHERE id = 1"),
    ("crawls", "UPDATE crawls SET changed = changed - 1, new = new + 1 WHERE id = 2"),
    ("crawls", "DELETE FROM captures WHERE feed_id IS NOT NULL AND crawl_id = 1"),
    ("crawls", "UPDATE crawls SET rolled_up = 3, articles = articles + 4 WHERE id = 1"),
    (
        "owners",
        "INSERT INTO captures_by_month (article_id, month, outcome, version_id, visits)"
        " SELECT {wall}, '2026-03', 'unchanged', id, 1 FROM versions WHERE article_id = {moved};"
        "UPDATE versions SET checks = checks + 1 WHERE article_id = {moved}",
    ),
    ("intervals", "UPDATE versions SET appeared_after = '2026-01-01T00:00:00Z' WHERE article_id = {moved}"),
    (
        "intervals",
        "UPDATE versions SET appeared_after = '2026-03-01T11:00:00Z' WHERE article_id = {headline} AND number = 2;"
        "UPDATE changes SET appeared_after = '2026-03-01T11:00:00Z' WHERE article_id = {headline}",
    ),
    (
        "intervals",
        "UPDATE versions SET appeared_after = '2026-03-01T21:00:00Z' WHERE article_id = {headline} AND number = 2;"
        "UPDATE changes SET appeared_after = '2026-03-01T21:00:00Z' WHERE article_id = {headline}",
    ),
    ("sightings", "UPDATE versions SET last_seen = '2026-03-09T00:00:00Z' WHERE article_id = {moved}"),
    (
        "sightings",
        "UPDATE captures SET captured_at = '2026-03-01T11:00:00Z' WHERE article_id = {wall} AND outcome = 'new'",
    ),
    ("checks", "UPDATE versions SET checks = checks + 1 WHERE article_id = {moved}"),
    (
        "checks",
        "DELETE FROM captures WHERE article_id = {moved} AND outcome = 'moved';"
        "UPDATE versions SET last_seen = first_seen WHERE article_id = {moved}",
    ),
    ("owners", "UPDATE fates SET capture_id = (SELECT max(id) FROM captures WHERE article_id = {moved})"),
    ("owners", "UPDATE flaps SET version_a = (SELECT id FROM versions WHERE article_id = {wall} AND number = 1)"),
    ("owners", "UPDATE changes SET explained_by = (SELECT max(id) FROM changes) WHERE explained_by IS NOT NULL"),
    (
        "owners",
        "UPDATE versions SET reread_of = (SELECT max(id) FROM versions WHERE article_id = {moved})"
        " WHERE reread_of IS NOT NULL",
    ),
    (
        "outcomes",
        "UPDATE captures SET version_id = (SELECT id FROM versions WHERE article_id = {walled})"
        " WHERE article_id = {walled} AND outcome = 'blocked';"
        "UPDATE versions SET checks = checks + 1 WHERE article_id = {walled}",
    ),
    ("outcomes", "UPDATE captures SET outcome = 'new' WHERE article_id = {reread} AND outcome = 'changed'"),
    ("changes", "DELETE FROM changes WHERE id = (SELECT max(id) FROM changes)"),
    ("changes", "UPDATE changes SET seen_at = '2026-03-01T11:00:00Z' WHERE id = 1"),
    ("changes", "UPDATE changes SET reverts_to = 3 WHERE reverts_to = 1"),
    (
        "changes",
        "INSERT INTO changes (article_id, version_id, seen_at, appeared_after, kinds, weight, verdict, words_added,"
        " words_removed, summary, evidence) SELECT article_id, id, first_seen, first_seen, '[]', 0, '', 0, 0, '', ''"
        " FROM versions WHERE article_id = {moved}",
    ),
    ("states", "UPDATE articles SET state = 'up' WHERE id = {gone}"),
    ("states", "DELETE FROM fates WHERE article_id = {gone} AND fate = 'gone'"),
    ("states", "UPDATE articles SET state = 'lost' WHERE id = {wall}"),
    ("merges", "UPDATE articles SET merged_into = NULL WHERE id = {merged}"),
    ("merges", "UPDATE merges SET undone_at = '2026-03-02T00:00:00Z'"),
    ("lifetimes", "UPDATE blocks SET removed_in = 1 WHERE id = 1"),
    ("lifetimes", "UPDATE blocks SET added_in = 2 WHERE article_id = {wall} AND added_in = 1"),
    ("lifetimes", "UPDATE images SET removed_in = NULL WHERE article_id = {wall}"),
    ("lifetimes", "UPDATE versions SET image_ids = '[]' WHERE article_id = {wall} AND number = 2"),
    ("bases", "UPDATE payloads SET base_id = capture_id WHERE capture_id = (SELECT min(base_id) FROM payloads)"),
    ("payloads", "UPDATE payloads SET bytes = bytes + 1 WHERE capture_id = (SELECT max(capture_id) FROM payloads)"),
    ("payloads", "UPDATE payloads SET body = x'00' WHERE capture_id = (SELECT max(capture_id) FROM payloads)"),
    ("search", "INSERT INTO block_search (rowid, text) VALUES (999999, 'nothing')"),
    (
        "search",
        "INSERT INTO version_search (version_search, rowid, text)"
        " SELECT 'delete', id, headline || char(10) || description FROM versions WHERE id = 1",
    ),
    (
        "search",
        "INSERT INTO block_search (block_search) VALUES ('delete-all');"
        "INSERT INTO block_search (rowid, text) SELECT id, 'other' FROM blocks",
    ),
    ("addresses", "DELETE FROM urls WHERE article_id = {walled}"),
    ("keys", "UPDATE urls SET key = 'https://' || key WHERE article_id = {walled}"),
    ("digests", "UPDATE versions SET digest = '1:0' WHERE article_id = {walled}"),
    ("digests", "UPDATE versions SET authors = '[]' WHERE article_id = {wall} AND number = 2"),
    ("steps", "UPDATE versions SET digest = '0:same' WHERE article_id = {ferry}"),
    ("references", "PRAGMA foreign_keys = OFF; UPDATE feeds SET id = 9"),
    ("file", "PRAGMA writable_schema = ON; DELETE FROM sqlite_master WHERE name = 'articles_host'"),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "archive.db"
    with Archive(path) as archive:
        everything(archive)
    return path


def checks(path: Path) -> set[str]:
    return {finding.check for finding in findings(path) if finding.level is not Level.OK}


def change(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(sql)
    connection.close()


def broken(sound: Path, tmp_path: Path, sql: str) -> Path:
    """Return a copy of an archive to which `sql` was done; `{wall}` in it is the number of the article /wall."""
    copy = tmp_path / "archive.db"
    shutil.copy(sound, copy)
    connection = sqlite3.connect(copy)
    numbers = {url.rpartition("/")[2]: number for number, url in connection.execute("SELECT id, url FROM articles")}
    connection.close()
    change(copy, sql.format(**numbers))
    return copy


def test_an_archive_with_everything_in_it_is_sound(sound: Path) -> None:
    before = sound.read_bytes()
    assert findings(sound) == []
    assert sound.read_bytes() == before


@pytest.mark.parametrize(("check", "sql"), BREAKS)
def test_what_is_broken_is_found_by_the_rule_for_it_and_by_no_other(
    sound: Path, tmp_path: Path, check: str, sql: str
) -> None:
    assert checks(broken(sound, tmp_path, sql)) == {check}


def test_every_rule_has_a_way_of_being_broken_here() -> None:
    assert {rule.check for rule in RULES} - {"clock"} <= {check for check, _ in BREAKS}


def test_every_finding_says_what_and_what_to_do_and_many_alike_are_a_number(sound: Path, tmp_path: Path) -> None:
    found = findings(broken(sound, tmp_path, "UPDATE urls SET key = key || '/outdated'"))
    assert all(finding.what and finding.mend for finding in found[:-1])
    assert (len(found), re.sub(r"\d+", "N", found[-1].what)) == (11, "and N more like these (keys)")


def test_a_digest_of_an_older_rule_is_counted_and_not_guessed(sound: Path, tmp_path: Path) -> None:
    found = findings(broken(sound, tmp_path, "UPDATE versions SET digest = '0' || substr(digest, 2)"))
    assert [(finding.level, finding.check) for finding in found] == [(Level.OK, "digests")]
    assert "an older rule (0)" in found[0].what


@pytest.mark.breaks_the_archive
def test_f4_a_clock_that_was_set_back_is_told_apart_from_damage(archive: Archive) -> None:
    (article,) = listed(archive, URL)
    for hours, text in ((0, "One."), (9, "One."), (3, "Two."), (4, "Three.")):
        archive.record(visit(article, hours, page(text)))
    found = findings(archive.path)
    assert {(finding.level, finding.check) for finding in found} == {(Level.WARNING, "clock")}
    assert "2026-03-01T15:00:00Z" in found[0].what
    change(archive.path, "UPDATE versions SET appeared_after = NULL, first_seen = '2026-03-01T12:00:00Z'")
    assert "intervals" in checks(archive.path)


# The command


def verify(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["--archive", str(path), "verify", *options])


def test_verify_says_that_a_sound_archive_is_sound_and_writes_nothing(sound: Path) -> None:
    before = sound.read_bytes()
    done = verify(sound)
    assert (done.exit_code, done.stdout, done.stderr) == (0, f"{sound} is sound\n", "")
    assert sound.read_bytes() == before


def test_verify_says_what_is_broken_and_what_to_do_and_ends_with_1(sound: Path, tmp_path: Path) -> None:
    done = verify(broken(sound, tmp_path, "UPDATE articles SET versions = 9 WHERE id = {wall}"))
    assert done.exit_code == 1
    assert "error: article 1 is said to have 9 versions and has 5\n   restore a backup" in done.stdout
    assert "is not sound: 1 finding" in done.stderr


def test_verify_in_a_hurry_leaves_out_texts_and_pages(sound: Path, tmp_path: Path) -> None:
    path = broken(sound, tmp_path, "UPDATE versions SET words = 0, headline = 'x'; UPDATE payloads SET bytes = 0")
    assert verify(path, "--quick").exit_code == 0
    assert verify(path).exit_code == 1


def test_verify_says_that_a_page_of_the_file_cannot_be_read(sound: Path, tmp_path: Path) -> None:
    path = tmp_path / "archive.db"
    whole = sound.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff" * 8192 + whole[len(whole) // 2 + 8192 :])
    done = verify(path)
    assert done.exit_code == 1
    assert "damaged" in done.output
    assert ".recover" in done.output


def test_an_older_schema_is_left_as_it_is_and_said(
    sound: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = broken(sound, tmp_path, "UPDATE articles SET versions = 99")
    before = path.read_bytes()
    known = [*migrations.known(), "a_later_step"]
    monkeypatch.setattr(migrations, "known", lambda: known)
    done = verify(path)
    assert done.exit_code == 0
    assert "warning: the schema is older than this Redline (it lacks a_later_step): only the file" in done.stdout
    assert path.read_bytes() == before


def test_a_headline_in_a_finding_cannot_act_on_the_terminal(sound: Path, tmp_path: Path) -> None:
    path = broken(sound, tmp_path, "UPDATE articles SET current_url = 'https://example.org/' || char(27) || '[2J'")
    assert "\x1b" not in verify(path).stdout
