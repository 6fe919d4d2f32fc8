"""Ask a worker for something. Pickled by the pool, so a worker needs nothing of `__main__`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from moviola.core import FileIdentity, FrameSampler, PictureSpec, Segmenter, SoundSpec, Span


@dataclass(frozen=True, slots=True)
class SideWants:
    """Say what channels want of a file.

    Attributes:
        texts: whether its text tracks, tags and chapters are wanted.
        pictures: pictures every so many seconds, once for each of these.
        sounds: the whole sound, once for each of these.
        facts: whether the file's facts are wanted though nothing of the above needs them.
    """

    texts: bool = False
    pictures: tuple[PictureSpec, ...] = ()
    sounds: tuple[SoundSpec, ...] = ()
    facts: bool = False

    @property
    def packets(self) -> bool:
        """Tell whether packets of pictures have to be read."""
        return bool(self.pictures or self.sounds or self.facts)


@dataclass(frozen=True, slots=True)
class ClipsTask:
    """Read the clips of a file, their sound where it is wanted, and what channels want beside.

    Frames are sent one by one as they are decoded, and each clip names its own. Where clips are
    `held` whole by whoever asks, frames of very long ones are reduced.

    A long video may be read in units of about `unit_seconds`, of which this task reads the one
    numbered `unit`; the worker says how many there are.
    """

    path: Path
    segmenter: Segmenter
    sampler: FrameSampler
    sound: SoundSpec | None = None
    side: SideWants = field(default_factory=SideWants)
    held: bool = True
    unit: int = 0
    unit_seconds: float = math.inf


@dataclass(frozen=True, slots=True)
class SideTask:
    """Read what channels want of a file, and no clips."""

    path: Path
    side: SideWants


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


@dataclass(frozen=True, slots=True)
class FactsTask:
    """Tell what a player needs to know of a file, from its headers.

    Here and below, `expected` is the state that the file must be in; None for any.
    """

    path: Path
    expected: FileIdentity | None = None


@dataclass(frozen=True, slots=True)
class StillsTask:
    """Read frames at some times that lie close together, wherever that is in the file.

    `longest` is how many pixels their longer side has at most.
    """

    path: Path
    times: tuple[float, ...]
    longest: int
    expected: FileIdentity | None = None


@dataclass(frozen=True, slots=True)
class TranscodeTask:
    """Make an MP4 of a span that every player plays.

    `lines` is how many pixels the shorter side has at most, `swift` prefers speed to size.
    """

    path: Path
    span: Span
    lines: int
    swift: bool
    expected: FileIdentity | None = None


@dataclass(frozen=True, slots=True)
class PictureTask:
    """Read a picture file of at most `most_pixels`, reduced to `longest` on its longer side."""

    path: Path
    most_pixels: int
    longest: int


Task = (
    ClipsTask
    | SideTask
    | InfoTask
    | FramesTask
    | SoundTask
    | FactsTask
    | StillsTask
    | TranscodeTask
    | PictureTask
)
