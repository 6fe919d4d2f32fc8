"""Choose the frames of a file as qwen-vl-utils does, and recover the times it tells.

It counts: frame numbers evenly spread over the file, each told as its number by the average rate.
Here frames have times; both are recovered from them. This module runs beside the decoder and
imports no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.spans import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 4
"""Frames of a file, where it has as many."""
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


@dataclass(frozen=True, slots=True)
class FileSampler:
    """Take `fps` frames a second, at least 4 and an even number, evenly from first to last.

    Attributes:
        fps: frames a second.
        at_most: frames of a clip.

    Raises:
        ValueError: when `fps` is not positive, or `at_most` below 2.
    """

    fps: float = 1.0
    at_most: int = 64

    def __post_init__(self) -> None:
        if not self.fps > 0 or self.at_most < 2:
            raise ValueError(
                f"a video needs fps above 0 and max_frames of at least 2, got {self.fps} and "
                f"{self.at_most}"
            )

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `qwen-vl:1/64`."""
        return f"qwen-vl:{self.fps:g}/{self.at_most}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(T,)` in seconds inside `span`, as if it had 25 frames a second."""
        count = max(1, math.floor(span.duration * 25))
        return self.choose(span, span.start + np.arange(count, dtype=np.float64) / 25)

    def choose(self, _: Span, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose among the seconds `(n,)`, n >= 1, at which frames are shown."""
        total = len(shown)
        wanted = max(total / average_rate(shown) * self.fps, _LEAST)
        wanted = min(wanted, self.at_most // 2 * 2, total)
        count = max(math.floor(wanted / 2) * 2, 1)
        # In single precision and half to even, as torch.linspace and torch.round do.
        places = np.rint(np.linspace(0, total - 1, count).astype(np.float32)).astype(np.int64)
        return shown[places]


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
    for grace in (_TICK, _MILLISECOND):
        for rate in _RATES:
            numbers = np.rint(since * rate)
            if np.abs(numbers / rate - since).max() < grace:
                return (numbers / rate).tolist()
    return since.tolist()
