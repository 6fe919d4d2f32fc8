"""What a pool asks of a worker. Pickled by the pool, so a worker needs nothing of `__main__`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moviola.core import FrameSampler, Segmenter, SoundSpec, Span


@dataclass(frozen=True, slots=True)
class ClipsTask:
    """Read the clips of a file, and their sound where it is wanted."""

    path: Path
    segmenter: Segmenter
    sampler: FrameSampler
    sound: SoundSpec | None = None


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
    sound: SoundSpec


Task = ClipsTask | InfoTask | FramesTask | SoundTask
