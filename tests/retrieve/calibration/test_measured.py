"""The general calibration on real matrices: it separates, means what it says, and dares enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from moviola.experiments.calibration.fitting import features_of, fit_general, later_hits
from moviola.experiments.calibration.matrices import ScoreMatrix, load_matrices
from moviola.experiments.calibration.trials import Draw, Trial, draw_trials
from moviola.retrieve import first_hit_probability
from moviola.retrieve.calibration.general import general_calibration
from moviola.retrieve.calibration.measures import CalibrationMeasures, calibration_error

pytestmark = pytest.mark.shared

_SEED = 2024


@pytest.fixture(scope="module")
def matrices(shared_data: Path) -> list[ScoreMatrix]:
    return load_matrices(shared_data / "similarity")


def _trials(matrix: ScoreMatrix, clips: int, sentences: int, times: int) -> list[Trial]:
    (trials,) = draw_trials(matrix.scores, [Draw(clips, sentences, times)], _SEED)
    return trials


def _measured(trials: list[Trial]) -> CalibrationMeasures:
    chance = [first_hit_probability(trial.scores, trial.bank) for trial in trials]
    return CalibrationMeasures.of(
        np.concatenate(chance), np.concatenate([trial.right for trial in trials])
    )


@pytest.mark.parametrize(
    ("clips", "times", "auc", "doubted"),
    [(100, 30, 0.85, 0.42), (200, 12, 0.82, 0.47), (400, 10, 0.80, 0.52)],
)
def test_first_hits_of_videos_are_believed_as_they_deserve(
    matrices: list[ScoreMatrix], clips: int, times: int, auc: float, doubted: float
) -> None:
    found = _measured(_trials(matrices[0], clips, 200, times))
    assert found.auc >= auc
    assert found.error <= 0.07
    assert found.strong >= 0.04
    assert found.strong_right >= 0.88
    assert found.doubted <= doubted


@pytest.mark.parametrize("half", [0, 1])
def test_videos_that_were_not_fitted_are_believed_alike(
    matrices: list[ScoreMatrix], half: int
) -> None:
    order = np.random.default_rng(_SEED).permutation(len(matrices[0].scores))
    halves = [np.sort(order[0::2]), np.sort(order[1::2])]
    seen, unseen = (
        ScoreMatrix("half", "Cap4Video", matrices[0].scores[np.ix_(rows, rows)])
        for rows in (halves[half], halves[1 - half])
    )
    right = fit_general([seen, *matrices[1:]]).right
    trials = _trials(unseen, 100, 200, 20)
    found = CalibrationMeasures.of(
        np.concatenate([right.probabilities(features_of(trial)) for trial in trials]),
        np.concatenate([trial.right for trial in trials]),
    )
    assert found.auc >= 0.85
    assert found.error <= 0.07
    assert found.strong >= 0.04
    assert found.strong_right >= 0.88
    assert found.doubted <= 0.42


@pytest.mark.parametrize("encoder", ["Cap4Video", "CLAP"])
def test_encoders_that_were_not_fitted_are_believed_nearly_alike(
    matrices: list[ScoreMatrix], encoder: str
) -> None:
    right = fit_general([matrix for matrix in matrices if matrix.encoder != encoder]).right
    for matrix in matrices:
        if matrix.encoder != encoder:
            continue
        trials = _trials(matrix, 100, 200, 20)
        found = CalibrationMeasures.of(
            np.concatenate([right.probabilities(features_of(trial)) for trial in trials]),
            np.concatenate([trial.right for trial in trials]),
        )
        assert found.auc >= (0.78 if encoder == "Cap4Video" else 0.72)
        assert found.error <= 0.10


def test_sounds_are_believed_as_they_deserve(matrices: list[ScoreMatrix]) -> None:
    for matrix in matrices[1:]:
        for clips, sentences in ((100, 200), (150, 117)):
            found = _measured(_trials(matrix, clips, sentences, 20))
            assert found.auc >= 0.72
            assert found.error <= 0.10


def test_that_nothing_is_there_is_said_rarely_and_rightly(matrices: list[ScoreMatrix]) -> None:
    holds = general_calibration().holds
    for matrix in matrices:
        trials = _trials(matrix, 20, 200, 150)
        chance = np.concatenate([holds.probabilities(features_of(trial)) for trial in trials])
        held = np.concatenate([trial.held for trial in trials])
        said = chance < 0.1
        assert 0.002 < said.mean() < 0.1
        assert (~held[said]).mean() >= 0.85


def test_later_hits_are_believed_as_they_deserve(matrices: list[ScoreMatrix]) -> None:
    later = general_calibration().later
    for matrix in matrices:
        described = [later_hits(trial) for trial in _trials(matrix, 100, 200, 10)]
        chance = later.probabilities(np.concatenate([features for features, _ in described]))
        right = np.concatenate([outcomes for _, outcomes in described])
        found = CalibrationMeasures.of(chance, right)
        assert found.auc >= 0.72
        assert calibration_error(chance, right) <= 0.03


def test_what_is_shipped_is_what_the_script_fits(matrices: list[ScoreMatrix]) -> None:
    fitted = fit_general(matrices)
    shipped = general_calibration()
    for name in ("right", "later", "holds"):
        found, expected = getattr(shipped, name), getattr(fitted, name)
        np.testing.assert_allclose(found.weights, expected.weights, atol=1e-6)
        assert found.intercept == pytest.approx(expected.intercept, abs=1e-6)
    assert len(shipped.card["measured"]) > 10
