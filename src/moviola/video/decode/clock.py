"""Tell the time of a file: where its clock shows zero, and where it breaks. Runs in the worker."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

from moviola.video.decode.streams import STILLS

if TYPE_CHECKING:
    from fractions import Fraction

    from av.container import InputContainer
    from numpy.typing import NDArray

# Pauses longer than this are broken clocks, not slow slides.
LONGEST_GAP = 3600.0


class _Stamped(Protocol):
    """Something with a presentation time: a packet or a frame."""

    @property
    def pts(self) -> int | None: ...
    @property
    def time_base(self) -> Fraction | None: ...


def seconds_of(stamped: _Stamped) -> float | None:
    """Tell the presentation time in seconds of the file's own clock; None where there is none.

    A time base is tested by its truth: what is unknown is None in some releases of PyAV, and zero
    in others.
    """
    if stamped.pts is None or not stamped.time_base:
        return None
    return float(stamped.pts * stamped.time_base)


def continuous(starts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep the longest part without a broken clock: the one that holds most pictures."""
    parts = np.split(starts, np.flatnonzero(np.diff(starts) > LONGEST_GAP) + 1)
    return max(parts, key=len)


def clock_zero(container: InputContainer, first: float | None = None) -> float:
    """Find where a player's clock shows zero, in seconds of the file's own clock.

    The earliest start among sound and pictures; `first` is the first picture's, where it is known.
    """
    origin = math.inf if first is None else first
    for stream in (*container.streams.video, *container.streams.audio):
        if stream.codec_context is None or stream.disposition & STILLS:
            continue
        if stream.start_time is None or not stream.time_base:
            continue
        start = float(stream.start_time * stream.time_base)
        if start < origin and (first is None or start >= first - LONGEST_GAP):
            origin = start
    return origin if math.isfinite(origin) else 0.0
