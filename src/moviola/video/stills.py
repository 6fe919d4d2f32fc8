"""Read one file for a page: its facts, a few frames, a film, a picture.

Like everything that reads files, these are done by the workers of a `DecodePool`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

from moviola.core import FileIdentity, Frames, Span, VideoUnreadableError
from moviola.video.worker.pool import DecodePool, Part
from moviola.video.worker.replies import Piece, PlayFacts
from moviola.video.worker.tasks import FactsTask, PictureTask, StillsTask, Task, TranscodeTask

PartT = TypeVar("PartT", PlayFacts, Frames)


def read_play_facts(
    pool: DecodePool, path: Path, *, expected: FileIdentity | None = None
) -> PlayFacts:
    """Read the facts of a video file that a player needs.

    With `expected`, here and below, a file in another state is refused, even where it takes its
    place while the worker opens it: `changed_while_reading`.

    Raises:
        VideoUnreadableError: with the file's code.
    """
    return _only(pool, FactsTask(path.absolute(), expected), PlayFacts)


def read_frames_near(
    pool: DecodePool,
    path: Path,
    times: Sequence[float],
    *,
    longest: int,
    expected: FileIdentity | None = None,
) -> Frames:
    """Read the upright frames shown at `times`, which lie close together, one each.

    What comes before them in the file is not decoded. The longer side has at most `longest` pixels.

    Raises:
        ValueError: when there are no times, or they descend.
        VideoUnreadableError: with the file's code.
    """
    if not times or any(b < a for a, b in pairwise(times)):
        raise ValueError("give the times of frames in ascending order, at least one")
    task = StillsTask(path.absolute(), tuple(map(float, times)), longest, expected)
    return _only(pool, task, Frames)


def read_picture(pool: DecodePool, path: Path, *, most_pixels: int, longest: int) -> Frames:
    """Read a picture file as one frame.

    Raises:
        VideoUnreadableError: with a code.
    """
    return _only(pool, PictureTask(path.absolute(), most_pixels, longest), Frames)


def make_film(
    pool: DecodePool,
    path: Path,
    span: Span,
    write: Callable[[bytes], object],
    *,
    lines: int,
    swift: bool,
    expected: FileIdentity | None = None,
) -> None:
    """Make an MP4 (H.264, AAC) of `span`, and give it to `write` piece by piece.

    Args:
        pool: whose worker does it.
        path: the video file.
        span: what to film; the film begins at its start, sound and pictures in step.
        write: takes the bytes, in order.
        lines: pixels of the shorter side, at most.
        swift: whether speed matters more than size.
        expected: the state that the file must be in.

    Raises:
        VideoUnreadableError: with the file's code.
    """

    def take(part: Part) -> None:
        if isinstance(part, Piece):
            write(part.data)

    outcome = pool.carry_out(TranscodeTask(path.absolute(), span, lines, swift, expected), take)
    if outcome.code.is_failure or not outcome.parts:
        raise VideoUnreadableError(outcome.message, code=outcome.code)


def _only(pool: DecodePool, task: Task, kind: type[PartT]) -> PartT:
    found: list[Part] = []
    outcome = pool.carry_out(task, found.append)
    if outcome.code.is_failure or not found or not isinstance(found[0], kind):
        raise VideoUnreadableError(outcome.message, code=outcome.code)
    return found[0]
