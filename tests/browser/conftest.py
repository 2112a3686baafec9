"""A real browser over the real command: `redline serve` shows the demonstration's archive and a larger one.

It needs Debian's `chromium`, Playwright (`pip install playwright`) and axe-core (`npm install --prefix tests/browser`).
Where they are missing the tests are skipped and say so; with REDLINE_BROWSER_TESTS=1, as in CI, they fail instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import command, crawl_environment

HERE = Path(__file__).parent
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


def _missing() -> str:
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        return "Playwright is not installed: pip install playwright"
    if shutil.which("chromium") is None:
        return "there is no chromium: apt-get install chromium"
    return "" if AXE.exists() else "there is no axe-core: npm install --prefix tests/browser"


def expect(seen: Any) -> Any:
    """Playwright's `expect`: it waits for the page that a click leads to. Imported late, for where it is missing."""
    from playwright.sync_api import expect as found

    return found(seen)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.environ.get("REDLINE_BROWSER_TESTS") != "1" and (missing := _missing()):
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason=missing))


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.db"
    crawl_demo(path)
    return path


def crawl_demo(path: Path) -> None:
    """Make the archive of the demonstration: three outlets, crawled in four rounds by the real command."""
    from demo.newsroom import Newsroom

    environment = crawl_environment() | {"REDLINE_ARCHIVE": str(path)}

    def redline(*arguments: str) -> None:
        subprocess.run([command(), *arguments], env=environment, check=True, capture_output=True, timeout=120)

    with Newsroom() as press:
        for outlet in ("courier", "limansk", "shiomi"):
            redline("add", press.feed(outlet))
        for number in range(4):
            press.round = number
            redline("crawl", "--all", "-s", "DOWNLOAD_DELAY=0")


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of 3,000 versions of 60 outlets, as the benchmark makes it."""
    from bench.browse import build

    path = tmp_path_factory.mktemp("large") / "large.db"
    build(path, 3_000)
    return path


@contextmanager
def served(path: Path) -> Iterator[str]:
    """Show an archive by `redline serve`; yield the address of its home."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    arguments = ["--archive", str(path), "serve", "--port", str(port), "--no-open"]
    server = subprocess.Popen([command(), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/-/versions.json", server)
        yield f"{address}/-/redline/{path.stem}"
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, ConnectionError):
            assert server.poll() is None, "redline serve ended"
            assert time.monotonic() < deadline, "redline serve does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="session")
def demo_home(demo: Path) -> Iterator[str]:
    with served(demo) as home:
        yield home


@pytest.fixture(scope="session")
def large_home(large: Path) -> Iterator[str]:
    with served(large) as home:
        yield home


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    assert not (missing := _missing()), missing
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Open a page of a browser as it was asked for; at the end nothing may have gone wrong in it.

    Wrong is any message on the console, any error, any answer of 400 and more, and any request to another host.
    """
    wrong: list[str] = []
    with ExitStack() as stack:

        def open_tab(**options: Any) -> Any:
            context = chromium.new_context(**({"viewport": DESK, "timezone_id": "Europe/Kyiv"} | options))
            stack.callback(context.close)
            page = context.new_page()
            page.on("console", lambda message: wrong.append(f"console: {message.text}"))
            page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
            page.on("response", lambda answer: answer.status >= 400 and wrong.append(f"{answer.status} {answer.url}"))
            page.on(
                "request",
                lambda request: request.url.startswith("http://127.0.0.1:") or wrong.append(f"asked {request.url}"),
            )
            return page

        yield open_tab
    assert wrong == []
