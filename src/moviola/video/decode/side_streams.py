"""Give pictures and sound to channels out of the pass that decodes a video. Runs in the worker.

A channel's pictures are those shown every so many seconds, whatever an encoder samples beside them,
so that what it reads depends on nothing but the video.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import PictureSpec, Span
from moviola.video.decode.collecting import GRACE
from moviola.video.decode.pixels.painting import Painter

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from numpy.typing import NDArray

    from moviola.video.decode.audio import SoundTrack
    from moviola.video.decode.probing import Survey

    Picture = NDArray[np.uint8]

# Seconds of sound in one message.
_CHUNK = 10.0


class PictureStream:
    """Hand on the picture shown at 0, `every`, 2 `every`, ... seconds, each picture once."""

    def __init__(
        self, wanted: PictureSpec, found: Survey, emit: Callable[[Picture, float], None]
    ) -> None:
        """Prepare to `emit` pictures with their times in seconds, in order."""
        self._every = wanted.every
        self._end = found.info.duration
        self._emit = emit
        scale = min(1.0, wanted.longest / max(found.width, found.height))
        size = (max(1, round(found.width * scale)), max(1, round(found.height * scale)))
        self._painter = Painter(*size, found.turn, usual=found.usual)
        self._shown: tuple[float, VideoFrame] | None = None
        self._asked = 0

    def show(self, time: float, frame: VideoFrame) -> None:
        """Take the next frame, shown from `time` seconds on."""
        self._show_until(time)
        self._shown = (time, frame)

    def finish(self) -> None:
        """Show the last frame to the end."""
        self._show_until(self._end)

    def needed(self, starts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose of the frames shown from `starts` `(n,)` seconds on those that are wanted."""
        asked = np.ceil((np.append(starts[1:], self._end) - GRACE) / self._every)
        return starts[np.diff(asked, prepend=0) > 0]

    def _show_until(self, time: float) -> None:
        """Hand on the frame that is shown where it is asked for before `time`."""
        asked = math.ceil((time - GRACE) / self._every)
        if self._shown is not None and asked > self._asked:
            shown, frame = self._shown
            self._emit(self._painter.paint(frame), max(0.0, shown))
            self._asked = asked


class SoundStream:
    """Hand on the sound from zero to the end, in chunks of some seconds, without gaps."""

    def __init__(
        self, track: SoundTrack, duration: float, emit: Callable[[NDArray[np.float32], float], None]
    ) -> None:
        """Prepare to `emit` samples `(C, N)` with the second of the first one."""
        self._track = track
        self._emit = emit
        self._chunks: Iterator[Span] = _chunks(duration)
        self._next = next(self._chunks, None)

    def hear(self, time: float) -> None:
        """Hand on what is over before `time` seconds."""
        while self._next is not None and self._next.end <= time:
            samples = self._track.read(self._next)
            self._track.forget(self._next.end)
            if samples.shape[1]:
                self._emit(samples, self._next.start)
            self._next = next(self._chunks, None)

    def finish(self) -> None:
        """Hand on the rest."""
        self.hear(math.inf)


class SideStreams:
    """Give frames of one pass to several picture streams, and sound beside them."""

    def __init__(self, pictures: Sequence[PictureStream], sounds: Sequence[SoundStream]) -> None:
        self._pictures = pictures
        self._sounds = sounds

    @property
    def need_frames(self) -> bool:
        """Test whether every frame is to be decoded for them."""
        return bool(self._pictures)

    def show(self, time: float, frame: VideoFrame) -> None:
        """Take the next frame."""
        for stream in self._pictures:
            stream.show(time, frame)
        for sound in self._sounds:
            sound.hear(time)

    def finish(self) -> None:
        """Hand on what is left."""
        for stream in (*self._pictures, *self._sounds):
            stream.finish()

    def needed(self, starts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Choose of the frames shown from `starts` `(n,)` seconds on those that are wanted."""
        found = [stream.needed(starts) for stream in self._pictures]
        return np.concatenate([*found, np.empty(0)])


def _chunks(duration: float) -> Iterator[Span]:
    """Cut `duration` seconds into chunks; a rest of less than a tenth of one joins the last."""
    count = max(1, math.ceil(duration / _CHUNK - 0.1))
    for place in range(count):
        end = duration if place == count - 1 else (place + 1) * _CHUNK
        yield Span(place * _CHUNK, end)
