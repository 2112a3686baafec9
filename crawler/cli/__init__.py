"""`redline`: one small file a group of commands; each is imported only when it is asked for.

Starting fast matters to cron and to a person who types `redline log`: Scrapy, Datasette and lxml are imported inside
the commands that need them.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click

from crawler.errors import RedlineError

# command -> the module of this package that holds it, in the order of `redline --help`
COMMANDS = {
    "add": "feeds",
    "feeds": "feeds",
    "pause": "feeds",
    "resume": "feeds",
    "remove": "feeds",
    "import": "feeds",
    "export": "feeds",
    "crawl": "crawl",
    "log": "read",
    "show": "read",
    "diff": "read",
    "search": "read",
    "serve": "serve",
    "extract": "extract",
    "accept": "keep",
    "reextract": "keep",
    "unmerge": "keep",
    "prune": "keep",
}


class Commands(click.Group):
    """A group that imports a command's module when the command is looked up, and speaks RedlineError kindly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"crawler.cli.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except RedlineError as error:
            click.echo(f"redline: {error}", err=True)
            sys.exit(error.exit_code)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--archive",
    type=click.Path(dir_okay=False, path_type=Path),
    default="archive.db",
    envvar="REDLINE_ARCHIVE",
    show_default=True,
    show_envvar=True,
    help="The archive to work on.",
)
@click.version_option(package_name="redline", prog_name="redline")
@click.pass_context
def main(ctx: click.Context, archive: Path) -> None:
    """Watch news feeds, keep every version of every article, and show what was changed.

    \b
    Start:   redline add https://example.org/     find the site's feeds and watch one
             redline crawl                        fetch what is due (cron: every 15 minutes)
             redline log                          what was changed
             redline serve                        browse it all
    """
    ctx.obj = archive
