"""Nobody inside imports the package's own front, which imports everybody."""

from __future__ import annotations

import ast
import tomllib
from importlib.metadata import version
from pathlib import Path

import moviola
from moviola.core.version import __version__

PACKAGE = Path(moviola.__file__).parent


def fronts(tree):
    """Lines on which a module imports from the package `moviola` itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(name.name == "moviola" for name in node.names):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "moviola" and not node.level:
            yield node.lineno


def test_no_room_imports_the_front():
    found = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in fronts(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_there_is_one_version():
    assert moviola.__version__ == __version__ == version("moviola")
    project = PACKAGE.parents[1] / "pyproject.toml"
    if project.is_file():
        assert "version" in tomllib.loads(project.read_text())["project"]["dynamic"]


#: Words that tell what a thing is, where a docstring says what is done.
RIDDLES = ("What", "How", "Which", "Whose", "Whether", "Where", "When", "Is", "Are")
ROOMS = ("core", "encode", "plugins", "testing")


def test_docstrings_begin_with_what_is_done():
    found = []
    for path in (path for room in ROOMS for path in sorted((PACKAGE / room).rglob("*.py"))):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                said = ast.get_docstring(node) or "-"
                if said.split()[0] in RIDDLES:
                    found.append(f"{path.relative_to(PACKAGE)}: {said.splitlines()[0]}")
    assert found == []
