"""Encode pictures and short clips that people search with; files are decoded in a worker."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Encoder, FileCode, Frames, Span, VideoUnreadableError
from moviola.library import Library
from moviola.retrieve.query import Picture
from moviola.video import (
    DecodePool,
    GivenSegmenter,
    ReadRequest,
    VideoDone,
    WindowSegmenter,
    parse_segmenter,
    read_picture,
)

if TYPE_CHECKING:
    from moviola.core import FrameSampler

#: Pixels of a picture that is searched with, at most; looked at before it is decoded.
MOST_PIXELS = 50_000_000
#: Seconds of a clip that is searched with that are looked at.
LONGEST_CLIP = 60.0
# What an encoder sees of a picture, on its longer side: more than any of them takes.
_LONGEST_SIDE = 1024
# A picture stands still for as long as this, where windows have no length.
_STILL_SECONDS = 6.0


def read_still(
    pool: DecodePool, path: Path, library: Library, sampler: FrameSampler, *, most_pixels: int
) -> Frames:
    """Read a picture file as a clip of the library's length that shows nothing else.

    Raises:
        VideoUnreadableError: with the file's code.
    """
    still = read_picture(pool, path, most_pixels=most_pixels, longest=_LONGEST_SIDE)
    segmenter = parse_segmenter(library.card.segment)
    length = segmenter.length if isinstance(segmenter, WindowSegmenter) else _STILL_SECONDS
    times = sampler.times(Span(0.0, length))
    pixels = np.repeat(still.pixels, len(times), axis=0)
    return Frames(pixels, np.asarray(times, np.float64))


def read_clip(pool: DecodePool, path: Path, sampler: FrameSampler) -> Frames:
    """Read the first `LONGEST_CLIP` seconds of a video file as one clip.

    Raises:
        VideoUnreadableError: with the file's code.
    """
    request = ReadRequest("clip", path, GivenSegmenter((Span(0.0, LONGEST_CLIP),)), sampler)
    frames: Frames | None = None
    for event in pool.read([request]):
        if isinstance(event, VideoDone):
            if event.code.is_failure:
                raise VideoUnreadableError(event.message, code=event.code)
        else:
            frames = event.frames
    if frames is None:
        raise VideoUnreadableError("it has no pictures", code=FileCode.NO_VIDEO)
    return frames


def encode_picture(frames: Frames, library: Library, encoder: Encoder) -> Picture:
    """Encode the frames of a picture or clip as what to search `library` with.

    Raises:
        ValueError: when its vector has no direction.
    """
    rows = encoder.encode_videos([frames])[0]
    return Picture.of(library.direction(rows.mean(axis=0, keepdims=True)).reshape(-1))
