"""Fit the general calibration on trials of several matrices, every encoder counting alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.experiments.calibration.matrices import ScoreMatrix
from moviola.experiments.calibration.trials import Draw, Trial, draw_trials
from moviola.retrieve.calibration.bank_statistics import BankStatistics
from moviola.retrieve.calibration.features import first_hit_features
from moviola.retrieve.calibration.logistic import Logistic, fit_logistic
from moviola.retrieve.calibration.measures import area_under_curve

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Galleries of real sizes decide; tiny ones count a third, so that they are not absurd.
_SMALL = tuple(Draw(clips, 200, 300 // clips) for clips in (1, 2, 5, 10, 20))
_SMALL_COUNTS = 0.3
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


def fit_general(matrices: Sequence[ScoreMatrix], *, seed: int = 5) -> tuple[Logistic, Logistic]:
    """Fit the two calibrations: that the first hit is right, and that the gallery holds it.

    That it is right is fitted on all matrices. That the gallery holds it is fitted on the encoder
    that tells the two apart worst: a library is told "nothing matches well" by an encoder of
    unknown strength, and what holds for the weakest holds for the stronger.

    Args:
        matrices: at least one; draws that one is too small for are left out of it.
        seed: of the draws.
    """
    every = _draw(matrices, seed)
    by_encoder = [
        _draw([matrix for matrix in matrices if matrix.encoder == encoder], seed)
        for encoder in sorted({matrix.encoder for matrix in matrices})
    ]
    return (
        fit_logistic(every.features, every.right, importance=every.importance),
        min((_fit_held(drawn) for drawn in by_encoder), key=lambda fitted: fitted[1])[0],
    )


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Features `(n, F)` of first hits, what came true `(n,)`, and how much each counts `(n,)`."""

    features: NDArray[np.float64]
    right: NDArray[np.bool_]
    held: NDArray[np.bool_]
    importance: NDArray[np.float64]


def _draw(matrices: Sequence[ScoreMatrix], seed: int) -> _Drawn:
    """Draw the trials of all matrices, each encoder counting alike."""
    encoders = Counter(matrix.encoder for matrix in matrices)
    parts: list[_Drawn] = []
    for matrix in matrices:
        for draw in (*_SMALL, *_LARGE):
            if not _fits(draw, matrix):
                continue
            (trials,) = draw_trials(matrix.scores, [draw], seed)
            made = np.concatenate([features_of(trial) for trial in trials])
            weight = (_SMALL_COUNTS if draw in _SMALL else 1) / encoders[matrix.encoder]
            parts.append(
                _Drawn(
                    made,
                    np.concatenate([trial.right for trial in trials]),
                    np.concatenate([trial.held for trial in trials]),
                    np.full(len(made), weight / len(made)),
                )
            )
    return _Drawn(
        np.concatenate([part.features for part in parts]),
        np.concatenate([part.right for part in parts]),
        np.concatenate([part.held for part in parts]),
        np.concatenate([part.importance for part in parts]),
    )


def _fit_held(drawn: _Drawn) -> tuple[Logistic, float]:
    """Fit that the gallery holds what is asked for, and measure how well that separates."""
    fitted = fit_logistic(drawn.features, drawn.held, importance=drawn.importance)
    return fitted, area_under_curve(fitted.logits(drawn.features), drawn.held)


def features_of(trial: Trial) -> NDArray[np.float64]:
    """Describe the first hits of a trial, `(Q, F)`."""
    return first_hit_features(trial.scores, BankStatistics.of(trial.bank))


def _fits(draw: Draw, matrix: ScoreMatrix) -> bool:
    """Tell whether at least half as many queries as clips are left for what is absent."""
    left = len(matrix.scores) - draw.clips - draw.sentences
    return left >= max(draw.clips // 2, 1)
