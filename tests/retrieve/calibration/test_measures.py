"""Measures of probabilities against double loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from moviola.retrieve.calibration.measures import (
    CalibrationMeasures,
    area_under_curve,
    calibration_error,
)


def test_the_area_under_the_curve_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 8, 60).astype(float)
    outcomes = rng.random(60) < 0.4
    pairs = [
        1.0 if yes > no else 0.5 if yes == no else 0.0
        for yes in values[outcomes]
        for no in values[~outcomes]
    ]
    assert area_under_curve(values, outcomes) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("value", [True, False])
def test_there_is_no_area_where_all_outcomes_are_alike(*, value: bool) -> None:
    assert math.isnan(area_under_curve(np.arange(4.0), np.full(4, value)))


def test_the_calibration_error_is_the_mean_over_the_bins() -> None:
    probabilities = np.array([0.05, 0.07, 0.33, 0.38, 0.95, 1.0])
    outcomes = np.array([False, True, False, True, True, True])
    expected = 2 / 6 * abs(0.06 - 0.5) + 2 / 6 * abs(0.355 - 0.5) + 2 / 6 * abs(0.975 - 1)
    assert calibration_error(probabilities, outcomes) == pytest.approx(expected)


def test_hits_are_counted_by_what_is_said_of_them() -> None:
    found = CalibrationMeasures.of(
        np.array([0.95, 0.9, 0.6, 0.4, 0.1]), np.array([True, False, True, True, False])
    )
    assert (found.hits, found.right) == (5, 0.6)
    assert (found.strong, found.strong_right) == (0.4, 0.5)
    assert found.doubted == pytest.approx(1 / 3)


def test_nothing_strong_has_no_share_that_is_right() -> None:
    found = CalibrationMeasures.of(np.array([0.2, 0.4]), np.array([True, False]))
    assert math.isnan(found.strong_right)
