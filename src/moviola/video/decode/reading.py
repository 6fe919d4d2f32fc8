"""One pass of decoding that feeds every clip of a video. Runs in the worker."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import FrameSampler, Span, wanted_size
from moviola.video.decode.opening import open_container
from moviola.video.decode.pixels import Painter, reduced_size
from moviola.video.decode.probing import Damage, Survey, decode, packets, select
from moviola.video.decode.scaling import Scaler
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

# Timestamps are multiples of ticks, wanted times are sums of floats: a microsecond of grace.
_GRACE = 1e-6
_TIMED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")

Emit = Callable[[int, Span, "Sequence[Picture]", "NDArray[np.float64]"], None]


@dataclass(slots=True)
class _Clip:
    """A clip whose frames are being collected."""

    index: int
    span: Span
    wanted: NDArray[np.float64]
    pictures: list[Picture] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """How a pass went: clips that could be delivered, and what was wrong."""

    delivered: int
    dropped: int
    clamped: int
    damage: Damage


def clamp(spans: Sequence[Span], duration: float) -> list[tuple[int, Span]]:
    """The parts of `spans` inside `[0, duration)` with their indices; those wholly outside go."""
    return [
        (index, Span(span.start, min(span.end, duration)))
        for index, span in enumerate(spans)
        if span.start < duration
    ]


def read_clips(
    path: Path,
    found: Survey,
    spans: Sequence[tuple[int, Span]],
    sampler: FrameSampler,
    *,
    limits: Limits,
    emit: Emit,
) -> Reading:
    """Decode once, in order, and `emit` each clip as soon as its last frame is known.

    A frame is shown from its presentation time until the next one's; the first is also shown
    before. Where the end cannot be decoded, clips are clamped to what was; a clip in which
    nothing was decoded is dropped.
    """
    clips = [_Clip(index, span, _wanted(sampler, span, found.starts)) for index, span in spans]
    most = max((len(clip.wanted) for clip in clips), default=1)
    at_most = min(limits.frame_pixels, max(1, limits.clip_bytes // (3 * most)))
    width, height = reduced_size(found.width, found.height, at_most)
    size = wanted_size(sampler)
    painter = Scaler(size, found.turn) if size else Painter(width, height, found.turn)
    collector = _Collector(clips, found, painter, sampler, emit)
    damage = Damage()
    needed = _needed(found, clips)
    with closing(frames_of(path, found, limits, damage, needed=needed)) as frames:
        for time, frame in frames:
            if collector.show(time, frame):
                break
    collector.finish()
    return Reading(collector.delivered, collector.dropped, collector.clamped, damage)


def frames_at(
    path: Path, found: Survey, times: Sequence[float], limits: Limits
) -> tuple[list[Picture], list[float]]:
    """The frame shown at each of `times` (seconds, in any order; clamped to the video)."""
    order = np.argsort(np.asarray(times, dtype=np.float64), kind="stable")
    last = max(found.info.duration - _GRACE, 0.0)
    wanted = np.clip(np.asarray(times, dtype=np.float64)[order], 0.0, last)
    pictures: list[Picture] = []
    shown: list[float] = []

    def keep(_: int, __: Span, found_pictures: Sequence[Picture], at: NDArray[np.float64]) -> None:
        pictures.extend(found_pictures)
        shown.extend(at.tolist())

    whole = Span(0.0, found.info.duration)
    read_clips(path, found, [(0, whole)], _Fixed(wanted), limits=limits, emit=keep)
    return pictures, shown


@dataclass(frozen=True, slots=True)
class _Fixed:
    """A sampler of given times."""

    wanted: NDArray[np.float64]
    spec: str = "fixed"

    def times(self, span: Span) -> NDArray[np.float64]:
        return np.minimum(self.wanted, span.end)


def _needed(found: Survey, clips: Sequence[_Clip]) -> frozenset[int] | None:
    """Microseconds of the frames that `clips` show, and of the last one; None to decode all.

    Only H.264 says of a frame for certain that no other depends on it, and only containers with a
    presentation time for every frame tell beforehand which one will be shown.
    """
    if found.info.codec != "h264" or found.fault or found.info.container not in _TIMED:
        return None
    times = np.concatenate([clip.wanted for clip in clips]) if clips else np.empty(0)
    at = np.maximum(np.searchsorted(found.starts, times + _GRACE, side="right") - 1, 0)
    ticks = np.rint(found.starts[[*np.unique(at).tolist(), -1]] * 1e6)
    return frozenset(ticks.astype(np.int64).tolist())


def _wanted(sampler: FrameSampler, span: Span, starts: NDArray[np.float64]) -> NDArray[np.float64]:
    choose = getattr(sampler, "choose", None)
    if choose is None or not starts.size:
        times = sampler.times(span)
    else:
        first = max(int(np.searchsorted(starts, span.start + _GRACE, side="right")) - 1, 0)
        last = max(int(np.searchsorted(starts, span.end - _GRACE)), first + 1)
        times = choose(span, np.maximum(starts[first:last], span.start))
    times = np.sort(np.asarray(times, dtype=np.float64))
    if times.ndim != 1 or not times.size or not np.isfinite(times).all():
        raise ValueError(f"sampler {sampler.spec} gave no usable times for {span}")
    return times


def frames_of(
    path: Path,
    found: Survey,
    limits: Limits,
    damage: Damage,
    *,
    needed: frozenset[int] | None = None,
) -> Generator[tuple[float, VideoFrame]]:
    """Frames with their times in ascending order; those that come too late are left out.

    With `needed` (microseconds), other frames may be left out where no frame depends on them.
    """
    latest = -math.inf
    clock = _Clock(found)
    # A recording of a broadcast begins anywhere; what precedes its first key frame is no damage.
    noted = Damage() if found.info.container == "mpegts" else damage
    with closing(open_container(path, limits)) as container:
        stream = select(container, found.stream, limits)
        for packet in itertools.chain(packets(container, stream, damage), (None,)):
            if needed is not None and packet is not None and packet.pts is not None:
                shown = float(packet.pts * packet.time_base) - found.origin
                skips = round(shown * 1e6) not in needed
                stream.codec_context.skip_frame = "NONREF" if skips else "DEFAULT"
            for frame in decode(stream, packet, noted):
                noted = damage
                time = clock.time(frame)
                if time > latest:
                    latest = time
                    yield time, frame


class _Clock:
    """When frames are shown, in seconds from zero."""

    def __init__(self, found: Survey) -> None:
        self._found = found
        self._frames = 0
        self._latest = 0.0

    def time(self, frame: VideoFrame) -> float:
        """The time of `frame`, the next one to come out."""
        starts = self._found.starts
        if self._found.in_order and self._frames < starts.size:
            self._latest = float(starts[self._frames])
        elif frame.pts is not None and frame.time_base is not None and not self._found.in_order:
            self._latest = float(frame.pts * frame.time_base) - self._found.origin
        else:
            self._latest += self._found.info.duration / max(1, self._found.info.frames)
        self._frames += 1
        return self._latest


class _Collector:
    """Hands each shown frame to the clips that want it."""

    def __init__(
        self,
        clips: list[_Clip],
        found: Survey,
        painter: Painter | Scaler,
        sampler: FrameSampler,
        emit: Emit,
    ) -> None:
        self._clips = clips
        self._found = found
        self._painter = painter
        self._sampler = sampler
        self._emit = emit
        times = np.concatenate([clip.wanted for clip in clips]) if clips else np.empty(0)
        owners = np.repeat(np.arange(len(clips)), [len(clip.wanted) for clip in clips])
        order = np.argsort(times, kind="stable")
        self._times: list[float] = times[order].tolist()
        self._owners: list[int] = owners[order].tolist()
        self._next = 0
        self._shown: VideoFrame | None = None
        self._decoded: list[float] = []
        self.delivered = self.dropped = self.clamped = 0

    def show(self, time: float, frame: VideoFrame) -> bool:
        """Take the next frame; True when no later one is needed."""
        # The first frame stands in for the time before it.
        if self._shown is not None:
            self._assign(self._shown, self._decoded[-1], until=time - _GRACE)
        self._decoded.append(time)
        self._shown = frame
        return self._next == len(self._times)

    def finish(self) -> None:
        """Show the last frame to its end, then clamp what is still incomplete."""
        if self._shown is None:
            self.dropped = len(self._clips)
            return
        end = self._end_of_decoded()
        until = math.inf if end >= self._found.info.duration else end - _GRACE
        self._assign(self._shown, self._decoded[-1], until=until)
        covered = max((clip.span.end for clip in self._clips if clip.closed), default=0.0)
        for clip in self._clips:
            if clip.closed:
                continue
            # What a complete clip covers already would only be a shorter copy of its end.
            if clip.pictures and covered < end:
                self._clamp(clip, end)
                covered = end
            else:
                self.dropped += 1

    def _assign(self, frame: VideoFrame, time: float, *, until: float) -> None:
        """Give `frame` to all wanted times before `until`."""
        picture: Picture | None = None
        while self._next < len(self._times) and self._times[self._next] < until:
            if picture is None:
                picture = self._painter.paint(frame)
            clip = self._clips[self._owners[self._next]]
            clip.pictures.append(picture)
            clip.times.append(max(time, 0.0))
            self._next += 1
            if len(clip.pictures) == len(clip.wanted):
                self._close(clip)

    def _close(self, clip: _Clip) -> None:
        if self._is_hole(clip.span):
            self.dropped += 1
        else:
            self._emit(clip.index, clip.span, clip.pictures, np.asarray(clip.times))
            self.delivered += 1
        clip.closed = True
        clip.pictures = []

    def _clamp(self, clip: _Clip, end: float) -> None:
        """Sample `clip` anew up to `end`, out of the frames that were collected for it."""
        clip.span = Span(clip.span.start, end)
        wanted = _wanted(self._sampler, clip.span, np.asarray(clip.times))
        chosen = np.maximum(np.searchsorted(clip.times, wanted + _GRACE, side="right") - 1, 0)
        clip.pictures = [clip.pictures[at] for at in chosen.tolist()]
        clip.times = [clip.times[at] for at in chosen.tolist()]
        self.clamped += 1
        self._close(clip)

    def _is_hole(self, span: Span) -> bool:
        """Whether the file has frames in `span` of which none was decoded."""
        starts = self._found.starts
        # The first picture stands in for the time before it, but only the true first one.
        if self._decoded[0] >= span.end and self._decoded[0] > starts[0] + _GRACE:
            return True
        first, last = np.searchsorted(starts, [span.start, span.end])
        if first == last:
            return False
        at = bisect_left(self._decoded, span.start - _GRACE)
        return at == len(self._decoded) or self._decoded[at] >= span.end

    def _end_of_decoded(self) -> float:
        """When the last decoded frame makes way for the next, which could not be decoded."""
        starts = self._found.starts
        after = int(np.searchsorted(starts, self._decoded[-1] + _GRACE))
        return float(starts[after]) if after < len(starts) else self._found.info.duration
