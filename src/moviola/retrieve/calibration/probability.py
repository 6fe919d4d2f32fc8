"""Say how probable it is that the first hit of a query is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.retrieve.calibration.bank_statistics import BankStatistics
from moviola.retrieve.calibration.features import first_hit_features
from moviola.retrieve.calibration.general import general_calibration

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def first_hit_probability(scores: ArrayLike, bank: ArrayLike) -> NDArray[np.float64]:
    """Estimate for each of Q queries the probability that its first hit is right.

    The first hit is the clip with the best score, the first of them on a tie. What it is judged
    by, see `first_hit_features`; the weights are those of the general calibration, which was
    fitted where half of the queries describe nothing that the gallery holds. Scores of any model
    and unit will do, as long as queries and bank are scored alike.

    Args:
        scores: `(Q, N)`, each query against N clips, one a video, larger is better.
        bank: `(B, N)`, B >= 2 ordinary sentences, none of them about these queries, against the
            same clips. 200 are what the calibration was fitted with.

    Returns:
        `(Q,)` probabilities in (0, 1).

    Raises:
        ValueError: when shapes do not fit together, or a score is not finite.
    """
    asked, ordinary = _matrix(scores, "scores"), _matrix(bank, "bank")
    if asked.shape[1] != ordinary.shape[1] or not asked.shape[1]:
        raise ValueError(
            "scores and bank are (Q, N) and (B, N) over the same N >= 1 clips, got "
            f"{asked.shape} and {ordinary.shape}"
        )
    features = first_hit_features(asked, BankStatistics.of(ordinary))
    return general_calibration().right.probabilities(features)


def _matrix(values: ArrayLike, name: str) -> NDArray[np.floating]:
    matrix = np.asarray(values)
    if matrix.ndim != 2:
        raise ValueError(f"{name} is a matrix with one row a sentence, got shape {matrix.shape}")
    if matrix.dtype.kind not in "fiu":
        raise ValueError(f"{name} holds real numbers, got {matrix.dtype}")
    matrix = matrix if matrix.dtype.kind == "f" else matrix.astype(np.float64)
    if not np.isfinite(matrix).all():
        raise ValueError(f"{name} holds numbers that are not finite; leave such clips out")
    return matrix
