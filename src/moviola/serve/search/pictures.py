"""Pictures and short clips that people search with.

Kept as a vector and a small JPEG, never as the file that was sent. The id follows from the bytes
and from the model, so that a link to a search goes on working, and another model asks anew.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from moviola.core import FileCode, Frames, Span, VideoUnreadableError
from moviola.library import CACHE
from moviola.serve.errors import ApiError
from moviola.serve.media.media import Studio, jpeg
from moviola.video import (
    GivenSegmenter,
    ReadRequest,
    VideoDone,
    parse_segmenter,
    read_picture,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.serve.search.library_watch import View

#: Seconds of an uploaded clip that are looked at.
LONGEST_CLIP = 60.0
# What an encoder sees of a picture, on its longer side: more than any of them takes.
_LONGEST = 1024
_SMALL = 240
# A picture stands still for as long as this, where windows have no length.
_STILL_SECONDS = 6.0


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A picture or clip that was taken in.

    Attributes:
        id: its id.
        kind: what it is.
        width: pixels, as they were read.
        height: the same for the height.
    """

    id: str
    kind: Literal["image", "clip"]
    width: int
    height: int


class Pictures:
    """What was uploaded, on disk."""

    def __init__(self, library: Path, studio: Studio, most_pixels: int) -> None:
        self._folder = library / CACHE / "pictures"
        self._studio = studio
        self._most_pixels = most_pixels

    def take(self, view: View, data: bytes, *, is_clip: bool) -> Uploaded:
        """Decode, encode and keep what was sent.

        Raises:
            ApiError: 422 where it cannot be decoded, or has no direction.
        """
        digest = hashlib.blake2b(data, digest_size=12, key=view.encoder.space.digest.encode())
        number = f"p-{digest.hexdigest()}"
        handle, name = tempfile.mkstemp(prefix="moviola-", suffix=".upload")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            frames = self._clip(view, Path(name)) if is_clip else self._picture(view, Path(name))
        except VideoUnreadableError as error:
            raise VideoUnreadableError(
                f"what was sent cannot be used: {error}", code=error.code
            ) from error
        finally:
            with suppress(OSError):
                Path(name).unlink()
        rows = view.encoder.encode_videos([frames])[0]
        direction = view.library.direction(rows.mean(axis=0, keepdims=True))
        small = _small(frames)
        self._folder.mkdir(parents=True, exist_ok=True)
        np.save(self._folder / f"{number}.npy", direction, allow_pickle=False)
        (self._folder / f"{number}.jpg").write_bytes(small)
        height, width = frames.pixels.shape[1:3]
        return Uploaded(number, "clip" if is_clip else "image", width, height)

    def direction(self, view: View, picture: str) -> NDArray[np.float32]:
        """What the library's vectors are multiplied with, `(D,)`.

        Raises:
            ApiError: 404 where there is no such picture any more.
        """
        try:
            found = np.load(self._named(picture, ".npy"), allow_pickle=False)
        except (OSError, ValueError):
            raise self._gone() from None
        if found.shape != (view.library.card.space.dimension,):
            raise self._gone()
        return np.asarray(found, np.float32)

    def preview(self, picture: str) -> bytes:
        """A small JPEG.

        Raises:
            ApiError: 404 where there is no such picture any more.
        """
        try:
            return self._named(picture, ".jpg").read_bytes()
        except OSError:
            raise self._gone() from None

    def _named(self, picture: str, suffix: str) -> Path:
        if not (picture.startswith("p-") and picture[2:].isalnum() and picture.isascii()):
            raise self._gone()
        return self._folder / f"{picture}{suffix}"

    @staticmethod
    def _gone() -> ApiError:
        return ApiError(404, "not_found", "this picture is no longer here; drop it again")

    def _picture(self, view: View, path: Path) -> Frames:
        """A picture as the clip that shows nothing else."""
        still = read_picture(
            self._studio.pool, path, most_pixels=self._most_pixels, longest=_LONGEST
        )
        times = view.encoder.sampler.times(Span(0.0, _seconds(view.library.card.segment)))
        pixels = np.repeat(still.pixels, len(times), axis=0)
        return Frames(pixels, np.asarray(times, np.float64))

    def _clip(self, view: View, path: Path) -> Frames:
        request = ReadRequest(
            "upload", path, GivenSegmenter((Span(0.0, LONGEST_CLIP),)), view.encoder.sampler
        )
        frames: Frames | None = None
        for event in self._studio.pool.read([request]):
            if isinstance(event, VideoDone):
                if event.code.is_failure:
                    raise VideoUnreadableError(event.message, code=event.code)
            else:
                frames = event.frames
        if frames is None:
            raise VideoUnreadableError("it has no pictures", code=FileCode.NO_VIDEO)
        return frames


def _seconds(segment: str) -> float:
    """How long a clip of the library is."""
    return float(getattr(parse_segmenter(segment), "length", _STILL_SECONDS))


def _small(frames: Frames) -> bytes:
    middle = len(frames) // 2
    pixels = frames.pixels[middle : middle + 1]
    step = max(1, max(pixels.shape[1:3]) // _SMALL)
    return jpeg(Frames(np.ascontiguousarray(pixels[:, ::step, ::step]), frames.times[:1]))
