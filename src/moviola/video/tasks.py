"""What a pool asks of a worker. Pickled by the pool, so a worker needs nothing of `__main__`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moviola.core import FrameSampler, Segmenter, Span


@dataclass(frozen=True, slots=True)
class ClipsTask:
    """Read the clips of a file."""

    path: Path
    segmenter: Segmenter
    sampler: FrameSampler


@dataclass(frozen=True, slots=True)
class InfoTask:
    """Tell what a file holds."""

    path: Path


@dataclass(frozen=True, slots=True)
class FramesTask:
    """Read the frames at some times of a file."""

    path: Path
    times: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SoundTask:
    """Read the sound of a span."""

    path: Path
    span: Span
    rate: int
    channels: int


Task = ClipsTask | InfoTask | FramesTask | SoundTask
