"""Fit the classical closed-form baselines, each of which maps by matrices.

All work on standardised rows, so that what each adds to that can be seen. Those that learn from no
pairs need sides of equal dimension.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from moviola.align.closed_form.covariance import Covariance
from moviola.align.closed_form.task import Fitted, Task, fit_best
from moviola.align.head.maps import LinearMaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SHRINKAGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_REMOVED = (1, 3, 10, 30, 50)


def fit_centring(task: Task) -> Fitted:
    """Subtract the mean of each side, and nothing else."""
    _require_equal(task, "centring")
    # Rows come standardised: their scale is put back.
    maps = LinearMaps(
        np.diag(task.text_side.scale).astype(np.float32),
        np.diag(task.clip_side.scale).astype(np.float32),
    )
    return fit_best(task, "centring", [None], lambda _covariance, _option: maps)


def fit_standardising(task: Task) -> Fitted:
    """Scale each dimension to mean 0 and variance 1, and nothing else."""
    _require_equal(task, "standardising")
    same = np.eye(task.dimensions[0], dtype=np.float32)
    return fit_best(task, "standardising", [None], lambda _m, _o: LinearMaps(same, same))


def fit_top_removed(task: Task) -> Fitted:
    """Project the first principal directions out of each side.

    Mu and Viswanath, "All-but-the-Top: Simple and Effective Postprocessing for Word
    Representations", 2018.
    """
    _require_equal(task, "all-but-the-top")
    options = [count for count in _REMOVED if count < task.dimensions[0]]
    return fit_best(
        task,
        "all-but-the-top",
        options,
        lambda covariance, count: LinearMaps(
            _without_top(covariance.texts, count), _without_top(covariance.clips, count)
        ),
        "removed",
    )


def fit_whitening(task: Task) -> Fitted:
    """Whiten each side by itself (ZCA), with shrinkage.

    Su, Cao, Liu and Ou, "Whitening Sentence Representations for Better Semantics and Faster
    Retrieval", 2021.
    """
    _require_equal(task, "whitening")
    return fit_best(
        task,
        "whitening",
        _SHRINKAGES,
        lambda covariance, shrinkage: LinearMaps(
            inverse_root(covariance.texts, shrinkage).numpy(),
            inverse_root(covariance.clips, shrinkage).numpy(),
        ),
    )


def fit_procrustes(task: Task) -> Fitted:
    """Fit the rotation that brings texts nearest to their videos.

    Schönemann, "A generalized solution of the orthogonal Procrustes problem", 1966.
    """

    def make(covariance: Covariance, _option: None) -> LinearMaps:
        left, _, right = torch.linalg.svd(covariance.cross, full_matrices=False)
        return LinearMaps(left.contiguous().numpy(), right.T.contiguous().numpy())

    return fit_best(task, "procrustes", [None], make)


def fit_ridge(task: Task) -> Fitted:
    """Fit a ridge regression from texts to whitened videos.

    Hoerl and Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal Problems", 1970. Both
    the regression and the whitening are shrunk alike.
    """

    def make(covariance: Covariance, shrinkage: float) -> LinearMaps:
        shrunk = covariance.texts.clone()
        shrunk.diagonal().add_(shrinkage)
        root = inverse_root(covariance.clips, shrinkage)
        return LinearMaps(torch.linalg.solve(shrunk, covariance.cross @ root).numpy(), root.numpy())

    return fit_best(task, "ridge", _SHRINKAGES, make)


def inverse_root(covariance: Tensor, shrinkage: float) -> Tensor:
    """Compute the symmetric `(C + shrinkage I)^(-1/2)`."""
    values, vectors = torch.linalg.eigh(covariance)
    return (vectors * (values.clamp_min(0) + shrinkage).rsqrt()) @ vectors.T


def _without_top(covariance: Tensor, count: int) -> Floats:
    _, vectors = torch.linalg.eigh(covariance)
    top = vectors[:, -count:]
    return (torch.eye(len(covariance)) - top @ top.T).numpy()


def _require_equal(task: Task, what: str) -> None:
    texts, clips = task.dimensions
    if texts != clips:
        raise ValueError(
            f"{what} learns from no pairs and needs sides of equal dimension; texts have {texts} "
            f"numbers, videos {clips}: use cca"
        )
