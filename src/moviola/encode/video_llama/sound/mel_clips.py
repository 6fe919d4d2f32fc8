"""A clip's sound to the mel pictures that ImageBind hears, eight clips of two seconds."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from moviola.encode.video_llama.config import AudioConfig
from moviola.encode.video_llama.sound.mel import RATE, mel_picture
from moviola.encode.video_llama.sound.resampling import resample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def clip_slices(
    duration: float, clips: int, clip_seconds: float = 2, rate: int = RATE
) -> list[tuple[int, int]]:
    """Return where each of `clips` clips of `clip_seconds` begins and ends, in samples.

    Clip i starts at i / clips of the time that a clip can start at, so the last clip never
    reaches the end. In exact fractions of the binary `duration` (seconds), as pytorchvideo 0.1.5
    computes them: a clip of 5.3 s has one that starts at sample 6599, not 6600. What is shorter
    than a clip is heard `clips` times.
    """
    latest = Fraction(max(duration - clip_seconds, 0))
    starts = [latest / clips * i for i in range(clips)]
    return [(int(at * rate), int((at + Fraction(clip_seconds)) * rate)) for at in starts]


def mel_pictures(
    samples: NDArray[np.float32] | Tensor,
    rate: int,
    config: AudioConfig,
    *,
    shift_in_place: bool = False,
) -> Tensor:
    """Map sound (C, N) at `rate` a second to normalised mel pictures (clips, 1, bins, frames).

    Args:
        samples: all channels; the mean is taken over all of them, the picture of the first.
        rate: samples a second; resampled to 16 kHz.
        config: how many clips, how long, and how the pictures are normalised.
        shift_in_place: subtract each clip's mean in place, as the original does: a clip that
            overlaps an earlier one then finds a part of itself shifted already. Only to compare
            with features that the original made.

    Raises:
        ValueError: there is no sound.
    """
    sound = torch.as_tensor(samples, dtype=torch.float32)
    if not sound.numel():
        raise ValueError("there is no sound to hear: encode this clip by its frames alone")
    sound = resample(sound, rate, RATE)
    if shift_in_place:
        sound = sound.clone()
    pictures: list[Tensor] = []
    for first, last in clip_slices(sound.shape[1] / RATE, config.clips, config.clip_seconds):
        clip = sound[:, first:last]
        if shift_in_place:
            clip -= clip.mean()
        else:
            clip = clip - clip.mean()
        trunk = config.trunk
        pictures.append(mel_picture(clip, bins=trunk.num_mel_bins, length=trunk.target_length))
    return (torch.stack(pictures) - config.mel_mean) / config.mel_std
