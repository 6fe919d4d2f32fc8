"""Bands mean something: simulated libraries with and without the thing that is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.retrieve.bands import Calibrated, Outstanding

TAILS = {
    "normal": lambda rng, size: rng.normal(0, 0.1, size),
    "exponential": lambda rng, size: rng.exponential(0.05, size),
    "laplace": lambda rng, size: rng.laplace(0, 0.05, size),
    "uniform": lambda rng, size: rng.uniform(-0.2, 0.3, size),
    "videos": lambda rng, size: (
        np.repeat(rng.normal(0, 0.08, size // 10), 10) + rng.normal(0, 0.04, size // 10 * 10)
    ),
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("clips", [60, 500, 20_000])
def test_what_the_library_does_not_hold_is_weak_in_nine_of_ten_queries(tail, clips):
    rng = np.random.default_rng(3)
    bands = []
    for _ in range(300):
        scores = np.sort(TAILS[tail](rng, clips))
        bands.append(Outstanding.of(scores[:-1]).band(float(scores[-1])))
    assert bands.count("weak") >= 270
    assert bands.count("strong") <= 12


@pytest.mark.parametrize("clips", [60, 500, 20_000])
def test_a_hit_far_above_the_rest_is_strong(clips):
    scores = np.random.default_rng(4).normal(0, 0.05, clips)
    assert Outstanding.of(scores).band(0.8) == "strong"


def test_strong_hits_are_right_in_nine_of_ten_cases():
    """Right scores overlap with the wrong ones; half of the queries have no right clip."""
    rng = np.random.default_rng(5)
    strong = right = 0
    for case in range(4000):
        wrong = rng.normal(0.1, 0.07, 400)
        hit = rng.normal(0.55, 0.12) if case % 2 else -1.0
        best = float(max(hit, wrong.max()))
        if Outstanding.of(np.sort(wrong)[:-1]).band(best) == "strong":
            strong += 1
            right += best == hit
    assert strong > 800
    assert right / strong >= 0.9


@pytest.mark.parametrize("clips", [0, 1, 2, 49])
def test_small_libraries_are_never_strong(clips):
    scores = np.random.default_rng(6).normal(0, 0.05, clips)
    assert Outstanding.of(scores).band(100.0) != "strong"


def test_equal_scores_say_nothing():
    assert Outstanding.of(np.full(100, 0.4)).band(0.4) == "weak"


@pytest.mark.parametrize(
    ("score", "band"), [(0.9, "strong"), (0.65, "likely"), (0.4, "weak"), (-900.0, "weak")]
)
def test_calibrated_bands_follow_the_probability(score, band):
    calibrated = Calibrated(slope=10.0, intercept=-5.0)
    assert calibrated.band(score) == band
    assert 0 <= calibrated.probability(score) <= 1
    assert calibrated.probability(0.5) == pytest.approx(0.5)
