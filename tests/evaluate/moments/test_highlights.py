"""Highlights against a naive reading of their definition."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.evaluate.moments.highlights import average_precision, evaluate_highlights

RNG = np.random.default_rng(6)


def _naive(told, right) -> float:
    """For each level of recall that a threshold reaches, the best precision at it or above."""
    if len(set(right)) == 1:
        return float(right[0])
    points = {}
    for limit in sorted(set(told), reverse=True):
        taken = [r for score, r in zip(told, right, strict=True) if score >= limit]
        points.setdefault(sum(taken), []).append(sum(taken) / len(taken))
    levels = [level for level in points if level]
    return float(
        np.mean([max(max(p) for n, p in points.items() if n >= level) for level in levels])
    )


def test_average_precision_with_ties():
    for _ in range(300):
        count = int(RNG.integers(1, 9))
        told = RNG.integers(0, 4, count).astype(float)
        right = RNG.integers(0, 2, count).astype(bool)
        assert average_precision(told, right) == pytest.approx(_naive(told, list(right)))


def test_hits_look_at_any_annotator_and_precision_at_each():
    truth = {"q": np.array([[4, 0, 0], [0, 0, 0], [4, 4, 4]])}
    found = evaluate_highlights({"q": [0.9, 0.1, 0.5]}, truth, resamples=0).to_json()
    assert found["VeryGood"]["HIT@1"] == 100
    assert found["VeryGood"]["mAP"] == pytest.approx(100 * (1 + 0.5 + 0.5) / 3)
    missed = evaluate_highlights({"q": [0.1, 0.9]}, truth, resamples=0).to_json()
    assert missed["VeryGood"]["HIT@1"] == 0
    assert evaluate_highlights({}, truth, resamples=10).to_json()["Fair"]["mAP"] == 0
    beyond = evaluate_highlights({"q": [0, 0, 0, 1]}, truth, resamples=0).to_json()
    assert beyond["Fair"]["HIT@1"] == 0


def test_strangers_are_refused():
    with pytest.raises(ValueError, match="'p' has highlights but no truth"):
        evaluate_highlights({"p": [1.0]}, {"q": np.ones((1, 3), int)})
    with pytest.raises(ValueError, match="no query whose highlights"):
        evaluate_highlights({}, {})
