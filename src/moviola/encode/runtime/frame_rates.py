"""Recover frame numbers and rates from the times of frames.

Programs of others count frames and divide by the average rate of a file; here frames have times.
This module runs beside the decoder and imports no torch.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RATES = tuple(
    float(rate)
    for rate in (
        *(Fraction(n * 1000, 1001) for n in (24, 30, 60, 120)),
        *(Fraction(n) for n in (24, 25, 30, 50, 60, *range(1, 121))),
        Fraction(25, 2),
    )
)
"""Frames a second that files have, those of television first."""
_TICK, _MILLISECOND = 1e-6, 5.1e-4
"""Seconds by which the times of frames differ from multiples: of exact clocks, and of those that
count milliseconds."""


def average_rate(shown: NDArray[np.float64]) -> float:
    """Return the frames a second of frames that are shown at seconds `(n,)`.

    A rate that is in use is taken for one that fits no worse than clocks of milliseconds allow.
    """
    steps, lasts = len(shown) - 1, float(shown[-1] - shown[0]) if len(shown) else 0.0
    if steps < 1 or lasts <= 0:
        return 25.0
    for grace in (_TICK, 2 * _MILLISECOND):
        for rate in _RATES:
            if abs(steps / rate - lasts) < grace:
                return rate
    return steps / lasts


def counted_times(times: NDArray[np.float64]) -> list[float]:
    """Return the seconds `(T,)` since the first frame, as frame numbers by a rate give them.

    Division alone rounds as the published program does, so that its decimals come out alike; times
    that fit no rate stay as they are.
    """
    since = times - times[0]
    rate = frame_rate(since)
    return since.tolist() if rate is None else (np.rint(since * rate) / rate).tolist()


def frame_rate(since: NDArray[np.float64]) -> float | None:
    """Return the rate by which seconds `(T,)` since the first frame are whole; None for none."""
    for grace in (_TICK, _MILLISECOND):
        for rate in _RATES:
            if np.abs(np.rint(since * rate) / rate - since).max() < grace:
                return rate
    return None
