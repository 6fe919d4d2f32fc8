"""Choose the frames of a file as the processors of chat models do.

They count frames; a frame's number by the average rate is its time. This module runs beside the
decoder and imports no torch.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.encode.runtime.frame_rates import average_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.spans import Span

_LEAST = 4
"""Frames of a file, where it has as many."""


class _Counting(ABC):
    """Choose frames by their numbers."""

    __slots__ = ()

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(T,)` in seconds inside `span`, as if it had 25 frames a second."""
        count = max(1, math.floor(round(span.duration * 25, 6)))
        return self.choose(span, span.start + np.arange(count, dtype=np.float64) / 25)

    def choose(self, _: Span, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose among the seconds `(n,)`, n >= 1, at which frames are shown."""
        return shown[self.numbers(len(shown), average_rate(shown))]

    @abstractmethod
    def numbers(self, total: int, rate: float) -> NDArray[np.int64]:
        """Return the numbers of the frames of a file of `total` frames at `rate` a second."""


@dataclass(frozen=True, slots=True)
class SteppingSampler(_Counting):
    """Take `fps` frames a second in equal steps from the first one, as Qwen2.5-VL does.

    Attributes:
        fps: frames a second; at least 4 frames where there are as many.
        at_most: frames of a clip.
        whole: divides the number of frames.
    """

    fps: float = 2.0
    at_most: int = 768
    whole: int = 2

    def __post_init__(self) -> None:
        _require(self.fps, self.at_most, self.whole)

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `steps:2/768/2`."""
        return f"steps:{self.fps:g}/{self.at_most}/{self.whole}"

    def numbers(self, total: int, rate: float) -> NDArray[np.int64]:
        """Return the numbers of frames: multiples of a step, without their fractions."""
        most = min(self.at_most, total) // self.whole * self.whole
        wanted = min(max(total / rate * self.fps, _LEAST), most)
        count = max(math.floor(wanted / self.whole) * self.whole, 1)
        # In single precision, as torch.arange gives them.
        places = np.arange(count) * (total / count)
        return places.astype(np.float32).astype(np.int64)


@dataclass(frozen=True, slots=True)
class SpreadingSampler(_Counting):
    """Take `fps` frames a second evenly from the first to the last one, as Qwen3-VL does.

    Attributes:
        fps: frames a second; at least 4 frames where there are as many.
        at_most: frames of a clip.
    """

    fps: float = 2.0
    at_most: int = 768

    def __post_init__(self) -> None:
        _require(self.fps, self.at_most, 1)

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `spread:2/768`."""
        return f"spread:{self.fps:g}/{self.at_most}"

    def numbers(self, total: int, rate: float) -> NDArray[np.int64]:
        """Return the numbers of frames, rounded half to even."""
        count = min(max(int(total / rate * self.fps), _LEAST), self.at_most, total)
        return np.linspace(0, total - 1, count).round().astype(np.int64)


@dataclass(frozen=True, slots=True)
class CentringSampler(_Counting):
    """Take the frames in the middle of `count` equal parts, as InternVL does; all if fewer.

    Attributes:
        count: frames of a clip.
    """

    count: int = 8

    def __post_init__(self) -> None:
        _require(1.0, self.count, 1)

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `centres:8`."""
        return f"centres:{self.count}"

    def numbers(self, total: int, rate: float) -> NDArray[np.int64]:
        """Return the numbers of frames, without their fractions."""
        del rate
        count = min(self.count, total)
        places = total / count / 2 + np.arange(count) * (total / count)
        return places.astype(np.float32).astype(np.int64)


def _require(fps: float, at_most: int, whole: int) -> None:
    """Refuse settings that choose no frame.

    Raises:
        ValueError: when `fps` is not positive, or `at_most` too small.
    """
    if not fps > 0 or at_most < whole:
        raise ValueError(
            f"a video needs fps above 0 and frames of at least {whole}, got {fps} and {at_most}"
        )
