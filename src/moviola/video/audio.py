"""The sound of a span. Runs in the worker."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import av.error
import numpy as np
from av.audio.resampler import AudioResampler

from moviola.core import FileCode, Span, VideoUnreadableError
from moviola.video.containers import AUDIO_CODECS
from moviola.video.limits import Limits
from moviola.video.opening import fault
from moviola.video.probing import clock_zero, select

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from numpy.typing import NDArray

# Codecs carry something over from packet to packet; a second is far more than any of them needs.
_RUN_UP_SECONDS = 1.0
# Sound that begins earlier is read from the start of the file.
_SOUGHT_FROM = 10.0
_LAYOUTS = {1: "mono", 2: "stereo"}


def read_sound(
    path: Path,
    container: InputContainer,
    span: Span,
    *,
    rate: int,
    channels: int,
    limits: Limits,
) -> NDArray[np.float32]:
    """Samples `(channels, round(span.duration * rate))` of `span`; uses up and closes `container`.

    Every sample lies where its timestamp says, on the clock of the pictures; what the track does
    not cover is silent. `(channels, 0)` where the file has no sound that can be decoded.

    Raises:
        VideoUnreadableError: when the span is too long to be held, or memory runs out.
    """
    count = round(span.duration * rate)
    if 4 * channels * count > limits.clip_bytes:
        raise VideoUnreadableError(
            f"{span.duration:.0f} s of sound are more than fit in {limits.clip_bytes} bytes",
            code=FileCode.TOO_LARGE,
        )
    with closing(container):
        index = _default(container, limits)
        if index is None:
            return np.zeros((channels, 0), dtype=np.float32)
        zero = clock_zero(container)
        samples = np.zeros((channels, count), dtype=np.float32)
        try:
            stream: AudioStream = select(container, index, limits)  # pyright: ignore[reportAssignmentType]
            resampler = AudioResampler(format="fltp", layout=_LAYOUTS[channels], rate=rate)
            for frame in _resampled(container, stream, resampler, zero, span):
                _place(samples, frame, zero, span, rate)
        except Exception as error:
            raise fault(error, path) from error
    return np.clip(np.nan_to_num(samples, copy=False), -1.0, 1.0, out=samples)


def _default(container: InputContainer, limits: Limits) -> int | None:
    allowed = {*AUDIO_CODECS, *limits.extra_codecs}
    usable = [
        stream
        for stream in container.streams.audio
        if stream.codec_context is not None and stream.codec_context.name in allowed
    ]
    usable.sort(key=lambda stream: not stream.disposition & stream.disposition.default)
    return usable[0].index if usable else None


def _resampled(
    container: InputContainer,
    stream: AudioStream,
    resampler: AudioResampler,
    zero: float,
    span: Span,
) -> Iterator[AudioFrame]:
    tick = float(stream.time_base or 1)
    began = False
    for packet in _packets_near(container, stream, zero, span.start - _RUN_UP_SECONDS):
        if packet.pts is not None:
            time = packet.pts * tick - zero
            if time >= span.end:
                break
            if time < span.start - _RUN_UP_SECONDS:
                continue
        try:
            frames = stream.codec_context.decode(packet)
        except av.error.MemoryError:
            raise
        except (av.error.FFmpegError, ValueError):
            continue
        for frame in frames:
            if frame.pts is not None:
                yield from resampler.resample(frame)
                began = True
    if began:
        yield from resampler.resample(None)


def _packets_near(
    container: InputContainer, stream: AudioStream, zero: float, start: float
) -> Iterator[Packet[AudioStream]]:
    """Packets from somewhere before `start` (seconds) on, from the first where a seek fails."""
    if start > _SOUGHT_FROM:
        try:
            container.seek(round((start + zero) * av.time_base))
            landed = next(container.demux(stream), None)
            if landed is not None and _time_of(landed, zero) <= start:
                yield landed
                yield from container.demux(stream)
                return
            container.seek(0, backward=True)
        except av.error.FFmpegError:
            container.seek(0, backward=True)
    yield from container.demux(stream)


def _time_of(packet: Packet[AudioStream], zero: float) -> float:
    if packet.pts is None or packet.time_base is None:
        return math.inf
    return float(packet.pts * packet.time_base) - zero


def _place(
    samples: NDArray[np.float32], frame: AudioFrame, zero: float, span: Span, rate: int
) -> None:
    if frame.pts is None or frame.time_base is None:
        return
    sound = frame.to_ndarray()
    at = round((float(frame.pts * frame.time_base) - zero - span.start) * rate)
    first, last = max(at, 0), min(at + sound.shape[1], samples.shape[1])
    if first < last:
        samples[:, first:last] = sound[:, first - at : last - at]
