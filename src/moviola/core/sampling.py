"""Choose the moments of a clip that are looked at. Times, never frame numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.spans import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _centres(span: Span, count: int) -> NDArray[np.float64]:
    return span.start + (np.arange(count, dtype=np.float64) + 0.5) * (span.duration / count)


@dataclass(frozen=True, slots=True)
class UniformSampler:
    """`count` times a clip, each in the middle of one of `count` equal parts."""

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"a sampler takes at least one frame, got {self.count}")

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `uniform:8`."""
        return f"uniform:{self.count}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(count,)` in seconds inside `span`."""
        return _centres(span, self.count)


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Frames stretched to `width` x `height` by FFmpeg's bilinear `scale` filter.

    For models whose training read them so; the shape is not kept. Any other way of resizing
    differs by a few levels of gray.
    """

    width: int
    height: int

    def __post_init__(self) -> None:
        if not (1 <= self.width <= 4096 and 1 <= self.height <= 4096):
            raise ValueError(
                f"a picture is 1 to 4096 pixels wide and high, got {self.width} x {self.height}"
            )

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `scale:224x224:bilinear`."""
        return f"scale:{self.width}x{self.height}:bilinear"


@dataclass(frozen=True, slots=True)
class LeftSampler:
    """`count` times a clip, each at the start of one of `count` equal parts.

    The first frame is always among them, the last one hardly ever.
    """

    count: int
    size: PictureSize | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"a sampler takes at least one frame, got {self.count}")

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `left:8 scale:224x224:bilinear`."""
        return f"left:{self.count}" + (f" {self.size.spec}" if self.size else "")

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(count,)` in seconds inside `span`."""
        return span.start + np.arange(self.count, dtype=np.float64) * (span.duration / self.count)

    def choose(self, _: Span, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose the first of each of `count` equal parts of the `(n,)` frames; all if fewer.

        By number, not by time: a video whose frames last unequally long is read as it was in
        training.
        """
        count = min(self.count, len(shown))
        return shown[np.arange(count) * len(shown) // count]


@dataclass(frozen=True, slots=True)
class ConsecutiveSampler:
    """`count` neighbouring frames from a random place of a clip.

    The place is drawn anew for every span and number of frames, but the same for the same ones.
    A clip with fewer frames repeats its last one.
    """

    count: int
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.seed < 0:
            raise ValueError(
                f"a sampler takes at least one frame and a seed of at least 0, "
                f"got {self.count} and {self.seed}"
            )

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `consecutive:8/0`."""
        return f"consecutive:{self.count}/{self.seed}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(count,)` in seconds inside `span`, as if it had 25 frames a second."""
        frames = max(1, math.floor(span.duration * 25))
        return self.choose(span, span.start + np.arange(frames, dtype=np.float64) / 25)

    def choose(self, span: Span, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose `(count,)` of the seconds `(n,)`, n >= 1, at which frames are shown."""
        edges = np.array([span.start, span.end]).view(np.uint64)
        random = np.random.default_rng([self.seed, len(shown), *edges.tolist()])
        # The last frame of a clip is never reached, as in the prototype that this is taken from.
        first = int(random.integers(max(1, len(shown) - self.count)))
        return shown[np.minimum(first + np.arange(self.count), len(shown) - 1)]


@dataclass(frozen=True, slots=True)
class EndsSampler:
    """`count` frames from the first to the last of a clip, evenly by their numbers.

    As `frame_indices` of mteb 2.26 chooses; a clip with fewer frames repeats each in its place.
    """

    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"a sampler takes at least one frame, got {self.count}")

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `ends:8`."""
        return f"ends:{self.count}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(count,)` in seconds inside `span`, as if it had 25 frames a second."""
        frames = max(1, math.floor(span.duration * 25))
        return self.choose(span, span.start + np.arange(frames, dtype=np.float64) / 25)

    def choose(self, span: Span, shown: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: ARG002 - the protocol
        """Choose `(count,)` of the seconds `(n,)`, n >= 1, at which frames are shown."""
        if len(shown) < self.count:
            return shown[np.arange(self.count) * len(shown) // self.count]
        return shown[np.linspace(0, len(shown) - 1, self.count).round().astype(np.int64)]


@dataclass(frozen=True, slots=True)
class EndsRateSampler:
    """`rate` frames a second, rounded down, from the first to the last of a clip.

    At least `at_least` and at most `at_most`, and never more than the clip has, evenly by their
    numbers, as the collator of mteb 2.26 chooses for a number of frames a second.
    """

    rate: float
    at_most: int
    at_least: int = 1

    def __post_init__(self) -> None:
        if not self.rate > 0 or not 1 <= self.at_least <= self.at_most:
            raise ValueError(
                f"a sampler needs a positive rate and limits of at least 1, the lower one first, "
                f"got {self.rate}, {self.at_least} and {self.at_most}"
            )

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `ends:2 a second/1-64`."""
        return f"ends:{self.rate:g} a second/{self.at_least}-{self.at_most}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(T,)` in seconds inside `span`, as if it had 25 frames a second."""
        frames = max(1, math.floor(span.duration * 25))
        return self.choose(span, span.start + np.arange(frames, dtype=np.float64) / 25)

    def choose(self, span: Span, shown: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose `(T,)` of the seconds `(n,)`, n >= 1, at which frames are shown."""
        # Rounded first, so that a span of 1.9999999 s still gets the frames of one of 2 s.
        wanted = max(self.at_least, math.floor(round(span.duration * self.rate, 6)))
        return EndsSampler(min(wanted, self.at_most, len(shown))).choose(span, shown)


@dataclass(frozen=True, slots=True)
class RateSampler:
    """`rate` times a second, from half a step after the start; at most `at_most`.

    A clip too long for the rate is sampled uniformly instead; one too short still gets one time.
    """

    rate: float
    at_most: int

    def __post_init__(self) -> None:
        if not self.rate > 0 or self.at_most < 1:
            raise ValueError(
                f"a sampler needs a positive rate and a limit of at least 1, "
                f"got {self.rate} and {self.at_most}"
            )

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `rate:4/64`."""
        return f"rate:{self.rate:g}/{self.at_most}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(T,)` in seconds inside `span`, 1 <= T <= `at_most`."""
        # Rounded, so that a span of 1.9999999 s still gets the frames of one of 2 s.
        count = max(1, math.floor(round(span.duration * self.rate, 6)))
        if count > self.at_most:
            return _centres(span, self.at_most)
        if count == 1:
            return _centres(span, 1)
        return span.start + (np.arange(count, dtype=np.float64) + 0.5) / self.rate


@dataclass(frozen=True, slots=True)
class GridSampler:
    """`rate` times a second on one grid for the whole video, wherever a clip begins.

    Clips that overlap share the frames of their common part. A clip between two times of the grid
    gets its middle.
    """

    rate: float = 2.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.rate) and self.rate > 0):
            raise ValueError(f"a grid needs a positive rate, got {self.rate}")

    @property
    def spec(self) -> str:
        """Return the canonical text, such as `grid:2`."""
        return f"grid:{self.rate:g}"

    def times(self, span: Span) -> NDArray[np.float64]:
        """Return times `(T,)` in seconds inside `span`, T >= 1: of `(k + 1/2) / rate` all."""
        # Rounded, so that a span that ends at 2.9999999 s holds the times of one that ends at 3 s.
        first, last = (
            math.ceil(round(edge * self.rate - 0.5, 6)) for edge in (span.start, span.end)
        )
        if first >= last:
            return _centres(span, 1)
        return (np.arange(first, last, dtype=np.float64) + 0.5) / self.rate
