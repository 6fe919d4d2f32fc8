"""Make `docs/reliability.md` of the results of long tests that are kept in `benchmarks/results/`.

Run: python benchmarks/reliability.py
"""

from __future__ import annotations

from performance import RESULTS, ROOT, sections

PAGE = ROOT / "docs" / "reliability.md"
_HEAD = """# Reliability

What was promised and what was measured, each with its machine, date and command. The long tests
write their figures into `benchmarks/results/` where `MOVIOLA_RESULTS` names that folder; this page
is made of them by `python benchmarks/reliability.py`, and a test keeps the two in step. What is
promised, and what is not, is in `SECURITY.md`.
"""


def page() -> str:
    """Render the page of all results, by name."""
    return "\n".join([_HEAD, *sections(sorted(RESULTS.glob("reliability*.json")))])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
