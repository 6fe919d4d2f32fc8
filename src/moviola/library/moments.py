"""From the scores of a video's windows to its moments.

The rules and numbers were chosen by simulation (see the tests): windows score in proportion to
how much of the sought shot they hold, other shots of the video score up to 70 % of it, and noise
is up to a sixth of the height.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The windows of a video that do not answer: so many at least, in most videos.
_LOW_QUANTILE = 0.25
# A video whose scores span less than this share of their height above everything else answers
# as a whole: its ups and downs are noise.
_FLAT_SHARE = 0.25
# Without anything else to compare with, two levels must explain this share of the variance.
_TWO_LEVELS = 0.75
# Fewer windows than this say too little to be smoothed.
_SMOOTHED_FROM = 6


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of one video that answers a query.

    Attributes:
        start: seconds.
        end: seconds.
        peak: the middle of the best window, seconds.
        score: the best window's score.
        window: which of the video's windows is the best.
    """

    start: float
    end: float
    peak: float
    score: float
    window: int = 0


def merge_windows(
    scores: NDArray[np.floating],
    spans: NDArray[np.float64],
    *,
    background: float | None = None,
) -> list[Stretch]:
    """Join the neighbouring windows of one video that answer a query together.

    Windows above the level halfway between the best and the lower quartile belong to a moment;
    overlapping ones to the same. A moment begins and ends where the score, interpolated between
    the middles of overlapping windows, crosses that level: where a window holds half of the shot,
    its middle is the shot's edge. Windows that only touch, such as shots, keep their own edges.

    Args:
        scores: `(n,)`, larger is better.
        spans: `(n, 2)` starts and ends in seconds, both ascending.
        background: what unrelated clips score, such as the median over the library. It tells a
            video that answers as a whole from one in which a part stands out.

    Returns:
        At least one moment; they do not overlap, and the best comes first.

    Raises:
        ValueError: when there is no window, or the shapes do not fit together.
    """
    return best_stretches(scores, spans, background=background)[0]


def best_stretches(
    scores: NDArray[np.floating],
    spans: NDArray[np.float64],
    *,
    background: float | None = None,
    most: int | None = None,
) -> tuple[list[Stretch], int]:
    """The best `most` of what `merge_windows` gives, and how many there are in all."""
    if scores.ndim != 1 or not scores.size or spans.shape != (scores.size, 2):
        raise ValueError(
            f"windows need scores (n,) and spans (n, 2), got {scores.shape} and {spans.shape}"
        )
    raw = scores.astype(np.float64)
    values = _smoothed(raw, spans)
    best = int(raw.argmax())
    level = min(_level(values, background), float(values[best]))
    runs = _runs(values, spans, level)
    if most == 1:  # what a page of results asks of every video
        wanted = [next(run for run in runs if run[0] <= best <= run[1])]
    else:
        wanted = sorted(runs, key=lambda run: (-raw[run[0] : run[1] + 1].max(), run[0]))[:most]
    return [_stretch(raw, values, spans, run, level) for run in wanted], len(runs)


def _smoothed(raw: NDArray[np.float64], spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Overlapping windows share frames, so their differences are partly noise."""
    if raw.size < _SMOOTHED_FROM or (spans[1:, 0] >= spans[:-1, 1]).any():
        return raw
    padded = np.concatenate([raw[:1], raw, raw[-1:]])
    return (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4


def _level(values: NDArray[np.float64], background: float | None) -> float:
    """What a window must reach to belong to a moment; minus infinity where all of them do."""
    ordered = np.sort(values)
    high, low = float(ordered[-1]), _quantile(ordered, _LOW_QUANTILE)
    level = (high + low) / 2
    if background is None:
        whole = not _has_two_levels(values, level)
    else:
        whole = high - low < _FLAT_SHARE * (high - background)
    return -np.inf if whole else level


def _quantile(ordered: NDArray[np.float64], share: float) -> float:
    """The quantile of sorted values, interpolated: NumPy's, at a tenth of its price for few."""
    place = share * (ordered.size - 1)
    below = int(place)
    above = min(below + 1, ordered.size - 1)
    low, high = float(ordered[below]), float(ordered[above])
    return low + (place - below) * (high - low)


def _has_two_levels(values: NDArray[np.float64], level: float) -> bool:
    upper = values >= level
    share = float(upper.mean())
    if values.size < 3 or share == 1:
        return False
    height = float(values[upper].mean() - values[~upper].mean())
    return share * (1 - share) * height**2 >= _TWO_LEVELS * float(values.var())


def _runs(
    values: NDArray[np.float64], spans: NDArray[np.float64], level: float
) -> list[tuple[int, int]]:
    """First and last window of every unbroken row of overlapping windows at `level` or above."""
    above = np.flatnonzero(values >= level)
    before, after = above[:-1], above[1:]
    breaks = (after - before > 1) | (spans[after, 0] >= spans[before, 1])
    firsts, lasts = after[breaks].tolist(), before[breaks].tolist()
    return list(zip([int(above[0]), *firsts], [*lasts, int(above[-1])], strict=True))


def _stretch(
    raw: NDArray[np.float64],
    values: NDArray[np.float64],
    spans: NDArray[np.float64],
    run: tuple[int, int],
    level: float,
) -> Stretch:
    first, last = run
    start, end = float(spans[first, 0]), float(spans[last, 1])
    if first > 0 and spans[first - 1, 1] > spans[first, 0]:
        start = _crossing(values, spans, first - 1, first, level)
    if last + 1 < raw.size and spans[last + 1, 0] < spans[last, 1]:
        end = _crossing(values, spans, last + 1, last, level)
    best = first + int(raw[first : last + 1].argmax())
    peak = min(max(_middle(spans, best), start), end)
    return Stretch(start, end, peak, float(raw[best]), best)


def _crossing(
    values: NDArray[np.float64], spans: NDArray[np.float64], below: int, above: int, level: float
) -> float:
    """Where the score crosses `level` between the middles of two neighbouring windows."""
    outer, inner = _middle(spans, below), _middle(spans, above)
    # Not all the way in: a lone window that just reaches the level is a moment all the same.
    share = min((level - values[below]) / (values[above] - values[below]), 0.9)
    return float(outer + share * (inner - outer))


def _middle(spans: NDArray[np.float64], window: int) -> float:
    return (float(spans[window, 0]) + float(spans[window, 1])) / 2
