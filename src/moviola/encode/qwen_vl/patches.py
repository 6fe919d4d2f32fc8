"""Cut clips and pictures into the patches that the vision tower of Qwen3-VL sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from torch import Tensor

from moviola.encode.qwen_vl.resizing import fit_size, resize_float, resize_pillow, resize_unrounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

Way = Literal["file", "list", "mteb"]
"""The two ways in which the published programs take a video, a file or a list of pictures, and that
of mteb's wrapper."""

LIST_FRAMES = 64
"""Frames of a list at most."""
_RATES: dict[Way, float] = {"list": 2.0, "mteb": 24.0}
"""Frames a second that a list of frames is given, whatever its true times are: by the published
program, and by transformers, which mteb's wrapper tells no rate."""


@dataclass(frozen=True, slots=True)
class Patches:
    """A clip or a picture in patches.

    Attributes:
        values: `(N, channels * time * side * side)` normalised pixels, group after group; patches
            that are merged into one vector stand together.
        grid: groups of frames, rows and columns of patches.
        cells: rows and columns of merged patches, of every group.
        times: of every group the seconds that its prompt tells; none for a picture.
    """

    values: Tensor
    grid: tuple[int, int, int]
    cells: tuple[int, int]
    times: tuple[float, ...] = ()

    @property
    def vectors(self) -> int:
        """Count the vectors of one group."""
        return self.cells[0] * self.cells[1]


@dataclass(frozen=True, slots=True)
class PatchProcessor:
    """Prepare frames for the vision tower, without torchvision.

    Attributes:
        patch: side of a patch in pixels.
        merge: patches a side that become one vector.
        span: frames of a group.
    """

    patch: int = 16
    merge: int = 2
    span: int = 2

    @property
    def factor(self) -> int:
        """Return the pixels of a side that become one vector."""
        return self.patch * self.merge

    @property
    def spec(self) -> str:
        """Return the canonical text for a `Readout`."""
        return f"qwen-vl-utils patch:{self.patch}x{self.merge}/{self.span} mean:0.5 std:0.5"

    def resize_file(self, frames: NDArray[np.uint8]) -> Tensor:
        """Resize the frames `(T, H, W, 3)` of a file to `(T, 3, h, w)` uint8.

        A small frame is enlarged to at least 128 vectors.
        """
        unit = self.factor**2
        shared = 128_000 * unit * 0.9 / _even(len(frames)) * 2
        return resize_float(frames, self._fitted(frames.shape[1:3], shared))

    def resize_list(self, frames: NDArray[np.uint8]) -> Tensor:
        """Resize a list of frames `(T, H, W, 3)` to `(T', 3, h, w)` uint8, twice.

        Of more than 64 frames as many are taken. First by Pillow to edges of 64 pixels (the factor
        is taken for the side of a patch), then as the frames of a file.
        """
        if len(frames) > LIST_FRAMES:
            frames = frames[np.linspace(0, len(frames) - 1, LIST_FRAMES).astype(np.int64)]
        double = 2 * self.factor
        size = fit_size(frames.shape[1:3], double, 4 * double**2, 16_384 * double**2)
        first = np.stack([resize_pillow(frame, size) for frame in frames])
        shared = 7680 * self.factor**2 / _even(len(frames)) * 2
        return resize_float(first, self._fitted(first.shape[1:3], shared))

    def resize_mteb(self, frames: NDArray[np.uint8]) -> Tensor:
        """Resize frames `(T, H, W, 3)` to `(T, 3, h, w)` float32 of 0 to 255, twice.

        As `resize_video` of mteb 2.26: to edges of whole vectors and bytes, then within the bounds
        of a list, whose values are not rounded.
        """
        unit = self.factor**2
        size = fit_size(frames.shape[1:3], self.factor, 4 * unit, 16_384 * unit)
        first = resize_float(frames, size)
        shared = 7680 * unit / _even(len(frames)) * 2
        return resize_unrounded(first, self._fitted(size, shared))

    def resize_picture(self, picture: NDArray[np.uint8]) -> Tensor:
        """Resize a picture `(H, W, 3)` to `(1, 3, h, w)` uint8."""
        unit = self.factor**2
        size = fit_size(picture.shape[:2], self.factor, 4 * unit, 1800 * unit)
        return torch.from_numpy(resize_pillow(picture, size)).permute(2, 0, 1)[None]

    def clip(self, frames: NDArray[np.uint8], times: Sequence[float], way: Way) -> Patches:
        """Cut a clip of frames `(T, H, W, 3)`, shown at `times` in seconds, into patches.

        A group without a second frame repeats its first.

        Raises:
            ValueError: when there is no frame.
        """
        if not len(frames):
            raise ValueError("a clip without frames cannot be encoded")
        resize = {"file": self.resize_file, "list": self.resize_list, "mteb": self.resize_mteb}[way]
        resized = resize(frames)
        if way in _RATES:
            times = [number / _RATES[way] for number in range(_even(len(resized)))]
        padded = [*times, *[times[-1]] * (len(times) % 2)]
        middles = tuple((a + b) / 2 for a, b in zip(padded[::2], padded[1::2], strict=True))
        return self.cut(resized, middles)

    def picture(self, picture: NDArray[np.uint8]) -> Patches:
        """Cut a picture `(H, W, 3)` into patches; it is its own second frame."""
        return self.cut(self.resize_picture(picture))

    def cut(self, resized: Tensor, times: tuple[float, ...] = ()) -> Patches:
        """Cut `(T, 3, h, w)`, 0 to 255, into patches; the last frame is repeated to whole ones."""
        missing = -len(resized) % self.span
        frames = torch.cat([resized, resized[-1:].expand(missing, -1, -1, -1)])
        numbers = (frames.float() - 255 * 0.5) / (255 * 0.5)
        groups = len(frames) // self.span
        channels, height, width = frames.shape[1:]
        rows, columns = height // self.factor, width // self.factor
        cut = numbers.view(
            groups, self.span, channels, rows, self.merge, self.patch, columns, self.merge,
            self.patch,
        )  # fmt: skip
        # Group, merged row and column, row and column inside; then channel, time, y, x.
        values = cut.permute(0, 3, 6, 4, 7, 2, 1, 5, 8)
        return Patches(
            values.reshape(-1, channels * self.span * self.patch**2),
            (groups, rows * self.merge, columns * self.merge),
            (rows, columns),
            times,
        )

    def _fitted(self, edges: Sequence[int], shared: float) -> tuple[int, int]:
        """Fit a frame of a video whose frames may have `shared` pixels each, within bounds."""
        unit = self.factor**2
        least = 128 * unit
        most = max(min(768 * unit, shared), int(least * 1.05))
        return fit_size(edges, self.factor, least, most)


def _even(count: int) -> int:
    """Round a number of frames up to an even one."""
    return count + count % 2
