"""`redline serve`: look at the archive in a browser."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from crawler.archive import Archive


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; others can then look too.")
@click.option("--port", default=8001, show_default=True, help="Port to listen on.")
@click.option("--open/--no-open", "open_browser", default=None, help="Open a browser; by default on a terminal.")
@click.pass_obj
def serve_command(archive: Path, host: str, port: int, open_browser: bool | None) -> None:
    """Browse the archive: latest changes, articles with every version, search, and Datasette's own tables.

    Reading does not disturb a crawl that is writing. Ctrl-C ends it. `datasette ARCHIVE` shows the same pages, without
    the limits that this sets for visitors.
    """
    # Says what is wrong with a file that cannot be shown, and brings an older one up to date: the pages only read.
    Archive(archive, create=False).close()
    from datasette.cli import cli as datasette

    arguments = ["serve", str(archive), "--host", host, "--port", str(port)]
    for setting, value in SETTINGS.items():
        arguments += ["--setting", setting, value]
    if sys.stdout.isatty() if open_browser is None else open_browser:
        arguments.append("--open")
    datasette.main(args=arguments, prog_name="redline serve", standalone_mode=False)


# Why: facets are named where they are indexed (suggesting them took 251 ms instead of 21 on a page of versions), the
# file is not handed out whole, and no visitor's SQL may run for long or bring back much.
SETTINGS = {
    "suggest_facets": "off",
    "allow_download": "off",
    "sql_time_limit_ms": "1000",
    "max_returned_rows": "1000",
    "max_csv_mb": "50",
    "truncate_cells_html": "300",
}
