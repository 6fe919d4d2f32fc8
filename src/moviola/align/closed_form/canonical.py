"""Solve shrunk canonical correlation analysis without decomposing a full covariance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from moviola.align.closed_form.covariance import Covariance

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

#: Directions beyond those that are wanted, and rounds of powers, of the randomised SVD.
_OVERSAMPLING, _POWERS = 32, 4


@dataclass(frozen=True, slots=True)
class Canonical:
    """Hold maps to canonical coordinates of unit variance in the data of the fit.

    Attributes:
        texts: `(D_t, k)`.
        clips: `(D_v, k)`.
        correlations: `(k,)` of the coordinates in the data of the fit, the largest first.
    """

    texts: Floats
    clips: Floats
    correlations: Floats


@dataclass(frozen=True, slots=True, eq=False)
class CanonicalSolver:
    """Solve CCA of one covariance for any shrinkage, sharing the common work.

    Args:
        covariance: means.
    """

    covariance: Covariance
    _factors: dict[tuple[str, float], Tensor] = field(default_factory=dict)

    def solve(self, shrinkage: tuple[float, float], width: int) -> Canonical:
        """Solve for the first `width` canonical directions, or as many as there are.

        The singular vectors of `L_t^-1 C_tv L_v^-T`, where `L L^T` is the Cholesky factor of
        `C + shrinkage I` of a side (Hotelling, "Relations between two sets of variates", 1936;
        Vinod, "Canonical ridge and econometrics of joint production", 1976), found by a
        randomised SVD (Halko, Martinsson and Tropp, "Finding structure with randomness", 2011,
        algorithms 4.4 and 5.1).

        Args:
            shrinkage: what is added to the variances of texts and of clips, which are 1.
            width: directions wanted.
        """
        texts, clips = self._factor("texts", shrinkage[0]), self._factor("clips", shrinkage[1])
        half = _solved(texts, self.covariance.cross)
        whitened = _solved(clips, half.T.contiguous()).T
        left, values, right = randomised_svd(whitened, width)
        text_map = torch.linalg.solve_triangular(texts.T, left, upper=True)
        clip_map = torch.linalg.solve_triangular(clips.T, right, upper=True)
        return Canonical(
            _unit_variance(text_map, self.covariance.texts),
            _unit_variance(clip_map, self.covariance.clips),
            values.numpy(),
        )

    def _factor(self, side: str, shrinkage: float) -> Tensor:
        key = (side, shrinkage)
        if key not in self._factors:
            covariance: Tensor = getattr(self.covariance, side)
            shrunk = covariance.clone()
            shrunk.diagonal().add_(shrinkage)
            self._factors[key] = torch.linalg.cholesky(shrunk)
        return self._factors[key]


def randomised_svd(matrix: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the `width` largest singular values `(k,)` and vectors `(n, k)`, `(m, k)`.

    Args:
        matrix: `(n, m)`.
        width: k, cut to what there is.
    """
    most = min(matrix.shape)
    width = min(width, most)
    seeded = torch.Generator().manual_seed(0)
    sample = torch.randn(
        matrix.shape[1], min(width + _OVERSAMPLING, most), generator=seeded, dtype=matrix.dtype
    )
    image = matrix @ sample
    for _ in range(_POWERS):
        back = torch.linalg.qr(matrix.T @ torch.linalg.qr(image).Q).Q
        image = matrix @ back
    basis = torch.linalg.qr(image).Q
    left, values, right = torch.linalg.svd(basis.T @ matrix, full_matrices=False)
    return (basis @ left)[:, :width], values[:width], right[:width].T


def _solved(factor: Tensor, matrix: Tensor) -> Tensor:
    return torch.linalg.solve_triangular(factor, matrix, upper=False)


def _unit_variance(maps: Tensor, covariance: Tensor) -> Floats:
    variance = ((covariance @ maps) * maps).sum(dim=0).clamp_min(1e-12)
    return (maps / variance.sqrt()).numpy()
