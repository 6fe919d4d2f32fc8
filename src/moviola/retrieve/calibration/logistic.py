"""Turn features into probabilities by logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Newton's method gains digits by doubling; this many steps end at the last of them.
_STEPS = 60
# Beyond, exp overflows, and a probability is 0 or 1 to all its digits.
_FARTHEST = 36.0


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic model: `1 / (1 + exp(-(features @ weights + intercept)))`.

    Attributes:
        weights: one a feature.
        intercept: added to their sum.
    """

    weights: tuple[float, ...]
    intercept: float

    def logits(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weigh features `(Q, F)` up to logits `(Q,)`."""
        return features @ np.asarray(self.weights) + self.intercept

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn features `(Q, F)` into probabilities `(Q,)`."""
        return probabilities_of(self.logits(features))


def probabilities_of(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn logits of any shape into probabilities."""
    return 1 / (1 + np.exp(-np.clip(logits, -_FARTHEST, _FARTHEST)))


def fit_logistic(
    features: NDArray[np.float64],
    outcomes: NDArray[np.bool_],
    *,
    importance: NDArray[np.float64] | Sequence[float] | None = None,
    ridge: float = 1e-3,
) -> Logistic:
    """Fit a logistic model by Newton's method, with a ridge on standardised features.

    Targets are softened as Platt does it ("Probabilistic outputs for support vector machines",
    1999), so that the curve stays finite where features separate the outcomes.

    Args:
        features: `(n, F)`.
        outcomes: `(n,)`, what came true.
        importance: `(n,)` how much each counts; all alike without it.
        ridge: penalty on the squared weights, as a share of n.

    Raises:
        ValueError: when all outcomes are alike, or none is given.
    """
    yes, no = int(outcomes.sum()), int((~outcomes).sum())
    if not yes or not no:
        raise ValueError(
            f"a calibration is fitted to hits of which some are right and some wrong, got {yes} "
            f"right and {no} wrong"
        )
    share = np.ones(len(outcomes)) if importance is None else np.asarray(importance, np.float64)
    share = share / share.mean()
    target = np.where(outcomes, (yes + 1) / (yes + 2), 1 / (no + 2))
    middle: NDArray[np.float64] = features.mean(0)
    spread: NDArray[np.float64] = features.std(0)
    spread[spread == 0] = 1
    x: NDArray[np.float64] = np.concatenate(
        [(features - middle) / spread, np.ones((len(features), 1))], axis=1
    )
    penalty: NDArray[np.float64] = ridge * len(x) * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    weights = _solve_newton(x, share, target, penalty)
    slopes = weights[:-1] / spread
    return Logistic(tuple(map(float, slopes)), float(weights[-1] - slopes @ middle))


def _solve_newton(
    x: NDArray[np.float64],
    share: NDArray[np.float64],
    target: NDArray[np.float64],
    penalty: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Minimise the penalised log loss of rows `x` `(n, F)`, to weights `(F,)`."""
    weights = np.zeros(x.shape[1], np.float64)
    for _ in range(_STEPS):
        chance = probabilities_of(x @ weights)
        curve = (x * (share * chance * (1 - chance))[:, None]).T @ x + penalty
        gradient = x.T @ (share * (target - chance)) - penalty @ weights
        step = cast("NDArray[np.float64]", np.linalg.solve(curve, gradient))
        weights = weights + step
        if float(np.abs(step).max()) < 1e-10:
            break
    return weights
