"""The pages of performance and reliability show the results that are kept."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.mark.parametrize("name", ["performance", "reliability"])
def test_the_page_is_made_of_the_results(name, monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    script = importlib.import_module(name)
    made = script.page()
    assert "## " in made, "no results are kept"
    assert script.PAGE.read_text(encoding="utf-8") == made, (
        f"run python benchmarks/{name}.py, and read what changed"
    )
