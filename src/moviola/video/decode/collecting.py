"""Hand the frames of one pass of decoding to the clips that want them. Runs in the worker."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import Chooses, FrameSampler, Span
from moviola.video.decode.probing import Survey

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

# Timestamps are multiples of ticks, wanted times are sums of floats: a microsecond of grace.
GRACE = 1e-6

Emit = Callable[[int, Span, Sequence[Any], "NDArray[np.float64]"], None]


@dataclass(slots=True)
class CollectedClip:
    """Collect the frames of one clip: whatever `paint` makes of them."""

    index: int
    span: Span
    wanted: NDArray[np.float64]
    pictures: list[Any] = field(default_factory=list[Any])
    times: list[float] = field(default_factory=list)
    closed: bool = False


class Collector:
    """Hand each shown frame to the clips that want it."""

    def __init__(
        self,
        clips: list[CollectedClip],
        found: Survey,
        paint: Callable[[VideoFrame], Any],
        sampler: FrameSampler,
        emit: Emit,
    ) -> None:
        self._clips = clips
        self._found = found
        self._paint = paint
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
        # Noted first: a clip that closes now is no hole where this frame begins in it.
        self._decoded.append(time)
        # The first frame stands in for the time before it.
        if self._shown is not None:
            self._assign(self._shown, self._decoded[-2], until=time - GRACE)
        self._shown = frame
        return self._next == len(self._times)

    def finish(self) -> None:
        """Show the last frame to its end, then clamp what is still incomplete."""
        if self._shown is None:
            self.dropped = len(self._clips)
            return
        end = self._end_of_decoded()
        until = math.inf if end >= self._found.info.duration else end - GRACE
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
        """Give `frame`, painted once, to all wanted times before `until`."""
        picture: Any = None
        while self._next < len(self._times) and self._times[self._next] < until:
            if picture is None:
                picture = self._paint(frame)
            clip = self._clips[self._owners[self._next]]
            clip.pictures.append(picture)
            clip.times.append(max(time, 0.0))
            self._next += 1
            if len(clip.pictures) == len(clip.wanted):
                self._close(clip)

    def _close(self, clip: CollectedClip) -> None:
        if self._is_hole(clip.span):
            self.dropped += 1
        else:
            self._emit(clip.index, clip.span, clip.pictures, np.asarray(clip.times))
            self.delivered += 1
        clip.closed = True
        clip.pictures = []

    def _clamp(self, clip: CollectedClip, end: float) -> None:
        """Sample `clip` anew up to `end`, out of the frames that were collected for it."""
        clip.span = Span(clip.span.start, end)
        wanted = wanted_times(self._sampler, clip.span, np.asarray(clip.times))
        chosen = np.maximum(np.searchsorted(clip.times, wanted + GRACE, side="right") - 1, 0)
        clip.pictures = [clip.pictures[at] for at in chosen.tolist()]
        clip.times = [clip.times[at] for at in chosen.tolist()]
        self.clamped += 1
        self._close(clip)

    def _is_hole(self, span: Span) -> bool:
        """Tell whether the file has frames in `span` of which none was decoded."""
        starts = self._found.starts
        # The first picture stands in for the time before it, but only the true first one.
        if self._decoded[0] >= span.end and self._decoded[0] > starts[0] + GRACE:
            return True
        first, last = np.searchsorted(starts, [span.start, span.end])
        if first == last:
            return False
        at = bisect_left(self._decoded, span.start - GRACE)
        return at == len(self._decoded) or self._decoded[at] >= span.end

    def _end_of_decoded(self) -> float:
        """Find when the last decoded frame makes way for the next, which could not be decoded."""
        starts = self._found.starts
        after = int(np.searchsorted(starts, self._decoded[-1] + GRACE))
        return float(starts[after]) if after < len(starts) else self._found.info.duration


def wanted_times(
    sampler: FrameSampler, span: Span, starts: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Choose the times `(n,)` of a clip, ascending seconds, from those of its frames `starts`.

    Raises:
        ValueError: when the sampler gives no usable times.
    """
    if not isinstance(sampler, Chooses) or not starts.size:
        times = sampler.times(span)
    else:
        first = max(int(np.searchsorted(starts, span.start + GRACE, side="right")) - 1, 0)
        last = max(int(np.searchsorted(starts, span.end - GRACE)), first + 1)
        times = sampler.choose(span, np.maximum(starts[first:last], span.start))
    times = np.sort(np.asarray(times, dtype=np.float64))
    if times.ndim != 1 or not times.size or not np.isfinite(times).all():
        raise ValueError(f"sampler {sampler.spec} gave no usable times for {span}")
    return times
