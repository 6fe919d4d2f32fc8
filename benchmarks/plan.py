"""Tell what tests hold of the plan of hostile and unlucky cases, `tests/reliability/plan.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

PLAN = Path(__file__).resolve().parents[1] / "tests" / "reliability" / "plan.toml"
# How many cases each letter has.
SIZES = {"V": 84, "F": 30, "C": 26, "M": 20, "D": 22, "S": 52, "G": 16}
_NAMES = {
    "V": "malformed and unusual videos",
    "F": "files, names, folders",
    "C": "crashes, concurrency, storage",
    "M": "model and library",
    "D": "captions, tables, data sets",
    "S": "HTTP and the page",
    "G": "graphics cards and downloads",
}
_HEAD = """## Plan of cases

Each case of the plan is named in `tests/reliability/plan.toml` with the tests that hold it.
"""


def ids(written: str) -> list[str]:
    """Spell out ids such as `"F01-F03, F05"`."""
    found: list[str] = []
    for part in written.split(", "):
        first, _, last = part.partition("-")
        numbers = range(int(first[1:]), int((last or first)[1:]) + 1)
        found += [f"{first[0]}{number:02d}" for number in numbers]
    return found


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    """Render rows of cells below their heads."""
    return [f"| {' | '.join(row)} |" for row in [heads, ["---"] * len(heads), *rows]]


def section() -> str:
    """Render how many cases tests hold, and the cases that none does, with the reason."""
    cases = tomllib.loads(PLAN.read_text(encoding="utf-8"))["case"]
    held = [each for case in cases if "tests" in case for each in ids(case["ids"])]
    counts = [
        [letter, name, str(SIZES[letter]), str(sum(each[0] == letter for each in held))]
        for letter, name in _NAMES.items()
    ]
    counts.append(["", "all", str(sum(SIZES.values())), str(len(held))])
    left = [[case["ids"], case["what"], case["open"]] for case in cases if "open" in case]
    return "\n".join(
        [
            _HEAD,
            *_table(["", "cases", "in the plan", "held by tests"], counts),
            "",
            *_table(["held by none", "demands", "why"], left),
            "",
        ]
    )
