"""The planted pairs are what they are said to be: geometry, difficulty, and oracle."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.synthetic.planted.pairs import QUERIES, Planted, plant


@pytest.fixture(scope="module")
def draw() -> Planted:
    return plant(3, videos=300, captions=2, test_videos=500)


@pytest.fixture(scope="module")
def tokens() -> Planted:
    return plant(3, dimension=256, videos=40, captions=2, test_videos=20, tokens=True)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def reciprocal_rank(scores: np.ndarray) -> float:
    own = np.diag(scores)[:, None]
    return float((1 / ((scores > own).sum(axis=1) + 1)).mean())


def test_equal_seeds_draw_equal_pairs(draw: Planted) -> None:
    again, other = plant(3, videos=300, captions=2, test_videos=500), plant(4, videos=300)
    assert np.array_equal(again.train.texts, draw.train.texts)
    assert np.array_equal(again.test.videos, draw.test.videos)
    assert not np.array_equal(other.train.videos, draw.train.videos)


def test_shapes(draw: Planted) -> None:
    assert draw.train.videos.shape == (300, 1024)
    assert draw.train.texts.shape == (600, 1024)
    assert draw.train.owners.tolist() == [n for n in range(300) for _ in range(2)]
    assert draw.test.texts.shape == draw.test.videos.shape == (500, 1024)
    assert draw.train.texts.dtype == draw.train.videos.dtype == np.float32


def test_the_oracle_reads_the_concepts(draw: Planted) -> None:
    assert draw.test.oracle is not None
    assert 0.8 < reciprocal_rank(draw.test.oracle) < 0.95


def test_raw_cosines_are_near_chance_and_standardising_helps(draw: Planted) -> None:
    raw = reciprocal_rank(unit(draw.test.texts) @ unit(draw.test.videos).T)
    chance = float((1 / np.arange(1, 501)).mean())
    texts, videos = (
        unit((test - train.mean(axis=0)) / train.std(axis=0))
        for test, train in (
            (draw.test.texts, draw.train.texts),
            (draw.test.videos, draw.train.videos),
        )
    )
    assert raw < 6 * chance
    assert reciprocal_rank(texts @ videos.T) > 10 * chance


def test_geometry_is_that_of_a_language_model(draw: Planted) -> None:
    for rows in (draw.train.texts, draw.train.videos):
        directions = unit(rows)
        assert 0.65 < (directions @ directions.T).mean() < 0.9
        shares = np.sort((directions**2).mean(axis=0))[::-1]
        assert shares[:3].sum() > 0.2
        assert shares[3] < shares[2] / 3


def test_wide_draws_are_no_easier() -> None:
    wide = plant(5, dimension=2048, videos=300, captions=2, test_videos=300)
    raw = reciprocal_rank(unit(wide.test.texts) @ unit(wide.test.videos).T)
    assert raw < 0.12


def test_token_mode_keeps_rows(tokens: Planted) -> None:
    pairs = tokens.train
    assert pairs.videos.shape == (40 * QUERIES, 256)
    assert np.diff(pairs.video_offsets).tolist() == [QUERIES] * 40
    assert pairs.text_offsets[-1] == len(pairs.texts)
    assert np.diff(pairs.text_offsets).min() >= 4


def test_the_first_token_says_nothing(tokens: Planted) -> None:
    firsts = tokens.train.texts[tokens.train.text_offsets[:-1]]
    assert (firsts == firsts[0]).all()
    assert np.abs(firsts[0]).max() > 100
    queries = tokens.train.videos.reshape(40, QUERIES, -1)
    assert (queries[:, 0] == queries[0, 0]).all()
    assert not (queries[:, 1] == queries[0, 1]).all()


def test_a_draw_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="8 dimensions at least"):
        plant(0, videos=0)
