"""Make an MP4 that every player plays of a span of any video. Runs in the worker."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from moviola.core import FileCode, SoundSpec, Span, VideoUnreadableError
from moviola.video.decode.audio import SoundTrack
from moviola.video.decode.opening import open_container
from moviola.video.decode.seeking import Shown, find_sound_zero, frames_from
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

_TICKS = 90_000  # a second
_RATE = 48_000
_AAC_SAMPLES = 1024
# More frames a second than this show nothing more, and cost.
_FASTEST = 60.0
_WIDEST = 3  # times the lines: beyond it, a panorama gets fewer lines


def transcode(
    path: Path, span: Span, limits: Limits, *, lines: int, swift: bool
) -> memoryview[int]:
    """Encode an MP4 with H.264 and AAC that begins at `span.start` and is `span` long.

    Frames keep their times to a tick; the first is the one shown at the start. Pictures are
    upright, with square pixels, 8 bits, and at most `lines` on their shorter side. Sound stays in
    step; a file without sound gives a film without.

    Raises:
        VideoUnreadableError: when nothing of the span can be decoded.
    """
    sound = _heard(path, span, limits)
    buffer = io.BytesIO()
    with closing(frames_from(path, span.start, limits)) as frames:
        first = next(frames)
        if first[0] >= span.end:
            raise VideoUnreadableError(
                "it has no pictures in the wanted span", code=FileCode.TRUNCATED
            )
        look = first[2]
        shorter = min(look.width, look.height)
        scale = min(1.0, lines / shorter, _WIDEST * lines / max(look.width, look.height))
        painter = look.painter(int(look.width * look.height * scale**2))
        with cast("OutputContainer", av.open(buffer, "w", format="mp4")) as output:
            pixels = painter.paint(first[1])
            video = _video_stream(output, pixels, swift=swift)
            track = _Track(output, sound) if sound.shape[1] else None
            ticks = -1
            for shot in _within(first, frames, span):
                # The first frame stands in for the time before it.
                at = round((shot[0] - span.start) * _TICKS) if ticks >= 0 else 0
                if ticks >= 0:
                    if at - ticks < _TICKS / _FASTEST - 1:
                        continue
                    pixels = painter.paint(shot[1])
                ticks = at
                _draw(output, video, pixels, ticks)
                if track is not None:
                    track.play(until=ticks / _TICKS)
            _close(output, video, pixels, ticks, round(span.duration * _TICKS))
            if track is not None:
                track.finish()
    return buffer.getbuffer()


def _heard(path: Path, span: Span, limits: Limits) -> NDArray[np.float32]:
    """Read stereo samples `(2, N)` of `span`; `(2, 0)` of a file without sound."""
    container = open_container(path, limits)
    zero = find_sound_zero(path, limits)
    with SoundTrack(
        container, SoundSpec(_RATE, 2), zero=zero, begin=span.start, limits=limits
    ) as track:
        track.require_room(span)
        return track.read(span)


def _within(first: Shown, rest: Iterator[Shown], span: Span) -> Iterator[Shown]:
    yield first
    for shot in rest:
        if shot[0] >= span.end:
            return
        yield shot


def _video_stream(
    output: OutputContainer, pixels: NDArray[np.uint8], *, swift: bool
) -> VideoStream:
    options = {
        "preset": "ultrafast" if swift else "veryfast",
        "crf": "26" if swift else "20",
        "bf": "0",  # no frame waits for a later one: the first is shown at zero
    }
    stream = output.add_stream("libx264", options=options)
    stream.height, stream.width = pixels.shape[:2]
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, _TICKS)
    stream.codec_context.gop_size = 50
    stream.codec_context.thread_count = 1
    return stream


def _draw(
    output: OutputContainer, stream: VideoStream, pixels: NDArray[np.uint8], ticks: int
) -> None:
    frame = av.VideoFrame.from_ndarray(pixels, "rgb24").reformat(
        format="yuv420p", dst_colorspace="ITU709" if pixels.shape[0] >= 720 else "ITU601"
    )
    frame.pts, frame.time_base = ticks, Fraction(1, _TICKS)
    output.mux(stream.encode(frame))


def _close(
    output: OutputContainer,
    stream: VideoStream,
    pixels: NDArray[np.uint8],
    ticks: int,
    end: int,
) -> None:
    """Hold the last picture to the end of the span: a muxer gives a last frame a guessed length."""
    step = round(_TICKS / 25)
    if end - ticks > 2 * step:
        _draw(output, stream, pixels, end - step)
    output.mux(stream.encode(None))


class _Track:
    """Write the sound beside the pictures."""

    def __init__(self, output: OutputContainer, samples: NDArray[np.float32]) -> None:
        self._output = output
        self._samples = samples
        self._stream: AudioStream = output.add_stream("aac", rate=_RATE, layout="stereo")
        self._stream.codec_context.bit_rate = 128_000
        self._at = 0

    def play(self, *, until: float) -> None:
        """Write the sound up to a time, in seconds from the start."""
        while self._at < min(until * _RATE, self._samples.shape[1]):
            block = self._samples[:, self._at : self._at + _AAC_SAMPLES]
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", "stereo")
            frame.sample_rate, frame.pts = _RATE, self._at
            frame.time_base = Fraction(1, _RATE)
            self._output.mux(self._stream.encode(frame))
            self._at += block.shape[1]

    def finish(self) -> None:
        """Write the rest."""
        self.play(until=float("inf"))
        self._output.mux(self._stream.encode(None))
