"""The probability that a first hit is right: of any model's scores, and of odd ones."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.retrieve import first_hit_probability


def _world(
    seed: int, *, queries: int = 40, clips: int = 60, sentences: int = 80
) -> tuple[np.ndarray, np.ndarray]:
    """Scores of queries, half of which have an answer, and of a bank that has none."""
    rng = np.random.default_rng(seed)
    popular = rng.normal(0, 0.5, clips)
    scores = popular + rng.normal(0, 1, (queries, clips))
    held = np.arange(queries // 2)
    scores[held, held] += rng.uniform(3, 7, held.size)
    return scores, popular + rng.normal(0, 1, (sentences, clips))


def test_a_hit_that_stands_out_is_believed_and_an_ordinary_one_is_not() -> None:
    scores, bank = _world(0)
    chance = first_hit_probability(scores, bank)
    assert chance.shape == (40,)
    assert np.median(chance[:20]) > 0.8
    assert np.median(chance[20:]) < 0.2


def test_a_clip_that_answers_to_everything_is_not_believed() -> None:
    scores, bank = _world(1)
    query = scores[-1:].copy()
    query[0, 7] = query.max() + 3
    alone = first_hit_probability(query, bank)
    popular = bank.copy()
    popular[:, 7] += query[0, 7] - bank[:, 7].mean()
    assert first_hit_probability(query, popular) < alone - 0.3


def test_a_rival_of_the_same_score_costs_belief() -> None:
    scores, bank = _world(2)
    query = scores[:1].copy()
    before = first_hit_probability(query, bank)
    query[0, 5] = query[0].max()
    bank[:, 5] = bank[:, scores[0].argmax()]
    assert first_hit_probability(query, bank) < before - 0.1


@given(
    seed=st.integers(0, 50),
    scale=st.sampled_from([1e-3, 0.1, 1.0, 37.0, 1e4]),
    shift=st.sampled_from([-100.0, -1.0, 0.0, 5.0]),
)
def test_units_of_the_scores_do_not_matter(seed: int, scale: float, shift: float) -> None:
    scores, bank = _world(seed)
    expected = first_hit_probability(scores, bank)
    found = first_hit_probability(scores * scale + shift * scale, bank * scale + shift * scale)
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(seed=st.integers(0, 50))
def test_the_order_of_clips_queries_and_sentences_does_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, bank = _world(seed)
    rows, clips, sentences = (rng.permutation(n) for n in (len(scores), scores.shape[1], len(bank)))
    np.testing.assert_allclose(
        first_hit_probability(scores[rows][:, clips], bank[sentences][:, clips]),
        first_hit_probability(scores, bank)[rows],
        rtol=1e-9,
    )


@pytest.mark.parametrize(("kind", "near"), [(np.float16, 0.03), (np.float32, 1e-5)])
def test_every_precision_tells_the_same(kind: type, near: float) -> None:
    scores, bank = _world(3)
    found = first_hit_probability(scores.astype(kind), bank.astype(kind))
    np.testing.assert_allclose(found, first_hit_probability(scores, bank), atol=near)


def test_a_query_alone_has_the_probability_that_it_has_among_others() -> None:
    scores, bank = _world(4)
    alone = [first_hit_probability(row[None], bank)[0] for row in scores]
    np.testing.assert_allclose(alone, first_hit_probability(scores, bank), rtol=1e-12)


def test_more_queries_than_fit_into_one_block_are_answered_alike() -> None:
    rng = np.random.default_rng(5)
    scores, bank = rng.normal(size=(5, 900_000)), rng.normal(size=(3, 900_000))
    alone = [first_hit_probability(row[None], bank)[0] for row in scores]
    np.testing.assert_allclose(first_hit_probability(scores, bank), alone, rtol=1e-12)


@pytest.mark.parametrize("clips", [1, 2, 3, 10])
@pytest.mark.parametrize("sentences", [2, 3, 10, 200])
def test_few_clips_and_few_sentences_still_tell_something(clips: int, sentences: int) -> None:
    rng = np.random.default_rng(clips * sentences)
    bank = rng.normal(size=(sentences, clips))
    scores = rng.normal(size=(20, clips))
    scores[:10, 0] += 12
    chance = first_hit_probability(scores, bank)
    assert np.all((chance > 0) & (chance < 1))
    assert chance[:10].min() > chance[10:].max()


@pytest.mark.parametrize("value", [0.0, 1.0, -3.5])
def test_scores_that_are_all_equal_say_nothing(value: float) -> None:
    _, bank = _world(6)
    same = np.full((2, bank.shape[1]), value)
    assert np.all(first_hit_probability(np.full_like(same, bank.mean()), bank) < 0.5)
    assert np.all(first_hit_probability(same, np.full_like(bank, value)) < 0.5)


def test_clips_that_the_bank_cannot_tell_apart_are_no_reason_to_fail() -> None:
    scores, bank = _world(7)
    bank[:, 3] = 0.25
    bank[:, 4] = 0.0
    chance = first_hit_probability(scores, bank)
    assert np.all(np.isfinite(chance))
    assert np.median(chance[:20]) > np.median(chance[20:])


def test_no_queries_have_no_probabilities() -> None:
    _, bank = _world(8)
    assert first_hit_probability(np.zeros((0, bank.shape[1])), bank).shape == (0,)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", ["scores", "bank"])
def test_scores_that_are_no_numbers_are_refused(odd: float, place: str) -> None:
    scores, bank = _world(9)
    {"scores": scores, "bank": bank}[place][1, 2] = odd
    with pytest.raises(ValueError, match=f"{place} holds numbers that are not finite"):
        first_hit_probability(scores, bank)


@pytest.mark.parametrize(
    ("scores", "bank", "message"),
    [
        ((3, 5), (4, 6), "same N >= 1 clips"),
        ((3, 0), (4, 0), "same N >= 1 clips"),
        ((3,), (4, 3), "scores is a matrix"),
        ((3, 5), (5,), "bank is a matrix"),
        ((3, 5), (1, 5), "at least 2 sentences"),
        ((3, 5), (0, 5), "at least 2 sentences"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    scores: tuple[int, ...], bank: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        first_hit_probability(np.ones(scores), np.ones(bank))


def test_words_are_no_scores() -> None:
    with pytest.raises(ValueError, match="real numbers"):
        first_hit_probability(np.array([["a"]]), np.ones((3, 1)))


def test_one_query_over_a_large_gallery_takes_milliseconds() -> None:
    rng = np.random.default_rng(10)
    scores, bank = rng.normal(size=(1, 50_000)), rng.normal(size=(20, 50_000))
    first_hit_probability(scores, bank)
    start = time.perf_counter()
    first_hit_probability(scores, bank)
    assert time.perf_counter() - start < 1
