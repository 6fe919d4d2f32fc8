"""Take in and keep pictures and short clips that people search with.

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

from moviola.core import Frames, FrameSampler, VideoUnreadableError
from moviola.library import CACHE, Library
from moviola.library.storage.state_files import DAMAGED_ARCHIVE
from moviola.pipeline.search.pictures import encode_picture, read_clip, read_still
from moviola.retrieve.query import Picture
from moviola.serve.errors import ApiError
from moviola.serve.media.media import Media, jpeg

if TYPE_CHECKING:
    from moviola.serve.search.library_watch import View

_SMALL = 240


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
    """Keep what was uploaded, on disk."""

    def __init__(self, library: Path, media: Media, most_pixels: int) -> None:
        self._folder = library / CACHE / "pictures"
        self._media = media
        self._most_pixels = most_pixels

    def take(self, view: View, data: bytes, *, is_clip: bool) -> Uploaded:
        """Decode, encode and keep what was sent.

        Raises:
            ApiError: 409 where the library has no vectors to compare it with.
            VideoUnreadableError: where it cannot be decoded.
        """
        encoder = view.looking()
        digest = hashlib.blake2b(data, digest_size=12, key=encoder.space.digest.encode())
        number = f"p-{digest.hexdigest()}"
        handle, name = tempfile.mkstemp(prefix="moviola-", suffix=".upload")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            frames = self._read(view.library, encoder.sampler, Path(name), is_clip=is_clip)
        except VideoUnreadableError as error:
            raise VideoUnreadableError(
                f"what was sent cannot be used: {error}", code=error.code
            ) from error
        finally:
            with suppress(OSError):
                Path(name).unlink()
        picture = encode_picture(frames, view.library, encoder)
        small = _small(frames)
        self._folder.mkdir(parents=True, exist_ok=True)
        np.savez(self._folder / f"{number}.npz", direction=picture.direction)
        (self._folder / f"{number}.jpg").write_bytes(small)
        height, width = frames.pixels.shape[1:3]
        return Uploaded(number, "clip" if is_clip else "image", width, height)

    def read(self, view: View, picture: str) -> Picture:
        """Read what was kept of a picture, to search with.

        Raises:
            ApiError: 404 where there is no such picture any more.
        """
        try:
            with np.load(self._named(picture, ".npz"), allow_pickle=False) as held:
                found = held["direction"]
        except DAMAGED_ARCHIVE:
            raise self._gone() from None
        if found.shape != (view.library.card.space.dimension,):
            raise self._gone()
        return Picture.of(found)

    def preview(self, picture: str) -> bytes:
        """Read a small JPEG of a picture.

        Raises:
            ApiError: 404 where there is no such picture any more.
        """
        try:
            return self._named(picture, ".jpg").read_bytes()
        except OSError:
            raise self._gone() from None

    def _named(self, picture: str, suffix: str) -> Path:
        """Name the file of a picture, whose id is checked."""
        if not (picture.startswith("p-") and picture[2:].isalnum() and picture.isascii()):
            raise self._gone()
        return self._folder / f"{picture}{suffix}"

    def _read(
        self, library: Library, sampler: FrameSampler, path: Path, *, is_clip: bool
    ) -> Frames:
        """Decode what was sent."""
        if is_clip:
            return read_clip(self._media.pool, path, sampler)
        return read_still(
            self._media.pool,
            path,
            library,
            sampler,
            most_pixels=self._most_pixels,
        )

    @staticmethod
    def _gone() -> ApiError:
        """Refuse a picture that is not kept."""
        return ApiError(404, "not_found", "this picture is no longer here; drop it again")


def _small(frames: Frames) -> bytes:
    """Draw a small JPEG of the middle frame."""
    middle = len(frames) // 2
    pixels = frames.pixels[middle : middle + 1]
    step = max(1, max(pixels.shape[1:3]) // _SMALL)
    return jpeg(Frames(np.ascontiguousarray(pixels[:, ::step, ::step]), frames.times[:1]))
