"""Frames to the patches or pictures of a vision tower, resized on bytes as its processor does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from moviola.core.errors import WeightsUnavailableError
from moviola.core.paths import display_path
from moviola.encode.runtime.preprocessing import Preprocessing, stored_config

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class VideoSettings:
    """The settings of a video processor, as a checkpoint stores them.

    Attributes:
        told: by name.
        mean: of each channel, subtracted from values in [0, 1].
        std: of each channel, divides what is left.
    """

    told: dict[str, Any]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def from_folder(cls, folder: Path, **defaults: Any) -> VideoSettings:
        """Read the settings of a checkpoint.

        Args:
            folder: the checkpoint.
            defaults: where it is silent.

        Raises:
            WeightsUnavailableError: when it says nothing about videos.
        """
        told = stored_config(folder, "video_processor")
        if not told:
            raise WeightsUnavailableError(
                f"{display_path(folder)} does not say how frames are prepared: it has neither "
                f"video_preprocessor_config.json nor processor_config.json"
            )
        # What is null says nothing.
        merged = defaults | {name: value for name, value in told.items() if value is not None}
        mean, std = (tuple(map(float, merged[name])) for name in ("image_mean", "image_std"))
        if len(mean) != 3 or len(std) != 3:
            raise WeightsUnavailableError(
                f"{display_path(folder)} does not tell three means and deviations of its channels"
            )
        return cls(merged, mean, std)

    @property
    def side(self) -> int:
        """Return the pixels of a side that become one vector."""
        return int(self.told["patch_size"]) * int(self.told["merge_size"])

    @property
    def bounds(self) -> tuple[int, int]:
        """Return the least and the most pixels that `size` tells."""
        size = self.told["size"]
        return int(size["shortest_edge"]), int(size["longest_edge"])

    def merged(self, grid: Sequence[int]) -> tuple[int, int, int]:
        """Count groups, rows and columns of vectors of a grid of patches."""
        merge = int(self.told["merge_size"])
        return grid[0], grid[1] // merge, grid[2] // merge

    @property
    def spec(self) -> str:
        """Return the canonical text of sizes and statistics, for a `Readout`."""
        least, most = self.bounds
        mean, std = (",".join(f"{v:.8g}" for v in values) for values in (self.mean, self.std))
        return (
            f"bicubic:{least}-{most} patch:{self.told['patch_size']}x{self.told['merge_size']}"
            f"/{self.told['temporal_patch_size']} mean:{mean} std:{std}"
        )

    def resized(self, pixels: NDArray[np.uint8], size: Size) -> Tensor:
        """Resize `(T, H, W, 3)` to `(T, 3, h, w)` uint8 by the byte kernel."""
        return self._steps(size).shrink(pixels)

    def normalised(self, resized: Tensor) -> Tensor:
        """Normalise `(T, 3, h, w)` uint8 to float32."""
        return self._steps((resized.shape[2], resized.shape[3])).normalise(resized)

    def patches(self, resized: Tensor) -> tuple[Tensor, tuple[int, int, int]]:
        """Cut `(T, 3, h, w)` uint8 into `(N, D)` normalised patches, and tell their grid.

        The last frame is repeated to whole groups; patches that are merged stand together.
        """
        patch, merge, span = (
            int(self.told[name]) for name in ("patch_size", "merge_size", "temporal_patch_size")
        )
        numbers = self.normalised(resized)
        missing = -len(numbers) % span
        numbers = torch.cat([numbers, numbers[-1:].expand(missing, -1, -1, -1)])
        groups, channels = len(numbers) // span, numbers.shape[1]
        rows, columns = (edge // (patch * merge) for edge in numbers.shape[2:])
        cut = numbers.view(groups, span, channels, rows, merge, patch, columns, merge, patch)
        # Group, merged row and column, row and column inside; then channel, time, y, x.
        values = cut.permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
        return (
            values.reshape(-1, channels * span * patch**2),
            (groups, rows * merge, columns * merge),
        )

    def _steps(self, size: Size) -> Preprocessing:
        return Preprocessing(size, None, "bicubic", self.mean, self.std)
