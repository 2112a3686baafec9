"""Which addresses may be fetched, and which are one article."""

from __future__ import annotations

import subprocess
import sys
from itertools import count, islice

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crawler import urls
from tests.growth import assert_linear

STORY = "https://example.com/2024/05/06/the-bridge-is-open"


@pytest.mark.parametrize(
    "form",
    [
        STORY,
        "http://example.com/2024/05/06/the-bridge-is-open",
        "https://www.example.com/2024/05/06/the-bridge-is-open/",
        "https://m.example.com/2024/05/06/the-bridge-is-open",
        "https://mobile.example.com/2024/05/06/the-bridge-is-open",
        "https://amp.example.com/2024/05/06/the-bridge-is-open",
        "https://www2.example.com/2024/05/06/the-bridge-is-open",
        "HTTPS://EXAMPLE.COM:443/2024/05/06/the-bridge-is-open#comments",
        "http://example.com.:80/2024/05/06/the-bridge-is-open",
        "https://example.com//2024/05/./06/x/../the-bridge-is-open",
        "https://example.com/2024/05/06/the%2Dbridge%2dis-open",
        STORY + "?utm_source=rss&utm_medium=feed&fbclid=IwAR0&gclid=1",
        STORY + "?CMP=share_btn_tw&at_medium=RSS&ns_mchannel=rss&xtor=RSS-3208",
        STORY + "?ref=rss&source=home",
        STORY + "/amp/",
        STORY + "/amp",
        STORY + ".amp",
        STORY + "?amp",
        STORY + "?amp=1",
        STORY + "?outputType=amp",
        "https://example.com/amp/2024/05/06/the-bridge-is-open",
        STORY + ";jsessionid=0A1B2C",
        STORY + "?",
        "example.com/2024/05/06/the-bridge-is-open",
        "//example.com/2024/05/06/the-bridge-is-open",
        "  https://example.com/2024/05/06/the-bridge-is-open\n",
        "https://www.google.com/amp/s/www.example.com/2024/05/06/the-bridge-is-open",
        "https://www-example-com.cdn.ampproject.org/c/s/www.example.com/2024/05/06/the-bridge-is-open?amp_js_v=0.1",
    ],
)
def test_every_form_of_an_address_has_one_key(form):
    assert urls.key(form) == urls.key(STORY) == "example.com/2024/05/06/the-bridge-is-open"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/story?id=1&lang=uk", "https://example.com/story?lang=uk&id=1"),
        ("https://example.com/story?q=a+b", "https://example.com/story?q=a%20b"),
        ("https://example.com/story?id=1&id=1", "https://example.com/story?id=1"),
        ("https://example.com/story.amp.html", "https://example.com/story.html"),
        ("https://example.com/новини", "https://example.com/%D0%BD%D0%BE%D0%B2%D0%B8%D0%BD%D0%B8"),
        ("https://example.com/новини", "https://example.com/%d0%bd%d0%be%d0%b2%d0%b8%d0%bd%d0%b8/"),
        ("https://пошта.укр/a", "https://xn--80a1acn3a.xn--j1amh/a"),
        ("https://straße.example/a", "https://xn--strae-oqa.example/a"),
        ("https://日本。example/a", "https://日本.example/a"),
        ("http://[2001:DB8:0::1]/a", "http://[2001:db8::1]/a"),
    ],
)
def test_spellings_of_one_address_fall_together(one, other):
    assert urls.key(one) == urls.key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.com/story?id=1", "https://example.com/story?id=2"),
        ("https://example.com/story?id=1", "https://example.com/story"),
        ("https://example.com/story?ref=1001", "https://example.com/story?ref=1002"),
        ("https://example.com/Story", "https://example.com/story"),
        ("https://example.com/a%2Fb", "https://example.com/a/b"),
        ("https://example.com/?q=a%26b=c", "https://example.com/?q=a&b=c"),
        ("https://example.com/?q=a%2Bb", "https://example.com/?q=a+b"),
        ("http://example.com:8080/story", "http://example.com/story"),
        ("http://127.0.0.2:8400/story", "http://127.0.0.2:8401/story"),
        ("http://127.0.0.2/story", "http://127.0.0.3/story"),
        ("https://example.com/story", "https://news.example.com/story"),
        ("https://example.com/story", "https://example.org/story"),
        ("https://m.de/story", "https://de/story"),
        ("https://example.com/champ", "https://example.com/ch"),
        ("https://example.com/story?page=2", "https://example.com/story"),
    ],
)
def test_addresses_of_two_articles_stay_apart(one, other):
    assert urls.key(one) != urls.key(other)


PIECES = st.sampled_from(
    "https:// http:// www. m. amp. example.com google.com a-b.cdn.ampproject.org :80 :443 :8080 / // /amp .amp .html"
    " /s/ /c/s/ /. /.. %2e %2F %61mp ;jsessionid=1 %3Bjsessionid=1 ? & = + # utm_source=x amp=1 id=2 %26 %3D %25 é 。"
    " 127.0.0.1 [::1]".split()
)


@settings(max_examples=500)
@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join)))
@example("a/.;jsessionid=1")
@example("a/..;jsessionid=1")
def test_a_key_is_its_own_key(url):
    assert urls.key(urls.key(url)) == urls.key(url)


@pytest.mark.parametrize(
    ("url", "base", "cleaned"),
    [
        ("https://example.com", None, "https://example.com/"),
        (" https://Example.COM:443/a b#c\n", None, "https://example.com/a%20b"),
        ("ht\ntps://example.com/\ta", None, "https://example.com/a"),
        ("/a/../b?c=d e", "https://example.com/x/", "https://example.com/b?c=d%20e"),
        ("b", "https://example.com/x/", "https://example.com/x/b"),
        ("?page=2", "https://example.com/x/?page=1", "https://example.com/x/?page=2"),
        ("//cdn.example/b", "https://example.com/", "https://cdn.example/b"),
        ("https://example.com/%2e%2e/a", None, "https://example.com/a"),
        ("https://example.com/a%", None, "https://example.com/a%"),
        ("https://example.com:8443/", None, "https://example.com:8443/"),
        ("https://example.com./a", None, "https://example.com/a"),
        ("https://новини.укр/стаття", None, "https://xn--b1amarcd.xn--j1amh/%D1%81%D1%82%D0%B0%D1%82%D1%82%D1%8F"),
        ("http://127.0.0.1:8000/a", None, "http://127.0.0.1:8000/a"),
        ("http://[::1]:8000/a", None, "http://[::1]:8000/a"),
    ],
)
def test_an_address_is_made_fit_to_fetch(url, base, cleaned):
    assert urls.clean(url, base) == cleaned
    assert urls.clean(cleaned) == cleaned


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a/b",
        "ftp://example.com/a",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "s3://bucket/a",
        "mailto:desk@example.com",
        "http://",
        "http:///example.com",
        "http:example.com",
        "http:/example.com",
        "https:\\\\example.com",
        "http://good.example\\@evil.example/",
        "http://good.example@evil.example/",
        "http://user:secret@example.com/",
        "http://exa%6dple.com/",
        "http://example.com%00.evil.example/",
        "http://exam\x00ple.com/",
        "http://example.com:0/",
        "http://example.com:99999/",
        "http://example.com:８０８０/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://127.0.0.1.1/",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://[127.0.0.1]/",
        "http://a..b/",
        "http://-a.example/",
        "http://exam ple.com/",
        "http://example.com/\ud800",
        "http://\ud800.example/",
        "http://" + "a" * 64 + ".example/",
        "http://example.com/" + "a" * 5000,
    ],
)
def test_s5_s6_what_two_parsers_would_read_differently_is_no_address(url):
    assert urls.clean(url) is None
    assert urls.host(url) == ""


@pytest.mark.parametrize("url", ["/\\evil.example/", "\\\\evil.example", "javascript:x", "http:/a", "//u@evil.example"])
def test_s5_s6_a_base_does_not_make_a_bad_address_good(url):
    assert urls.clean(url, "https://example.com/") is None


@given(st.text(), st.one_of(st.none(), st.text(), st.just("https://example.com/a/")))
def test_cleaning_never_fails_and_is_done_once(url, base):
    cleaned = urls.clean(url, base)
    if cleaned is not None:
        assert cleaned.isascii()
        assert urls.clean(cleaned) == cleaned
        assert urls.host(cleaned)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://WWW.Example.com:8443/a", "www.example.com"),
        ("http://[2001:db8::1]:80/", "2001:db8::1"),
        ("https://укр.example/", "xn--j1amh.example"),
    ],
)
def test_the_host_of_an_address(url, host):
    assert urls.host(url) == host


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://www.example.com/a", "http://m.example.com/b", True),
        ("https://news.example.com/", "https://www.example.com/", True),
        ("https://example.com:8443/", "https://example.com/", True),
        ("https://badexample.com/", "https://example.com/", False),
        ("https://a.example.com/", "https://b.example.com/", False),
        ("https://example.com/", "https://com/", False),
        ("http://127.0.0.2:8400/", "http://127.0.0.2:8400/b", True),
        ("http://127.0.0.2:8400/", "http://127.0.0.2:8401/", False),
        ("http://127.0.0.2/", "http://127.0.0.3/", False),
        ("http://[::1]:1/", "http://[::1]:2/", False),
        ("http://localhost:1/", "http://localhost:2/", False),
        ("javascript:a", "javascript:a", False),
    ],
)
def test_two_addresses_of_one_site(a, b, same):
    assert urls.same_site(a, b) is same
    assert urls.same_site(b, a) is same


@pytest.mark.parametrize(
    "piece", ["/..", "%2e", "a&", "&&", ";jsessionid=", "/amp", ".amp", "www.", "google.com/amp/s/"]
)
def test_s17_a_long_address_takes_time_in_proportion_to_it(piece):
    numbers = count()  # the latest addresses are remembered: each is to be another

    def read(length):
        for number in islice(numbers, 50):
            urls.key(f"https://example.com/{number}{piece * length}")

    assert_linear(read, lambda n: n, 480 // len(piece))
    assert_linear(urls.key, lambda n: piece * n, 12_500)


def test_the_module_needs_nothing_but_the_standard_library():
    code = "import sys, crawler.urls; sys.exit(bool({'scrapy', 'feedparser', 'bs4', 'lxml'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
