"""Tell the time of a file: one clock for reading in order, seeking, playing and cutting.

Zero is the earliest start of the file's sound and pictures, as players count it (a browser's
`currentTime` agrees). It is told from the head of a file, so that whoever opens it finds the same.
Edit lists are honoured, start offsets and the wrap of transport stream clocks are taken out.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

# Longer pauses are broken clocks, not slow slides: seconds, and seconds where the headers say how
# long everything lasts. Screen recorders write one picture for as long as nothing moves.
LONGEST_GAP = 3600.0
_LONGEST_DECLARED_GAP = 86_400.0

_INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")
_STAMPED = (*_INDEXED, "mpegts", "flv")


class _Stamped(Protocol):
    """Something with a presentation time: a packet or a frame."""

    @property
    def pts(self) -> int | None: ...
    @property
    def time_base(self) -> Fraction | None: ...


class _Starting(Protocol):
    """A stream that may say when it begins."""

    @property
    def start_time(self) -> int | None: ...
    @property
    def time_base(self) -> Fraction | None: ...


def seconds_of(stamped: _Stamped) -> float | None:
    """Tell the presentation time in seconds of the file's own clock; None where there is none.

    A time base is tested by its truth: what is unknown is None in some releases of PyAV, and zero
    in others.
    """
    base = stamped.time_base
    if stamped.pts is None or not base:
        return None
    # Rounded as a fraction is, and several times as quick: there is one a packet and a frame.
    return stamped.pts * base.numerator / base.denominator


def comes_in_order(container: InputContainer) -> bool:
    """Tell whether packets say when they are decoded, but not (AVI) or wrongly when they are shown.

    There the n-th picture to come out is the one of the n-th time. In elementary streams of MPEG-1,
    FFmpeg counts some pictures twice; they last equally long, so that counting them is exact.
    """
    if container.format.name == "mpegvideo":
        contexts = (stream.codec_context for stream in container.streams.video)
        return any(context and context.codec.name == "mpeg1video" for context in contexts)
    return container.format.name == "avi"


def shown_at(container: InputContainer, packet: Packet[VideoStream] | Packet[Stream]) -> int | None:
    """Tell in ticks when the picture of `packet` is shown, as far as the container says."""
    if packet.pts is None or comes_in_order(container):
        return packet.dts
    return packet.pts


def _declares_length(container: InputContainer) -> bool:
    """Tell whether the headers say how long everything lasts, so that a long pause is meant."""
    return container.format.name in _INDEXED


def stamps_every_picture(container: InputContainer) -> bool:
    """Tell whether each picture carries its own time, so that it is known after a seek too.

    Elsewhere (MPEG program and elementary streams, Ogg, ASF) FFmpeg counts on from the last time
    that it saw, and after a seek it counts from another.
    """
    return container.format.name in _STAMPED


def may_jump(container: InputContainer) -> bool:
    """Tell whether the clock of a file may break: it lasts long enough for that."""
    return not 0 <= (container.duration or 0) / 1e6 < longest_gap(container)


def longest_gap(container: InputContainer) -> float:
    """Tell the longest pause, in seconds, that is no break of the clock of a file."""
    return _LONGEST_DECLARED_GAP if _declares_length(container) else LONGEST_GAP


def zero_of(first: float | None, streams: Iterable[_Starting]) -> float:
    """Find where a player's clock shows zero, in seconds of the file's own clock.

    Args:
        first: start of the earliest picture; None where none is known.
        streams: the others that count. A start hours before the first picture does not.
    """
    zero = math.inf if first is None else first
    for stream in streams:
        if stream.start_time is None or not stream.time_base:
            continue
        start = float(stream.start_time * stream.time_base)
        if start < zero and (first is None or start >= first - LONGEST_GAP):
            zero = start
    return zero if math.isfinite(zero) else 0.0


def continuous(starts: NDArray[np.float64], longest: float) -> NDArray[np.float64]:
    """Keep the part of `starts` with most pictures and no pause of more than `longest` seconds."""
    parts = np.split(starts, np.flatnonzero(np.diff(starts) > longest) + 1)
    return max(parts, key=len)
