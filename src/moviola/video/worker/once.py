"""Read one file in a worker of its own, which ends afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moviola.video.limits import Limits
from moviola.video.worker.pool import DecodePool
from moviola.video.worker.process import WorkerProcess, worker_command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from moviola.core import Frames, Span, VideoInfo, Waveform


def tell_confinement() -> tuple[str, ...]:
    """Tell what decoding workers are kept from on this machine, such as `no network`."""
    worker = WorkerProcess(Limits(), worker_command())
    try:
        worker.greet()
        return worker.confinement
    finally:
        worker.kill()


def probe(path: Path, limits: Limits | None = None) -> VideoInfo:
    """Tell what the file holds, found out in a worker of its own.

    Raises:
        VideoUnreadableError: with the file's code.
    """
    with DecodePool(1, limits) as pool:
        return pool.probe(path)


def read_frames_at(path: Path, times: Sequence[float], limits: Limits | None = None) -> Frames:
    """Read the upright frames shown at `times` (seconds, ascending) in a worker of its own.

    Raises:
        ValueError: when there are no times, or they descend.
        VideoUnreadableError: with the file's code.
    """
    with DecodePool(1, limits) as pool:
        return pool.read_frames_at(path, times)


def read_waveform(
    path: Path,
    span: Span,
    limits: Limits | None = None,
    *,
    rate: int = 16_000,
    channels: int = 1,
) -> Waveform:
    """Read the sound of `span` in a worker of its own; see `DecodePool.read_waveform`."""
    with DecodePool(1, limits) as pool:
        return pool.read_waveform(path, span, rate=rate, channels=channels)
