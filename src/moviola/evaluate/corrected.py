"""Hold results of scores that were corrected for hubs, apart from the headline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from moviola.evaluate.results import DirectionResult, measure_lines

#: What stands over each kind, wherever it is shown.
INDUCTIVE = "inductive: learnt from a bank of training captions"
TRANSDUCTIVE = "transductive: looks at the other test queries; not comparable with the headline"


@dataclass(frozen=True, slots=True)
class CorrectedResult:
    """Hold what one correction made of the scores of one evaluation.

    Attributes:
        name: of the correction.
        transductive: whether it looked at the other queries of the test.
        notes: what it learnt from, and what it does not speak about.
        t2v: text-to-video.
        v2t: video-to-text; None where the correction knows nothing about it.
    """

    name: str
    transductive: bool
    notes: tuple[str, ...]
    t2v: DirectionResult
    v2t: DirectionResult | None = None

    @property
    def sides(self) -> dict[str, DirectionResult]:
        """Name the directions: `t2v`, and `v2t` where there is one."""
        return {"t2v": self.t2v} if self.v2t is None else {"t2v": self.t2v, "v2t": self.v2t}

    def to_json(self) -> dict[str, Any]:
        """Write the numbers as JSON values, as `RetrievalResult` gives them."""
        sides = {key: dict(side.aggregates) for key, side in self.sides.items()}
        return {"transductive": self.transductive, **sides, "note": "; ".join(self.notes)}


def by_kind(results: Sequence[CorrectedResult]) -> list[tuple[str, list[CorrectedResult]]]:
    """Sort results under the heading of each kind that there is, the inductive ones first."""
    kinds = ((INDUCTIVE, False), (TRANSDUCTIVE, True))
    sorted_out = [
        (heading, [result for result in results if result.transductive is kind])
        for heading, kind in kinds
    ]
    return [(heading, found) for heading, found in sorted_out if found]


def corrected_table(results: Sequence[CorrectedResult]) -> str:
    """Write as plain text a table under a heading for each kind, and the notes."""
    lines: list[str] = []
    for heading, found in by_kind(results):
        sides = [
            (f"{result.name} {key}", side) for result in found for key, side in result.sides.items()
        ]
        lines += [f"corrected, {heading}", *measure_lines(sides), ""]
    return "\n".join([*lines, *distinct_notes(results)])


def distinct_notes(results: Sequence[CorrectedResult]) -> list[str]:
    """Collect what the results say of themselves, each sentence once."""
    in_turn = zip_longest(*(result.notes for result in results))
    return list(dict.fromkeys(note for notes in in_turn for note in notes if note))
