"""What an evaluation found, per query and in sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moviola.evaluate.bootstrap import Interval
from moviola.evaluate.ties import Ties

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class DirectionResult:
    """One direction: queries of one tower against a gallery of the other.

    Attributes:
        queries: ids of the Q queries that have a relevant item, in order of the scores.
        n_gallery: how many items were ranked for each.
        per_query: measure to its `(Q,)` values; shares and chances lie in [0, 1], ranks count
            from 1.
        aggregates: measure to its one number: R@K and Recall@K in percent, MRR, mAP and nDCG as
            fractions, ranks as they are.
        intervals: measure to its 95 % bootstrap interval; empty where none was asked for.
        tied: in how many queries a relevant item tied with an irrelevant one.
    """

    queries: tuple[str, ...]
    n_gallery: int
    per_query: Mapping[str, NDArray[np.float64]]
    aggregates: Mapping[str, float]
    intervals: Mapping[str, Interval]
    tied: int

    def __getitem__(self, measure: str) -> float:
        """The aggregate of a measure, by its name."""
        return self.aggregates[measure]

    @property
    def n_queries(self) -> int:
        """How many queries were asked."""
        return len(self.queries)


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Both directions of one evaluation.

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
        """How many texts were asked."""
        return self.t2v.n_queries

    @property
    def n_gallery(self) -> int:
        """How many videos were ranked for each."""
        return self.t2v.n_gallery

    def to_json(self) -> dict[str, Any]:
        """The numbers as JSON values: R@K in percent, MRR, mAP and nDCG as fractions."""
        return {
            "t2v": dict(self.t2v.aggregates),
            "v2t": dict(self.v2t.aggregates),
            "n_queries": self.n_queries,
            "n_gallery": self.n_gallery,
            "ties": {"mode": self.ties, "t2v": self.t2v.tied, "v2t": self.v2t.tied},
            "notes": list(self.notes),
        }

    def table(self) -> str:
        """Both directions as plain text, an interval under each number."""
        names = list(self.t2v.aggregates)
        rows = [["", *names]]
        for title, side in (("text-to-video", self.t2v), ("video-to-text", self.v2t)):
            rows += side_rows(title, side)
        return "\n".join([*laid_out(rows), "", *self._footnotes()])

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


def side_rows(title: str, side: DirectionResult) -> list[list[str]]:
    """The cells of one direction, and below them those of its intervals where there are any."""
    rows = [[title, *(_shown(name, value) for name, value in side.aggregates.items())]]
    if side.intervals:
        rows.append(
            ["", *(_shown_interval(name, side.intervals[name]) for name in side.aggregates)]
        )
    return rows


def laid_out(rows: Sequence[Sequence[str]]) -> list[str]:
    """One line a row, columns flush right but for the first."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]


def _shown(name: str, value: float) -> str:
    if name in ("MRR", "mAP") or name.startswith("nDCG"):
        return f"{value:.4f}"
    return f"{value:.1f}"


def _shown_interval(name: str, interval: Interval) -> str:
    return f"[{_shown(name, interval[0])}, {_shown(name, interval[1])}]"
