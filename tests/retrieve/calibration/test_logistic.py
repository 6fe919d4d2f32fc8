"""Logistic regression against planted weights and another implementation's optimum."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.retrieve.calibration.logistic import Logistic, fit_logistic, probabilities_of


def _planted(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(count, 3)) * [1, 10, 0.1] + [0, 5, 1]
    chance = probabilities_of(features @ [1.5, -0.2, 4.0] - 3.0)
    return features, rng.random(count) < chance


def test_planted_weights_are_found() -> None:
    found = fit_logistic(*_planted(60_000), ridge=0)
    np.testing.assert_allclose(found.weights, [1.5, -0.2, 4.0], rtol=0.06)
    assert found.intercept == pytest.approx(-3, rel=0.08)


def test_the_fit_ends_where_the_gradient_is_zero() -> None:
    features, outcomes = _planted(3000)
    found = fit_logistic(features, outcomes, ridge=0)
    yes, no = outcomes.sum(), (~outcomes).sum()
    target = np.where(outcomes, (yes + 1) / (yes + 2), 1 / (no + 2))
    surplus = target - found.probabilities(features)
    assert abs(surplus.sum()) < 1e-6
    np.testing.assert_allclose(features.T @ surplus, 0, atol=1e-5)


def test_what_counts_twice_is_what_is_there_twice() -> None:
    features, outcomes = _planted(400)
    importance = np.where(np.arange(400) < 100, 2.0, 1.0)
    twice = fit_logistic(
        np.concatenate([features, features[:100]]), np.concatenate([outcomes, outcomes[:100]])
    )
    found = fit_logistic(features, outcomes, importance=importance)
    np.testing.assert_allclose(found.weights, twice.weights, rtol=0.05)


def test_what_is_separated_stays_finite() -> None:
    values = np.linspace(-1, 1, 50)[:, None]
    found = fit_logistic(values, values[:, 0] > 0)
    chance = found.probabilities(values)
    assert 0 < chance[0] < 0.1
    assert 0.9 < chance[-1] < 1


def test_a_feature_that_never_changes_weighs_nothing() -> None:
    features, outcomes = _planted(500)
    features[:, 1] = 7
    assert fit_logistic(features, outcomes).weights[1] == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("value", [True, False])
def test_outcomes_that_are_all_alike_are_refused(*, value: bool) -> None:
    with pytest.raises(ValueError, match="some are right and some wrong"):
        fit_logistic(np.ones((4, 1)), np.full(4, value))


def test_extreme_features_have_probabilities_all_the_same() -> None:
    chance = Logistic((1.0,), 0.0).probabilities(np.array([[1e9], [-1e9]]))
    assert np.all((chance >= 0) & (chance <= 1))
