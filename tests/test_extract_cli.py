"""`redline extract`: the public interface, line by line."""

import base64
import json

import pytest
from click.testing import CliRunner

from crawler.cli import main

PAGE = b"""<html><head><title>Bridge closed</title></head><body><h1>Bridge closed</h1>
<p>The old bridge over the river was closed on Tuesday after engineers found cracks in two of its pillars.</p>
<p>Traffic is sent over the northern bridge, the city said, and will be for at least three weeks from now.</p>
</body></html>"""


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(PAGE)
    return path


def line(number, body=PAGE, **more):
    return json.dumps(
        {"id": number, "url": "https://example.org/", "html_b64": base64.b64encode(body).decode(), **more}
    )


def jsonl(*lines):
    done = CliRunner().invoke(main, ["extract", "--jsonl"], input="\n".join(lines) + "\n")
    assert done.exit_code == 0, done.output
    return [json.loads(answer) for answer in done.output.splitlines()]


def test_a_page_is_printed_as_a_person_reads_it(page):
    done = CliRunner().invoke(main, ["extract", str(page)])
    assert done.output.startswith("Bridge closed\n\nThe old bridge over the river")


def test_json_is_one_object_a_page(page):
    done = CliRunner().invoke(main, ["extract", "--json", "--url", "https://example.org/a", str(page), str(page)])
    assert [json.loads(answer)["url"] for answer in done.output.splitlines()] == ["https://example.org/a"] * 2


def test_lines_are_answered_in_their_order():
    assert [answer["id"] for answer in jsonl(line("b"), line("a"), "", line("c"))] == ["b", "a", "c"]


def test_the_fields_of_the_interface_are_these():
    (answer,) = jsonl(line(1))
    assert set(answer) == {
        "id", "url", "title", "headlines", "summary", "authors", "bylines", "published", "modified", "paragraphs",
        "captions", "blocks", "images", "section", "tags", "language", "canonical_url", "amp_url", "corrections",
        "related", "paywall", "quality", "quality_reason", "digest", "extractor", "format",
    }  # fmt: skip
    assert len(answer["paragraphs"]) == 2


@pytest.mark.parametrize(
    "bad",
    [
        "{",
        "[]",
        "null",
        "{}",
        '{"id": 7}',
        '{"id": 7, "url": "u", "html_b64": 5}',
        '{"id": 7, "url": 5, "html_b64": "PA=="}',
        '{"id": 7, "url": "u", "html_b64": "!"}',
        '{"id": 7, "url": "u", "html_b64": "PA==", "headers": 5}',
    ],
)
def test_a_bad_line_gives_an_error_and_not_the_end(bad):
    first, after = jsonl(bad, line("good"))
    assert "error" in first or first["paragraphs"] == []
    assert after["id"] == "good"


def test_encoding_and_headers_are_heard():
    body = PAGE.replace(b"Traffic is", "Über Traffic is".encode("cp1252"))
    answers = jsonl(line(1, body, encoding="windows-1252"), line(2, PAGE, headers={"Content-Length": "99999"}))
    assert answers[0]["paragraphs"][1].startswith("Über")
    assert answers[1]["quality"] == "truncated"


def test_a_title_cannot_act_on_the_terminal(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(PAGE.replace(b"<h1>Bridge", b"<h1>\x1b[31mBridge"))
    assert "\x1b" not in CliRunner().invoke(main, ["extract", str(path)]).output


def test_nothing_to_read_is_a_wrong_use():
    assert CliRunner().invoke(main, ["extract"]).exit_code == 2
    assert CliRunner().invoke(main, ["extract", "--jsonl", "a.html"]).exit_code == 2


def first_story(newsroom, outlet):
    """Return the headline and the address of an outlet's first story."""
    story = next(o for o in newsroom.outlets if o.name == outlet).stories_at(0)[0]
    return story.headline, newsroom.url(outlet, story.path)


def test_what_cannot_be_had_is_named_and_the_rest_is_printed(redline, newsroom, page):
    headline, url = first_story(newsroom, "courier")
    other_headline, other_url = first_story(newsroom, "limansk")
    missing = newsroom.url("courier", "/no-such-page/")

    done = redline("extract", url, missing, str(page), "nowhere.html", other_url)

    assert done.returncode == 1
    places = [done.stdout.index(text) for text in (headline, "Bridge closed", other_headline)]
    assert places == sorted(places)
    assert done.stderr.splitlines() == [
        f"redline: {missing}: the server answered 404",
        "redline: nowhere.html: No such file or directory; name a file that can be read, or an address",
    ]


def test_json_of_an_address_names_the_one_that_answered(redline, newsroom):
    headline, url = first_story(newsroom, "courier")
    old = newsroom.page("/old-address", "", status=301, headers={"Location": url})

    done = redline("extract", "--json", old)

    answer = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert (answer["url"], answer["title"], answer["quality"]) == (url, headline, "ok")


def test_the_rules_of_a_file_hold_for_an_address(redline, newsroom, tmp_path):
    _, url = first_story(newsroom, "courier")
    host = url.split("/")[2].split(":")[0]
    (tmp_path / "sites.toml").write_text(f'[[site]]\nhost = "{host}"\nleave_out = ["p"]\nuntil = 9999-12-31\n')

    kept, cut = redline("extract", "--json", url), redline("extract", "--json", "--sites", "sites.toml", url)

    assert len(json.loads(kept.stdout)["paragraphs"]) > len(json.loads(cut.stdout)["paragraphs"])


def test_a_file_that_is_not_there_says_so():
    done = CliRunner().invoke(main, ["extract", "nowhere.html"])
    assert (done.exit_code, "nowhere.html" in done.output) == (1, True)
