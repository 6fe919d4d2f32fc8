"""Fit the general calibration on trials of several matrices, every encoder counting alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.experiments.calibration.matrices import ScoreMatrix
from moviola.experiments.calibration.trials import Draw, Trial, draw_trials
from moviola.retrieve.calibration.bank_statistics import BankStatistics
from moviola.retrieve.calibration.features import first_hit_features, hit_features
from moviola.retrieve.calibration.logistic import Logistic, fit_logistic
from moviola.retrieve.calibration.measures import area_under_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Galleries of real sizes decide; tiny ones count a third, so that they are not absurd.
_SMALL = tuple(Draw(clips, 200, 300 // clips) for clips in (1, 2, 5, 10, 20))
_SMALL_COUNTS = 0.3
# Hits beyond the tenth are so rarely right that they need no calibration of their own.
_LATEST = 10
_LARGE = (
    Draw(50, 200, 30),
    Draw(100, 200, 20),
    Draw(200, 200, 10),
    Draw(400, 200, 8),
    Draw(100, 100, 12),
    Draw(200, 400, 8),
    Draw(300, 300, 8),
    Draw(100, 50, 12),
    Draw(150, 117, 16),
)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Hold fitted models: that the first hit is right, a later one is, the gallery holds it."""

    right: Logistic
    later: Logistic
    holds: Logistic


def fit_general(matrices: Sequence[ScoreMatrix], *, seed: int = 5) -> Fitted:
    """Fit the general calibration.

    That hits are right is fitted on all matrices. That the gallery holds what is asked for is
    fitted on the encoder that tells it worst: an encoder of unknown strength says by it that
    nothing matches well, and what holds for the weakest holds for the stronger.

    Args:
        matrices: at least one; draws that one is too small for are left out of it.
        seed: of the draws.
    """
    drawn = {
        encoder: _draw([matrix for matrix in matrices if matrix.encoder == encoder], seed)
        for encoder in sorted({matrix.encoder for matrix in matrices})
    }
    first = _joined([parts.first for parts in drawn.values()])
    later = _joined([parts.later for parts in drawn.values()])
    held = [_fit_held(parts.held) for parts in drawn.values()]
    return Fitted(first.fit(), later.fit(), min(held, key=lambda fitted: fitted[1])[0])


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """Features `(n, F)`, what came true `(n,)`, and how much each counts `(n,)`."""

    features: NDArray[np.float64]
    outcomes: NDArray[np.bool_]
    importance: NDArray[np.float64]

    def fit(self) -> Logistic:
        """Fit a logistic model."""
        return fit_logistic(self.features, self.outcomes, importance=self.importance)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Hold first hits, later hits, and first hits with whether the gallery holds the answer."""

    first: _Outcomes
    later: _Outcomes
    held: _Outcomes


def _draw(matrices: Sequence[ScoreMatrix], seed: int) -> _Drawn:
    """Draw the trials of the matrices of one encoder; together they count 1."""
    firsts: list[_Outcomes] = []
    laters: list[_Outcomes] = []
    helds: list[_Outcomes] = []
    for matrix in matrices:
        for draw in (*_SMALL, *_LARGE):
            if not _fits(draw, matrix):
                continue
            (trials,) = draw_trials(matrix.scores, [draw], seed)
            weight = (_SMALL_COUNTS if draw in _SMALL else 1) / len(matrices)
            made = np.concatenate([features_of(trial) for trial in trials])
            share = np.full(len(made), weight / len(made))
            firsts.append(_Outcomes(made, np.concatenate([t.right for t in trials]), share))
            helds.append(_Outcomes(made, np.concatenate([t.held for t in trials]), share))
            if draw.clips > 1:
                described = [later_hits(trial) for trial in trials]
                made = np.concatenate([features for features, _ in described])
                right = np.concatenate([outcomes for _, outcomes in described])
                laters.append(_Outcomes(made, right, np.full(len(made), weight / len(made))))
    return _Drawn(_joined(firsts), _joined(laters), _joined(helds))


def _joined(parts: Sequence[_Outcomes]) -> _Outcomes:
    return _Outcomes(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.outcomes for part in parts]),
        np.concatenate([part.importance for part in parts]),
    )


def _fit_held(drawn: _Outcomes) -> tuple[Logistic, float]:
    """Fit that the gallery holds what is asked for, and measure how well that separates."""
    fitted = drawn.fit()
    return fitted, area_under_curve(fitted.logits(drawn.features), drawn.outcomes)


def features_of(trial: Trial) -> NDArray[np.float64]:
    """Describe the first hits of a trial, `(Q, F)`."""
    return first_hit_features(trial.scores, BankStatistics.of(trial.bank))


def later_hits(trial: Trial) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Describe the second to tenth hits of a trial, `(n, F)`, and tell which are right, `(n,)`."""
    hits = np.argsort(-trial.scores, axis=1, kind="stable")[:, 1:_LATEST]
    features = hit_features(trial.scores, hits, BankStatistics.of(trial.bank))
    return features.reshape(-1, features.shape[2]), (hits == trial.answers[:, None]).ravel()


def _fits(draw: Draw, matrix: ScoreMatrix) -> bool:
    """Tell whether at least half as many queries as clips are left for what is absent."""
    left = len(matrix.scores) - draw.clips - draw.sentences
    return left >= max(draw.clips // 2, 1)
