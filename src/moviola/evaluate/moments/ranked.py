"""Measure whether all right moments were found, and first: ranked spans inside a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Span
from moviola.evaluate.bootstrap import Column, interval, resample
from moviola.evaluate.moments.first import MomentResult, evaluate_moments

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: Overlaps over which mAP is averaged: 0.5, 0.55, …, 0.95.
THRESHOLDS: tuple[float, ...] = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
#: How many moments of a query count.
DEPTH = 10


def evaluate_ranked_moments(
    found: Mapping[str, Sequence[tuple[Span, float]]],
    truth: Mapping[str, Sequence[Span]],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> MomentResult:
    """Measure R1@IoU, and mAP over IoU thresholds, as QVHighlights defines them.

    Lei, Berg and Bansal, "QVHighlights: Detecting Moments and Highlights in Videos via Natural
    Language Queries", 2021, section 5.1, and its evaluation code. The first listed moment is that
    of R1; of the first ten, ordered by score, each takes the free true moment that it overlaps
    best, where the overlap reaches the threshold. A query without moments found nothing.

    Args:
        found: query id to its moments with scores, as they were listed.
        truth: query id to its true moments, all the queries there are.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        ValueError: when there is no query, or moments were found for one that has no truth.
    """
    first = {query: moments[0][0] for query, moments in found.items() if moments}
    strangers = sorted(found.keys() - truth.keys())
    if strangers:
        raise ValueError(f"{strangers[0]!r} has moments but no truth")
    result = evaluate_moments(first, truth, resamples=resamples, seed=seed)
    precisions = np.array(
        [average_precisions(found.get(query, ()), truth[query]) for query in result.queries]
    )
    columns = {"mAP": Column(precisions.mean(axis=1), scale=100.0)}
    for limit in (0.5, 0.75):
        values = precisions[:, THRESHOLDS.index(limit)]
        columns[f"mAP@IoU{limit:g}"] = Column(values, scale=100.0)
    intervals = dict(result.intervals)
    if resamples:
        drawn = resample(list(columns.values()), resamples=resamples, seed=seed)
        intervals |= {name: interval(row) for name, row in zip(columns, drawn, strict=True)}
    aggregates = {name: column.aggregate for name, column in columns.items()}
    return replace(result, aggregates={**result.aggregates, **aggregates}, intervals=intervals)


def average_precisions(
    found: Sequence[tuple[Span, float]],
    truth: Sequence[Span],
    thresholds: Sequence[float] = THRESHOLDS,
) -> Values:
    """Compute `(T,)` average precision of one query's moments at each of T overlaps.

    Precision is interpolated: at each recall the best of this and any higher recall (Everingham et
    al., "The PASCAL Visual Object Classes Challenge", 2010, section 4.2, at every recall).
    """
    listed = found[:DEPTH]
    order = np.argsort([-score for _, score in listed], kind="stable")
    limits = np.array(thresholds)
    every = np.arange(len(limits))
    free = np.ones((len(limits), len(truth)), dtype=bool)
    right = np.zeros((len(limits), len(listed)), dtype=bool)
    for place, number in enumerate(order):
        moment, _ = listed[int(number)]
        overlaps = np.array([moment.iou(span) for span in truth])
        open_ones = np.where(free, overlaps, -1.0)
        best = open_ones.argmax(axis=1)
        right[:, place] = open_ones[every, best] >= limits
        free[every, best] &= ~right[:, place]
    precision = np.cumsum(right, axis=1) / np.arange(1, len(listed) + 1)
    best_from_here = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return np.where(right, best_from_here, 0.0).sum(axis=1) / len(truth)
