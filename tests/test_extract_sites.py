"""Rules for single sites: what a file of them must say, when one is applied, and what it does to a page."""

from datetime import date

import pytest
from click.testing import CliRunner

from crawler import extract
from crawler.cli import main
from crawler.errors import UsageError
from crawler.extract.sites import SiteRule, parse, rule_for

DAY = date(2026, 3, 1)
URL = "https://www.example.org/bridge"
STORY = "The old bridge over the river was closed on Tuesday after engineers found cracks in two of its pillars."
TIP = "Engineers have looked after bridges for two hundred years, and they earn more than most people think."
PAGE = f"""<!doctype html><html lang=en><title>Bridge closed</title><body><h1>Bridge closed</h1>
<div></div><div class=page><p class=fact>{TIP}</p><p class=fact>{TIP} Again.</p><p class=fact>{TIP} And again.</p>
<div class=telling><p>{STORY}</p><h2>What now?</h2><p>Short.</p>
<figure><img src=/a.jpg><figcaption>The bridge in winter.</figcaption></figure><p>{STORY} Still.</p></div></div>"""
RULES = """
[[site]]
host = "example.org"
body = ["div.telling"]
until = 2026-03-31

[[site]]
host = "news.example.org"
leave_out = [".fact", ".fact b"]
until = 2026-03-31
"""


def texts(site):
    return [block.text for block in extract.article(PAGE.encode(), URL, site=site).blocks]


def test_a_body_named_by_its_site_is_read_whole_with_headings_and_captions():
    site = rule_for(parse(RULES), URL, DAY)
    assert texts(site) == [STORY, "What now?", "Short.", "The bridge in winter.", f"{STORY} Still."]


def test_what_a_site_leaves_out_is_not_on_the_page():
    site = SiteRule(host="example.org", until=DAY, leave_out=(".fact", ".page .fact"))
    article, seen = extract.read(PAGE.encode(), URL, site=site)
    assert TIP not in "\n".join(seen)
    assert [block.text for block in article.blocks][-1] == f"{STORY} Still."


@pytest.mark.parametrize("selector", [".renamed", "img", "html > head", "div:empty", "h1"])
def test_a_body_that_finds_no_text_leaves_the_page_to_the_general_rules(selector):
    assert texts(SiteRule(host="example.org", until=DAY, body=(selector,))) == texts(None)


@pytest.mark.parametrize("selector", ["html", "body", "*", "p", "p.fact, h1"])
def test_no_rule_breaks_a_page(selector):
    for site in (
        SiteRule(host="example.org", until=DAY, body=(selector,)),
        SiteRule(host="example.org", until=DAY, leave_out=(selector, selector)),
    ):
        assert extract.article(PAGE.encode(), URL, site=site).quality_reason


@pytest.mark.parametrize(
    ("url", "day", "host"),
    [
        ("https://example.org/a", DAY, "example.org"),
        ("https://WWW.Example.org:8080/a", DAY, "example.org"),
        ("https://news.example.org/a", DAY, "news.example.org"),
        ("https://badexample.org/a", DAY, None),
        ("https://example.org.evil.net/a", DAY, None),
        ("https://example.org/a", date(2026, 3, 31), "example.org"),
        ("https://example.org/a", date(2026, 4, 1), None),
        ("http://[", DAY, None),
        ("", DAY, None),
    ],
)
def test_a_rule_is_applied_on_its_host_until_its_last_day(url, day, host):
    rule = rule_for(parse(RULES), url, day)
    assert (rule.host if rule else None) == host


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[[site]", "not TOML"),
        ("sites = 1", "something else"),
        ("site = 1", "something else"),
        ('[[site]]\nbody = ["p"]\nuntil = 2026-01-01', "without a host"),
        ('[[site]]\nhost = "https://example.org/"\nbody = ["p"]\nuntil = 2026-01-01', "bare name"),
        ('[[site]]\nhost = "example.org"\nbody = ["p"]', "until"),
        ('[[site]]\nhost = "example.org"\nbody = ["p"]\nuntil = "2026-01-01"', "without quotes"),
        ('[[site]]\nhost = "example.org"\nbody = "p"\nuntil = 2026-01-01', "list"),
        ('[[site]]\nhost = "example.org"\nbody = ["p >"]\nuntil = 2026-01-01', "'p >'"),
        ('[[site]]\nhost = "example.org"\nuntil = 2026-01-01', "body or leave_out"),
        ('[[site]]\nhost = "example.org"\nbodies = ["p"]\nuntil = 2026-01-01', "'bodies'"),
        (RULES + '[[site]]\nhost = "Example.org"\nbody = ["p"]\nuntil = 2026-01-01', "two rules"),
    ],
)
def test_a_wrong_rule_is_named(text, complaint):
    with pytest.raises(UsageError, match=complaint):
        parse(text)


def test_no_rules_are_no_error():
    assert parse("") == ()


def test_the_command_reads_by_the_rules_of_a_file(tmp_path):
    (tmp_path / "page.html").write_text(PAGE)
    (tmp_path / "sites.toml").write_text(RULES.replace("2026-03-31", "9999-12-31"))
    (tmp_path / "old.toml").write_text(RULES.replace("2026-03-31", "2026-01-01"))
    (tmp_path / "wrong.toml").write_text("[[site]")

    def run(rules):
        return CliRunner().invoke(
            main, ["extract", "--url", URL, "--sites", str(tmp_path / rules), str(tmp_path / "page.html")]
        )

    assert (TIP in run("sites.toml").output, TIP in run("old.toml").output) == (False, True)
    assert (run("wrong.toml").exit_code, run("none.toml").exit_code) == (2, 2)
