"""Measure a general calibration, and write it with what was measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.experiments.calibration.fitting import Fitted, features_of, fit_general, later_hits
from moviola.experiments.calibration.matrices import ScoreMatrix
from moviola.experiments.calibration.trials import Draw, draw_trials
from moviola.retrieve.calibration.features import FEATURES
from moviola.retrieve.calibration.measures import (
    ABSENT_PROBABILITY,
    CalibrationMeasures,
    area_under_curve,
    calibration_error,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Another seed than the fit's: other galleries, queries and banks.
_SEED = 71
_DRAWS = {
    "Cap4Video": (Draw(20, 200, 100), Draw(100, 200, 30), Draw(200, 200, 15), Draw(400, 200, 10)),
    "CLAP": (Draw(20, 200, 100), Draw(100, 200, 30), Draw(150, 117, 20)),
}
_HALF_DRAWS = (Draw(100, 200, 30), Draw(150, 200, 20))
_DIGITS = 3

_FITTED_ON = (
    "Cap4Video's video matrix of MSR-VTT 1k-A (1,000 captions and videos) and CLAP's of AudioCaps "
    "(417 captions and distinct sounds, clean and with noise of 10 dB). Galleries of 1 to 400 "
    "clips, banks of 50 to 400 captions of other clips, half of the queries about clips that are "
    "not in the gallery. Both encoders count alike; galleries under 50 clips count a third. That "
    "the gallery holds what is asked for is fitted on CLAP alone, which tells it worse."
)
_BEYOND = (
    "Galleries of more than 700 clips were not measured: the logarithms of the size carry on. "
    "Where more or less than half of what is asked for is there, probabilities are too low or too "
    "high. Queries are sentences; pictures, exclusions and steps have no probability."
)
_COLUMNS = (
    "fit: all (fitted on these matrices, other draws), other encoders (fitted without this one's "
    "matrices) or other videos (fitted on the other half of its videos, and on the other "
    "encoders); hits: first hits measured; right: share of them that are right; auc: that a right "
    "one has the larger probability; error: expected calibration error over ten bins; strong: "
    "share with p >= .9; strong_right: share of these that are right; doubted: share of the right "
    "with p < .5; later_right, later_auc, later_error: the same of second to tenth hits; absent: "
    "share of queries of which it is said that nothing matches; absent_right: share of these of "
    "which that is true"
)


def measure(matrices: Sequence[ScoreMatrix], fitted: Fitted) -> list[dict[str, Any]]:
    """Measure a calibration on fresh draws, on videos and on encoders that were not fitted.

    Args:
        matrices: those that it was fitted on.
        fitted: the calibration.

    Returns:
        One row a matrix, draw and kind of fit.
    """
    rows = [
        row
        for matrix in matrices
        for row in measure_draws(matrix, _DRAWS[matrix.encoder], fitted, fit="all")
    ]
    for encoder in sorted({matrix.encoder for matrix in matrices}):
        others = [matrix for matrix in matrices if matrix.encoder != encoder]
        other = fit_general(others)
        for matrix in matrices:
            if matrix.encoder == encoder:
                rows += measure_draws(matrix, _DRAWS[encoder], other, fit="other encoders")
    return rows + _measure_halves(matrices)


def _measure_halves(matrices: Sequence[ScoreMatrix]) -> list[dict[str, Any]]:
    """Measure each half of the largest matrix by a fit that saw the other half alone of it."""
    largest = max(matrices, key=lambda matrix: len(matrix.scores))
    rest = [matrix for matrix in matrices if matrix is not largest]
    order = np.random.default_rng(_SEED).permutation(len(largest.scores))
    halves = [np.sort(order[0::2]), np.sort(order[1::2])]
    rows: list[dict[str, Any]] = []
    for seen, unseen in (halves, halves[::-1]):
        fitted = fit_general([_part(largest, seen), *rest])
        rows += measure_draws(_part(largest, unseen), _HALF_DRAWS, fitted, fit="other videos")
    return rows


def _part(matrix: ScoreMatrix, rows: NDArray[np.int64]) -> ScoreMatrix:
    return ScoreMatrix(matrix.name, matrix.encoder, matrix.scores[np.ix_(rows, rows)])


def measure_draws(
    matrix: ScoreMatrix, draws: Sequence[Draw], fitted: Fitted, *, fit: str
) -> list[dict[str, Any]]:
    """Measure a calibration on fresh draws from one matrix, one row a draw.

    `absent` is the share of queries of which it is said that the gallery does not hold the thing,
    and `absent_right` the share of these of which that is true.
    """
    rows: list[dict[str, Any]] = []
    for draw, trials in zip(draws, draw_trials(matrix.scores, draws, _SEED), strict=True):
        features = np.concatenate([features_of(trial) for trial in trials])
        outcomes = np.concatenate([trial.right for trial in trials])
        held = np.concatenate([trial.held for trial in trials])
        found = CalibrationMeasures.of(fitted.right.probabilities(features), outcomes)
        gone = fitted.holds.probabilities(features) < ABSENT_PROBABILITY
        described = [later_hits(trial) for trial in trials]
        after = np.concatenate([made for made, _ in described])
        chance = fitted.later.probabilities(after)
        figures = asdict(found) | {
            "later_right": float(np.mean(np.concatenate([true for _, true in described]))),
            "later_auc": area_under_curve(chance, np.concatenate([t for _, t in described])),
            "later_error": calibration_error(chance, np.concatenate([t for _, t in described])),
            "absent": float(gone.mean()),
            "absent_right": float((~held[gone]).mean()) if gone.any() else float("nan"),
        }
        rows.append(
            {"matrix": matrix.name, "fit": fit, "clips": draw.clips, "sentences": draw.sentences}
            | {name: _figure(value) for name, value in figures.items()}
        )
    return rows


def write_general(path: Path, fitted: Fitted, measured: Sequence[dict[str, Any]]) -> None:
    """Write a general calibration with its card, as `general_calibration` reads it."""
    parts = {
        "features": list(FEATURES),
        **asdict(fitted),
        "card": {
            "fitted_on": _FITTED_ON,
            "beyond": _BEYOND,
            "columns": _COLUMNS,
            "measured": list(measured),
        },
    }
    path.write_text(json.dumps(parts, indent=1) + "\n", encoding="utf-8")


def _figure(value: float) -> float | None:
    """Round a figure for the card; None where there is none."""
    return None if np.isnan(value) else round(value, _DIGITS)
