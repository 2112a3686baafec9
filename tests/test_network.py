"""What the network may do to us: hostile addresses, redirects, answers and certificates, each by its id in the list of
attacks that SECURITY.md gives. The real command against a real local server; names are answered by a list of our own.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import ssl
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from types import SimpleNamespace

import brotli
import pytest
import zstandard
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from scrapy.http import Request
from twisted.internet.testing import StringTransport
from twisted.web.client import URI

from crawler import packing, transport, urls
from crawler.feeds import write_opml
from crawler.items import FeedLink
from crawler.middlewares import AddressGuard, Refused
from demo.newsroom import Newsroom
from tests.conftest import Command, command, crawl_environment
from tests.test_crawl import ARTICLE, RSS, change, rows, start_crawl, wait_for

OPEN = "127.0.0.2/32"  # where the press stands; all else is as private as it is for everybody
TEXT = ARTICLE.format(headline="The wall will stand", text="Eleven boats sank.")

# What a private address is, in every way to write one that the URL rules let through.
PRIVATE = """
http://127.0.0.1/ http://127.8.9.10/ http://10.1.2.3/ http://172.16.0.1/ http://192.168.1.1/ http://0.0.0.0/
http://169.254.169.254/latest/meta-data/ http://100.64.0.1/ http://224.0.0.251/ http://255.255.255.255/
http://192.88.99.1/ http://[::1]/ http://[::]/ http://[fe80::1]/ http://[fd12:3456::1]/ http://[ff02::1]/
http://[::ffff:127.0.0.1]/ http://[2002:7f00:1::]/ http://[64:ff9b::7f00:1]/ http://[64:ff9b:1::a00:1]/
http://[2001:0:7f00:1:8000:63bf:3fff:fdd2]/ http://127.0.0.1./ https://127.0.0.1:8443/
""".split()
# What is no address of the web, or is one to one parser and another to the next.
NO_ADDRESS = """
http://2130706433/ http://0x7f000001/ http://0177.0.0.1/ http://127.1/ http://0x7f.1/ http://127.0.0.1@good.example/
http://good.example\\@127.0.0.1/ http:\\\\127.0.0.1/ http:127.0.0.1/ file:///etc/passwd data:text/html,x ftp://127.0.0.1/
javascript:alert(1) s3://bucket/key gopher://127.0.0.1/ http://127.0.0.1%00.good.example/ http://[fe80::1%25eth0]/
""".split()


@pytest.fixture
def press() -> Iterator[Newsroom]:
    with Newsroom(outlets=()) as site:
        yield site


def feed_of(press: Newsroom, links: list[str], path: str = "/feed.xml", outlet: str | None = None) -> str:
    items = "".join(f"<item><link>{link.replace('&', '&amp;')}</link></item>" for link in links)
    return press.page(path, RSS.format(base="", items=items), outlet=outlet, content_type="application/rss+xml")


def shown(folder: Path) -> dict[str, tuple[object, str]]:
    """Return what the latest visit to each article showed and what went wrong, by its address."""
    found = rows(folder, "SELECT url, outcome, error FROM captures WHERE article_id IS NOT NULL ORDER BY id")
    return {str(url): (outcome, str(error or "")) for url, outcome, error in found}


WITH_NAMES = """
import json, socket, sys
names, asked = json.loads(sys.argv.pop(1)), open(sys.argv.pop(1), "a")

def answer(name):
    print(name, file=asked, flush=True)
    known = names.get(name.rstrip("."), [name] if name[0].isdigit() else None)
    if known is None:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return known.pop(0) if len(known) > 1 else known[0]

socket.gethostbyname = answer
from crawler.cli import main
main()
"""


@pytest.fixture
def redline_with_names(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """The real command, to which names are answered by a list: the first address at first, the last from then on."""

    def run(names: Mapping[str, list[str]], *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", WITH_NAMES, json.dumps(names), str(tmp_path / "names.txt"), *arguments],
            cwd=tmp_path,
            env=crawl_environment() | {"REDLINE_ALLOW_NETWORKS": OPEN} | environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


# Addresses ------------------------------------------------------------------------------------------------------------


def test_s1_s4_private_addresses_by_number_are_refused_and_said_and_the_others_are_read(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    good = press.page("/good", TEXT)
    redline("add", feed_of(press, [*PRIVATE, good]))
    assert redline("crawl", REDLINE_ALLOW_NETWORKS=OPEN).returncode == 0
    seen = shown(tmp_path)
    assert seen.pop(good) == ("new", "")
    assert seen.keys() == {urls.clean(url) for url in PRIVATE}
    assert {outcome for outcome, _ in seen.values()} == {"blocked"}
    said = "is not a public address; if it is yours to crawl, open its network: REDLINE_ALLOW_NETWORKS="
    assert [url for url, (_, error) in seen.items() if said not in error] == []


def test_s1_a_feed_at_a_private_address_is_refused_unless_its_network_is_opened(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", feed_of(press, [press.page("/a", TEXT)]))
    redline("crawl")
    press.requests.clear()
    refused = redline("crawl", "--all", REDLINE_ALLOW_NETWORKS="127.0.0.1/32")
    assert refused.returncode == 3
    assert "REDLINE_ALLOW_NETWORKS" in refused.stderr
    assert press.requests == []
    assert rows(tmp_path, "SELECT outcome, status FROM captures ORDER BY id DESC LIMIT 2") == [("blocked", None)] * 2
    assert "is not a public address" in redline("feeds").stdout


@pytest.mark.parametrize("hops", [1, 3])
def test_s2_s4_s6_a_redirect_is_checked_on_every_hop(
    press: Newsroom, redline: Command, tmp_path: Path, hops: int
) -> None:
    targets = [*PRIVATE, *NO_ADDRESS]
    starts = []
    for number, target in enumerate(targets):
        for hop in range(hops):
            onward = target if hop == hops - 1 else press.url("", f"/{number}/{hop + 1}")
            press.page(f"/{number}/{hop}", "", status=302, headers={"Location": onward})
        starts.append(press.url("", f"/{number}/0"))
    redline("add", feed_of(press, [*starts, press.page("/good", TEXT)]))
    assert redline("crawl", REDLINE_ALLOW_NETWORKS=OPEN).returncode == 0
    seen = shown(tmp_path)
    assert seen.pop(press.url("", "/good")) == ("new", "")
    assert {outcome for outcome, _ in seen.values()} == {"blocked"}
    for start, target in zip(starts, targets, strict=True):
        said = "is not a public address" if target in PRIVATE else "it leads to"
        assert said in seen[start][1], target
    assert rows(tmp_path, "SELECT count(*) FROM versions") == [(1,)]


def test_s1_s4_names_that_stand_for_private_addresses_are_refused(
    redline_with_names: Callable[..., subprocess.CompletedProcess[str]], press: Newsroom, tmp_path: Path
) -> None:
    port = press.url("").split(":")[2].strip("/")
    private = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "192.168.0.1", "0.0.0.0", "224.0.0.1"]
    names = {f"n{number}.example": [address] for number, address in enumerate(private)} | {
        "localhost": ["127.0.0.1"],
        "good.example": ["127.0.0.2"],
    }
    press.page("/a", TEXT)
    links = [f"http://{name}:{port}/a" for name in names] + [f"http://localhost.:{port}/b"]
    redline_with_names(names, "add", feed_of(press, links))
    crawled = redline_with_names(names, "crawl", "-s", "DOWNLOAD_DELAY=0.01")
    assert (crawled.returncode, crawled.stderr) == (0, "")
    seen = shown(tmp_path)
    assert seen.pop(f"http://good.example:{port}/a") == ("new", "")
    assert len(seen) == len(private) + 2
    assert {outcome for outcome, _ in seen.values()} == {"blocked"}
    assert all("stands for" in error and "REDLINE_ALLOW_NETWORKS=" in error for _, error in seen.values())


def test_s3_a_name_that_is_bound_anew_is_connected_to_only_where_it_was_checked(
    redline_with_names: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    with Newsroom(outlets=(), bare=("public", "private")) as press:
        port = press.url("public").split(":")[2].strip("/")
        links = [f"http://rebind.example:{port}/{name}" for name in "abc"]
        for path in ("/a", "/b", "/c", "/robots.txt"):
            press.page(path, TEXT, outlet="public", headers={"Connection": "close"})  # each asks for the name anew
            press.page(path, TEXT, outlet="private")
        feed = feed_of(press, links, outlet="public")
        names = {"rebind.example": ["127.0.0.2", "127.0.0.2", "127.0.0.3"]}
        redline_with_names(names, "add", feed)
        redline_with_names(names, "crawl", "-s", "DOWNLOAD_DELAY=0.01", "-s", "DNSCACHE_SIZE=0")
        assert [request.path for request in press.requests if request.outlet == "private"] == []
    asked = (tmp_path / "names.txt").read_text().split()
    assert len(asked) >= 3, "the name was looked up again"
    seen = shown(tmp_path)
    assert [seen[link][0] for link in links] == ["new", "blocked", "blocked"]
    assert "rebind.example stands for 127.0.0.3, which is not a public address" in seen[links[1]][1]


def test_s1_s2_robots_txt_passes_the_same_guard(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    press.page("/robots.txt", "", status=302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})
    redline("add", feed_of(press, [press.page("/a", TEXT), press.page("/b", TEXT)]), "--section")
    rows_before = press.asked("/robots.txt")
    assert len(rows_before) == 1
    added = redline("add", press.url("", "/feed.xml"), REDLINE_ALLOW_NETWORKS=OPEN)
    assert added.returncode == 1
    assert "its robots.txt cannot be had: 169.254.169.254 is not a public address" in added.stderr
    assert press.asked("/feed.xml") == []


PIECES = st.sampled_from(
    "http:// https:// // / \\ @ : :80 :443 . .. # ? % %2f %00 [ ] [::1] 127.0.0.1 good.example evil.example"
    " EVIL.example \t \n \r \x00 。 ß é user xn--".split(" ")
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=9).map("".join), st.lists(PIECES).map("http://".join)))
def test_s5_the_host_that_is_checked_is_the_host_that_scrapy_and_twisted_connect_to(url: str) -> None:
    try:
        request = Request(url)
    except (ValueError, UnicodeError):
        return  # Scrapy itself takes it for no address
    guard = AddressGuard(())
    try:
        passed = guard.process_request(request) or request
    except Refused:
        return
    connected = URI.fromBytes(passed.url.encode("ascii"))
    assert connected.host.decode("ascii").strip("[]") == urls.host(request.url) != ""
    assert passed.url.partition(":")[0] in ("http", "https")


@pytest.mark.parametrize("url", ["http://GOOD.example.:80/a", "https://good.example:443/a", "http://good。example/a"])
def test_s5_another_spelling_of_a_host_is_asked_in_the_one_that_was_checked(url: str) -> None:
    passed = AddressGuard(()).process_request(Request(url))
    assert passed is None or passed.url in ("http://good.example/a", "https://good.example/a")


def test_s3_no_proxy_of_the_environment_connects_in_our_stead(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    redline("add", feed_of(press, [press.page("/a", TEXT)]))
    with Newsroom(outlets=(), host="127.0.0.1") as proxy:
        crawled = redline("crawl", http_proxy=proxy.url(""), HTTP_PROXY=proxy.url(""))
        assert (crawled.returncode, proxy.requests) == (0, [])
    assert rows(tmp_path, "SELECT outcome FROM captures WHERE article_id IS NOT NULL") == [("new",)]


# Sizes ----------------------------------------------------------------------------------------------------------------

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": lambda body: brotli.compress(body, quality=4),
    "zstd": zstandard.compress,
}


@pytest.mark.parametrize("name", PACKED)
def test_s12_what_is_packed_is_unpacked_up_to_the_limit(name: str) -> None:
    text = TEXT.encode() * 300
    packed = PACKED[name](text)
    assert packing.unpacked(packed, [name], max_bytes=len(text)) == text
    assert packing.unpacked(PACKED[name](packed), [name, name], max_bytes=len(text)) == text
    with pytest.raises(packing.TooLarge):
        packing.unpacked(packed, [name], max_bytes=len(text) - 1)


@pytest.mark.parametrize("name", PACKED)
def test_s12_half_of_what_is_packed_is_not_taken_for_the_whole(name: str) -> None:
    packed = PACKED[name](TEXT.encode())
    for end in (1, len(packed) // 2, len(packed) - 1):
        with pytest.raises(packing.Damaged):
            packing.unpacked(packed[:end], [name], max_bytes=10**6)
    with pytest.raises(packing.Damaged):
        packing.unpacked(TEXT.encode(), [name], max_bytes=10**6)


def test_s12_layers_and_streams_have_a_limit() -> None:
    packed = TEXT.encode()
    for _ in range(3):
        packed = gzip.compress(packed)
    with pytest.raises(packing.Damaged, match="packed 3 times over"):
        packing.unpacked(packed, ["gzip"] * 3, max_bytes=10**6)
    for name in ("gzip", "zstd"):
        with pytest.raises(packing.Damaged, match="in a row"):
            packing.unpacked(PACKED[name](b"") * 5_000, [name], max_bytes=10**6)
        assert packing.unpacked(PACKED[name](b"a") * 500, [name], max_bytes=10**6) == b"a" * 500


@given(st.binary(max_size=300), st.lists(st.sampled_from([*PACKED, "x-gzip", "identity", "utf-8", "pack200"])))
def test_s12_no_bytes_raise_anything_else(body: bytes, layers: list[str]) -> None:
    with contextlib.suppress(packing.TooLarge, packing.Damaged):
        assert len(packing.unpacked(body, layers, max_bytes=1000)) <= max(1000, len(body))


def crawl_and_peak(folder: Path, *settings: str) -> tuple[int, int]:
    """Run the real crawl; return its exit code and the most memory that it held, in bytes."""
    crawl = subprocess.Popen(
        [command(), "crawl", "--all", "-s", "DOWNLOAD_DELAY=0.01", *settings], cwd=folder, env=crawl_environment()
    )
    _, status, usage = os.wait4(crawl.pid, 0)
    crawl.returncode = os.waitstatus_to_exitcode(status)
    return crawl.returncode, usage.ru_maxrss * 1024


def test_s12_bombs_of_every_kind_are_refused_and_cost_no_more_than_a_few_times_the_limit(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    bomb = bytes(200 * 2**20)
    links = [press.page("/good", TEXT)]
    redline("add", feed_of(press, links))
    _, honest = crawl_and_peak(tmp_path)
    for name, pack in PACKED.items():
        once = pack(bomb)
        links.append(press.page(f"/{name}", once, headers={"Content-Encoding": name}))
        twice = pack(once)
        links.append(press.page(f"/{name}/twice", twice, headers={"Content-Encoding": f"{name}, {name}"}))
        links.append(press.page(f"/{name}/thrice", pack(twice), headers={"Content-Encoding": f"{name}," * 3}))
    del bomb
    feed_of(press, links)
    code, peak = crawl_and_peak(tmp_path)
    assert code == 0
    seen = shown(tmp_path)
    assert seen.pop(links[0])[0] == "not_modified"
    for url, (outcome, error) in seen.items():
        if url.endswith("thrice"):
            assert (outcome, error) == ("failed", "it is packed 3 times over; 2 layers are taken off"), url
        else:
            assert (outcome, error) == ("blocked", "it is larger than 8 MiB (PAGE_MAX_BYTES)"), url
    assert peak - honest < 4 * 8 * 2**20


def test_s12_a_bomb_for_a_feed_is_refused_and_the_other_feeds_are_read(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    good = feed_of(press, [press.page("/a", TEXT)], "/good.xml")
    bombs = [feed_of(press, [], f"/bomb{n}.xml") for n in range(3)]
    for feed in (good, *bombs):
        redline("add", feed)
    zeros = bytes(40 * 2**20)
    press.page("/bomb0.xml", PACKED["br"](zeros), headers={"Content-Encoding": "br"})
    press.page("/bomb1.xml", gzip.compress(zeros), content_type="application/gzip", headers={"Content-Encoding": "x"})
    press.page("/bomb2.xml", gzip.compress(b"<urlset/>")[:-6], content_type="application/x-gzip")
    crawled = redline("crawl")
    assert crawled.returncode == 3
    said = crawled.stderr.splitlines()
    assert f"redline: {bombs[0]}: it is larger than 32 MiB (DOWNLOAD_MAXSIZE)" in said
    assert any(bombs[1] in line and "larger than 32 MiB" in line and "DOWNLOAD_MAXSIZE" in line for line in said)
    assert any(bombs[2] in line and "cut short" in line for line in said)
    assert rows(tmp_path, "SELECT outcome FROM captures WHERE article_id IS NOT NULL") == [("new",)]
    assert rows(tmp_path, "SELECT outcome FROM captures WHERE feed_id = 1") == [("new",)]


def test_s12_a_setting_takes_larger_pages(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    press.page("/a", TEXT.replace("</body>", "<!--" + "x" * 9 * 2**20 + "--></body>"))
    redline("add", feed_of(press, [press.url("", "/a")]))
    redline("crawl")
    redline("crawl", "--all", "-s", f"PAGE_MAX_BYTES={10 * 2**20}")
    found = rows(tmp_path, "SELECT outcome FROM captures WHERE article_id IS NOT NULL ORDER BY id")
    assert found == [("blocked",), ("new",)]


# Time -----------------------------------------------------------------------------------------------------------------

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
STUCK: dict[str, tuple[dict[str, object], str, str]] = {
    "hang": ({"delay": 600.0}, "failed", "no whole answer came within 1 seconds (DOWNLOAD_TIMEOUT)"),
    "drip": (
        {"raw": HEAD + b"\r\n" + TEXT.encode(), "drip": 0.05},
        "failed",
        "no whole answer came within 1 seconds (DOWNLOAD_TIMEOUT)",
    ),
    "drip-with-length": (
        {"raw": HEAD + b"Content-Length: 9999\r\n\r\n", "endless": b"x", "drip": 0.05},
        "failed",
        "no whole answer came within 1 seconds (DOWNLOAD_TIMEOUT)",
    ),
    "headers-drip": (
        {"raw": HEAD, "endless": b"X-Name: value\r\n", "drip": 0.01},
        "failed",
        "no whole answer came within 1 seconds (DOWNLOAD_TIMEOUT)",
    ),
    "headers-endless": (
        {"raw": HEAD, "endless": b"X-Name: value\r\n" * 500},
        "blocked",
        "its headers are larger than 128 KiB, or one is than 16 KiB",
    ),
    "header-endless": (
        {"raw": HEAD + b"X-Name: ", "endless": b"value" * 5000},
        "blocked",
        "its headers are larger than 128 KiB, or one is than 16 KiB",
    ),
    "answers-before-the-answer": (
        {"raw": b"", "endless": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100},
        "blocked",
        "its headers are larger than 128 KiB, or one is than 16 KiB",
    ),
    "body-endless": (
        {"raw": HEAD + b"\r\n", "endless": b"<p>On and on it went. " * 3000},
        "blocked",
        "it is larger than 8 MiB (PAGE_MAX_BYTES)",
    ),
    "body-endless-in-chunks": (
        {"raw": HEAD + b"Transfer-Encoding: chunked\r\n\r\n", "endless": b"fff\r\n" + b"x" * 0xFFF + b"\r\n"},
        "blocked",
        "it is larger than 8 MiB (PAGE_MAX_BYTES)",
    ),
    "length-lies-large": (
        {"raw": HEAD + b"Content-Length: 99999999999\r\n\r\nx"},
        "blocked",
        "it is larger than 8 MiB (PAGE_MAX_BYTES)",
    ),
}


def test_s13_what_never_ends_is_ended_by_a_limit_that_the_capture_names(redline: Command, tmp_path: Path) -> None:
    with Newsroom(outlets=(), bare=("good", *STUCK)) as press:
        links = [press.page("/good", TEXT)]
        for name, (fault, _, _) in STUCK.items():
            links.append(press.url(name, f"/{name}"))
            press.fault(f"/{name}", **fault)  # type: ignore[arg-type]
        redline("add", feed_of(press, links))
        assert redline("crawl", "-s", "DOWNLOAD_TIMEOUT=1").returncode == 0
    seen = {url.rpartition("/")[2]: found for url, found in shown(tmp_path).items()}
    assert seen.pop("good") == ("new", "")
    assert seen == {name: (outcome, said) for name, (_, outcome, said) in STUCK.items()}


@pytest.mark.parametrize(("size", "is_refused"), [(1, True), (63, True), (64, False), (4096, False)])
def test_s13_a_body_in_crumbs_is_refused_before_it_has_cost_more_than_a_second(size: int, is_refused: bool) -> None:
    parser = transport._Parser(SimpleNamespace(method=b"GET", absoluteURI=b""), lambda rest: None)
    parser.makeConnection(StringTransport())
    parser.dataReceived(HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
    chunks = (b"%x\r\n" % size + b"x" * size + b"\r\n") * 1000
    with pytest.raises(Refused, match="chunks of under 64 bytes") if is_refused else contextlib.nullcontext():
        for _ in range(transport.MAX_CRUMBS // 1000 + 1):
            parser.dataReceived(chunks)


def test_s13_a_visit_has_one_time_limit_over_its_redirects_and_its_robots_txt(redline: Command, tmp_path: Path) -> None:
    with Newsroom(outlets=(), bare=("hops", "robots")) as press:
        for hop in range(4):
            press.page(f"/hop{hop}", "", status=302, headers={"Location": f"/hop{hop + 1}"}, outlet="hops")
            press.fault(f"/hop{hop}", delay=0.6)
        press.page("/hop4", TEXT, outlet="hops")
        press.page("/a", TEXT, outlet="robots")
        press.fault("/robots.txt", delay=0.8, outlet="robots")
        press.fault("/a", delay=0.8, outlet="robots")
        feed = feed_of(press, [press.url("hops", "/hop0"), press.url("robots", "/a")])
        redline("add", feed)
        redline("crawl", "-s", "VISIT_TIMEOUT=1.5")
        assert len(press.asked("/hop0")) == 1
        assert press.asked("/hop3") == []
    said = ("failed", "the visit took longer than 1.5 seconds (VISIT_TIMEOUT)")
    assert set(shown(tmp_path).values()) == {said}


def test_s13_a_host_that_never_answers_is_left_alone_after_three_times_and_its_articles_stay_due(
    redline: Command, tmp_path: Path
) -> None:
    with Newsroom(outlets=(), bare=("good", "silent")) as press:
        links = [press.page(f"/a{n}", TEXT, outlet="silent") for n in range(9)]
        for n in range(9):
            press.fault(f"/a{n}", delay=600, outlet="silent")
        redline("add", feed_of(press, links))
        assert redline("crawl", "-s", "DOWNLOAD_TIMEOUT=0.3").returncode == 0
        assert len([request for request in press.requests if request.path.startswith("/a")]) == 3
    assert rows(tmp_path, "SELECT count(*) FROM articles WHERE last_visit IS NULL AND next_visit = found_at") == [(6,)]
    assert "no answer came to 3 requests in a row" in redline("feeds").stdout


def test_s13_articles_that_never_answered_are_first_in_the_queue_and_say_nothing_of_the_others(
    redline: Command, tmp_path: Path
) -> None:
    with Newsroom(outlets=(), bare=("site",)) as press:
        links = [press.page(f"/{kind}{n}", TEXT, outlet="site") for n in range(4) for kind in ("hangs", "reads")]
        for n in range(4):
            press.fault(f"/hangs{n}", delay=600, outlet="site")
        redline("add", feed_of(press, links, outlet="site"))
        redline("crawl", "-s", "DOWNLOAD_TIMEOUT=0.3")
        redline("crawl", "--all", "-s", "DOWNLOAD_TIMEOUT=0.3")
    asked = rows(tmp_path, "SELECT count(*) FROM captures WHERE crawl_id = 2 AND article_id IS NOT NULL")
    read = rows(tmp_path, "SELECT count(*) FROM captures WHERE crawl_id = 2 AND outcome = 'not_modified'")
    assert (asked, read) == ([(8,)], [(5,)]), "the feed and the four that can be read"


# Secrets and strangers ------------------------------------------------------------------------------------------------


def test_s23_nothing_of_one_host_is_carried_to_another(redline: Command, tmp_path: Path) -> None:
    with Newsroom(outlets=(), bare=("ours", "theirs")) as press:
        given = {
            "ETag": '"who-you-are"',
            "Last-Modified": "Mon, 02 Mar 2026 10:00:00 GMT",
            "Set-Cookie": "id=7; Path=/",
        }
        own = press.page("/a", TEXT, outlet="ours", headers=given, validators=False)
        there = press.page("/there", TEXT.replace("Eleven", "Twelve"), outlet="theirs", headers=given, validators=False)
        detour = press.page("/detour", "", outlet="ours", status=302, headers={"Location": there} | given)
        redline("add", feed_of(press, [own, detour], outlet="ours"))
        redline("crawl")
        press.page("/a", "", outlet="ours", status=302, headers={"Location": there})
        press.requests.clear()
        redline("crawl", "--all")
        asked_anew = press.asked("/a")
        assert [request.headers.get("if-none-match") for request in asked_anew] == ['"who-you-are"'], (
            "to itself it goes"
        )
        assert "if-none-match" not in press.asked("/detour")[0].headers, "it came from another host"
        arrived = press.asked("/there")
        assert len(arrived) == 2
        for request in press.requests:
            assert request.headers.keys().isdisjoint({"cookie", "referer", "authorization"})
        for request in arrived:
            assert request.headers.keys().isdisjoint({"if-none-match", "if-modified-since"})


def listening(pid: int) -> list[str]:
    """Return the local addresses at which a process listens (Linux; elsewhere the test below has nothing to read)."""
    sockets = {
        os.readlink(entry) for entry in Path(f"/proc/{pid}/fd").iterdir() if entry.exists() or entry.is_symlink()
    }
    found = []
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            is_open = fields[3] == ("0A" if table.startswith("tcp") else "07")
            if is_open and f"socket:[{fields[9]}]" in sockets:
                found.append(f"{table} {fields[1]}")
    return found


@pytest.mark.skipif(not Path("/proc/self/net/tcp").exists(), reason="reads Linux's /proc")
def test_s24_a_running_crawl_listens_at_no_port(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    redline("add", feed_of(press, [press.page("/a", TEXT)]))
    press.fault("/a", delay=600)
    crawl = start_crawl(tmp_path)
    try:
        wait_for(lambda: press.asked("/a"))
        assert listening(crawl.pid) == []
        assert listening(os.getpid()) != [], "the press does, so the reading can tell"
    finally:
        crawl.kill()
        crawl.communicate(timeout=60)


class Certificates:
    """An authority of our own, and certificates of every kind for 127.0.0.x."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.authority = self._signed("Our authority", self._key.public_key(), None, days=9)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.authority.public_bytes(Encoding.PEM))

    def _signed(
        self,
        name: str,
        key: ec.EllipticCurvePublicKey,
        subject: str | None,
        *,
        days: int,
        by: ec.EllipticCurvePrivateKey | None = None,
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        own_name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = own_name if subject is None or by is not None else self.authority.subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(own_name)
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=subject is None, path_length=None), critical=True)
        )
        if subject is not None:
            ip = x509.IPAddress(ip_address(subject)) if subject[0].isdigit() else x509.DNSName(subject)
            builder = builder.add_extension(x509.SubjectAlternativeName([ip]), critical=False)
        return builder.sign(by or self._key, hashes.SHA256())

    def context(self, subject: str, *, days: int = 9, self_signed: bool = False) -> ssl.SSLContext:
        """Return a server's side of TLS for an address, with a certificate that is over if `days` are negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(subject, key.public_key(), subject, days=days, by=key if self_signed else None)
        file = self._folder / f"{subject}{days}{self_signed}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def test_s25_certificates_are_verified_and_an_exception_for_a_host_is_recorded(
    redline: Command, tmp_path: Path
) -> None:
    made = Certificates(tmp_path)
    kinds = {
        "good": made.context("127.0.0.2"),
        "self-signed": made.context("127.0.0.3", self_signed=True),
        "expired": made.context("127.0.0.4", days=-1),
        "another-name": made.context("other.example"),
    }
    trust = {"SSL_CERT_FILE": str(made.file)}
    with contextlib.ExitStack() as stack:
        sites = {
            kind: stack.enter_context(Newsroom(outlets=(), host=f"127.0.0.{number}", tls=context))
            for number, (kind, context) in enumerate(kinds.items(), 2)
        }
        links = {kind: site.page(f"/{kind}", TEXT) for kind, site in sites.items()}
        assert redline("add", feed_of(sites["good"], list(links.values())), **trust).returncode == 0
        assert redline("crawl", **trust).returncode == 0
        seen = shown(tmp_path)
        assert seen[links["good"]] == ("new", "")
        for kind, said in {
            "self-signed": "could not be verified (certificate verify failed)",
            "expired": "could not be verified (certificate verify failed)",
            "another-name": "is not one of 127.0.0.5",
        }.items():
            outcome, error = seen[links[kind]]
            assert outcome == "blocked"
            assert said in error, kind
            assert f"TLS_UNVERIFIED_HOSTS={urls.host(links[kind])}" in error
            assert sites[kind].requests == [], "nothing was asked, not even robots.txt"

        change(tmp_path, "UPDATE hosts SET backoff_until = NULL")
        redline("crawl", "--all", "-s", "TLS_UNVERIFIED_HOSTS=127.0.0.3,127.0.0.5", **trust)
    found = rows(tmp_path, "SELECT url, outcome, tls_unverified FROM captures WHERE crawl_id = 2 AND feed_id IS NULL")
    assert {str(url).rpartition("/")[2]: (outcome, tls) for url, outcome, tls in found} == {
        "good": ("not_modified", None),
        "self-signed": ("new", 1),
        "expired": ("blocked", None),
        "another-name": ("new", 1),
    }


# What a feed may hold -------------------------------------------------------------------------------------------------

SITEMAP = "application/xml"


def test_s14_of_fifty_thousand_items_two_thousand_are_kept_and_a_person_is_told(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    items = "".join(f"<item><link>{press.url('', f'/{number}')}</link></item>" for number in range(50_000))
    feed = press.page("/feed.xml", RSS.format(base="", items=items), content_type="application/rss+xml")
    redline("add", feed)
    redline("crawl", "--max-requests", "2")
    assert rows(tmp_path, "SELECT count(*) FROM articles") == [(2000,)]
    assert "48,000 entries over the limit of 2,000, left out" in redline("feeds").stdout
    assert rows(tmp_path, "SELECT json_extract(warnings, '$[0]') FROM feeds") == [
        ("48,000 entries over the limit of 2,000, left out",)
    ]
    feed_of(press, [press.url("", "/1")])
    redline("crawl", "--all", "--max-requests", "2")
    assert "left out" not in redline("feeds").stdout, "and no longer, once it is so no longer"


def test_s14_an_endless_title_and_a_date_beyond_the_calendar_are_left_out_with_a_warning(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    items = (
        f"<item><title>{'x' * 10_000_000}</title><link>{press.url('', '/long')}</link></item>"
        f"<item><title>Late</title><link>{press.url('', '/late')}</link><pubDate>9999-12-31T23:59:59Z</pubDate></item>"
        f"<item><title>Good</title><link>{press.url('', '/good')}</link></item>"
    )
    feed = press.page("/feed.xml", RSS.format(base="", items=items), content_type="application/rss+xml")
    redline("add", feed)
    redline("crawl", "--max-requests", "2")
    found = rows(tmp_path, "SELECT length(title), date_published FROM entries ORDER BY id")
    assert found == [(1000, None), (4, None), (4, None)]
    told = redline("feeds").stdout
    assert "title cut at 1,000 characters" in told
    assert "with a date that cannot be, read as undated" in told


def index_of(press: Newsroom, path: str, listed: list[str]) -> str:
    maps = "".join(f"<sitemap><loc>{press.url('', one)}</loc></sitemap>" for one in listed)
    return press.page(path, f"<sitemapindex>{maps}</sitemapindex>", content_type=SITEMAP)


def test_s15_indexes_that_list_each_other_end_with_each_document_asked_once(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    index = index_of(press, "/a.xml", ["/a.xml", "/b.xml", "/c.xml", "/leaf.xml"])
    index_of(press, "/b.xml", ["/a.xml", "/c.xml", "/b.xml?again=1"])
    index_of(press, "/c.xml", ["/b.xml", "/a.xml", "/leaf.xml"])
    press.page("/d.xml", "", status=302, headers={"Location": "/a.xml"})
    press.page(
        "/leaf.xml", f"<urlset><url><loc>{press.page('/story', TEXT)}</loc></url></urlset>", content_type=SITEMAP
    )
    redline("add", index)
    press.requests.clear()
    assert redline("crawl").returncode == 0
    asked = [request.path for request in press.requests]
    assert sorted(asked) == sorted(set(asked))
    assert "/story" in asked
    assert rows(tmp_path, "SELECT outcome FROM captures WHERE article_id IS NOT NULL") == [("new",)]


def test_s15_an_index_that_never_ends_is_read_to_a_depth_and_a_count_that_a_person_is_told(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    names = [f"/{one}-{other}.xml" for one in range(20) for other in range(20)]
    index_of(press, "/index.xml", [f"/{one}.xml" for one in range(20)])
    for one in range(20):
        index_of(press, f"/{one}.xml", [f"/{one}-{other}.xml" for other in range(20)])
    for name in names:
        index_of(press, name, ["/deeper.xml"])
    redline("add", press.url("", "/index.xml"))
    press.requests.clear()
    redline("crawl")
    assert len(press.requests) == 1 + 42, "and robots.txt"
    assert press.asked("/deeper.xml") == []
    told = redline("feeds").stdout
    assert "further documents left out (FEED_MAX_DOCUMENTS)" in told
    assert "1 further documents left out (FEED_MAX_DEPTH)" in json.dumps(rows(tmp_path, "SELECT warnings FROM feeds"))


def test_s15_show_more_that_leads_back_or_on_for_ever_ends(press: Newsroom, redline: Command, tmp_path: Path) -> None:
    stories = "".join(
        f"<li><h3><a href=/2026/03/a-story-of-some-length-{n}>A story of some length, {n}</a></h3>" for n in range(20)
    )
    page = "<!doctype html><title>News</title><body><main><ul>{}</ul></main><a rel=next href='{}'>Show more</a>"
    press.page("/news/", page.format(stories, "/news/?page=2"))
    press.page("/news/?page=2", page.format(stories, "/news/?page=3"))
    press.page("/news/?page=3", page.format(stories, "/news/"))
    redline("add", "--section", press.url("", "/news/"))
    press.requests.clear()
    redline("crawl", "-s", "FEED_MAX_DEPTH=50")
    asked = [request.path for request in press.requests if request.path.startswith("/news/")]
    assert asked == ["/news/", "/news/?page=2", "/news/?page=3"]
    assert "left out" not in redline("feeds").stdout


SECRETS = ["s3cret-token", "s3cret-key", "s3cret-signature", "s3cret-password"]


def test_s27_secrets_of_addresses_are_in_no_log_no_sentence_and_on_no_page(
    press: Newsroom, redline: Command, tmp_path: Path
) -> None:
    query = f"?access_token={SECRETS[0]}&apikey={SECRETS[1]}&X-Sig={SECRETS[2]}&page=7"
    links = [press.url("", f"/{name}{query}") for name in ("good", "lost", "away", "hang")]
    press.page("/good", TEXT)
    press.page("/away", "", status=302, headers={"Location": f"ftp://me:{SECRETS[3]}@example.org/{query}"})
    press.fault("/hang", delay=600)
    feed = feed_of(press, links, f"/feed.xml{query}")
    said = redline("add", feed)
    crawled = redline("crawl", "-vvv", "-s", "DOWNLOAD_TIMEOUT=1")
    assert "page=7" in crawled.stderr, "the log does name the addresses"
    refused = redline("add", press.url("", f"/nowhere{query}"))
    assert "page=7: the server answered 404" in refused.stderr
    press.fault("/feed.xml", status=500)
    failed = redline("crawl", "--all", "-s", "DOWNLOAD_TIMEOUT=1")
    assert "page=7: the server answered 500" in failed.stderr
    spoken = [
        said,
        crawled,
        refused,
        failed,
        *(redline(*words) for words in (["feeds"], ["log"], ["versions", links[0]])),
    ]
    sentences = str(rows(tmp_path, "SELECT error FROM captures UNION ALL SELECT last_error FROM feeds"))
    assert "which is not a plain http or https address" in sentences
    for text in (*(done.stdout + done.stderr for done in spoken), sentences):
        assert not any(secret in text for secret in SECRETS)
    assert rows(tmp_path, "SELECT url FROM feeds") == [(feed,)], "it must be asked for"
    exported = redline("export").stdout
    assert SECRETS[0] in exported, "a list to take along is whole"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("https://example.org/feed?token=abc&page=2", "https://example.org/feed?token=***&page=2"),
        ("at https://example.org/?a=1&API_KEY=abc#x: no", "at https://example.org/?a=1&API_KEY=***#x: no"),
        ("<a href='https://example.org/?a=1&amp;sig=abc'>", "<a href='https://example.org/?a=1&amp;sig=***'>"),
        ("https://ada:secret@example.org/", "https://***@example.org/"),
        ("https://example.org/?keyword=abc&author=ada", "https://example.org/?keyword=abc&author=ada"),
        ("ada@example.org wrote 1 = 1", "ada@example.org wrote 1 = 1"),
        (
            "https://example.org/?X-Amz-Credential=a%2Fb&X-Amz-Signature=00ff",
            "https://example.org/?X-Amz-Credential=***&X-Amz-Signature=***",
        ),
    ],
)
def test_s27_what_opens_doors_is_told_by_its_name(text: str, told: str) -> None:
    assert urls.without_secrets(text) == told
    assert urls.without_secrets(told) == told


# Company --------------------------------------------------------------------------------------------------------------


def all_visited(folder: Path, host: str) -> bool:
    return visited(folder, host) == 4


def visited(folder: Path, host: str) -> int:
    """Return how many visits to articles of a host are recorded by now."""
    return int(str(rows(folder, f"SELECT count(*) FROM captures WHERE article_id > 0 AND url LIKE '{host}%'")[0][0]))


@pytest.mark.parametrize("strangers", [0, 40])
def test_five_hostile_hosts_and_a_feed_of_silent_ones_keep_the_others_from_nothing(
    redline: Command, tmp_path: Path, strangers: int
) -> None:
    silent = [f"silent{number}" for number in range(strangers)]
    with Newsroom(outlets=(), bare=("drip", "hang", "bomb", "loop", "lie", "good1", "good2", *silent)) as press:
        feeds = []
        for host in ("drip", "hang", "bomb", "loop", "lie", "good1", "good2"):
            links = [press.page(f"/{n}", TEXT, outlet=host) for n in range(4)]
            more = [press.url(name, "/a") for name in silent] if host == "hang" else []
            feeds.append(FeedLink(url=feed_of(press, links + more, outlet=host)))
        (tmp_path / "feeds.opml").write_bytes(write_opml(feeds))
        redline("import", "feeds.opml")
        for name in silent:
            press.fault("/robots.txt", outlet=name, delay=600)
        bomb = gzip.compress(bytes(64 * 2**20))
        for n in range(4):
            press.fault(f"/{n}", outlet="drip", raw=HEAD + b"\r\n" + TEXT.encode(), drip=1)
            press.fault(f"/{n}", outlet="hang", delay=600)
            press.page(f"/{n}", bomb, outlet="bomb", headers={"Content-Encoding": "gzip"})
            press.page(f"/{n}", "", outlet="loop", status=302, headers={"Location": f"/{(n + 1) % 4}"})
            press.fault(f"/{n}", outlet="lie", raw=HEAD + b"Content-Length: 99999999999\r\n\r\nx")
        crawl = start_crawl(tmp_path, "-s", "DOWNLOAD_TIMEOUT=600", "-s", "VISIT_TIMEOUT=600")
        try:
            for host in ("good1", "good2", "bomb", "loop", "lie"):
                wait_for(partial(all_visited, tmp_path, press.url(host)))
            assert [visited(tmp_path, press.url(host)) for host in ("drip", "hang")] == [0, 0], "they are still at it"
        finally:
            crawl.kill()
            crawl.communicate(timeout=60)
    found = rows(tmp_path, "SELECT url, outcome FROM captures WHERE article_id IS NOT NULL")
    outcomes = {name: {o for url, o in found if str(url).startswith(press.url(name))} for name in ("good1", "good2")}
    assert outcomes == {"good1": {"new"}, "good2": {"new"}}
