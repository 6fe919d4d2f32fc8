"""The page of the architecture shows the tree as it is.

`python tests/docs/test_architecture.py` writes the table anew from the `__init__` docstrings.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "architecture.md"
SOURCE = ROOT / "src" / "moviola"
TABLE = re.compile(r"(?<=<!-- tree -->\n).*?(?=<!-- end of tree -->)", re.DOTALL)


def _purpose(package: Path) -> str:
    said = ast.get_docstring(ast.parse((package / "__init__.py").read_bytes()))
    assert said, f"{package.relative_to(SOURCE)} does not say its purpose"
    return said.partition("\n")[0].replace("|", "\\|")


def _table() -> str:
    folders = sorted(path.parent for path in SOURCE.rglob("__init__.py") if path.parent != SOURCE)
    rows = ["| folder | purpose |", "| --- | --- |"]
    for folder in folders:
        inside = folder.relative_to(SOURCE)
        name = f"**`{inside}/`**" if len(inside.parts) == 1 else f"`{inside}/`"
        rows.append(f"| {name} | {_purpose(folder)} |")
    return "\n".join(rows) + "\n"


def test_the_page_shows_every_folder_with_its_purpose() -> None:
    shown = TABLE.findall(PAGE.read_text(encoding="utf-8"))
    assert shown == [_table()], "run python tests/docs/test_architecture.py, and read what changed"


def test_every_folder_of_python_says_its_purpose() -> None:
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    assert not [each for each in folders if not (each / "__init__.py").is_file()]


def test_tests_lie_where_the_code_lies() -> None:
    apart = {"browser", "docs", "reliability", "support"}
    # The families of checkpoints of two towers share their tiny ones.
    shared = {Path("encode/towers")}
    tests = ROOT / "tests"
    folders = {path.parent.relative_to(tests) for path in tests.rglob("test_*.py")}
    lost = [
        str(each)
        for each in sorted(folders - shared - {Path()})
        if each.parts[0] not in apart and not (SOURCE / each / "__init__.py").is_file()
    ]
    assert not lost, f"no room holds what these test: {lost}"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(TABLE.sub(_table().replace("\\", "\\\\"), page), encoding="utf-8")
