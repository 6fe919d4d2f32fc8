"""Decode a video once, in order, for all its clips. Runs in the worker."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import FrameSampler, Span, wanted_size
from moviola.video.decode.clock import seconds_of, stamps_every_picture
from moviola.video.decode.collecting import GRACE, CollectedClip, Collector, Emit, wanted_times
from moviola.video.decode.opening import open_container
from moviola.video.decode.pixels.painting import Painter, reduced_size
from moviola.video.decode.pixels.scaling import Scaler
from moviola.video.decode.probing import Survey
from moviola.video.decode.side_streams import SideStreams
from moviola.video.decode.streams import Damage, decode, packets, packets_from, select
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

_LONG_RUN = 4  # clips; shorter runs are left as they are
_TIMED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")


@dataclass(frozen=True, slots=True)
class Reading:
    """Count the clips that a pass delivered, and what was wrong."""

    delivered: int
    dropped: int
    clamped: int
    damage: Damage


def clamp(spans: Sequence[Span], duration: float) -> list[tuple[int, Span]]:
    """Clamp `spans` to `[0, duration)`, with their indices; those wholly outside go."""
    return [
        (index, Span(span.start, min(span.end, duration)))
        for index, span in enumerate(spans)
        if span.start < duration
    ]


def fold_stills(
    spans: Sequence[tuple[int, Span]], starts: NDArray[np.float64]
) -> list[tuple[int, Span]]:
    """Make one clip, with the first index, of a run of clips that show a single picture.

    `starts` `(n,)` are the times of the pictures, ascending. A screen recording that shows one
    picture for an hour, or a small file that claims to, costs a few clips instead of thousands:
    five a picture at most, where clips overlap by half.
    """
    folded: list[tuple[int, Span]] = []
    for shown, run in itertools.groupby(spans, key=lambda each: _only_picture(each[1], starts)):
        clips = list(run)
        if shown is None or len(clips) < _LONG_RUN:
            folded += clips
        else:
            folded.append((clips[0][0], Span(clips[0][1].start, clips[-1][1].end)))
    return folded


def _only_picture(span: Span, starts: NDArray[np.float64]) -> int | None:
    """Tell which picture a span shows from start to end; None where it shows several."""
    shown = max(int(np.searchsorted(starts, span.start + GRACE, side="right")) - 1, 0)
    after = shown + 1
    return shown if after == len(starts) or starts[after] >= span.end - GRACE else None


def read_clips(
    path: Path,
    found: Survey,
    spans: Sequence[tuple[int, Span]],
    sampler: FrameSampler,
    *,
    limits: Limits,
    emit: Emit,
    frame_pixels: int | None = None,
    side: SideStreams | None = None,
    held: bool = True,
    start: float = 0.0,
    send: Callable[[Picture], Any] | None = None,
) -> Reading:
    """Decode once, in order, and `emit` each clip as soon as its last frame is known.

    What `side` wants comes out of the same pass.

    A frame is shown from its presentation time until the next one's; the first is also shown
    before. Where the end cannot be decoded, clips are clamped to what was; a clip in which
    nothing was decoded is dropped. Frames of more than about `frame_pixels`, by default those of
    `limits` for clips, are reduced, and further where a clip is `held` whole and is too large. With
    `send`, every picture goes through it once, and `emit` gets what it made of them. What is over
    before `start` seconds, where no clip begins, need not be decoded.
    """
    clips = [
        CollectedClip(index, span, wanted_times(sampler, span, found.starts))
        for index, span in spans
    ]
    most = max((len(clip.wanted) for clip in clips), default=1)
    frame_pixels = frame_pixels or limits.clip_frame_pixels
    at_most = min(frame_pixels, max(1, limits.clip_bytes // (3 * most))) if held else frame_pixels
    width, height = reduced_size(found.width, found.height, at_most)
    size = wanted_size(sampler)
    painter = (
        Scaler(size, found.turn) if size else Painter(width, height, found.turn, usual=found.usual)
    )
    paint = painter.paint if send is None else lambda frame: send(painter.paint(frame))
    collector = Collector(clips, found, paint, sampler, emit)
    damage = Damage()
    needed = _needed(found, clips, side)
    with closing(frames_of(path, found, limits, damage, needed=needed, start=start)) as frames:
        for time, frame in frames:
            enough = collector.show(time, frame)
            if side is not None and side.need_frames:
                side.show(time, frame)
            elif enough:
                break
    collector.finish()
    if side is not None:
        side.finish()
    return Reading(collector.delivered, collector.dropped, collector.clamped, damage)


def frames_at(
    path: Path, found: Survey, times: Sequence[float], limits: Limits
) -> tuple[list[Picture], list[float]]:
    """Read the frame shown at each of `times` (seconds, in any order; clamped to the video)."""
    order = np.argsort(np.asarray(times, dtype=np.float64), kind="stable")
    last = max(found.info.duration - GRACE, 0.0)
    wanted = np.clip(np.asarray(times, dtype=np.float64)[order], 0.0, last)
    pictures: list[Picture] = []
    shown: list[float] = []

    def keep(_: int, __: Span, found_pictures: Sequence[Picture], at: NDArray[np.float64]) -> None:
        pictures.extend(found_pictures)
        shown.extend(at.tolist())

    whole = Span(0.0, found.info.duration)
    read_clips(
        path,
        found,
        [(0, whole)],
        _Fixed(wanted),
        limits=limits,
        emit=keep,
        frame_pixels=limits.frame_pixels,
    )
    return pictures, shown


@dataclass(frozen=True, slots=True)
class _Fixed:
    """Sample given times."""

    wanted: NDArray[np.float64]
    spec: str = "fixed"

    def times(self, span: Span) -> NDArray[np.float64]:
        return np.minimum(self.wanted, span.end)


def read_side(path: Path, found: Survey, limits: Limits, side: SideStreams) -> Damage:
    """Decode once, in order, for `side` alone: no picture where it wants only sound."""
    damage = Damage()
    if side.need_frames:
        needed = _needed(found, (), side)
        with closing(frames_of(path, found, limits, damage, needed=needed)) as frames:
            for time, frame in frames:
                side.show(time, frame)
    side.finish()
    return damage


def _needed(
    found: Survey, clips: Sequence[CollectedClip], side: SideStreams | None = None
) -> frozenset[int] | None:
    """List the frames that are shown and the last one, in microseconds; None to decode all.

    Only H.264 says of a frame for certain that no other depends on it, and only containers with a
    presentation time for every frame tell beforehand which one will be shown.
    """
    if found.info.codec != "h264" or found.fault or found.info.container not in _TIMED:
        return None
    times = np.concatenate([clip.wanted for clip in clips]) if clips else np.empty(0)
    at = np.maximum(np.searchsorted(found.starts, times + GRACE, side="right") - 1, 0)
    shown = found.starts[[*np.unique(at).tolist(), -1]]
    if side is not None:
        shown = np.concatenate([shown, side.needed(found.starts)])
    ticks = np.rint(shown * 1e6)
    return frozenset(ticks.astype(np.int64).tolist())


def frames_of(
    path: Path,
    found: Survey,
    limits: Limits,
    damage: Damage,
    *,
    needed: frozenset[int] | None = None,
    start: float = 0.0,
) -> Generator[tuple[float, VideoFrame]]:
    """Yield frames with their times in ascending order; those that come too late are left out.

    With `needed` (microseconds), other frames may be left out where no frame depends on them. What
    is over before `start` (seconds from zero) may be left out as well.
    """
    latest = -math.inf
    clock = _Clock(found)
    # A recording of a broadcast begins anywhere, as reading from the middle does; what precedes the
    # first key frame is no damage.
    noted = Damage() if start > 0 or found.info.container == "mpegts" else damage
    with closing(open_container(path, limits)) as container:
        stream = select(container, found.stream, limits)
        stamped = stamps_every_picture(container)
        # Where frames are counted, none may be left out.
        late = start > 0 and not found.in_order
        coming = (
            packets_from(container, stream, damage, start + found.origin)
            if late
            else packets(container, stream, damage)
        )
        for packet in itertools.chain(coming, (None,)):
            stamp = None if packet is None else seconds_of(packet)
            if needed is not None and stamp is not None:
                skips = round((stamp - found.origin) * 1e6) not in needed
                stream.codec_context.skip_frame = "NONREF" if skips else "DEFAULT"
            for frame in decode(stream, packet, noted):
                noted = damage
                if stamped and frame.pts is None and frame.dts is None:
                    continue  # it lies before the clock begins: Matroska does not tell such times
                time = clock.time(frame)
                if time > latest:
                    latest = time
                    yield time, frame


class _Clock:
    """Tell when frames are shown, in seconds from zero."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._frames = 0
        self._latest = 0.0

    def time(self, frame: VideoFrame) -> float:
        """Tell the time of `frame`, the next one to come out."""
        starts = self._found.starts
        stamp = seconds_of(frame)
        if self._found.in_order and self._frames < starts.size:
            self._latest = float(starts[self._frames])
        elif stamp is not None and not self._found.in_order:
            self._latest = stamp - self._found.origin
        else:
            self._latest += self._found.info.duration / max(1, self._found.info.frames)
        self._frames += 1
        return self._latest
