"""Pixels and sound that carry their own times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Waveform:
    """Decoded sound.

    Attributes:
        samples: `(C, N)` float32 in [-1, 1], C channels.
        rate: samples a second.
        start: seconds from the first moment of the video to the first sample.
    """

    samples: NDArray[np.float32]
    rate: int
    start: float

    def __post_init__(self) -> None:
        if self.samples.ndim != 2 or self.samples.dtype != np.float32:
            raise ValueError(
                f"samples must be (C, N) float32, got {self.samples.shape} {self.samples.dtype}"
            )
        if self.rate <= 0:
            raise ValueError(f"rate must be samples a second, got {self.rate}")


@dataclass(frozen=True, slots=True)
class Frames:
    """Decoded frames of one clip.

    Attributes:
        pixels: `(T, H, W, 3)` uint8, RGB, upright (rotation already applied).
        times: `(T,)` float64, the presentation time of each frame in seconds from the first
            moment of its video; never decreasing. A frame may repeat where a clip holds fewer
            frames than were asked for.
        sound: what is heard meanwhile, where an encoder wants it; no samples, `(C, 0)`, where the
            file has no sound. None where sound was not asked for.

    Raises:
        ValueError: when shapes or dtypes are not these, or times decrease.
    """

    pixels: NDArray[np.uint8]
    times: NDArray[np.float64]
    sound: Waveform | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 4 or self.pixels.shape[-1] != 3 or self.pixels.dtype != np.uint8:
            raise ValueError(
                f"pixels must be (T, H, W, 3) uint8, got {self.pixels.shape} {self.pixels.dtype}"
            )
        if self.times.shape != (self.pixels.shape[0],) or self.times.dtype != np.float64:
            raise ValueError(
                f"times must be ({self.pixels.shape[0]},) float64, "
                f"got {self.times.shape} {self.times.dtype}"
            )
        if not np.isfinite(self.times).all() or (np.diff(self.times) < 0).any():
            raise ValueError("frame times must be finite seconds that never decrease")

    def __len__(self) -> int:
        return self.pixels.shape[0]


@dataclass(frozen=True, slots=True)
class SoundSpec:
    """The sound that an encoder wants beside the frames of a clip.

    Attributes:
        rate: samples a second.
        channels: 1 (mixed down) or 2.

    Raises:
        ValueError: when `rate` is not positive, or `channels` neither 1 nor 2.
    """

    rate: int
    channels: int

    def __post_init__(self) -> None:
        if self.rate <= 0 or self.channels not in (1, 2):
            raise ValueError(
                f"sound needs a rate and 1 or 2 channels, got {self.rate} and {self.channels}"
            )

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `sound:16000/1`, for a readout."""
        return f"sound:{self.rate}/{self.channels}"
