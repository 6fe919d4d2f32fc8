"""Measure decoding, models and the disk, in about a minute."""

from __future__ import annotations

import datetime as dt
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import (
    Encoder,
    Frames,
    MoviolaError,
    Span,
    UniformSampler,
    own_frame_tower,
    own_shrink,
    wanted_size,
    wanted_sound,
)
from moviola.core.frames import Waveform
from moviola.pipeline.bench.record import Bench
from moviola.plugins import encoder_names, known_models, load_encoder
from moviola.video import DecodePool, ReadRequest, VideoDone, WindowSegmenter

if TYPE_CHECKING:
    from numpy.typing import NDArray

_WIDTH, _HEIGHT, _RATE, _SECONDS = 1280, 720, 30, 12
_WINDOWS = WindowSegmenter(6, 3)
_COPIES = 2
_MODEL_SECONDS = 8.0
"""Seconds for which a model is measured, its loading not counted."""
_BUDGET = 60.0
_DISK_BYTES = 64 << 20


def measure(
    place: Path,
    models: Sequence[str] = (),
    *,
    on_step: Callable[[str], Any] = lambda _: None,
) -> Bench:
    """Measure this machine, and keep the figures.

    Args:
        place: a folder on the disk of the library.
        models: names of models; none means the one that ships and those whose weights are here,
            smallest first, until a minute is over.
        on_step: told what is measured next.

    Raises:
        MoviolaError: when a named model cannot be loaded.
    """
    began = time.monotonic()
    on_step("decoding")
    decode = measure_decoding()
    on_step("the disk")
    write = measure_disk(place)
    found: dict[str, float] = {}
    for name in models or _at_hand():
        if not models and time.monotonic() - began > _BUDGET:
            on_step(f"no further model: a minute is over; --model {name} measures one")
            break
        on_step(name)
        try:
            found[name] = measure_model(load_encoder(name))
        except MoviolaError:
            if models:
                raise
    before = Bench.stored()
    kept = dict(before.models) if before is not None else {}
    bench = Bench(dt.datetime.now(dt.UTC).date().isoformat(), decode, kept | found, write)
    bench.store()
    return bench


def measure_decoding() -> float:
    """Measure seconds by the clock to decode a minute of 720p in windows, by all decoders."""
    with tempfile.TemporaryDirectory() as folder, DecodePool() as pool:
        paths = [Path(folder) / f"{number}.mp4" for number in range(_COPIES)]
        _film(paths[0])
        for path in paths[1:]:
            path.write_bytes(paths[0].read_bytes())
        requests = [
            ReadRequest(number, path, _WINDOWS, UniformSampler(8))
            for number, path in enumerate(paths)
        ]
        _exhaust(pool, requests)  # starts the workers
        began = time.monotonic()
        _exhaust(pool, requests)
        return (time.monotonic() - began) * 60 / (_SECONDS * _COPIES)


def measure_model(encoder: Encoder) -> float:
    """Measure the seconds that `encoder` takes for a minute of video in windows of 6 s every 3 s.

    Frames are random, which costs the same, and come reduced as a decoder sends them.
    """
    spans = [Span(3.0 * number, 3.0 * number + 6) for number in range(20)]
    times = [encoder.sampler.times(span) for span in spans]
    tower, shrink = own_frame_tower(encoder), own_shrink(encoder)
    size = wanted_size(encoder.sampler)
    shape = (_HEIGHT // 2, _WIDTH // 2, 3) if size is None else (size.height, size.width, 3)
    rng = np.random.default_rng(0)

    def pictures(count: int) -> NDArray[np.uint8]:
        made = rng.integers(0, 256, (count, *shape), np.uint8)
        return made if shrink is None else shrink(made)

    if tower is not None:
        new = np.unique(np.concatenate(times)).size / len(spans)
        frames = list(pictures(16))
        return 20 * new * _seconds_each(lambda: tower.encode_frames(frames), 16)
    clip = _clip(encoder, pictures(len(times[0])), times[0])
    return 20 * _seconds_each(lambda: encoder.encode_videos([clip, clip]), 2)


def measure_disk(place: Path) -> float:
    """Measure the megabytes a second that the disk below `place` takes in."""
    nearest = next(folder for folder in (place, *place.parents) if folder.is_dir())
    block = os.urandom(1 << 20)
    with tempfile.TemporaryFile(dir=nearest) as file:
        began = time.monotonic()
        for _ in range(_DISK_BYTES >> 20):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())
        return _DISK_BYTES / 1e6 / max(time.monotonic() - began, 1e-9)


def _clip(encoder: Encoder, pixels: NDArray[np.uint8], times: NDArray[np.float64]) -> Frames:
    heard = wanted_sound(encoder)
    if heard is None:
        return Frames(pixels, times)
    samples = np.random.default_rng(0).uniform(-0.1, 0.1, (heard.channels, 6 * heard.rate))
    return Frames(pixels, times, Waveform(samples.astype(np.float32), heard.rate, 0.0))


def _seconds_each(run: Callable[[], Any], count: int) -> float:
    """Return the seconds of one of `count` items that `run` does at a time; the median of some."""
    run()  # settles the precision, and warms up
    taken: list[float] = []
    began = time.monotonic()
    while not taken or (time.monotonic() - began < _MODEL_SECONDS and len(taken) < 5):
        start = time.monotonic()
        run()
        taken.append(time.monotonic() - start)
    return float(np.median(taken)) / count


def _at_hand() -> Iterator[str]:
    """Yield the model that ships, and those whose weights are in the cache, smallest first."""
    from moviola.encode.runtime.hub import cached_repositories

    here = cached_repositories()
    yield "shapes"
    encodes = set(encoder_names())
    cards = sorted((card for _, card in known_models().values()), key=lambda card: card.parameters)
    for card in cards:
        if card.name in encodes and {source.repository for source in card.sources} <= here:
            yield card.name


def _exhaust(pool: DecodePool, requests: Sequence[ReadRequest]) -> None:
    for event in pool.read(requests):
        if isinstance(event, VideoDone) and event.code.is_failure:
            raise RuntimeError(f"a video that was just made cannot be read: {event.message}")


def _film(path: Path) -> None:
    """Write moving noise in H.264 of 720p."""
    import av

    noise = np.random.default_rng(0).integers(0, 256, (45, 160, 3), np.uint8)
    texture = np.kron(noise, np.ones((16, 16, 1), np.uint8))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(_RATE), options={"preset": "ultrafast", "bf": "2"}
        )
        stream.width, stream.height, stream.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
        for number in range(_RATE * _SECONDS):
            at = 7 * number % _WIDTH
            picture = np.ascontiguousarray(texture[:, at : at + _WIDTH])
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture)))
        container.mux(stream.encode())
