"""A studio that films numbered frames, and a pool that is shared by the tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from moviola.core import FrameSampler, Segmenter, SoundSpec, UniformSampler
from moviola.video import ClipRead, DecodePool, ReadRequest, VideoDone, WholeSegmenter

BITS = 8
WIDTH, HEIGHT = 160, 96


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """A gray picture whose columns are the bits of `number`, the lowest on the left."""
    bits = (number >> np.arange(BITS)) & 1
    columns = np.repeat(np.where(bits, 235, 16), -(-width // BITS))[:width]
    return np.broadcast_to(columns, (height, width)).astype(np.uint8)


def number_of(picture: np.ndarray) -> int:
    """The number in an upright RGB picture."""
    bands = np.array_split(picture.mean(axis=(0, 2)), BITS)
    return sum(1 << bit for bit, band in enumerate(bands) if band.mean() > 128)


class Studio:
    """Makes small video files."""

    numbered = staticmethod(numbered)
    number_of = staticmethod(number_of)

    @staticmethod
    def film(
        path: Path,
        count: int = 50,
        *,
        codec: str = "libx264",
        ticks: Sequence[int] | None = None,
        time_base: Fraction = Fraction(1, 25),
        size: tuple[int, int] = (WIDTH, HEIGHT),
        pix_fmt: str = "yuv420p",
        draw: Callable[[int], np.ndarray] | None = None,
        options: dict[str, str] | None = None,
        muxing: dict[str, str] | None = None,
        metadata: dict[str, str] | None = None,
        sound: float = 0.0,
        aspect: Fraction | None = None,
        container: str | None = None,
    ) -> Path:
        """Write `count` numbered frames at `ticks` of `time_base`, and `sound` seconds of tone."""
        with av.open(str(path), "w", format=container, options=muxing or {}) as output:
            output.metadata.update(metadata or {})
            stream = output.add_stream(codec, rate=25, options=options or {})
            stream.width, stream.height = size
            stream.pix_fmt = pix_fmt
            stream.time_base = stream.codec_context.time_base = time_base
            if aspect is not None:
                stream.codec_context.sample_aspect_ratio = aspect
            tone = output.add_stream("aac", rate=16_000) if sound else None
            for number in range(count):
                gray = numbered(number, *size) if draw is None else draw(number)
                rgb = gray if gray.ndim == 3 else np.repeat(gray[:, :, None], 3, axis=2)
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
                frame = frame.reformat(format=pix_fmt)
                frame.pts = number if ticks is None else ticks[number]
                frame.time_base = time_base
                output.mux(stream.encode(frame))
            output.mux(stream.encode())
            if tone is not None:
                Studio._play(output, tone, sound)
        return path

    @staticmethod
    def _play(output, tone, seconds: float) -> None:
        times = np.arange(round(seconds * 16_000)) / 16_000
        samples = (0.5 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)[None]
        for first in range(0, samples.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(samples[:, first : first + 1024]), "fltp", "mono"
            )
            frame.sample_rate = 16_000
            frame.pts = first
            output.mux(tone.encode(frame))
        output.mux(tone.encode())

    @staticmethod
    def boxes(data: bytes) -> list[tuple[bytes, int, int]]:
        """Kind, start and end of each outermost box of an MP4."""
        found, at = [], 0
        while at + 8 <= len(data):
            size = int.from_bytes(data[at : at + 4], "big")
            found.append((data[at + 4 : at + 8], at, at + size))
            at += size
        return found


@pytest.fixture(scope="session")
def studio() -> type[Studio]:
    return Studio


@pytest.fixture(scope="session")
def pool() -> Iterator[DecodePool]:
    with DecodePool(2) as shared:
        yield shared


Read = Callable[..., tuple[list[ClipRead], VideoDone]]


@pytest.fixture(scope="session")
def read(pool: DecodePool) -> Read:
    """Reads one file: its clips by index, and how it ended."""

    def read_one(
        path: Path,
        segmenter: Segmenter | None = None,
        sampler: FrameSampler | None = None,
        by: DecodePool | None = None,
        sound: SoundSpec | None = None,
    ) -> tuple[list[ClipRead], VideoDone]:
        request = ReadRequest(
            "it", path, segmenter or WholeSegmenter(), sampler or UniformSampler(4), sound
        )
        *clips, done = (by or pool).read([request])
        assert isinstance(done, VideoDone)
        assert done.key == "it"
        assert done.clips == len(clips)
        assert (done.message == "") == (done.code == "ok")
        return sorted(clips, key=lambda clip: clip.index), done

    return read_one
