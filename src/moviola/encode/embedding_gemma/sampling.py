"""Choose the frames of a file as the processor of EmbeddingGemma 2 does.

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


@dataclass(frozen=True, slots=True)
class StepSampler:
    """Take `fps` frames a second from the first on; of more than `at_most`, evenly spread ones.

    Attributes:
        fps: frames a second.
        at_most: frames of a clip.

    Raises:
        ValueError: when `fps` is not positive, or `at_most` below 1.
    """

    fps: float = 1.0
    at_most: int = 32

    def __post_init__(self) -> None:
        if not self.fps > 0 or self.at_most < 1:
            raise ValueError(
                f"a video needs fps above 0 and max_frames of at least 1, got {self.fps} and "
                f"{self.at_most}"
            )

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `step:1/32`."""
        return f"step:{self.fps:g}/{self.at_most}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(T,)` in seconds inside `span`, as if it had 25 frames a second."""
        count = max(1, math.floor(span.duration * 25))
        return self.choose(span, span.start + np.arange(count, dtype=np.float64) / 25)

    def choose(self, _: Span, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose among the seconds `(n,)`, n >= 1, at which frames are shown."""
        total, rate = len(shown), average_rate(shown)
        count = max(1, int(total / rate * self.fps))
        places = np.minimum((np.arange(count) * (rate / self.fps)).astype(np.int64), total - 1)
        if count > self.at_most:
            places = places[np.linspace(0, count - 1, self.at_most).astype(np.int64)]
        return shown[places]
