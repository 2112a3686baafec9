"""The pictures of the README: `python docs/pictures.py` crawls the demonstration and photographs its pages.

Needs what the browser tests need (see tests/browser/conftest.py).
"""

from __future__ import annotations

import re
import shutil
import sqlite3
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import sync_playwright  # noqa: E402

from tests.browser.conftest import crawl_demo, served  # noqa: E402

PICTURES = Path(__file__).parent / "pictures"
DESK = {"width": 1120, "height": 760}
PHONE = {"width": 390, "height": 760}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

# name: path, what stands at the upper edge, viewport, colours
SHOTS: dict[str, tuple[str, str | None, dict[str, int], str]] = {
    "home": ("", None, DESK, "light"),
    "changes": ("/changes", None, DESK, "light"),
    "difference": ("/article/3?from=1&to=2&mode=changes", "#difference", DESK, "light"),
    "versions": ("/article/2", None, DESK, "light"),
    "side-by-side": ("/article/9?from=1&to=2&mode=side-by-side", "#difference", DESK, "light"),
    "outlet": ("/outlet/127.0.0.2", None, DESK, "light"),
    "search": ("/search?q=4.2", None, {"width": 1120, "height": 480}, "light"),
    "phone-dark": ("/article/13?from=1&to=2&mode=changes", None, PHONE, "dark"),
    "phone-arabic": ("/article/7?from=1&to=2&mode=changes", "#difference", PHONE, "light"),
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "demo.db"
        crawl_demo(path)
        spread(path)
        PICTURES.mkdir(exist_ok=True)
        with served(path) as home, sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            for name, (address, top, viewport, scheme) in SHOTS.items():
                photograph(chromium, home + address, top, viewport, scheme, PICTURES / f"{name}.png")
            chromium.close()


def photograph(chromium: Any, address: str, top: str | None, viewport: dict[str, int], scheme: str, path: Path) -> None:
    context = chromium.new_context(viewport=viewport, color_scheme=scheme, timezone_id="UTC", device_scale_factor=1.5)
    page = context.new_page()
    page.goto(address.partition("#")[0])
    if top:
        page.evaluate(f"window.scrollTo(0, document.querySelector('{top}').getBoundingClientRect().top - 24)")
    page.screenshot(path=path)
    context.close()
    print(f"{path.relative_to(ROOT)}, {path.stat().st_size // 1000} KB")


def spread(path: Path) -> None:
    """Let the rounds lie an hour apart, the last one just now: the demonstration plays them within seconds."""
    connection = sqlite3.connect(path)
    starts = [datetime.fromisoformat(row[0]) for row in connection.execute("SELECT started_at FROM crawls ORDER BY id")]
    now = datetime.now(UTC).replace(microsecond=0)

    def moved(found: re.Match[str]) -> str:
        when = datetime.fromisoformat(found[0])
        crawl = max((index for index, start in enumerate(starts) if start <= when), default=0)
        hours = timedelta(hours=len(starts) - 1 - crawl)
        return f"{now - hours + (when - starts[crawl]):%Y-%m-%dT%H:%M:%SZ}"

    claims = ("date_published", "date_modified", "evidence")
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE TABLE%'")
    for (table,) in tables.fetchall():
        for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
            if kind == "TEXT" and column not in claims:
                rows = connection.execute(f"SELECT rowid, {column} FROM {table}").fetchall()  # noqa: S608 - the schema's
                times = [(moved(time), row_id) for row_id, value in rows if (time := _TIME.fullmatch(value or ""))]
                connection.executemany(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", times)  # noqa: S608
    connection.commit()
    connection.close()


if __name__ == "__main__":
    main()
