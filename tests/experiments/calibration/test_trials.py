"""Searches with known answers, drawn out of a score matrix."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from moviola.experiments.calibration.card import measure_draws, write_general
from moviola.experiments.calibration.fitting import fit_general
from moviola.experiments.calibration.matrices import ScoreMatrix
from moviola.experiments.calibration.trials import Draw, draw_trial, draw_trials
from moviola.retrieve.calibration.general import GeneralCalibration


def _numbered(count: int) -> np.ndarray:
    """A matrix that tells row and column of every score; the diagonal is the largest of a row."""
    rows = np.arange(count)[:, None] * count + np.arange(count) % count
    return rows + np.eye(count) * count**2


def _real(count: int, strength: float, seed: int) -> ScoreMatrix:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(count, count)) + rng.normal(0, 0.4, count)
    scores[np.diag_indices(count)] += rng.normal(strength, 1, count)
    return ScoreMatrix(f"made-{seed}", f"encoder-{seed}", scores)


def test_half_of_the_queries_describe_what_is_not_there() -> None:
    trial = draw_trial(_numbered(60), Draw(20, 15, 1), np.random.default_rng(0))
    assert trial.scores.shape == (40, 20)
    assert trial.bank.shape == (15, 20)
    assert trial.held.sum() == 20
    np.testing.assert_array_equal(trial.right, trial.held)


def test_the_bank_describes_neither_the_gallery_nor_what_is_asked() -> None:
    trial = draw_trial(_numbered(60), Draw(20, 15, 1), np.random.default_rng(1))
    asked = {int(row.min()) // 60 for row in trial.scores}
    bank = {int(row.min()) // 60 for row in trial.bank}
    gallery = {int(value) % 60 for value in trial.scores.min(axis=0)}
    assert not bank & (asked | gallery)
    assert trial.bank.max() < 60**2


def test_a_matrix_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="need a larger matrix"):
        draw_trial(np.eye(30), Draw(20, 10, 1), np.random.default_rng(0))


def test_the_same_seed_draws_the_same() -> None:
    first, second = (
        draw_trials(np.random.default_rng(0).normal(size=(40, 40)), [Draw(10, 10, 2)], 3)
        for _ in range(2)
    )
    np.testing.assert_array_equal(first[0][1].scores, second[0][1].scores)


def test_what_is_fitted_is_written_and_read_again(tmp_path: Path) -> None:
    matrices = [_real(330, 4.5, 0), _real(330, 2.5, 1)]
    fitted = fit_general(matrices)
    measured = measure_draws(matrices[0], [Draw(50, 100, 10)], fitted, fit="all")
    assert measured[0]["auc"] > 0.85
    assert measured[0]["error"] < 0.1
    write_general(tmp_path / "general.json", fitted, measured)
    parts = json.loads((tmp_path / "general.json").read_text())
    assert GeneralCalibration.from_json(parts).right == fitted.right
    with pytest.raises(ValueError, match="is for the features"):
        GeneralCalibration.from_json(parts | {"features": ["best"]})
