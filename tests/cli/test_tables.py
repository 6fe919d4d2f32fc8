"""Tables fit 100 columns, whatever they hold."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import moviola.cli
from moviola.cli.app import app
from moviola.cli.console import WIDTH, print_table

SOURCE = Path(moviola.cli.__file__).parent
WORD = st.text("abcdefgh", min_size=1, max_size=8)
CELL = st.lists(WORD, max_size=30).map(" ".join)


def printed(capsys, *table, **options):
    capsys.readouterr()
    print_table(*table, **options)
    return capsys.readouterr().out.splitlines()


@given(rows=st.integers(1, 7).flatmap(lambda n: st.lists(st.lists(CELL, min_size=n, max_size=n))))
def test_cells_of_any_length_fit_and_no_word_is_lost(rows):
    if not rows:
        return
    head = [str(number) for number in range(len(rows[0]))]
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("typer.echo", lines.append)
        print_table(head, rows)
    assert max(map(len, lines)) <= WIDTH
    wanted = sorted(word for row in [head, *rows] for cell in row for word in cell.split())
    assert sorted(word for line in lines for word in line.split()) == wanted


def test_short_tables_keep_a_line_a_row_and_long_words_are_whole(capsys):
    assert printed(capsys, ("a", "b"), [("x y", "z")]) == ["a    b", "x y  z"]
    path = "/" + "p" * 120
    lines = printed(capsys, ("why", "file"), [("it is gone", path)], below=[["  more"]])
    assert sum(path in line for line in lines) == 1
    assert lines[-1] == "  more"


def test_a_row_of_nothing_is_an_empty_line(capsys):
    assert printed(capsys, ("a", "b"), [("", "")], below=[["  more"]]) == ["a  b", "", "  more"]


def test_the_list_of_models_fits():
    lines = CliRunner().invoke(app, ["models"]).stdout.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert any("videoprism-base" in line for line in lines)


def test_every_table_has_this_one_builder():
    """Columns that a command pads by itself would not be fitted."""
    alone = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if path.name != "console.py"
        if (isinstance(node, ast.Attribute) and node.attr in ("ljust", "rjust"))
        or (isinstance(node, ast.Name) and node.id == "Table")
    ]
    assert not alone
