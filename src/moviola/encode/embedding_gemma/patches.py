"""Cut pictures into the patches that the vision tower of EmbeddingGemma 2 sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from moviola.encode.runtime.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PaddedPatches:
    """Pictures of one size in patches.

    Attributes:
        values: `(T, most, side * side * 3)` numbers in [0, 1], zeros behind the last patch.
        places: `(T, most, 2)` column and row of every patch, -1 behind the last.
        vectors: of every picture.
    """

    values: Tensor
    places: Tensor
    vectors: int


@dataclass(frozen=True, slots=True)
class PatchProcessor:
    """Prepare pictures for the vision tower, without torchvision.

    Attributes:
        most: vectors of a picture at most; small pictures are enlarged to about as many.
        side: of a patch in pixels.
        pool: patches a side that become one vector.
    """

    most: int
    side: int = 16
    pool: int = 3

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        return f"bicubic vectors:{self.most} patch:{self.side}x{self.pool} scale:1/255"

    def fit_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the largest `(height, width)` of whole vectors that keeps the shape.

        Raises:
            ValueError: when a picture is narrower than a vector of so many.
        """
        unit = self.side * self.pool
        scale = math.sqrt(self.most * unit**2 / (height * width))
        rows, columns = (math.floor(scale * edge / unit) for edge in (height, width))
        if not rows and not columns:
            raise ValueError(f"a picture of {width}x{height} is too small for one vector")
        if not rows:
            rows, columns = 1, min(width // height, self.most)
        elif not columns:
            rows, columns = min(height // width, self.most), 1
        return rows * unit, columns * unit

    def resize(self, pictures: NDArray[np.uint8]) -> Tensor:
        """Resize `(T, H, W, 3)` to `(T, 3, h, w)` uint8, bicubic on bytes."""
        size = self.fit_size(pictures.shape[1], pictures.shape[2])
        nothing = (0.0, 0.0, 0.0)
        return Preprocessing(size, None, "bicubic", nothing, (1.0, 1.0, 1.0)).shrink(pictures)

    def __call__(self, pictures: NDArray[np.uint8]) -> PaddedPatches:
        """Cut pictures `(T, H, W, 3)` into patches."""
        resized = self.resize(pictures)
        count, channels, height, width = resized.shape
        rows, columns = height // self.side, width // self.side
        cut = (resized.float() / 255).view(count, channels, rows, self.side, columns, self.side)
        # Row and column of the patch; then y, x and, last, the channel.
        values = cut.permute(0, 2, 4, 3, 5, 1).reshape(count, rows * columns, -1)
        at = torch.arange(rows * columns)
        places = torch.stack([at % columns, at // columns], dim=-1).expand(count, -1, -1)
        missing = self.most * self.pool**2 - rows * columns
        return PaddedPatches(
            functional.pad(values, (0, 0, 0, missing)),
            functional.pad(places, (0, 0, 0, missing), value=-1),
            rows * columns // self.pool**2,
        )
