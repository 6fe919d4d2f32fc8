"""Resize frames as qwen-vl-utils does: which size, and by which kernel."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FRAMES_AT_ONCE = 8
"""Frames that are floating-point numbers at a time: 64 of 720p would be 700 MB."""


def fit_size(edges: Sequence[int], factor: int, least: float, most: float) -> tuple[int, int]:
    """Return the `(height, width)` of whole factors nearest to a size, of an area in bounds.

    Args:
        edges: height and width in pixels.
        factor: that both edges become multiples of.
        least: pixels that a smaller frame is enlarged to.
        most: pixels that a larger frame is shrunk to.

    Raises:
        ValueError: when a frame is more than 200 times as long as it is wide.
    """
    height, width = edges
    if max(height, width) > 200 * min(height, width):
        raise ValueError(f"a frame of {width}x{height} is too narrow for patches")
    fitted = [max(factor, round(edge / factor) * factor) for edge in (height, width)]
    if fitted[0] * fitted[1] > most:
        scale = math.sqrt(height * width / most)
        fitted = [
            max(factor, math.floor(edge / scale / factor) * factor) for edge in (height, width)
        ]
    elif fitted[0] * fitted[1] < least:
        scale = math.sqrt(least / (height * width))
        fitted = [math.ceil(edge * scale / factor) * factor for edge in (height, width)]
    return fitted[0], fitted[1]


def resize_float(frames: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """Resize `(T, H, W, 3)` to `(T, 3, height, width)` uint8, bicubic on floating-point numbers.

    As torchvision does with a float tensor. On bytes a fifth of the values would differ.
    """
    parts = _resize_parts(torch.from_numpy(frames).permute(0, 3, 1, 2), size)
    return torch.cat([part.clamp(0, 255).round().to(torch.uint8) for part in parts])


def resize_unrounded(frames: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize `(T, 3, H, W)` uint8 to `(T, 3, height, width)` float32, which may leave 0 to 255."""
    return torch.cat(list(_resize_parts(frames, size)))


def _resize_parts(frames: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """Resize frames `(T, 3, H, W)` as float32, a few at a time."""
    for part in frames.split(_FRAMES_AT_ONCE):
        yield functional.interpolate(part.float(), size, mode="bicubic", antialias=True)


def resize_pillow(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Resize `(H, W, 3)` to `(height, width, 3)` uint8 by Pillow's bicubic filter."""
    height, width = size
    resized = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC)
    return np.array(resized)
