"""Read picture files. Runs in the worker."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import FileCode, VideoUnreadableError

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Raster formats of the web. Not TIFF, EPS or ICNS, which nobody searches with and few fuzz.
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


def read_picture(path: Path, *, most_pixels: int, longest: int) -> NDArray[np.uint8]:
    """Read the upright picture `(H, W, 3)`; of an animation the first frame, on white where clear.

    Sizes are looked at in the header, before anything is decoded.

    Raises:
        VideoUnreadableError: `unsupported_container`, `too_large` or `corrupt`.
    """
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # the limit is ours, below
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = Image.open(path, formats=_FORMATS)
        except MemoryError:
            raise
        except Exception as error:
            raise VideoUnreadableError(
                "it is no picture that is read here (JPEG, PNG, WebP, GIF or BMP)",
                code=FileCode.UNSUPPORTED_CONTAINER,
            ) from error
        width, height = picture.size
        if width * height > most_pixels:
            raise VideoUnreadableError(
                f"its {width}x{height} pixels exceed the limit of {most_pixels}",
                code=FileCode.TOO_LARGE,
            )
        try:
            picture.draft("RGB", (longest, longest))  # JPEG: decodes no more than is needed
            picture = ImageOps.exif_transpose(picture)
            if picture.has_transparency_data:
                clear = picture.convert("RGBA")
                picture = Image.new("RGBA", clear.size, "white")
                picture.alpha_composite(clear)
            picture = picture.convert("RGB")
            picture.thumbnail((longest, longest))
            return np.asarray(picture)
        except MemoryError:
            raise
        except Exception as error:
            raise VideoUnreadableError(
                "the picture is damaged and cannot be decoded", code=FileCode.CORRUPT
            ) from error
