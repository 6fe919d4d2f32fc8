"""Half-open intervals of time, in seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The half-open interval `[start, end)` of a video, both in seconds from its first moment.

    Raises:
        ValueError: when a bound is not finite, `start` is negative, or `end` is not after `start`.
    """

    start: float
    end: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start) and math.isfinite(self.end)):
            raise ValueError(f"a span needs finite seconds, got [{self.start}, {self.end})")
        if self.start < 0 or self.end <= self.start:
            raise ValueError(f"a span needs 0 <= start < end, got [{self.start}, {self.end})")

    @property
    def duration(self) -> float:
        """Return the length in seconds, always positive."""
        return self.end - self.start

    @property
    def middle(self) -> float:
        """Return the moment halfway, in seconds."""
        return (self.start + self.end) / 2

    def overlap(self, other: Span) -> float:
        """Return the seconds that both spans hold."""
        return max(0.0, min(self.end, other.end) - max(self.start, other.start))

    def iou(self, other: Span) -> float:
        """Return the intersection over union of the two intervals, in [0, 1]."""
        shared = self.overlap(other)
        return shared / (self.duration + other.duration - shared)
