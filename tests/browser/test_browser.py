"""The pages in a real Chromium: at a desk and on a phone, light and dark, by keyboard, without scripts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import AXE, DESK, PHONE, expect

Tab = Callable[..., Any]

# In the demonstration's archive: 3 has a correction, 1 a moved paragraph, 5 is gone, 7 is Arabic, 9 Ukrainian, 13
# Japanese with a new number in its headline.
PAGES = [
    "",
    "/changes",
    "/changes?verdict=stealth&weight=10",
    "/changes?words=nothing+at+all",
    "/outlets",
    "/outlet/127.0.0.2",
    "/article/3",
    "/article/1?from=1&to=2&mode=inline",
    "/article/1?from=1&to=2&mode=side-by-side",
    "/article/13?from=1&to=2&mode=changes",
    "/article/5",
    "/article/7",
    "/article/7/1",
    "/article/13/2",
    "/search",
    "/search?q=ferry",
    "/search?q=%E6%B0%B4%E6%97%8F%E9%A4%A8",
]
LARGE_PAGES = ["", "/changes", "/outlets", "/outlet/site0.example", "/article/500", "/search?q=story"]


def violations(page: Any) -> list[str]:
    """Return what axe-core finds, a line each."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [f"{one['id']}: {one['help']}: {json.dumps(one['nodes'][0]['html'])[:300]}" for one in found]


def is_too_wide(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_for_everybody(tab: Tab, demo_home: str, path: str, scheme: str) -> None:
    page = tab(color_scheme=scheme)
    page.goto(demo_home + path)
    assert page.locator("h1").count() == 1
    assert violations(page) == []
    assert not is_too_wide(page)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone_without_scripts(tab: Tab, demo_home: str, path: str) -> None:
    page = tab(viewport=PHONE, java_script_enabled=False)
    page.goto(demo_home + path)
    assert page.locator("main h1").is_visible()
    width = page.locator("body").evaluate("body => body.ownerDocument.documentElement.scrollWidth")
    assert width <= PHONE["width"]


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("path", LARGE_PAGES)
def test_a_larger_archive_fits_too(tab: Tab, large_home: str, path: str, viewport: dict[str, int]) -> None:
    page = tab(viewport=viewport)
    answer = page.goto(large_home + path)
    assert len(answer.body()) < 100_000
    assert violations(page) == []
    assert not is_too_wide(page)


def test_the_first_page_leads_everywhere(tab: Tab, demo_home: str) -> None:
    page = tab()
    page.goto(demo_home.partition("/-/")[0])
    for name, heading in (("Changes", "Latest changes"), ("Outlets", "Outlets"), ("Search", "Search")):
        page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()
        expect(page.locator("h1")).to_have_text(heading)
    page.get_by_role("link", name="Tables").click()
    expect(page.get_by_text("Every version of every article")).to_be_visible()
    page.get_by_role("link", name="Latest changes, articles and search").click()
    expect(page.locator(".mark")).to_have_text("Redline")


def test_a_filter_is_chosen_and_its_address_kept(tab: Tab, demo_home: str) -> None:
    page = tab(java_script_enabled=False)
    page.goto(f"{demo_home}/changes")
    every = page.locator(".edit").count()
    page.get_by_label("Verdict").select_option("declared")
    page.get_by_label("Weight").select_option("50")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("verdict=declared"))
    assert 0 < page.locator(".edit").count() < every
    assert set(page.locator(".edit .verdict").all_inner_texts()) == {"declared"}
    shown = page.locator(".edit h3").all_inner_texts()
    page.goto(page.url)
    assert page.locator(".edit h3").all_inner_texts() == shown
    assert page.get_by_label("Verdict").input_value() == "declared"


@pytest.mark.parametrize("mode", ["one text", "side by side", "changes only"])
def test_modes_of_a_difference_are_switched(tab: Tab, demo_home: str, mode: str) -> None:
    page = tab()
    page.goto(f"{demo_home}/article/3")
    page.get_by_label("as").select_option(label=mode)
    page.get_by_role("button", name="Compare").click()
    expect(page).to_have_url(re.compile("mode="))
    assert page.locator(".rl-diff del", has_text="38").first.is_visible()
    assert page.locator(".rl-diff ins", has_text="58").first.is_visible()


def test_a_change_is_seen_without_colours(tab: Tab, demo_home: str) -> None:
    page = tab(forced_colors="active")
    page.goto(f"{demo_home}/article/3")
    line = "element => getComputedStyle(element).textDecorationLine"
    assert page.locator(".rl-diff del").first.evaluate(line) == "line-through"
    assert page.locator(".rl-diff ins").first.evaluate(line) == "underline"


def test_what_moved_is_shown_as_moved(tab: Tab, demo_home: str) -> None:
    page = tab()
    page.goto(f"{demo_home}/article/1?from=1&to=2&mode=changes")
    assert "moved" in page.locator(".rl-diff").inner_text().lower()


def test_the_keyboard_reaches_a_difference(tab: Tab, demo_home: str) -> None:
    page = tab()
    page.goto(f"{demo_home}/changes")
    for name in ("Skip to the page", "Skip to the list"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == name
        expect(page.get_by_role("link", name=name)).to_be_visible()
        page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('h3 a')"):
            break
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/article/"))
    expect(page.locator("#difference")).to_be_visible()


def test_details_open_by_keyboard(tab: Tab, demo_home: str) -> None:
    page = tab(java_script_enabled=False)
    page.goto(f"{demo_home}/article/3")
    page.locator(".why summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".why[open] li").first).to_be_visible()


def test_arabic_runs_from_right_to_left_and_japanese_has_its_own_letters(tab: Tab, demo_home: str) -> None:
    page = tab()
    page.goto(f"{demo_home}/article/7/1")
    paragraph = page.locator("article .paragraph").first
    assert paragraph.evaluate("element => getComputedStyle(element).direction") == "rtl"
    page.goto(f"{demo_home}/article/13/1")
    font = page.locator("article .paragraph").first.evaluate("element => getComputedStyle(element).fontFamily")
    assert "JP" in font


def test_times_are_those_of_the_reader_where_scripts_run(tab: Tab, demo_home: str) -> None:
    page = tab(timezone_id="Asia/Tokyo")
    page.goto(f"{demo_home}/article/3")
    assert "Asia/Tokyo" in page.locator("#zone").inner_text()
    time = page.locator("time").first
    assert time.get_attribute("title") is not None
    assert time.get_attribute("title") == time.get_attribute("title").strip()
    assert time.get_attribute("title").endswith(" UTC")


def test_a_search_finds_an_address(tab: Tab, demo_home: str) -> None:
    page = tab(java_script_enabled=False)
    page.goto(f"{demo_home}/article/3")
    address = page.locator(".meta a[rel~=external]").first.inner_text()
    page.get_by_label("Search every version, or find an address").fill(address)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/article/3$"))


def test_a_page_prints_as_its_text(tab: Tab, demo_home: str) -> None:
    page = tab()
    page.goto(f"{demo_home}/article/3/2")
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert page.locator("article h1").is_visible()
    assert page.locator(".cite").is_visible()
