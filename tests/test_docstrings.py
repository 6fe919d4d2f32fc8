"""Every docstring says in its first line what the thing does: no question, no riddle."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import moviola

PACKAGE = Path(moviola.__file__).parent
#: First words that leave it to the reader to find the verb.
_RIDDLES = (
    "Are|As|Because|Did|Do|Does|How|If|In|Is|Like|Likewise|Of|Once|See|Such|That|These|This|Those|"
    "Though|To|What|Whatever|When|Where|Whether|Which|While|Who|Whom|Whose|Why|With"
)
#: A function does something; only classes and modules may be named by a noun.
_NOUNS = "A|All|An|Any|At|Both|Each|Every|For|From|None|One|Some|The|Two"


def _first_lines(path: Path) -> Iterator[tuple[ast.AST, str]]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            said = ast.get_docstring(node)
            if said is not None:
                yield node, said.partition("\n")[0]


def _is_riddle(node: ast.AST, line: str) -> bool:
    words = _RIDDLES
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        words = f"{_RIDDLES}|{_NOUNS}|`|[0-9(]"
    # `As` is a riddle, `Assemble` is not.
    return bool(re.match(rf"(?:{words})(?![A-Za-z])", line)) or line.rstrip('"').endswith("?")


@pytest.mark.parametrize(
    ("line", "riddle"),
    [
        ("def f():\n 'What it is.'", True),
        ("def f():\n 'The rows.'", True),
        ("def f():\n '`(N,)` rows.'", True),
        ("def f():\n 'Is it there?'", True),
        ("class C:\n 'How it is done.'", True),
        ("class C:\n 'A pointer to a span of a video file.'", False),
        ("def f():\n 'Assemble the rows.'", False),
        ("def f():\n 'Return `(N,)` rows.'", False),
    ],
)
def test_the_rule_tells_riddles_from_sentences(tmp_path: Path, line: str, riddle: bool) -> None:
    source = tmp_path / "module.py"
    source.write_text(line + "\n", encoding="utf-8")
    assert [_is_riddle(*each) for each in _first_lines(source)] == [riddle]


def test_every_docstring_begins_with_what_the_thing_does() -> None:
    found: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        found += [
            f"{inside}:{getattr(node, 'lineno', 1)}: {line}"
            for node, line in _first_lines(path)
            if _is_riddle(node, line)
        ]
    assert not found, "begin with a plain verb phrase:\n" + "\n".join(found)
