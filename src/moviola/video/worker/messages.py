"""Hold requests to a pool, and its replies."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from moviola.core import (
    FileCode,
    Frames,
    FrameSampler,
    Segmenter,
    Shrink,
    SoundSpec,
    Span,
    VideoInfo,
)
from moviola.video.worker.replies import SidePart
from moviola.video.worker.tasks import SideWants

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SideListener(Protocol):
    """Take what channels want of one video, from whichever thread reads it.

    A listener that waits makes the reading of its video wait, and no other's.
    """

    @property
    def wants(self) -> SideWants:
        """Say what is wanted."""
        ...

    def begin(self, info: VideoInfo) -> None:
        """Learn what the packets told, before any picture or sound."""
        ...

    def take(self, part: SidePart) -> None:
        """Take the next part."""
        ...

    def end(self, code: FileCode, message: str) -> None:
        """Learn what became of the file; nothing comes after it."""
        ...


@dataclass(frozen=True, slots=True)
class Previews:
    """Ask for small pictures of every clip, whatever size its frames have.

    Attributes:
        longest: pixels of their longer side at most.
        take: called with each clip's span and small frames, in the thread that reads.
    """

    longest: int
    take: Callable[[Span, Frames], None]


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """Ask for one video to be read.

    Attributes:
        key: the caller's name for it, repeated in every reply.
        path: the file.
        segmenter: how it is cut; runs in the worker, so it must pickle.
        sampler: which frames of a clip are wanted; runs in the worker as well.
        sound: the sound that is wanted beside them.
        side: takes what channels want of the same pass; None for nothing.
        shrink: reduces each frame as soon as it is decoded, from several threads; None leaves
            them as they are.
        previews: small pictures that are wanted too.
    """

    key: int | str
    path: Path
    segmenter: Segmenter
    sampler: FrameSampler
    sound: SoundSpec | None = None
    side: SideListener | None = None
    shrink: Shrink | None = None
    previews: Previews | None = None


@dataclass(frozen=True, slots=True)
class ClipRead:
    """Hold the frames of one clip.

    Attributes:
        key: the request's.
        index: position of the clip in the segmenter's list.
        span: the clip, clamped to what the file holds.
        frames: as many as the sampler asked for, with the sound that the request asked for.
    """

    key: int | str
    index: int
    span: Span
    frames: Frames


@dataclass(frozen=True, slots=True)
class PictureRead:
    """Hold one picture, which the clips that show it name by its number.

    Attributes:
        key: the request's.
        number: ascending within a video.
        pixels: `(H, W, 3)` uint8, RGB, upright.
    """

    key: int | str
    number: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ClipNamed:
    """Name the pictures of one clip, all of which came before.

    Attributes:
        key: the request's.
        index: position of the clip in the segmenter's list.
        span: the clip, clamped to what the file holds.
        pictures: numbers of its pictures in the order of time.
    """

    key: int | str
    index: int
    span: Span
    pictures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VideoDone:
    """Mark the end of one request, after all its clips.

    Attributes:
        key: the request's.
        code: what became of the file. Where it is a failure, clips that came before are void.
        message: one sentence, `""` when all is well; the path is not in it.
        info: what the packets told, None where the file could not be opened.
        clips: number of clips that were delivered.
    """

    key: int | str
    code: FileCode
    message: str
    info: VideoInfo | None
    clips: int
