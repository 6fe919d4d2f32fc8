"""Merge the windows of a video into its moments.

The rules and numbers were chosen by simulation (see the tests): windows score in proportion to
how much of the sought shot they hold, other shots of the video score up to 70 % of it, and noise
is up to a sixth of the height. Scores that tell a shot from one like it by less than that are
sharpened first: `exp(sharpness * score)`, with a sharpness that was measured for the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.moments import Stretch
from moviola.retrieve.quantiles import quantiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

# The windows of a video that do not answer: so many at least, in most videos.
_LOW_QUANTILE = 0.25
# A video whose scores span less than this share of their height above everything else answers
# as a whole: its ups and downs are noise.
_FLAT_SHARE = 0.25
# Without anything else to compare with, two levels must explain this share of the variance.
_TWO_LEVELS = 0.75
# Beyond this, an exponential is infinite.
_LARGEST_EXPONENT = 700.0
# Fewer windows than this say too little to be smoothed.
_SMOOTHED_FROM = 6


@dataclass(frozen=True, slots=True)
class Stretches:
    """Stretches of several videos, in columns of r entries each, ordered by video, best first.

    Attributes:
        videos: `(r,)` which video of those asked about.
        starts: `(r,)` seconds.
        ends: `(r,)` seconds.
        peaks: `(r,)` the middles of the best windows, seconds.
        scores: `(r,)` the best windows' scores.
        windows: `(r,)` the best windows, counted over all videos.
        others: `(r,)` how many more stretches of the same video there were than were kept.
    """

    videos: NDArray[np.int64]
    starts: NDArray[np.float64]
    ends: NDArray[np.float64]
    peaks: NDArray[np.float64]
    scores: NDArray[np.float64]
    windows: NDArray[np.int64]
    others: NDArray[np.int64]


def merge_windows(
    scores: NDArray[np.floating],
    spans: NDArray[np.float64],
    *,
    background: float | None = None,
    sharpness: float = 0.0,
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
        sharpness: joins by `exp(sharpness * score)`, or by the scores themselves where it is 0.

    Returns:
        At least one moment; they do not overlap, and the best comes first.

    Raises:
        ValueError: when there is no window, or the shapes do not fit together.
    """
    if scores.ndim != 1 or not scores.size or spans.shape != (scores.size, 2):
        raise ValueError(
            f"windows need scores (n,) and spans (n, 2), got {scores.shape} and {spans.shape}"
        )
    found = merge_videos(
        scores, spans, np.array([0, scores.size]), background=background, sharpness=sharpness
    )
    columns = (found.starts, found.ends, found.peaks, found.scores)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return [Stretch(*row) for row in rows]


def merge_videos(
    scores: NDArray[np.floating],
    spans: NDArray[np.float64],
    offsets: NDArray[np.int64],
    *,
    background: float | None = None,
    most: int | None = None,
    sharpness: float = 0.0,
) -> Stretches:
    """Merge the windows of several videos at once, each as `merge_windows` does.

    Args:
        scores: `(n,)` of the windows of all videos, video after video.
        spans: `(n, 2)`.
        offsets: `(V + 1,)` video v owns windows `offsets[v]:offsets[v + 1]`, at least one.
        background: what unrelated clips score.
        most: keep so many stretches of each video; None for all.
        sharpness: of joining, as `merge_windows` takes it. It moves edges and what is joined, not
            the scores of the best windows, nor which video comes first.
    """
    raw = scores.astype(np.float64)
    first, counts = offsets[:-1], np.diff(offsets)
    owner = np.repeat(np.arange(counts.size), counts)
    # Whether a window overlaps the one after it, of the same video.
    joined = np.append((spans[1:, 0] < spans[:-1, 1]) & (owner[1:] == owner[:-1]), False)
    highest = np.maximum.reduceat(raw, first)
    sharp = _sharpened(raw, highest[owner], sharpness)
    values = _smoothed(sharp, joined, offsets, owner)
    # The best window belongs to a moment, however smoothing lowered it.
    best = np.flatnonzero(raw == highest[owner])
    best = best[np.searchsorted(owner[best], np.arange(counts.size))]  # the first of equals
    beneath = None if background is None else _sharpened(background, highest, sharpness)
    level = np.minimum(_levels(values, offsets, beneath), values[best])[owner]
    above = values >= level

    begin, end = _runs(above, joined)
    video = owner[begin]
    # What lies between two runs must not be the best of the first.
    score = np.maximum.reduceat(np.where(above, raw, -np.inf), begin)
    order = np.lexsort((-score, video))  # equals stay in the order of time
    runs = np.bincount(video, minlength=counts.size)
    others = np.zeros_like(runs)
    if most is not None:
        rank = np.arange(order.size) - (np.cumsum(runs) - runs)[video[order]]
        order = order[rank < most]
        others = np.maximum(runs - most, 0)
    begin, end, video, score = begin[order], end[order], video[order], score[order]

    window = np.array(
        [
            a + int(raw[a : b + 1].argmax())
            for a, b in zip(begin.tolist(), end.tolist(), strict=True)
        ]
    )
    before, after = begin - 1, np.minimum(end + 1, raw.size - 1)
    starts = np.where(
        joined[before], _crossing(values, spans, level, before, begin), spans[begin, 0]
    )
    ends = np.where(joined[end], _crossing(values, spans, level, after, end), spans[end, 1])
    peaks = np.clip(spans[window].mean(axis=1), starts, ends)
    return Stretches(video, starts, ends, peaks, score, window, others[video])


def _sharpened(
    scores: NDArray[np.float64] | float, highest: NDArray[np.float64], sharpness: float
) -> NDArray[np.float64]:
    """Sharpen scores against the highest of their videos, which becomes 1; with 0, keep them."""
    if sharpness == 0:
        return np.broadcast_to(scores, highest.shape)
    return np.exp(np.minimum(sharpness * (scores - highest), _LARGEST_EXPONENT))


def _smoothed(
    raw: NDArray[np.float64],
    joined: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    owner: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Smooth `(n,)` scores over neighbours: overlapping windows share frames, and noise."""
    counts = np.diff(offsets)
    unbroken = np.add.reduceat(joined, offsets[:-1], dtype=np.int64) == counts - 1
    smooth = unbroken & (counts >= _SMOOTHED_FROM)
    if not smooth.any():
        return raw
    before, after = np.roll(raw, 1), np.roll(raw, -1)
    before[offsets[:-1]], after[offsets[1:] - 1] = raw[offsets[:-1]], raw[offsets[1:] - 1]
    return np.where(smooth[owner], (before + 2 * raw + after) / 4, raw)


def _levels(
    values: NDArray[np.float64],
    offsets: NDArray[np.int64],
    background: NDArray[np.float64] | None,
) -> NDArray[np.float64]:
    """Set the levels `(V,)` that windows of a moment reach; minus infinity where all do."""
    own = [values[a:b] for a, b in pairwise(offsets.tolist())]
    low = np.array([quantiles(part, [_LOW_QUANTILE])[0] for part in own])
    high = np.maximum.reduceat(values, offsets[:-1])
    levels = (high + low) / 2
    if background is None:
        whole = np.array([not _has_two_levels(*pair) for pair in zip(own, levels, strict=True)])
    else:
        whole = high - low < _FLAT_SHARE * (high - background)
    return np.where(whole, -np.inf, levels)


def _has_two_levels(values: NDArray[np.float64], level: float) -> bool:
    """Tell whether a level explains most of the variance of `(n,)` scores."""
    upper = values >= level
    share = float(upper.mean())
    if values.size < 3 or share == 1:
        return False
    height = float(values[upper].mean() - values[~upper].mean())
    return share * (1 - share) * height**2 >= _TWO_LEVELS * float(values.var())


def _runs(
    above: NDArray[np.bool_], joined: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the first and last window of every unbroken row of overlapping ones `above`."""
    onward = joined[:-1] & above[:-1] & above[1:]
    return (
        np.flatnonzero(above & ~np.append(False, onward)),
        np.flatnonzero(above & ~np.append(onward, False)),
    )


def _crossing(
    values: NDArray[np.float64],
    spans: NDArray[np.float64],
    level: NDArray[np.float64],
    below: NDArray[np.int64],
    above: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Interpolate where scores cross the level between the middles of neighbouring windows.

    The result for windows that are no such neighbours means nothing.
    """
    outer, inner = spans[below].mean(axis=1), spans[above].mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (level[above] - values[below]) / (values[above] - values[below])
        # Not all the way in: a lone window that just reaches the level is a moment all the same.
        return outer + np.minimum(share, 0.9) * (inner - outer)
