"""Rules for single sites, as data that a user keeps for the pages that the general rules misread. None are shipped.

A file of rules is TOML, one table a site:

    [[site]]
    host = "example.org"              # and its subdomains; of two hosts that fit, the longer one's rule is applied
    body = ["div.story-text"]         # CSS: every line in these boxes is body, but captions, labels and links elsewhere
    leave_out = [".fact-box", "#ad"]  # CSS: the page is read as if it had none of these
    until = 2027-01-31                # the last day of the rule: sites are rebuilt, and nobody remembers old rules

Either list may be left out. Where `body` finds no text, the general rules decide: a rule that no longer fits loses
nothing. The extraction itself never reads the file nor the clock: `article(..., site=rule_for(rules, url, day))`. The
file is named by `redline extract --sites FILE`, and for crawls and `redline reextract` by REDLINE_SITES.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from crawler.errors import UsageError

_FIELDS = frozenset(("host", "body", "leave_out", "until"))


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRule:
    """What one site's pages need to be told; `body` and `leave_out` are CSS selectors that are known to parse."""

    host: str  # lower case, without port
    until: date
    body: tuple[str, ...] = ()
    leave_out: tuple[str, ...] = ()


def parse(text: str) -> tuple[SiteRule, ...]:
    """Return the rules in a file's text. Raises UsageError that names the rule and the field that is wrong."""
    import tomllib

    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"the rules for sites are not TOML: {error}") from error
    tables = data.pop("site", [])
    if data or not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UsageError("the rules for sites hold something else than [[site]] tables: remove it")
    rules = tuple(_rule(number, table) for number, table in enumerate(tables, start=1))
    hosts = [rule.host for rule in rules]
    for host in hosts:
        if hosts.count(host) > 1:
            raise UsageError(f"two rules are for the site {host}: put them into one")
    return rules


def load(name: str | Path) -> tuple[SiteRule, ...]:
    """Read the rules in the file of this name; none for "". Raises UsageError for what cannot be read."""
    if not name:
        return ()
    try:
        return parse(Path(name).read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{name}: {error}; name a file in UTF-8 that can be read") from error


def rule_for(rules: Iterable[SiteRule], url: str, day: date) -> SiteRule | None:
    """Return the rule for a page that was fetched on `day`; None if there is none, or it has expired."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    fitting = [rule for rule in rules if f".{host}".endswith(f".{rule.host}") and day <= rule.until]
    return max(fitting, key=lambda rule: len(rule.host), default=None)


def _rule(number: int, table: dict[str, Any]) -> SiteRule:
    host, until = table.get("host"), table.get("until")
    where = f"site rule {number} ({host if isinstance(host, str) and host else 'without a host'})"
    if unknown := sorted(set(table) - _FIELDS):
        raise UsageError(f"{where}: unknown field {unknown[0]!r}; there are {', '.join(sorted(_FIELDS))}")
    if not isinstance(host, str) or not host.strip(".") or "/" in host or ":" in host:
        raise UsageError(f'{where}: host is a bare name such as "example.org"')
    if not isinstance(until, date) or isinstance(until, datetime):
        raise UsageError(f"{where}: until is a day without quotes, such as 2027-01-31, after which it is not applied")
    body, leave_out = (_selectors(where, field, table.get(field, [])) for field in ("body", "leave_out"))
    if not body and not leave_out:
        raise UsageError(f"{where}: name selectors in body or leave_out, or remove the rule")
    return SiteRule(host=host.lower().strip("."), until=until, body=body, leave_out=leave_out)


def _selectors(where: str, field: str, given: object) -> tuple[str, ...]:
    from selectolax.lexbor import LexborHTMLParser, SelectolaxError

    if not isinstance(given, list) or not all(isinstance(selector, str) for selector in given):
        raise UsageError(f"{where}: {field} is a list of CSS selectors in quotes")
    nothing = LexborHTMLParser("<p>")
    for selector in given:
        try:
            nothing.css(selector)
        except SelectolaxError as error:
            raise UsageError(f"{where}: {field} has {selector!r}, which is no CSS selector") from error
    return tuple(given)
