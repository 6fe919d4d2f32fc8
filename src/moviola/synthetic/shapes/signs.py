"""Paint signs onto the pictures of the world, with Pillow's own font."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from moviola.synthetic.shapes.texts import Colour, Sign

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Paper around the letters, in shares of the font's height.
EDGE = 0.35
#: Share of the picture's width that a sign may take; a larger one is written smaller.
WIDEST = 0.94


def paint_sign(picture: NDArray[np.uint8], sign: Sign) -> NDArray[np.uint8]:
    """Return a picture `(H, W, 3)` with the sign on it."""
    height, width = picture.shape[:2]
    ink, mask = _letters(sign.words, round(sign.height * height), round(WIDEST * width))
    top = round(sign.place[1] * (height - mask.shape[0]))
    left = round(sign.place[0] * (width - mask.shape[1]))
    area = slice(top, top + mask.shape[0]), slice(left, left + mask.shape[1])
    painted = picture.copy()
    if sign.paper is not None:
        painted[area] = sign.paper
    else:
        painted[area] = _mixed(painted[area], (0, 0, 0), mask)
    painted[area] = _mixed(painted[area], sign.ink, ink)
    return painted


@lru_cache(maxsize=64)
def _letters(
    words: str, height: int, widest: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Draw words: how much ink, and how much of their outline, covers each pixel of the sign."""
    while True:
        font = ImageFont.load_default(height)
        edge = round(EDGE * height)
        left, top, right, bottom = font.getbbox(words)
        size = round(right - left) + 2 * edge, round(bottom - top) + 2 * edge
        if size[0] <= widest or height <= 1:
            break
        height -= 1
    sheets: list[NDArray[np.float32]] = []
    for stroke in (0, 1):
        sheet = Image.new("L", size)
        at = edge - left, edge - top
        ImageDraw.Draw(sheet).text(at, words, fill=255, font=font, stroke_width=stroke)
        sheets.append(np.asarray(sheet, np.float32) / np.float32(255))
    return sheets[0], sheets[1]


def _mixed(
    picture: NDArray[np.uint8], colour: Colour, share: NDArray[np.float32]
) -> NDArray[np.uint8]:
    paint = np.asarray(colour, np.float32)
    return (picture + share[..., None] * (paint - picture) + 0.5).astype(np.uint8)
