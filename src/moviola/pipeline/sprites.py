"""Sheets of small pictures, one a clip: what a clip shows, at a glance.

They are made of the frames that were decoded for the encoder anyway, or of a few read again, and
lie in the library's cache, from where they may be deleted at any time.
"""

from __future__ import annotations

import io
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Frames, Span
from moviola.library import CACHE

if TYPE_CHECKING:
    from numpy.typing import NDArray

COLUMNS, ROWS = 4, 2
#: Pictures of a sheet.
TILES = COLUMNS * ROWS
#: Pixels of the longer side of each.
LONGEST = 240
_QUALITY = 62
_TIMES = re.compile(rb"times=([0-9.,]{1,200})")


def sprite_path(library: Path, video: str, clip: str) -> Path:
    """Where the sheet of a clip lies, or would."""
    return _folder(library, video) / f"{clip}.jpg"


def sprite_times(span: Span) -> list[float]:
    """The moments of a clip that its sheet shows, in seconds."""
    return [span.start + (place + 0.5) * span.duration / TILES for place in range(TILES)]


def draw_sprite(frames: Frames) -> bytes:
    """A JPEG of `COLUMNS` times `ROWS` frames of a clip, in the order of time.

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
    """The times of a sheet's frames in seconds, with commas, as `draw_sprite` put them there."""
    found = _TIMES.search(sheet[:1024])
    return found[1].decode() if found else ""


def keep_sprite(library: Path, video: str, clip: str, sheet: bytes) -> None:
    """Put a sheet into the cache of the library. A full disk is no reason to stop over a cache."""
    path = sprite_path(library, video, clip)
    temporary = path.with_suffix(".new")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(sheet)
        temporary.replace(path)


def drop_sprites(library: Path, video: str) -> None:
    """Delete the sheets of a video."""
    shutil.rmtree(_folder(library, video), ignore_errors=True)


def _folder(library: Path, video: str) -> Path:
    return library / CACHE / "sprites" / video[:2] / video


def _reduced(pixels: NDArray[np.uint8], size: tuple[int, int]):  # noqa: ANN202 -- Pillow is lazy
    from PIL import Image

    return Image.fromarray(pixels).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
