"""Read the sound of spans. Runs in the worker."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Self

import av.error
import numpy as np
from av.audio.resampler import AudioResampler

from moviola.core import FileCode, SoundSpec, Span, VideoUnreadableError
from moviola.video.decode.clock import seconds_of
from moviola.video.decode.containers import AUDIO_CODECS
from moviola.video.decode.streams import Damage, select
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from types import TracebackType

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from numpy.typing import NDArray

    Samples = NDArray[np.float32]

# Codecs carry something over from packet to packet; a second is far more than any of them needs.
_RUN_UP_SECONDS = 1.0
# Sound that begins earlier is read from the start of the file.
_SOUGHT_FROM = 10.0
_LAYOUTS = {1: "mono", 2: "stereo"}


class SoundTrack:
    """Decode the sound of one file once, as far as needed, on the clock of its pictures.

    A context manager that uses up and closes `container`. Every sample lies where its timestamp
    says; what the track does not cover, or cannot be decoded, is silent.
    """

    def __init__(
        self,
        container: InputContainer,
        wanted: SoundSpec,
        *,
        zero: float,
        begin: float,
        limits: Limits,
    ) -> None:
        """Prepare to read `wanted` from `begin` on, both it and spans in seconds after `zero`.

        `zero` is on the file's own clock.
        """
        self._container = container
        self._wanted = wanted
        self._zero = zero
        self._begin = begin
        self._limits = limits
        #: Packets that could not be decoded, and whether the file broke off.
        self.damage = Damage()
        self._pieces: deque[tuple[int, Samples]] = deque()
        self._reached = -math.inf
        index = _default(container, limits)
        self._frames = None if index is None else self._resampled(index)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._frames is not None:
            self._frames.close()
        self._container.close()

    def require_room(self, span: Span) -> None:
        """Refuse a span whose sound could not be held.

        Raises:
            VideoUnreadableError: `too_large`.
        """
        most = self._limits.clip_bytes
        if self._frames is not None and 4 * self._wanted.channels * self._count(span) > most:
            raise VideoUnreadableError(
                f"{span.duration:.0f} s of sound are more than fit in {most} bytes; "
                "cut the video into shorter clips",
                code=FileCode.TOO_LARGE,
            )

    def read(self, span: Span) -> Samples:
        """Read samples `(C, round(span.duration * rate))` of `span`; `(C, 0)` without sound.

        Spans may overlap and come in any order, but none may start before what was forgotten.
        """
        if self._frames is None:
            return np.zeros((self._wanted.channels, 0), dtype=np.float32)
        samples = np.zeros((self._wanted.channels, self._count(span)), dtype=np.float32)
        start = round(span.start * self._wanted.rate)
        end = start + samples.shape[1]
        while self._reached < end and (frame := next(self._frames, None)) is not None:
            self._keep(frame)
        for at, piece in self._pieces:
            first, last = max(at, start), min(at + piece.shape[1], end)
            if first < last:
                samples[:, first - start : last - start] = piece[:, first - at : last - at]
        return np.clip(np.nan_to_num(samples, copy=False), -1.0, 1.0, out=samples)

    def forget(self, before: float) -> None:
        """Let go of what was heard `before` (seconds)."""
        limit = math.floor(before * self._wanted.rate)
        while self._pieces and self._pieces[0][0] + self._pieces[0][1].shape[1] <= limit:
            self._pieces.popleft()

    def _count(self, span: Span) -> int:
        return round(span.duration * self._wanted.rate)

    def _keep(self, frame: AudioFrame) -> None:
        stamp = seconds_of(frame)
        if stamp is None:
            return
        sound = frame.to_ndarray().astype(np.float32, copy=False)
        if len(sound) < self._wanted.channels:
            sound = np.repeat(sound, self._wanted.channels, axis=0)
        at = round((stamp - self._zero) * self._wanted.rate)
        self._pieces.append((at, sound))
        self._reached = at + sound.shape[1]

    def _resampled(self, index: int) -> Generator[AudioFrame]:
        stream: AudioStream = select(self._container, index, self._limits)  # pyright: ignore[reportAssignmentType]
        resampler: AudioResampler | None = None
        like: tuple[str, str, int] | None = None
        for frame in self._decoded(stream):
            # A broadcast may change from stereo to mono: each stretch has its own resampler.
            if like != (now := (frame.format.name, frame.layout.name, frame.sample_rate)):
                if resampler is not None:
                    yield from resampler.resample(None)
                # FFmpeg would share one channel out to two at 71 % each; a speaker plays it whole.
                channels = min(self._wanted.channels, frame.layout.nb_channels)
                layout = _LAYOUTS[channels]
                resampler = AudioResampler(format="fltp", layout=layout, rate=self._wanted.rate)
                like = now
            assert resampler is not None  # noqa: S101 -- made above for the first frame
            yield from resampler.resample(frame)
        if resampler is not None:
            yield from resampler.resample(None)

    def _decoded(self, stream: AudioStream) -> Generator[AudioFrame]:
        # What precedes the first packet that can be decoded is the start of a recording, no damage.
        noted = Damage()
        try:
            for packet in _packets_near(
                self._container, stream, self._zero, self._begin - _RUN_UP_SECONDS
            ):
                if _time_of(packet, self._zero) < self._begin - _RUN_UP_SECONDS:
                    continue
                try:
                    frames = stream.codec_context.decode(packet)
                except (av.error.MemoryError, MemoryError):
                    raise
                except (av.error.FFmpegError, ValueError):
                    noted.packets += 1
                    continue
                if frames:
                    noted = self.damage
                yield from (frame for frame in frames if frame.pts is not None)
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            self.damage.cut_short = True


class ClipSound:
    """Give sound to the clips of one pass of decoding, which are delivered by their last frames."""

    def __init__(self, track: SoundTrack, spans: Sequence[Span]) -> None:
        self._track = track
        for span in spans:
            track.require_room(span)
        by_end = sorted(spans, key=lambda span: span.end)
        self._ends = [span.end for span in by_end]
        # Entry i: where the earliest of the spans i, i + 1, ... begins.
        starts = [span.start for span in by_end]
        self._earliest = [*accumulate(reversed(starts), min)][::-1]

    def of(self, span: Span, times: NDArray[np.float64]) -> Samples:
        """Read the sound of `span`, whose frames are shown at `times` (seconds).

        Later clips have no earlier last frame, so what only clips that end before it need goes.
        """
        samples = self._track.read(span)
        left = bisect_right(self._ends, float(times[-1]))
        if left < len(self._earliest):
            self._track.forget(self._earliest[left])
        return samples


def _default(container: InputContainer, limits: Limits) -> int | None:
    allowed = {*AUDIO_CODECS, *limits.extra_codecs}
    usable = [
        stream
        for stream in container.streams.audio
        if stream.codec_context is not None and stream.codec_context.name in allowed
    ]
    usable.sort(key=lambda stream: not stream.disposition & stream.disposition.default)
    return usable[0].index if usable else None


def _packets_near(
    container: InputContainer, stream: AudioStream, zero: float, start: float
) -> Iterator[Packet[AudioStream]]:
    """Yield packets from somewhere before `start` (seconds), or the first, where a seek fails."""
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
    stamp = seconds_of(packet)
    return math.inf if stamp is None else stamp - zero
