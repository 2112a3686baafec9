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

# command -> (the module of this package that holds it, its line in `redline --help`), in the order of that help
COMMANDS = {
    "add": ("feeds", "Watch a feed, or a site's."),
    "feeds": ("feeds", "List the feeds that are watched, and how they fare."),
    "pause": ("feeds", "Stop visiting a feed and its articles for a while."),
    "resume": ("feeds", "Visit a paused feed again."),
    "remove": ("feeds", "Take a feed off the list; what it brought stays."),
    "import": ("feeds", "Watch every feed of an OPML file."),
    "export": ("feeds", "Write the list of feeds as OPML."),
    "crawl": ("crawl", "Visit every feed and article that is due, and end."),
    "log": ("read", "Show the latest changes, newest first."),
    "show": ("read", "Show an article as it read, and its versions."),
    "diff": ("read", "Show what changed between two versions of an article."),
    "search": ("read", "Find words in every version, in any script."),
    "serve": ("serve", "Browse it all."),
    "status": ("status", "Say whether all is well; for monitors too."),
    "extract": ("extract", "Print the article that a page holds; no archive needed."),
    "accept": ("keep", "Say that the held changes of a feed are edits."),
    "reextract": ("keep", "Read the kept pages again with today's extractor."),
    "unmerge": ("keep", "Take an article that was merged for its own again."),
    "verify": ("upkeep", "Look whether the archive is sound."),
    "doctor": ("doctor", "Look for what is wrong, and say the way out."),
    "backup": ("upkeep", "Copy the archive while it is in use."),
    "vacuum": ("upkeep", "Give the room of what was pruned back to the disk."),
    "prune": ("upkeep", "Free the space of old pages and visits; texts stay."),
}


class Commands(click.Group):
    """A group that imports a command's module when the command is looked up, and speaks RedlineError kindly."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"crawler.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except RedlineError as error:
            from crawler.cli.output import shown_url

            click.echo("\n".join(map(shown_url, f"redline: {error}".split("\n"))), err=True)
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
