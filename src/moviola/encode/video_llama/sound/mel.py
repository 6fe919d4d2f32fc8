"""Kaldi's log-mel filter banks, with the settings of ImageBind's sound."""

from __future__ import annotations

import math
from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

RATE = 16_000
_FRAME, _SHIFT, _FFT = 400, 160, 512
_LOWEST, _PREEMPHASIS = 20.0, 0.97


def filter_banks(samples: Tensor, bins: int) -> Tensor:
    """Map one channel (N,) at 16 kHz to log-mel energies (frames, bins), 25 ms every 10 ms.

    As `compute-fbank-feats` of Kaldi: each frame loses its mean, is pre-emphasised and windowed
    (Hann), and its power spectrum is summed up by triangles that are even on the mel scale
    1127 ln(1 + f / 700) from 20 Hz to 8 kHz. Nothing is dithered. Less than 25 ms give no frame.
    """
    if samples.shape[-1] < _FRAME:
        return samples.new_zeros(0, bins)
    frames = samples.unfold(0, _FRAME, _SHIFT)
    frames = frames - frames.mean(1, keepdim=True)
    before = functional.pad(frames[:, None], (1, 0), mode="replicate")[:, 0, :-1]
    frames = (frames - _PREEMPHASIS * before) * _window().to(samples)
    power = torch.fft.rfft(frames, n=_FFT).abs() ** 2
    mel = power[:, :-1] @ _triangles(bins).to(samples).T
    return mel.clamp(min=torch.finfo(torch.float32).eps).log()


def mel_picture(samples: Tensor, *, bins: int, length: int) -> Tensor:
    """Map a clip's sound (C, N) at 16 kHz to a picture (1, bins, length) of one channel.

    What is missing on the right is zero, what is too much is cut off.
    """
    energies = filter_banks(samples[0], bins).T
    return functional.pad(energies, (0, length - energies.shape[1]))[None]


@lru_cache(maxsize=1)
def _window() -> Tensor:
    return torch.hann_window(_FRAME, periodic=False)


@lru_cache(maxsize=4)
def _triangles(bins: int) -> Tensor:
    """Return the weights (bins, _FFT / 2) of the frequencies below half the rate.

    In float32, since the model was trained on what float32 leaves of the narrow low triangles.
    """
    low, high = (1127.0 * math.log(1.0 + hertz / 700.0) for hertz in (_LOWEST, RATE / 2))
    step = (high - low) / (bins + 1)
    number = torch.arange(bins)[:, None]
    left, centre, right = (low + (number + i) * step for i in (0.0, 1.0, 2.0))
    at = 1127.0 * (1.0 + RATE / _FFT * torch.arange(_FFT // 2)[None] / 700.0).log()
    rising, falling = (at - left) / (centre - left), (right - at) / (right - centre)
    return torch.minimum(rising, falling).clamp(min=0)
