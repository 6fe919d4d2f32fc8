"""Compute means with 95 % intervals in which whole videos are resampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RESAMPLES = 1000


@dataclass(frozen=True)
class Figure:
    """Hold a mean with its 95 % interval."""

    value: float
    low: float
    high: float
    count: int


def figure(values: NDArray[Any] | Sequence[float], groups: Sequence[int] | NDArray[Any]) -> Figure:
    """Compute mean and 95 % percentile interval, resampling whole videos.

    Captions of one video are not independent, so videos are drawn, with all that belongs to them.
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        values: (N,) results.
        groups: (N,) the number of the video that each belongs to.
    """
    values = np.asarray(values, np.float64)
    _, owner = np.unique(np.asarray(groups), return_inverse=True)
    sums, counts = np.bincount(owner, values), np.bincount(owner)
    drawn = np.random.default_rng(0).integers(0, len(sums), (RESAMPLES, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / counts[drawn].sum(1), (2.5, 97.5))
    return Figure(float(values.mean()), float(low), float(high), len(values))
