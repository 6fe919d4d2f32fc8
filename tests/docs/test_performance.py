"""The page of performance shows the results that are kept."""

from __future__ import annotations

import importlib.util
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "performance.py"


def test_the_page_is_made_of_the_results():
    spec = importlib.util.spec_from_file_location("performance", SCRIPT)
    performance = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(performance)
    assert list(performance.RESULTS.glob("*.json")), "no results are kept"
    made = performance.page()
    assert performance.PAGE.read_text(encoding="utf-8") == made, (
        "run python benchmarks/performance.py, and read what changed"
    )
