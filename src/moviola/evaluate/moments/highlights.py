"""Measure how well the salience of clips is told, as QVHighlights defines it: HIT@1 and mAP.

Lei, Berg and Bansal, "QVHighlights: Detecting Moments and Highlights in Videos via Natural Language
Queries", NeurIPS 2021, section 5.1, and its evaluation code. Three annotators gave each clip 0 to
4; a clip is right for one of them from a level on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.evaluate.bootstrap import Column, Interval, interval, resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: From which score on a clip is right at each level.
LEVELS = {"Fair": 2, "Good": 3, "VeryGood": 4}


@dataclass(frozen=True, slots=True)
class HighlightResult:
    """Hold how well salience is told at each level.

    Attributes:
        queries: ids of the Q queries.
        per_query: `Fair HIT@1` and its like to the `(Q,)` values, in [0, 1].
        aggregates: likewise, in percent.
        intervals: the 95 % bootstrap interval of each; empty where none was asked for.
    """

    queries: tuple[str, ...]
    per_query: Mapping[str, Values]
    aggregates: Mapping[str, float]
    intervals: Mapping[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Write level to `HIT@1` and `mAP`, in percent."""
        return {
            level: {name: self.aggregates[f"{level} {name}"] for name in ("HIT@1", "mAP")}
            for level in LEVELS
        }


def evaluate_highlights(
    found: Mapping[str, Sequence[float]],
    truth: Mapping[str, NDArray[np.int64]],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> HighlightResult:
    """Measure HIT@1 and mAP at the levels Fair, Good and VeryGood.

    HIT@1: is the clip that is told to be most salient right for any annotator? mAP: the mean over
    annotators of the interpolated average precision. Clips that are not told score 0.

    Args:
        found: query id to the salience of its clips, in order of time.
        truth: query id to the `(clips, annotators)` scores, all the queries there are.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        ValueError: when there is no query, or salience is told for one that has no truth.
    """
    if not truth:
        raise ValueError("there is no query whose highlights are known")
    if strangers := sorted(found.keys() - truth.keys()):
        raise ValueError(f"{strangers[0]!r} has highlights but no truth")
    values: dict[str, Values] = {}
    for level, least in LEVELS.items():
        pairs = [
            _query(np.asarray(found.get(query, ()), np.float64), scores >= least)
            for query, scores in truth.items()
        ]
        values[f"{level} HIT@1"], values[f"{level} mAP"] = np.array(pairs).T
    columns = {name: Column(each, scale=100.0) for name, each in values.items()}
    intervals: dict[str, Interval] = {}
    if resamples:
        drawn = resample(list(columns.values()), resamples=resamples, seed=seed)
        intervals = {name: interval(row) for name, row in zip(columns, drawn, strict=True)}
    return HighlightResult(
        queries=tuple(truth),
        per_query=values,
        aggregates={name: column.aggregate for name, column in columns.items()},
        intervals=intervals,
    )


def _query(told: Values, right: NDArray[np.bool_]) -> tuple[float, float]:
    """Compute HIT@1 and mAP of one query from its `(clips, annotators)` right clips."""
    if not len(told) or not len(right):
        return 0.0, 0.0
    first = int(told.argmax())
    hit = float(right[first].any()) if first < len(right) else 0.0
    padded = np.zeros(len(right))
    padded[: len(told)] = told[: len(right)]
    return hit, float(np.mean([average_precision(padded, column) for column in right.T]))


def average_precision(told: Values, right: NDArray[np.bool_]) -> float:
    """Compute the interpolated average precision of `(C,)` clips of which some are right.

    The mean, over the levels of recall that the distinct scores reach, of the best precision at
    this or any higher recall; 0 where no clip is right, and 1 where all are.
    """
    if right.all() or not right.any():
        return float(right.all())
    order = np.argsort(-told, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(told[order])), len(told) - 1)
    found = np.cumsum(right[order])[ends]
    precision = found / (ends + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    rises = np.diff(np.concatenate([[0], found])) > 0
    return float(best[rises].mean())
