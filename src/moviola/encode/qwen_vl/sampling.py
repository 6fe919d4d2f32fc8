"""Choose the frames of a file as qwen-vl-utils does: numbers evenly spread over all frames.

This module runs beside the decoder and imports no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.spans import Span
from moviola.encode.runtime.frame_rates import average_rate

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEAST = 4
"""Frames of a file, where it has as many."""


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
