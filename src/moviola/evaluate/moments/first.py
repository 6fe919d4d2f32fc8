"""Measure whether the right span inside a video came first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Span
from moviola.evaluate.bootstrap import Column, Interval, interval, resample

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class MomentResult:
    """Hold how well first moments lie.

    Attributes:
        queries: ids of the Q queries.
        iou: `(Q,)` overlap of each first moment with the truth that it overlaps best.
        aggregates: `R1@IoU0.5` and its like, in percent, and `mIoU`, a fraction.
        intervals: the 95 % bootstrap interval of each.
    """

    queries: tuple[str, ...]
    iou: NDArray[np.float64]
    aggregates: Mapping[str, float]
    intervals: Mapping[str, Interval]


def best_iou(found: Span, truth: Sequence[Span]) -> float:
    """Compute the overlap (IoU) of a span with the one of `truth` that it overlaps best."""
    return max((found.iou(span) for span in truth), default=0.0)


def evaluate_moments(
    first: Mapping[str, Span | None],
    truth: Mapping[str, Sequence[Span]],
    *,
    thresholds: Sequence[float] = (0.5, 0.7),
    resamples: int = 1000,
    seed: int = 0,
) -> MomentResult:
    """Measure R1@IoU: the share of queries whose first moment overlaps a true one well enough.

    As QVHighlights defines it (Lei, Berg and Bansal, "QVHighlights: Detecting Moments and
    Highlights in Videos via Natural Language Queries", 2021, section 5.1): the best of several
    true moments counts, and an overlap equal to the threshold is enough.

    Args:
        first: query id to its first moment; None, or no entry, where nothing was found or the
            first hit lies in another video.
        truth: query id to its true moments, all the queries there are.
        thresholds: in (0, 1].
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        ValueError: when there is no query, or a moment was found for one that has no truth.
    """
    if not truth:
        raise ValueError("there is no query with a true moment")
    strangers = sorted(first.keys() - truth.keys())
    if strangers:
        raise ValueError(f"{strangers[0]!r} has a moment but no truth")
    queries = tuple(truth)
    found = [first.get(query) for query in queries]
    iou = np.array(
        [
            best_iou(span, truth[query]) if span else 0.0
            for query, span in zip(queries, found, strict=True)
        ]
    )
    columns = {
        f"R1@IoU{limit:g}": Column((iou >= limit).astype(np.float64), scale=100.0)
        for limit in thresholds
    }
    columns["mIoU"] = Column(iou)
    intervals: dict[str, Interval] = {}
    if resamples:
        drawn = resample(list(columns.values()), resamples=resamples, seed=seed)
        intervals = {name: interval(row) for name, row in zip(columns, drawn, strict=True)}
    return MomentResult(
        queries=queries,
        iou=iou,
        aggregates={name: column.aggregate for name, column in columns.items()},
        intervals=intervals,
    )
