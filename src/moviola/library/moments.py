"""From the scores of a video's windows to its moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A dip of less than this share of the whole height is noise on a plateau, not an edge.
_FLAT = 0.25


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of one video that answers a query.

    Attributes:
        start: seconds.
        end: seconds.
        peak: the middle of the best window, seconds.
        score: the best window's score.
    """

    start: float
    end: float
    peak: float
    score: float


def merge_windows(
    scores: NDArray[np.floating],
    spans: NDArray[np.float64],
    *,
    background: float | None = None,
) -> list[Stretch]:
    """Join the neighbouring windows of one video that answer a query together.

    Args:
        scores: `(n,)`, larger is better.
        spans: `(n, 2)` starts and ends in seconds, ordered by start.
        background: what unrelated clips score, such as the median over the library.

    Returns:
        Moments that do not overlap, the best first; at least one.
    """
    values = np.asarray(scores, np.float64)
    best = int(values.argmax())
    low = _low(values, background)
    level = (values[best] + low) / 2
    open_ = np.ones(values.size, bool)
    found: list[Stretch] = []
    while open_.any():
        peak = int(np.where(open_, values, -np.inf).argmax())
        if found and values[peak] < level:
            break
        first, last = _run(values, spans, open_, peak, level)
        start, end = _edges(values, spans, first, last, level)
        start = max([start, *(other.end for other in found if other.start < spans[peak, 0])])
        end = min([end, *(other.start for other in found if other.end > spans[peak, 1])])
        if end > start:
            middle = float(np.clip(spans[peak].mean(), start, end))
            found.append(Stretch(float(start), float(end), middle, float(values[peak])))
        open_[max(first - 1, 0) : last + 2] = False
    return found


def _low(values: NDArray[np.float64], background: float | None) -> float:
    """The level of windows that do not answer, or of nothing at all where all windows do."""
    low = float(values.min())
    if background is not None and values.max() - low < _FLAT * (values.max() - background):
        return min(background, low) - (values.max() - low)
    return low


def _run(
    values: NDArray[np.float64],
    spans: NDArray[np.float64],
    open_: NDArray[np.bool_],
    peak: int,
    level: float,
) -> tuple[int, int]:
    """First and last window of the unbroken run around `peak` that stays at `level` or above."""
    first = last = peak
    while (
        first > 0
        and open_[first - 1]
        and values[first - 1] >= level
        and spans[first - 1, 1] > spans[first, 0]
    ):
        first -= 1
    while (
        last + 1 < values.size
        and open_[last + 1]
        and values[last + 1] >= level
        and spans[last + 1, 0] < spans[last, 1]
    ):
        last += 1
    return first, last


def _edges(
    values: NDArray[np.float64],
    spans: NDArray[np.float64],
    first: int,
    last: int,
    level: float,
) -> tuple[float, float]:
    """Where the score crosses `level`, interpolated between the middles of windows that overlap."""
    middles = spans.mean(axis=1)
    start, end = spans[first, 0], spans[last, 1]
    if first > 0 and spans[first - 1, 1] > spans[first, 0]:
        start = _crossing(middles, values, first - 1, first, level)
    if last + 1 < values.size and spans[last + 1, 0] < spans[last, 1]:
        end = _crossing(middles, values, last + 1, last, level)
    return float(start), float(end)


def _crossing(
    middles: NDArray[np.float64], values: NDArray[np.float64], below: int, above: int, level: float
) -> float:
    rise = values[above] - values[below]
    share = (level - values[below]) / rise if rise > 0 else 0.0
    return middles[below] + min(max(share, 0.0), 1.0) * (middles[above] - middles[below])
