"""Make `docs/performance.md` of the results that are kept in `benchmarks/results/`.

Run: python benchmarks/performance.py
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"
_HEAD = """# Performance

Measured figures, each with its machine, date and command. Benchmarks compare side by side in one
run, with random weights where those cost the same. Ratios carry over to other machines better than
seconds do. This page is made of `benchmarks/results/` by `python benchmarks/performance.py`, and a
test keeps the two in step.
"""


def page() -> str:
    """Render the page of all results, by name."""
    others = set(RESULTS.glob("reliability*.json"))
    return "\n".join([_HEAD, *sections(sorted({*RESULTS.glob("*.json")} - others))])


def sections(files: Sequence[Path]) -> list[str]:
    """Render one section of a page for each file of results."""
    return [_section(json.loads(path.read_text(encoding="utf-8"))) for path in files]


def _section(result: dict[str, Any]) -> str:
    keys = list(result["figures"][0])
    rows = [keys, ["---"] * len(keys), *(list(row.values()) for row in result["figures"])]
    table = "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)
    note = f"\n{result['note']}\n" if result["note"] else ""
    where = f"`{result['command']}`, {result['date']}, {result['machine']}."
    return f"## {result['title']}\n\n{table}\n{note}\n{where}\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
