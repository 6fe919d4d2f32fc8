"""Score canonical coordinates by the likelihood ratio of matching against not matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.align.closed_form.canonical import Canonical
from moviola.align.head.maps import LinearMaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_WINDOW = 17
_LEAST, _MOST = 0.02, 0.95


def held_out_correlations(
    texts: Floats, clips: Floats, owner: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Measure the correlations `(k,)` of coordinates over pairs outside the fit.

    Args:
        texts: `(N, k)`.
        clips: `(M, k)`.
        owner: `(N,)` row of its clip for every text.
    """
    both = texts.astype(np.float64), clips[owner].astype(np.float64)
    deviations = [side - side.mean(axis=0) for side in both]
    lengths = [np.sqrt((side**2).sum(axis=0)) for side in deviations]
    product = (deviations[0] * deviations[1]).sum(axis=0)
    return product / np.maximum(lengths[0] * lengths[1], 1e-12)


def smoothed(correlations: NDArray[np.float64]) -> Floats:
    """Average each correlation with its neighbours over a window."""
    half = _WINDOW // 2
    padded = np.pad(correlations, half, mode="edge")
    means = np.convolve(padded, np.full(_WINDOW, 1 / _WINDOW), mode="valid")
    return np.clip(means, _LEAST, _MOST).astype(np.float32)


def likelihood_maps(canonical: Canonical, correlations: Floats, width: int) -> LinearMaps:
    """Build maps whose dot product is the log likelihood ratio, up to a constant.

    Of two standard Gaussians x and y with correlation r it is
    `r x y / (1 - r^2) - r^2 (x^2 + y^2) / (2 (1 - r^2))`, and coordinates add up (Bach and Jordan,
    "A probabilistic interpretation of canonical correlation analysis", 2005; the ratio is that of
    Prince and Elder, "Probabilistic linear discriminant analysis", 2007).

    Args:
        canonical: maps to coordinates.
        correlations: `(k,)` of held-out pairs, smoothed.
        width: how many coordinates count.
    """
    r = correlations[:width]
    gain = np.sqrt(r / (1 - r**2))
    # The penalty is taken of coordinates that already carry the gain.
    penalty = (r / 2).astype(np.float32)
    return LinearMaps(
        (canonical.texts[:, :width] * gain).astype(np.float32),
        (canonical.clips[:, :width] * gain).astype(np.float32),
        np.stack([penalty, penalty]),
    )
