"""Compute 95 % intervals: how far an aggregate would move with other queries of its kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

Summary = Literal["mean", "median"]
Interval = tuple[float, float]

_BOUNDS = (2.5, 97.5)


@dataclass(frozen=True, slots=True)
class Column:
    """Hold the `(Q,)` values of one measure, and how they become one number.

    Attributes:
        values: one a query.
        summary: `"mean"` or `"median"` of them.
        scale: what the number is multiplied with, such as 100 for percent.
    """

    values: Values
    summary: Summary = "mean"
    scale: float = 1.0

    @property
    def aggregate(self) -> float:
        """Sum the values up to one number."""
        middle = np.median(self.values) if self.summary == "median" else self.values.mean()
        return float(self.scale * middle)


def resample(columns: Sequence[Column], *, resamples: int, seed: int) -> Values:
    """Draw aggregates `(C, B)` of C columns under B draws of Q queries with replacement.

    All columns see the same draws, so that what is made of several of them can be told too.
    Queries are drawn independently: where many captions share a video, true intervals are wider.

    Args:
        columns: C columns of the same Q queries.
        resamples: B, how many samples to draw.
        seed: the same seed gives the same draws.
    """
    table = np.stack([column.values for column in columns])
    medians = [
        (row, np.argsort(column.values))
        for row, column in enumerate(columns)
        if column.summary == "median"
    ]
    count = table.shape[1]
    rng = np.random.default_rng(seed)
    drawn = np.empty((len(columns), resamples))
    for sample in range(resamples):
        # How often each query was drawn is all that a mean or a median needs to know.
        chosen: NDArray[np.int64] = rng.integers(0, count, (count,), np.int64)
        times = np.bincount(chosen, minlength=count)
        drawn[:, sample] = table @ times / count
        for row, order in medians:
            drawn[row, sample] = _median(table[row, order], times[order])
    return drawn * np.array([[column.scale] for column in columns])


def interval(drawn: Values) -> Interval:
    """Compute the 95 % percentile interval of `(B,)` aggregates.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.
    """
    low, high = np.percentile(drawn, _BOUNDS)
    return float(low), float(high)


def _median(ordered: Values, times: NDArray[np.int64]) -> float:
    """Compute the median of `ordered` values, each taken as many `times` as is said."""
    upto = np.cumsum(times)
    total = int(upto[-1])
    low, high = np.searchsorted(upto, [(total - 1) // 2, total // 2], side="right")
    return float((ordered[low] + ordered[high]) / 2)
