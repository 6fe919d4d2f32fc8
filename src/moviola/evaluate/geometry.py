"""Measure how vectors fill their space, and whether two spaces have the same neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Neighbours = NDArray[np.int64]

_BLOCK = 1024


def mean_cosine(unit: Floats) -> float:
    """Compute anisotropy: the mean cosine of two of `(N, D)` unit rows, N at least 2.

    `(|sum|^2 - N) / (N (N - 1))`. Near 1 all vectors lie in a narrow cone (Ethayarajh, "How
    Contextual are Contextualized Word Representations?", 2019, section 3.3).
    """
    total = unit.sum(axis=0, dtype=np.float64)
    count = len(unit)
    return float((total @ total - count) / (count * (count - 1)))


def variance_shares(rows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Compute shares of the variance of `(N, D)` rows along its main directions, largest first.

    All in the first where the rows do not vary.
    """
    centred = rows.astype(np.float64)
    centred -= centred.mean(axis=0)
    gram = centred @ centred.T if len(centred) < centred.shape[1] else centred.T @ centred
    values = np.maximum(np.linalg.eigvalsh(gram)[::-1], 0.0)
    total = float(values.sum())
    return values / total if total > 0 else np.eye(1, len(values))[0]


def effective_rank(shares: NDArray[np.float64]) -> float:
    """Compute the exponential of the entropy of shares that sum to 1: between 1 and their number.

    Roy and Vetterli, "The Effective Rank: A Measure of Effective Dimensionality", 2007, here of
    variances.
    """
    return float(np.exp(-(shares * np.log(np.maximum(shares, 1e-300))).sum()))


def nearest(unit: Floats, k: int) -> Neighbours:
    """Find `(N, k)` places of the k largest cosines of every unit row with the others, in no order.

    Raises:
        ValueError: when there are not more than k rows, or k is not positive.
    """
    if not 0 < k < len(unit):
        raise ValueError(f"{len(unit)} items have no {k} nearest neighbours each")
    found = np.empty((len(unit), k), np.int64)
    for first in range(0, len(unit), _BLOCK):
        cosines = unit[first : first + _BLOCK] @ unit.T
        own = np.arange(len(cosines))
        cosines[own, first + own] = -np.inf
        found[first : first + _BLOCK] = np.argpartition(-cosines, k - 1, axis=1)[:, :k]
    return found


def mutual_overlap(one: Neighbours, other: Neighbours) -> float:
    """Compute mutual k-nearest-neighbour overlap: the share of neighbours two spaces have alike.

    Row i of both is the same item, such as a video and what its captions say. Chance is
    `k / (N - 1)`. Huh et al., "The Platonic Representation Hypothesis", 2024, section 2.

    Args:
        one: `(N, k)` of `nearest`.
        other: `(N, k)` of the other space.

    Raises:
        ValueError: when their shapes differ.
    """
    if one.shape != other.shape:
        raise ValueError(f"neighbours must be of the same items, got {one.shape} and {other.shape}")
    both = np.sort(np.concatenate([one, other], axis=1), axis=1)
    return float((both[:, 1:] == both[:, :-1]).sum() / one.size)
