"""Sound at another rate: windowed-sinc interpolation, as torchaudio's `resample` does by default.

The method is J. O. Smith's bandlimited interpolation (Digital Audio Resampling Home Page) with a
Hann window. FFmpeg's resampler differs from it in the last audible bits, so it is spelled out here
to give the original's features.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

_ZERO_CROSSINGS = 6
_ROLLOFF = 0.99


def resample(samples: Tensor, rate: int, wanted: int) -> Tensor:
    """Resample (C, N) at `rate` a second to (C, ceil(N * wanted / rate)) at `wanted`.

    Raises:
        ValueError: a rate is not positive.
    """
    if rate <= 0 or wanted <= 0:
        raise ValueError(f"rates are samples a second, got {rate} and {wanted}")
    if rate == wanted or not samples.shape[-1]:
        return samples
    common = math.gcd(rate, wanted)
    step, phases = rate // common, wanted // common
    kernel, reach = _kernel(step, phases, samples)
    padded = functional.pad(samples, (reach, reach + step))
    mixed = functional.conv1d(padded[:, None], kernel, stride=step)
    length = -(-samples.shape[-1] * phases // step)
    return mixed.transpose(1, 2).flatten(1)[:, :length]


def _kernel(step: int, phases: int, like: Tensor) -> tuple[Tensor, int]:
    """Make filters (phases, 1, taps), one for each place between two samples; their reach."""
    cutoff = min(step, phases) * _ROLLOFF
    reach = math.ceil(_ZERO_CROSSINGS * step / cutoff)
    taps = torch.arange(-reach, reach + step, dtype=torch.float64) / step
    late = torch.arange(0, -phases, -1, dtype=torch.float64)[:, None] / phases
    at = ((late + taps) * cutoff).clamp(-_ZERO_CROSSINGS, _ZERO_CROSSINGS)
    window = torch.cos(at * math.pi / _ZERO_CROSSINGS / 2) ** 2
    kernel = torch.sinc(at) * window * (cutoff / step)
    return kernel[:, None].to(like), reach
