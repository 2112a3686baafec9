"""Who may import whom: the rule of the design as a test. It reads the imports, at the top and inside functions."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "crawler"

DOMAIN = {"items", "errors"}
PURE = set(
    "addresses changes diff extract feeds health manners packing payloads rows schedule search urls visits"
    " wavering".split()
)
STORE = {"archive", "migrations"}
# What each part may import of our own, beside the domain and itself.
MAY = {
    "items": set(),
    "errors": set(),
    **dict.fromkeys(PURE, PURE),
    "migrations": set(),
    "archive": PURE | {"migrations"},
    "settings": set(),
    "pipelines": STORE,
    "middlewares": PURE,
    "transport": {"middlewares"},
    "spiders": PURE | {"archive", "middlewares"},
    "cli": PURE | {"archive", "spiders", "browse"},
    "browse": PURE,
}
# Who may import these of others. All else of the standard library and of the other dependencies is open to all.
ONLY = {
    "scrapy": {"spiders", "pipelines", "middlewares", "transport", "cli"},
    "twisted": {"spiders", "pipelines", "middlewares", "transport", "cli"},
    "sqlite3": {"archive", "migrations"},
    "sqlite_utils": {"archive", "migrations"},
    "datasette": {"browse", "cli"},
    "socket": {"middlewares"},
    "requests": set(),
    "httpx": set(),
    "os": {"settings", "cli", "archive"},  # the archive syncs the copies that it makes
    # feedparser hands out struct_time; slots rest, and visits last, by the monotonic clock.
    "time": {"cli", "feeds", "middlewares", "transport"},
}


def parts() -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if name != "__init__":
            found.setdefault(name, []).append(path)
    return found


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports, as absolute dotted names; `from a import b` counts as `a` and `a.b`."""
    package = ("crawler", *path.relative_to(ROOT).parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = ".".join((*package[: len(package) - node.level + 1], *filter(None, [node.module])))
            module = base if node.level else node.module or ""
            found |= {module} | {f"{module}.{alias.name}" for alias in node.names}
    return found


def test_every_part_has_its_place_in_the_rules() -> None:
    assert set(parts()) == set(MAY)


@pytest.mark.parametrize("part", sorted(MAY))
def test_a_part_imports_only_what_it_may(part: str) -> None:
    allowed = MAY[part] | DOMAIN | {part}
    known = set(MAY)
    for path in parts()[part]:
        ours = {name.split(".")[1] for name in imports(path) if name.startswith("crawler.")} & known
        assert ours <= allowed, f"{path.relative_to(ROOT)} imports {sorted(ours - allowed)}"


@pytest.mark.parametrize("library", sorted(ONLY))
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    for part, paths in parts().items():
        if part in ONLY[library]:
            continue
        for path in paths:
            assert library not in {name.split(".")[0] for name in imports(path)}, path.relative_to(ROOT)


def test_the_rule_reads_what_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "diff").mkdir()
    source = tmp_path / "diff" / "words.py"
    source.write_text("def f():\n    import scrapy.http\n    from ..archive import Archive\n    from . import render\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    assert imports(source) >= {"scrapy.http", "crawler.archive", "crawler.archive.Archive", "crawler.diff.render"}
