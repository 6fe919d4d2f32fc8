"""Frames of a clip as the model sees them: which ones, how large, how normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from moviola.core import Frames, LeftSampler, PictureSize
from moviola.encode.runtime.preprocessing import Preprocessing

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MEAN = (0.48145466, 0.4578275, 0.40821073)
_STD = (0.26862954, 0.26130258, 0.27577711)


def left_sampler(count: int, side: int) -> LeftSampler:
    """Sample `count` frames a clip, stretched to `side` x `side` pixels as the original does."""
    return LeftSampler(count, PictureSize(side, side))


def frame_indices(num_frames: int, count: int) -> list[int]:
    """Return the numbers of the frames that the original takes of a whole video of `num_frames`.

    At most `count` equal parts, the first frame of each: it begins at 0 and never takes the last
    frame. As the original computes them, in floating point, which for some counts that are no
    power of two gives one more, behind the end. `LeftSampler` means the same moments by their
    times, and never too many of them.

    Raises:
        ValueError: there is no frame, or none is wanted.
    """
    if num_frames < 1 or count < 1:
        raise ValueError(f"of {num_frames} frames {count} cannot be taken")
    step = num_frames / min(count, num_frames)
    return np.arange(0, num_frames, step).astype(int).tolist()


def distinct(frames: Frames) -> Frames:
    """Drop repeated frames: a clip that has fewer than were asked for is shorter."""
    kept = np.concatenate([[True], np.diff(frames.times) > 0])
    if kept.all():
        return frames
    return Frames(frames.pixels[kept], frames.times[kept], frames.sound)


def preprocessing(side: int) -> Preprocessing:
    """Make the normalisation, and a resize for frames that are not of the model's size."""
    return Preprocessing((side, side), None, "bilinear", _MEAN, _STD)


def pixel_values(pixels: NDArray[np.uint8], side: int) -> Tensor:
    """Map `(T, H, W, 3)` uint8 to normalised `(3, T, side, side)` float32."""
    steps = preprocessing(side)
    if pixels.shape[1:3] == (side, side):
        frames = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    else:
        frames = steps.shrink(pixels)
    return steps.normalise(frames).transpose(0, 1)
