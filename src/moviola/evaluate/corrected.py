"""Results of scores that were corrected for hubs, kept apart from the headline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from moviola.evaluate.results import DirectionResult, laid_out, side_rows

#: What stands over each kind, wherever it is shown.
INDUCTIVE = "inductive: learnt from a bank of training captions"
TRANSDUCTIVE = "transductive: looks at the other test queries; not comparable with the headline"


@dataclass(frozen=True, slots=True)
class CorrectedResult:
    """What one correction made of the scores of one evaluation.

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
        """`t2v`, and `v2t` where there is one."""
        return {"t2v": self.t2v} if self.v2t is None else {"t2v": self.t2v, "v2t": self.v2t}

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values, as `RetrievalResult` gives them."""
        sides = {key: dict(side.aggregates) for key, side in self.sides.items()}
        return {"transductive": self.transductive, **sides, "note": "; ".join(self.notes)}


def by_kind(results: Sequence[CorrectedResult]) -> list[tuple[str, list[CorrectedResult]]]:
    """Heading and results of each kind that there is, the inductive ones first."""
    kinds = ((INDUCTIVE, False), (TRANSDUCTIVE, True))
    sorted_out = [
        (heading, [result for result in results if result.transductive is kind])
        for heading, kind in kinds
    ]
    return [(heading, found) for heading, found in sorted_out if found]


def corrected_table(results: Sequence[CorrectedResult]) -> str:
    """Plain text: a table under a heading for each kind, and the notes."""
    lines: list[str] = []
    for heading, found in by_kind(results):
        names = list(found[0].t2v.aggregates)
        rows = [["", *names]]
        for result in found:
            for key, side in result.sides.items():
                rows += side_rows(f"{result.name} {key}", side)
        lines += [f"corrected, {heading}", *laid_out(rows), ""]
    return "\n".join([*lines, *distinct_notes(results)])


def distinct_notes(results: Sequence[CorrectedResult]) -> list[str]:
    """What the results say of themselves, each sentence once, what they learnt from first."""
    in_turn = zip_longest(*(result.notes for result in results))
    return list(dict.fromkeys(note for notes in in_turn for note in notes if note))
