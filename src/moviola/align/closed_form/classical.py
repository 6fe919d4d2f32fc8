"""Older ways in closed form, to be held against the default: every one maps by matrices.

All work on standardised rows, so that what each adds to that can be seen. Those that learn from no
pairs need sides of equal dimension.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from moviola.align.closed_form.covariance import Moments
from moviola.align.closed_form.task import Fitted, Task, fit_best
from moviola.align.head.maps import LinearMaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_SHRINKAGES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_REMOVED = (1, 3, 10, 30, 50)


def fit_centring(task: Task) -> Fitted:
    """Each side's mean is taken away, and nothing else."""
    _require_equal(task, "centring")
    # Rows come standardised: their scale is put back.
    maps = LinearMaps(
        np.diag(task.text_tower.scale).astype(np.float32),
        np.diag(task.clip_tower.scale).astype(np.float32),
    )
    return fit_best(task, "centring", [None], lambda _moments, _option: maps)


def fit_standardising(task: Task) -> Fitted:
    """Each dimension has mean 0 and variance 1, and nothing else."""
    _require_equal(task, "standardising")
    same = np.eye(task.dimensions[0], dtype=np.float32)
    return fit_best(task, "standardising", [None], lambda _m, _o: LinearMaps(same, same))


def fit_top_removed(task: Task) -> Fitted:
    """The first principal directions of each side are projected out.

    Mu and Viswanath, "All-but-the-Top: Simple and Effective Postprocessing for Word
    Representations", 2018.
    """
    _require_equal(task, "all-but-the-top")
    options = [count for count in _REMOVED if count < task.dimensions[0]]
    return fit_best(
        task,
        "all-but-the-top",
        options,
        lambda moments, count: LinearMaps(
            _without_top(moments.texts, count), _without_top(moments.clips, count)
        ),
        "removed",
    )


def fit_whitening(task: Task) -> Fitted:
    """Each side is whitened by itself (ZCA), shrunk.

    Su, Cao, Liu and Ou, "Whitening Sentence Representations for Better Semantics and Faster
    Retrieval", 2021.
    """
    _require_equal(task, "whitening")
    return fit_best(
        task,
        "whitening",
        _SHRINKAGES,
        lambda moments, shrinkage: LinearMaps(
            inverse_root(moments.texts, shrinkage).numpy(),
            inverse_root(moments.clips, shrinkage).numpy(),
        ),
    )


def fit_procrustes(task: Task) -> Fitted:
    """The rotation that brings texts nearest to their videos.

    Schönemann, "A generalized solution of the orthogonal Procrustes problem", 1966.
    """

    def make(moments: Moments, _option: None) -> LinearMaps:
        left, _, right = torch.linalg.svd(moments.cross, full_matrices=False)
        return LinearMaps(left.contiguous().numpy(), right.T.contiguous().numpy())

    return fit_best(task, "procrustes", [None], make)


def fit_ridge(task: Task) -> Fitted:
    """Ridge regression of whitened videos on texts.

    Hoerl and Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal Problems", 1970. Both
    the regression and the whitening are shrunk alike.
    """

    def make(moments: Moments, shrinkage: float) -> LinearMaps:
        shrunk = moments.texts.clone()
        shrunk.diagonal().add_(shrinkage)
        root = inverse_root(moments.clips, shrinkage)
        return LinearMaps(torch.linalg.solve(shrunk, moments.cross @ root).numpy(), root.numpy())

    return fit_best(task, "ridge", _SHRINKAGES, make)


def inverse_root(covariance: Tensor, shrinkage: float) -> Tensor:
    """`(C + shrinkage I)^(-1/2)`, symmetric."""
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
