"""Every case of the plan is held by tests that exist, or says why it is not."""

from __future__ import annotations

import ast
import importlib
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
CASES = tomllib.loads((TESTS / "reliability" / "plan.toml").read_text("utf-8"))["case"]


@pytest.fixture
def plan(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("plan")


def test_every_id_of_the_plan_stands_once(plan):
    found = [each for case in CASES for each in plan.ids(case["ids"])]
    wanted = [f"{letter}{n:02d}" for letter, most in plan.SIZES.items() for n in range(1, most + 1)]
    assert sorted(found) == sorted(wanted)


def test_every_case_names_tests_or_says_what_is_open():
    for case in CASES:
        assert case["what"]
        assert bool(case.get("tests")) != bool(case.get("open")), case["ids"]


def test_every_named_test_is_there():
    functions = {}
    for name in {name for case in CASES for name in case.get("tests", [])}:
        path, _, function = name.partition("::")
        if path not in functions:
            assert (TESTS / path).is_file(), name
            body = ast.parse((TESTS / path).read_text("utf-8")).body
            functions[path] = {
                node.name
                for node in body
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
        assert function in functions[path], f"there is no {name}"
