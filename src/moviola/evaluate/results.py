"""Hold what an evaluation found, per query and in sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moviola.core.ranks import Ranks
from moviola.evaluate.bootstrap import Interval
from moviola.evaluate.measures import Combined, MeasureCard
from moviola.evaluate.ties import Ties

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


#: Columns of a terminal that a table may fill.
_WIDTH = 100


@dataclass(frozen=True, slots=True)
class DirectionResult:
    """Hold one direction: queries of one tower against a gallery of the other.

    Attributes:
        queries: ids of the Q queries that have a relevant item, in order of the scores.
        n_gallery: how many items were ranked for each.
        ranks: where the relevant items of every query stand.
        measures: what was measured, in order.
        per_query: measure to its `(Q,)` values; shares and chances lie in [0, 1], ranks count
            from 1.
        aggregates: measure to its one number: R@K and Recall@K in percent, MRR, mAP and nDCG as
            fractions, ranks as they are.
        intervals: measure to its 95 % bootstrap interval; empty where none was asked for.
        tied: in how many queries a relevant item tied with an irrelevant one.
    """

    queries: tuple[str, ...]
    n_gallery: int
    ranks: Ranks
    measures: tuple[MeasureCard | Combined, ...]
    per_query: Mapping[str, NDArray[np.float64]]
    aggregates: Mapping[str, float]
    intervals: Mapping[str, Interval]
    tied: int

    def __getitem__(self, measure: str) -> float:
        """Look up the aggregate of a measure by its name."""
        return self.aggregates[measure]

    @property
    def n_queries(self) -> int:
        """Count the queries that were asked."""
        return len(self.queries)


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Hold both directions of one evaluation.

    Attributes:
        t2v: text-to-video: texts are the queries.
        v2t: video-to-text: the transposed question; videos without a text are not asked.
        ties: how ties were read.
        tolerance: share of a row's largest absolute score within which scores were tied.
        notes: what a reader must know wherever the numbers are shown, such as `unaligned`.
    """

    t2v: DirectionResult
    v2t: DirectionResult
    ties: Ties
    tolerance: float
    notes: tuple[str, ...] = ()

    @property
    def n_queries(self) -> int:
        """Count the texts that were asked."""
        return self.t2v.n_queries

    @property
    def n_gallery(self) -> int:
        """Count the videos that were ranked for each."""
        return self.t2v.n_gallery

    def to_json(self) -> dict[str, Any]:
        """Write the numbers as JSON values: R@K in percent, MRR, mAP and nDCG as fractions."""
        return {
            "t2v": dict(self.t2v.aggregates),
            "v2t": dict(self.v2t.aggregates),
            "n_queries": self.n_queries,
            "n_gallery": self.n_gallery,
            "ties": {"mode": self.ties, "t2v": self.t2v.tied, "v2t": self.v2t.tied},
            "notes": list(self.notes),
        }

    def table(self) -> str:
        """Write both directions as plain text, an interval beside each number."""
        sides = [("text-to-video", self.t2v), ("video-to-text", self.v2t)]
        return "\n".join([*measure_lines(sides), "", *self._footnotes()])

    def __str__(self) -> str:
        return self.table()

    def _footnotes(self) -> list[str]:
        t2v, v2t = self.t2v, self.v2t
        said = [
            f"t2v: {t2v.n_queries} texts, {t2v.n_gallery} videos in the gallery, {t2v.tied} tied",
            f"v2t: {v2t.n_queries} videos, {v2t.n_gallery} texts in the gallery, {v2t.tied} tied",
            f"ties: {self.ties}",
        ]
        if t2v.intervals:
            said.append("in brackets: 95 % bootstrap intervals over queries")
        return said + [f"NOTE: {note}" for note in self.notes]


def measure_lines(sides: Sequence[tuple[str, DirectionResult]]) -> list[str]:
    """Lay out one line a measure and one column a side, in as many tables as 100 columns need."""
    measures = sides[0][1].measures
    columns = [[title, *(_cell(side, measure) for measure in measures)] for title, side in sides]
    names = _padded(["", *map(str, measures)])
    lines: list[str] = []
    block = names
    for column in map(_padded, columns):
        if len(block[0]) + len(column[0]) + 2 > _WIDTH and block is not names:
            lines += [*(line.rstrip() for line in block), ""]
            block = names
        block = [f"{line}  {cell}" for line, cell in zip(block, column, strict=True)]
    return lines + [line.rstrip() for line in block]


def _cell(side: DirectionResult, measure: MeasureCard | Combined) -> str:
    value = measure.show(side[str(measure)])
    if str(measure) not in side.intervals:
        return value
    low, high = (measure.show(bound) for bound in side.intervals[str(measure)])
    return f"{value} [{low}, {high}]"


def _padded(cells: Sequence[str]) -> list[str]:
    width = max(map(len, cells))
    return [cell.ljust(width) for cell in cells]
