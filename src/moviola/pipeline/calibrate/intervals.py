"""Measure with bootstrap intervals over videos, whose captions are not independent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RESAMPLES = 500


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure and its 95 % bootstrap interval over videos; None where there is none."""

    value: float | None
    low: float | None
    high: float | None


def measure_over_videos(
    measures: Mapping[str, Callable[[NDArray[np.int64]], float]], videos: NDArray[np.int64]
) -> dict[str, Measured]:
    """Compute every measure, which is told rows, on all and on resamples of whole videos.

    Args:
        measures: by name; each maps numbers of rows to a figure, or to NaN.
        videos: `(n,)` number of the video of every row, from 0 without gaps.
    """
    rng = np.random.default_rng(0)
    count = int(videos.max()) + 1
    rows_of = [np.flatnonzero(videos == video) for video in range(count)]
    drawn = [
        np.concatenate([rows_of[video] for video in rng.integers(0, count, count)])
        for _ in range(_RESAMPLES)
    ]
    every = np.arange(len(videos))
    return {
        name: _interval(measure(every), [measure(rows) for rows in drawn])
        for name, measure in measures.items()
    }


def _interval(value: float, drawn: list[float]) -> Measured:
    sound = [each for each in drawn if not np.isnan(each)]
    if np.isnan(value) or not sound:
        return Measured(None, None, None)
    low, high = np.percentile(sound, (2.5, 97.5))
    return Measured(round(value, 3), round(float(low), 3), round(float(high), 3))
