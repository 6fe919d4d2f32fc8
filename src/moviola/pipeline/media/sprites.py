"""Draw and keep the pictures of clips: a sheet of small ones, and a poster of its middle.

They are made of the frames that were decoded for the encoder anyway, or of a few read again, and
lie in the library's cache, from where they may be deleted at any time.
"""

from __future__ import annotations

import io
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Frames, Span
from moviola.library import CACHE
from moviola.pipeline.media.cache_eviction import trim

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS, ROWS = 4, 2
#: Pictures of a sheet.
TILES = COLUMNS * ROWS
#: Pixels of the longer side of each.
LONGEST = 240
_QUALITY = 62
#: Pixels of the longer side of a poster.
POSTER_LONGEST = 480
_POSTER_QUALITY = 80
#: Bytes of a library's sheets and posters, about; those that went are made again when needed.
MOST_BYTES = 2 << 30
_TIMES = re.compile(rb"times=([0-9.,]{1,200})")


def sprite_times(span: Span) -> list[float]:
    """Choose the moments of a clip that its sheet shows, in seconds."""
    return [span.start + (place + 0.5) * span.duration / TILES for place in range(TILES)]


def draw_sprite(frames: Frames) -> bytes:
    """Draw a JPEG of `COLUMNS` times `ROWS` frames of a clip, in the order of time.

    The frames are taken at equal steps; few of them are repeated. Their times are kept in the
    file, for `read_times`.
    """
    from PIL import Image

    chosen = ((np.arange(TILES) + 0.5) * len(frames) / TILES).astype(int)
    height, width = frames.pixels.shape[1:3]
    scale = min(1.0, LONGEST / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    sheet = Image.new("RGB", (COLUMNS * size[0], ROWS * size[1]))
    drawn: dict[int, Image.Image] = {}
    for place, number in enumerate(chosen.tolist()):
        if number not in drawn:
            drawn[number] = _reduced(frames.pixels[number], size)
        at = place % COLUMNS * size[0], place // COLUMNS * size[1]
        sheet.paste(drawn[number], at)
    times = ",".join(f"{frames.times[number]:.3f}" for number in chosen.tolist())
    buffer = io.BytesIO()
    sheet.save(buffer, "JPEG", quality=_QUALITY, comment=f"times={times}".encode())
    return buffer.getvalue()


def read_times(sheet: bytes) -> str:
    """Read the times of a sheet's frames in seconds, with commas, as `draw_sprite` wrote them."""
    found = _TIMES.search(sheet[:1024])
    return found[1].decode() if found else ""


def draw_poster(frames: Frames, time: float) -> bytes:
    """Draw the frame that is nearest to `time` seconds as a JPEG."""
    from PIL import Image

    picture = Image.fromarray(frames.pixels[int(np.abs(frames.times - time).argmin())])
    picture.thumbnail((POSTER_LONGEST, POSTER_LONGEST), reducing_gap=2.0)
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_POSTER_QUALITY)
    return buffer.getvalue()


class SpriteCache:
    """Keep sheets and posters of a library's clips; the oldest make room for new ones.

    Several threads may keep pictures of different clips at once.
    """

    def __init__(self, library: Path, *, most: int = MOST_BYTES, every: int = 2000) -> None:
        """Keep at most `most` bytes, looked after whenever `every` more sheets were kept."""
        self._folder = library / CACHE / "sprites"
        self._most = most
        self._every = every
        self._kept = 0
        self._counting = Lock()

    def read(self, video: str, clip: str) -> bytes | None:
        """Read the sheet of a clip, None where there is none."""
        return self._read(self._path(video, clip))

    def read_poster(self, video: str, clip: str) -> bytes | None:
        """Read the poster of a clip, None where there is none."""
        return self._read(self._path(video, f"{clip}.poster"))

    def keep(self, video: str, clip: str, sheet: bytes) -> None:
        """Keep a sheet. A full disk is no reason to stop over a cache."""
        self._keep(self._path(video, clip), sheet)

    def keep_poster(self, video: str, clip: str, poster: bytes) -> None:
        """Keep a poster, or not where the disk is full."""
        self._keep(self._path(video, f"{clip}.poster"), poster)

    def drop(self, video: str) -> None:
        """Delete the sheets and posters of a video."""
        shutil.rmtree(self._of(video), ignore_errors=True)

    def _read(self, path: Path) -> bytes | None:
        """Read a picture, and note that it was used."""
        with suppress(OSError):
            picture = path.read_bytes()
            with suppress(OSError):  # a library that may only be read is shown all the same
                os.utime(path)
            return picture
        return None

    def _keep(self, path: Path, picture: bytes) -> None:
        """Write a picture whole, and make room now and then."""
        temporary = path.with_suffix(".new")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(picture)
            temporary.replace(path)
        with self._counting:
            self._kept += 1
            full = self._kept % self._every == 0
        if full:
            trim(self._folder, self._most)

    def _of(self, video: str) -> Path:
        return self._folder / video[:2] / video

    def _path(self, video: str, clip: str) -> Path:
        return self._of(video) / f"{clip}.jpg"


def _reduced(pixels: NDArray[np.uint8], size: tuple[int, int]):  # noqa: ANN202 -- Pillow is lazy
    from PIL import Image

    return Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
