"""Read frames from anywhere in a file, without decoding what comes before. Runs in the worker.

A container's index may send a reader too far, in HEVC and in broadcasts above all. So where a seek
lands is looked at, and what lands behind the wanted time is tried again from further ahead of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import av.error
import numpy as np

from moviola.core import FileCode, VideoUnreadableError
from moviola.video.decode.clock import (
    comes_in_order,
    may_jump,
    seconds_of,
    stamps_every_picture,
    zero_of,
)
from moviola.video.decode.head import read_head
from moviola.video.decode.opening import open_container
from moviola.video.decode.pixels.painting import Coded, Painter, Turn, reduced_size, square_size
from moviola.video.decode.probing import Survey, survey
from moviola.video.decode.reading import frames_of
from moviola.video.decode.streams import Damage, decode, packets, packets_from, select
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

# Seconds ahead of the wanted time from which it is tried to arrive there; None: from the start.
_RUN_UPS = (0.0, 8.0, 60.0, None)
# Before this, the start of the file is as near as any key frame.
_NEAR_THE_START = 2.0
_GRACE = 1e-6


@dataclass(frozen=True, slots=True)
class Look:
    """Describe how the pictures of a stream are shown, before any of them is turned.

    Attributes:
        width: pixels with square pixels.
        height: the same for the height.
        usual: the shape of a picture as it is coded.
        turn: how the picture is made upright.
    """

    width: int
    height: int
    usual: Coded
    turn: Turn

    @classmethod
    def of(cls, frame: VideoFrame, aspect: Fraction | None) -> Look:
        """Take the look of a stream from one of its frames and the shape of its pixels."""
        size = square_size(frame.width, frame.height, aspect)
        return cls(*size, Coded.of(frame), Turn.of(frame))

    def painter(self, at_most: int) -> Painter:
        """Make a painter of pictures of at most about `at_most` pixels, with even sides."""
        width, height = reduced_size(self.width, self.height, at_most)
        return Painter(max(2, width & ~1), max(2, height & ~1), self.turn, usual=self.usual)


Shown = tuple[float, "VideoFrame", Look]


@dataclass(frozen=True, slots=True)
class Clock:
    """Tell the time of one file to whoever reads it from somewhere.

    Attributes:
        stream: index of the stream that is shown.
        zero: seconds of the file's own clock that count as zero.
        survives_seeking: whether times after a seek are those of reading in order.
        survey: all its times, where its head does not tell enough of them.
    """

    stream: int
    zero: float
    survives_seeking: bool
    survey: Survey | None = None


def find_clock(path: Path, limits: Limits) -> Clock:
    """Find the clock of a file: the same that `survey` finds, from its head where that is enough.

    Raises:
        VideoUnreadableError: when no stream can be shown.
    """
    with closing(open_container(path, limits)) as container:
        reliable = stamps_every_picture(container)
        must_be_read = comes_in_order(container) or may_jump(container)
    if must_be_read:
        status = path.stat()
        identity = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        found = _survey_once(path, identity, limits)
        whole = found if found.in_order or found.jumps else None
        return Clock(found.stream, found.origin, reliable and whole is None, whole)
    head = read_head(path, limits)
    return Clock(head.film, head.zero, reliable)


def find_sound_zero(path: Path, limits: Limits) -> float:
    """Find the zero of a file that may hold nothing but sound, in seconds of its own clock.

    Raises:
        VideoUnreadableError: when the file cannot be opened.
    """
    with closing(open_container(path, limits)) as container:
        if not container.streams.video:
            return zero_of(None, container.streams.audio)
    return find_clock(path, limits).zero


@lru_cache(maxsize=8)
def _survey_once(path: Path, _: tuple[int, ...], limits: Limits) -> Survey:
    return survey(path, limits, opened=open_container(path, limits))


def frames_from(path: Path, start: float, limits: Limits) -> Generator[Shown]:
    """Read frames with their times, ascending, from the one shown at `start` (seconds) on.

    Raises:
        VideoUnreadableError: when there is no video, or nothing of it can be decoded.
    """
    clock = find_clock(path, limits)
    for run_up in _RUN_UPS:
        frames = _attempt(path, start, run_up, clock, limits)
        first = next(frames, None)
        if first is None:
            continue
        if (
            clock.survives_seeking
            and not _from_the_start(start, run_up)
            and first[0] > start + _GRACE
        ):
            frames.close()
            continue
        yield from _from(start, first, frames)
        return
    raise VideoUnreadableError("nothing of it can be decoded", code=FileCode.CORRUPT)


def frames_near(
    path: Path, times: tuple[float, ...], limits: Limits, *, longest: int
) -> tuple[list[NDArray[np.uint8]], list[float]]:
    """Read the upright pictures shown at `times` (seconds, ascending), and when each began.

    Times before the first or after the last frame give that one. The longer side of a picture has
    at most `longest` pixels.

    Raises:
        VideoUnreadableError: when nothing can be decoded there.
    """
    pictures: list[NDArray[np.uint8]] = []
    shown: list[float] = []
    waiting = list(times)
    before: Shown | None = None
    painter: Painter | None = None

    def keep(shot: Shown) -> None:
        nonlocal painter
        if painter is None:
            side = max(shot[2].width, shot[2].height)
            scale = min(1.0, longest / side)
            painter = shot[2].painter(int(shot[2].width * shot[2].height * scale**2))
        pictures.append(painter.paint(shot[1]))
        shown.append(max(shot[0], 0.0))
        waiting.pop(0)

    with closing(frames_from(path, times[0], limits)) as frames:
        for shot in frames:
            # The first frame stands in for the time before it.
            while before is not None and waiting and waiting[0] < shot[0] - _GRACE:
                keep(before)
            before = shot
            if not waiting:
                break
    while waiting and before is not None:
        keep(before)
    return pictures, shown


def _from_the_start(start: float, run_up: float | None) -> bool:
    return run_up is None or start - run_up <= _NEAR_THE_START


def _from(start: float, first: Shown, rest: Iterator[Shown]) -> Iterator[Shown]:
    """Leave out what is over before `start`."""
    latest = first
    begun = False
    for shot in rest:
        if not begun and shot[0] > start + _GRACE:
            begun = True
            yield latest
        if begun:
            yield shot
        latest = shot
    if not begun:
        yield latest


def _attempt(
    path: Path, start: float, run_up: float | None, clock: Clock, limits: Limits
) -> Generator[Shown]:
    """Read frames in order from some key frame, with a run-up; from the first packet for None."""
    if clock.survey is not None:
        yield from _surveyed_frames(path, clock.survey, start, limits)
        return
    with closing(open_container(path, limits)) as container:
        stream = select(container, clock.stream, limits)
        coming = packets(container, stream, Damage())
        if run_up is None or not clock.survives_seeking:
            coming = packets_from(container, stream, Damage(), start + clock.zero)
        elif not _from_the_start(start, run_up):
            try:
                container.seek(round((start + clock.zero - run_up) * av.time_base))
            except av.error.FFmpegError:
                return
        yield from _decoded(stream, coming, clock.zero)


def _decoded(
    stream: VideoStream, coming: Iterable[Packet[VideoStream]], zero: float
) -> Iterator[Shown]:
    latest = -np.inf
    look: Look | None = None
    for packet in itertools.chain(coming, (None,)):
        for frame in decode(stream, packet, Damage()):
            stamp = seconds_of(frame)
            if stamp is None or (time := stamp - zero) <= latest:
                continue
            latest = time
            if look is None:
                look = Look.of(frame, stream.sample_aspect_ratio)
            yield time, frame, look


def _surveyed_frames(path: Path, found: Survey, start: float, limits: Limits) -> Iterator[Shown]:
    look = Look(found.width, found.height, found.usual, found.turn)
    with closing(frames_of(path, found, limits, Damage(), start=start)) as frames:
        for time, frame in frames:
            yield time, frame, look
