"""Frames as VideoLLaMA 3 sees them: sizes of whole patches, and only what changes.

The steps and names are those of its processor in transformers, which needs torchvision.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.config_files import read_config
from moviola.encode.runtime.preprocessing import Preprocessing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Where the checkpoint is silent, in pixels of a frame and of all frames together.
_LEAST, _MOST = 128 * 28 * 28, 768 * 28 * 28
_HALF = (0.5, 0.5, 0.5)
#: Change of a patch, in levels of 255 of normalised pixels, from which on it is seen again.
_CHANGE = 0.1


@dataclass(frozen=True, slots=True)
class Patches:
    """The pictures of one clip in patches.

    Attributes:
        values: `(T * h * w, 3 * patch * patch)` normalised pixels, frame after frame; patches that
            are merged into one vector stand together.
        grid: T, h and w, in patches.
        kept: `(T, h * w / merge^2)` which vectors are seen; at least one a frame.
    """

    values: Tensor
    grid: tuple[int, int, int]
    kept: Tensor


@dataclass(frozen=True, slots=True)
class PatchProcessor:
    """Cut frames into patches.

    Attributes:
        patch: side of a patch in pixels.
        merge: patches a side that become one vector.
        least: pixels that a frame is enlarged to.
        most: pixels that all frames together may have.
        compress: whether patches that hardly change from one frame to the next are left out.
        mean: of each channel, subtracted from values in [0, 1].
        std: of each channel, divides what is left.
    """

    patch: int = 14
    merge: int = 2
    least: int = _LEAST
    most: int = _MOST
    compress: bool = True
    mean: tuple[float, float, float] = _HALF
    std: tuple[float, float, float] = _HALF

    @classmethod
    def from_folder(cls, folder: Path) -> Self:
        """Read the steps from `video_preprocessor_config.json`.

        Raises:
            WeightsUnavailableError: when it says nothing.
            ValueError: when it asks for patches that span several frames.
        """
        path = folder / "video_preprocessor_config.json"
        if not path.is_file():
            raise WeightsUnavailableError(
                f"{display_path(folder)} does not say how frames are prepared: it has no "
                f"{path.name}"
            )
        told = read_config(path)
        if told.get("temporal_patch_size", 1) != 1:
            raise ValueError(f"{display_path(path)} asks for patches of several frames")
        size = told.get("size") or {}
        return cls(
            patch=told.get("patch_size", 14),
            merge=told.get("merge_size", 2),
            least=size.get("shortest_edge", _LEAST),
            most=size.get("longest_edge", _MOST),
            compress=bool(told.get("use_token_compression", True)),
            mean=tuple(told.get("image_mean", _HALF)),
            std=tuple(told.get("image_std", _HALF)),
        )

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        kept = "changes" if self.compress else "all"
        mean, std = (",".join(f"{v:.8g}" for v in values) for values in (self.mean, self.std))
        return (
            f"bicubic:{self.least}-{self.most} patch:{self.patch}x{self.merge} {kept} "
            f"mean:{mean} std:{std}"
        )

    def __call__(self, pixels: NDArray[np.uint8]) -> Patches:
        """Map `(T, H, W, 3)` uint8 to patches."""
        frames, height, width = pixels.shape[:3]
        side = self.patch * self.merge
        target = fitting_size(height, width, side, self.least, self.most // frames)
        steps = Preprocessing(target, None, "bicubic", self.mean, self.std)
        pictures = steps(pixels)
        values = self._patchify(pictures)
        grid = (frames, target[0] // self.patch, target[1] // self.patch)
        return Patches(values, grid, self._kept(values, grid))

    def _patchify(self, pictures: Tensor) -> Tensor:
        frames, channels, height, width = pictures.shape
        rows, columns = (edge // (self.patch * self.merge) for edge in (height, width))
        cut = pictures.view(
            frames, channels, rows, self.merge, self.patch, columns, self.merge, self.patch
        )
        # Frame, merged row, merged column, row and column inside, then the numbers of a patch.
        return cut.permute(0, 2, 5, 3, 6, 1, 4, 7).reshape(-1, channels * self.patch**2)

    def _kept(self, values: Tensor, grid: tuple[int, int, int]) -> Tensor:
        frames, height, width = grid
        merged = values.view(frames, height * width // self.merge**2, -1)
        kept = torch.ones(merged.shape[:2], dtype=torch.bool)
        if self.compress and frames > 1:
            change = (merged[1:] - merged[:-1]).abs().mean(dim=-1) * 255
            kept[1:] = change > _CHANGE
            kept[~kept.any(dim=1), 0] = True
        return kept


def fitting_size(height: int, width: int, side: int, least: int, most: int) -> tuple[int, int]:
    """Return the height and width nearest to those given that are multiples of `side`.

    Their product is at most `most` where that can be, else at least `least`.

    Raises:
        ValueError: when a frame is more than 200 times as long as it is wide.
    """
    if max(height, width) > 200 * min(height, width):
        raise ValueError(f"a frame of {width}x{height} is too narrow for patches")
    fitted = [max(round(edge / side), 1) * side for edge in (height, width)]
    if fitted[0] * fitted[1] > most:
        shrink = math.sqrt(height * width / most)
        fitted = [max(math.floor(edge / shrink / side), 1) * side for edge in (height, width)]
    elif fitted[0] * fitted[1] < least:
        grow = math.sqrt(least / (height * width))
        fitted = [math.ceil(edge * grow / side) * side for edge in (height, width)]
    return fitted[0], fitted[1]
