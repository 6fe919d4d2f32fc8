"""Paired tests: what they say of luck, of a real difference, and of no difference at all."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest

from moviola.evaluate.comparing import compare
from moviola.evaluate.measures import (
    GEOMETRIC_MEAN,
    MEAN_RANK,
    MEDIAN_RANK,
    MRR,
    MeasureCard,
    card_from_json,
    hit,
)

RNG = np.random.default_rng(3)


def test_p_is_that_of_all_sign_changes():
    a, b = RNG.normal(size=10), RNG.normal(size=10)
    gaps = b - a
    every = [abs(np.dot(signs, gaps)) for signs in itertools.product((-1, 1), repeat=10)]
    exact = np.mean(np.array(every) >= abs(gaps.sum()) - 1e-12)
    found = compare({"MRR": a}, {"MRR": b}, [MRR], permutations=20_000)["MRR"]
    assert found.p == pytest.approx(exact, abs=0.015)


def test_medians_are_tested_as_medians():
    a = RNG.integers(1, 50, 200).astype(float)
    clear = compare({"MdR": a}, {"MdR": a + 20}, [MEDIAN_RANK], permutations=500)["MdR"]
    assert clear.difference == 20
    assert clear.p == pytest.approx(1 / 501)
    assert (clear.won, clear.lost, clear.tied) == (0, 200, 0)
    same = compare({"MdR": a}, {"MdR": a}, [MEDIAN_RANK], permutations=500)["MdR"]
    assert same.p == 1


def test_no_difference_has_p_1_and_an_empty_interval():
    a = RNG.random(50)
    found = compare({"MRR": a}, {"MRR": a.copy()}, [MRR], permutations=100)["MRR"]
    assert (found.p, found.difference, found.interval) == (1.0, 0.0, (0.0, 0.0))
    assert (found.won, found.lost, found.tied) == (0, 0, 50)


def test_false_alarms_are_as_rare_as_p_says():
    alarms = 0
    for _ in range(200):
        found = compare(
            {"MRR": np.zeros(40)}, {"MRR": RNG.normal(size=40)}, [MRR], permutations=400
        )
        alarms += found["MRR"].p <= 0.1
    assert 5 <= alarms <= 38  # 20 expected; the ends are four standard deviations away


def test_percents_are_told_in_percent_and_better_means_better():
    a, b = np.array([0.0, 1.0, 0.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0])
    found = compare({"R@1": a}, {"R@1": b}, [hit(1)])["R@1"]
    assert (found.a, found.b, found.difference) == (25, 50, 25)
    assert (found.won, found.lost, found.tied) == (1, 0, 3)
    ranks = compare({"MnR": a + 1}, {"MnR": b + 1}, [MEAN_RANK])["MnR"]
    assert (ranks.won, ranks.lost) == (0, 1)


def test_blocks_do_not_matter(monkeypatch):
    a, b = RNG.random((2, 30))
    whole = compare(
        {"MRR": a, "MdR": a}, {"MRR": b, "MdR": b}, [MRR, MEDIAN_RANK], permutations=300
    )
    assert 0 < whole["MRR"].p <= 1
    monkeypatch.setattr("moviola.evaluate.comparing._BLOCK", 30 * 7)
    parts = compare(
        {"MRR": a, "MdR": a}, {"MRR": b, "MdR": b}, [MRR, MEDIAN_RANK], permutations=300
    )
    assert parts["MRR"].p == pytest.approx(whole["MRR"].p, abs=0.1)


def test_what_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match="no measure in common"):
        compare({"MRR": np.ones(3)}, {"mAP": np.ones(3)}, [MRR])
    with pytest.raises(ValueError, match="same queries"):
        compare({"MRR": np.ones(3)}, {"MRR": np.ones(4)}, [MRR])


def test_summary_and_direction_come_from_the_measure_and_not_from_its_name():
    a = RNG.integers(1, 9, 60).astype(float)
    own = MeasureCard("Steps", direction="smaller", summary="median", scale=10.0)
    found = compare({"Steps": a}, {"Steps": a + 3}, [own], permutations=200)["Steps"]
    assert (found.a, found.difference) == (10 * np.median(a), 30)
    assert (found.won, found.lost) == (0, 60)
    assert found.p == pytest.approx(1 / 201)


def test_combined_measures_are_tested_from_their_parts():
    names = ("R@1", "R@5", "R@10")
    ranks = RNG.integers(1, 30, 80)
    a = {name: (ranks <= int(name[2:])).astype(float) for name in names}
    b = {name: np.ones(80) for name in names}
    found = compare(a, b, [GEOMETRIC_MEAN], permutations=300)["GeoR"]
    assert found.a == pytest.approx(100 * np.prod([a[name].mean() for name in names]) ** (1 / 3))
    assert found.b == pytest.approx(100)
    assert found.p == pytest.approx(1 / 301)
    assert found.interval[0] <= found.difference <= found.interval[1]
    assert found.won == np.count_nonzero(ranks > 1)


@pytest.mark.parametrize("measure", [MRR, MEDIAN_RANK, hit(7), GEOMETRIC_MEAN], ids=str)
def test_cards_survive_json(measure):
    card = card_from_json(json.loads(json.dumps(measure.to_json())))
    assert card.to_json() == measure.to_json()
    assert card.show(1.25, signed=True) == measure.show(1.25, signed=True)
