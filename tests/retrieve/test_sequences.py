"""The best chain equals brute force, and stays within its rules."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.retrieve.sequences import best_chains


def brute_force(scores, spans, offsets, within):
    """For every clip the best mean over all chains that end with it."""
    steps, count = scores.shape
    best = np.full(count, -np.inf)
    for first, last in itertools.pairwise(offsets.tolist()):
        for chain in itertools.product(range(first, last), repeat=steps):
            gaps = np.diff(spans[list(chain), 0])
            if (gaps <= 0).any() or (gaps > within + 1e-6).any():
                continue
            total = float(np.mean([scores[step, clip] for step, clip in enumerate(chain)]))
            best[chain[-1]] = max(best[chain[-1]], total)
    return best


@given(
    seed=st.integers(0, 10**6),
    videos=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    steps=st.integers(1, 3),
    within=st.floats(0.5, 20),
)
def test_chains_equal_brute_force(seed, videos, steps, within):
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(videos)]).astype(np.int64)
    starts = np.concatenate([np.sort(rng.integers(0, 30, n) + rng.random(n)) for n in videos])
    spans = np.stack([starts, starts + 6], axis=1)
    scores = rng.standard_normal((steps, len(starts))).astype(np.float32)
    found, chains = best_chains(scores, spans, offsets, within=within)
    assert found == pytest.approx(brute_force(scores, spans, offsets, within), abs=1e-6)
    for end in np.flatnonzero(np.isfinite(found)):
        chain = chains[:, end]
        assert chain[-1] == end
        assert np.mean(scores[np.arange(steps), chain]) == pytest.approx(found[end], abs=1e-6)
        gaps = np.diff(spans[chain, 0])
        assert (gaps > 0).all()
        assert (gaps <= within + 1e-6).all()
        assert len(set(np.searchsorted(offsets, chain, side="right"))) == 1


@pytest.mark.parametrize(
    ("gap", "within", "is_chain"),
    [(3.0, 3.0, True), (0.1 + 0.2, 0.3, True), (3.001, 3.0, False), (0.0, 3.0, False)],
)
def test_exactly_within_is_within(gap, within, is_chain):
    spans = np.array([[0.0, 6.0], [gap, gap + 6.0]])
    found, chains = best_chains(np.ones((2, 2)), spans, np.array([0, 2]), within=within)
    assert np.isfinite(found).tolist() == [False, is_chain]
    if is_chain:
        assert chains[:, 1].tolist() == [0, 1]


def test_one_step_is_the_score_itself():
    scores = np.array([[0.5, 0.1, 0.9]], np.float32)
    spans = np.array([[0.0, 6.0], [3.0, 9.0], [0.0, 6.0]])
    found, chains = best_chains(scores, spans, np.array([0, 2, 3]), within=1)
    assert found == pytest.approx(scores[0])
    assert chains.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("within", [0, -1.0, float("nan")])
def test_no_time_between_steps_is_refused(within):
    with pytest.raises(ValueError, match="seconds above 0"):
        best_chains(np.zeros((2, 1)), np.zeros((1, 2)), np.array([0, 1]), within=within)
