"""Make `docs/reliability.md` of the results of long tests that are kept in `benchmarks/results/`.

Run: python benchmarks/reliability.py
"""

from __future__ import annotations

import plan
from performance import RESULTS, ROOT, sections

PAGE = ROOT / "docs" / "reliability.md"
_HEAD = """# Reliability

What was promised and what was measured, each with its machine, date and command. The long tests
write their figures into `benchmarks/results/` where `MOVIOLA_RESULTS` names that folder; this page
is made of them by `python benchmarks/reliability.py`, and a test keeps the two in step. What is
promised, and what is not, is in `SECURITY.md`.
"""


def page() -> str:
    """Render the page: what tests hold of the plan, and all results by name."""
    kept = sections(sorted(RESULTS.glob("reliability*.json")))
    return "\n".join([_HEAD, plan.section(), *kept])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
