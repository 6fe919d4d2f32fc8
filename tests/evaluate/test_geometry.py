from __future__ import annotations

import itertools

import numpy as np
import pytest

from moviola.evaluate.geometry import (
    effective_rank,
    mean_cosine,
    mutual_overlap,
    nearest,
    variance_shares,
)


def unit(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def rows():
    return unit(np.random.default_rng(0).normal(size=(40, 7)) + 0.5)


def test_the_mean_cosine_is_that_of_all_pairs(rows):
    pairs = [float(a @ b) for a, b in itertools.combinations(rows.astype(np.float64), 2)]
    assert mean_cosine(rows) == pytest.approx(np.mean(pairs), abs=1e-6)
    assert mean_cosine(np.repeat(rows[:1], 3, axis=0)) == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("shape", [(40, 7), (5, 7)])
def test_shares_are_the_variances_of_the_main_directions(rows, shape):
    some = rows[: shape[0]].astype(np.float64)
    values = np.linalg.svd(some - some.mean(0), compute_uv=False) ** 2
    expected = np.sort(values / values.sum())[::-1]
    np.testing.assert_allclose(variance_shares(some)[: len(expected)], expected, atol=1e-12)


def test_the_effective_rank_counts_directions():
    assert effective_rank(np.array([1.0, 0, 0])) == pytest.approx(1)
    assert effective_rank(np.full(6, 1 / 6)) == pytest.approx(6)
    flat = np.random.default_rng(1).normal(size=(4000, 5)) @ np.eye(5, 12)
    assert effective_rank(variance_shares(flat)) == pytest.approx(5, rel=0.01)
    assert effective_rank(variance_shares(np.ones((3, 4)))) == pytest.approx(1)


def test_neighbours_are_those_of_a_full_sort(rows, monkeypatch):
    monkeypatch.setattr("moviola.evaluate.geometry._BLOCK", 9)
    cosines = rows @ rows.T - 9 * np.eye(len(rows))
    for own, found in zip(cosines, nearest(rows, 5), strict=True):
        assert set(found) == set(np.argsort(-own)[:5])
    for wrong in (0, len(rows)):
        with pytest.raises(ValueError, match="nearest neighbours"):
            nearest(rows, wrong)


def test_overlap_is_the_mean_share_of_common_neighbours(rows):
    rng = np.random.default_rng(2)
    other = unit(rows + 0.3 * rng.normal(size=rows.shape))
    one, two = nearest(rows, 6), nearest(other, 6)
    expected = np.mean([len(set(a) & set(b)) / 6 for a, b in zip(one, two, strict=True)])
    assert 0.2 < expected < 0.95
    assert mutual_overlap(one, two) == pytest.approx(expected)
    assert mutual_overlap(one, nearest(unit(rows @ _rotation(rng, 7)), 6)) == 1
    with pytest.raises(ValueError, match="same items"):
        mutual_overlap(one, two[:, :5])


def test_overlap_of_unrelated_spaces_is_chance():
    rng = np.random.default_rng(3)
    one, other = (nearest(unit(rng.normal(size=(500, 30))), 10) for _ in range(2))
    assert mutual_overlap(one, other) == pytest.approx(10 / 499, abs=0.01)


def _rotation(rng, size):
    return np.linalg.qr(rng.normal(size=(size, size)))[0]
