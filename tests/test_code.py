"""S22: nothing that comes from outside ever becomes code. Read in the source, as the import rules are."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CRAWLER = Path(__file__).parents[1] / "crawler"
SOURCES = {str(path.relative_to(CRAWLER)): path.read_text("utf-8") for path in sorted(CRAWLER.rglob("*.py"))}
# What runs text, and what builds the objects that a text names.
RUNNING = set("eval exec compile __import__ os.system os.popen".split())
LOADING = set("pickle cPickle marshal shelve dill yaml jsonpickle runpy code ctypes subprocess".split())
# Modules are imported by name in two places: a command's, from a table in the source, and PyICU, which may be missing.
IMPORTS_BY_NAME = {"cli/__init__.py": "COMMANDS", "diff/tokens.py": 'import_module("icu")'}


def uses(source: str) -> Iterator[str]:
    """Yield what a source calls, and the packages that it imports."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("name", SOURCES)
def test_s22_no_data_becomes_code(name: str) -> None:
    used = set(uses(SOURCES[name]))
    assert not used & (RUNNING | LOADING)
    if any(call.endswith("import_module") for call in used):
        assert IMPORTS_BY_NAME[name] in SOURCES[name]


def test_s22_no_page_names_its_parser() -> None:
    for name, source in SOURCES.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "BeautifulSoup":
                assert ast.unparse(node.args[1]) == "'lxml'", name


def test_s22_the_look_at_the_source_sees_what_it_is_to_see() -> None:
    seen = set(uses("import pickle.x\nfrom yaml import load\neval('1')\nimportlib.import_module(x)\nos.system('x')"))
    assert seen == {"eval", "importlib.import_module", "os.system", "pickle", "yaml"}
