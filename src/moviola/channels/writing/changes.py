"""Tell where a picture changed, down to a digit of a clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from moviola.core import Box

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Pixels of the longer side of the grey pictures that are compared.
LONGEST = 960
#: Pixels of a side of the blocks whose mean difference counts.
BLOCK = 4
#: Grey levels out of 255 by which a block differs, in a picture without noise and in a noisy one.
LEAST, MOST = 5.0, 9.0
#: Noise is what half of the blocks show; a change stands out from it by this factor.
ABOVE_NOISE = 3.0


class Changes:
    """The blocks of one picture that differ from those of another, `(rows, columns)` bool."""

    def __init__(self, blocks: NDArray[np.bool_]) -> None:
        self.blocks = blocks

    def __bool__(self) -> bool:
        return bool(self.blocks.any())

    def touch(self, box: Box) -> bool:
        """Tell whether a block that changed reaches into a box."""
        rows, columns = self.blocks.shape
        top, bottom = int(box.top * rows), int(np.ceil(box.bottom * rows))
        left, right = int(box.left * columns), int(np.ceil(box.right * columns))
        return bool(self.blocks[top:bottom, left:right].any())


def small_grey(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Shrink a picture `(H, W, 3)` to grey levels `(h, w)`, `h` and `w` multiples of `BLOCK`."""
    height, width = pixels.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    size = [max(BLOCK, round(side * scale) // BLOCK * BLOCK) for side in (width, height)]
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def changes(before: NDArray[np.float32] | None, now: NDArray[np.float32]) -> Changes:
    """Compare two small grey pictures; all of `now` is new where the other has another size."""
    rows, columns = now.shape[0] // BLOCK, now.shape[1] // BLOCK
    if before is None or before.shape != now.shape:
        return Changes(np.ones((rows, columns), bool))
    differences = np.abs(now - before).reshape(rows, BLOCK, columns, BLOCK).mean(axis=(1, 3))
    noise = ABOVE_NOISE * float(np.median(differences))
    return Changes(differences > min(max(noise, LEAST), MOST))
