"""The bank: what it takes from a clip, and that one coordinate carries it."""

from __future__ import annotations

import numpy as np
import pytest

from moviola.align import LinearMaps
from moviola.align.head.bank import NEIGHBOURS, Bank


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.normal(size=shape).astype(np.float32)


def test_csls_takes_the_mean_of_the_nearest(rng: np.random.Generator) -> None:
    bank, clips = rows(rng, 50, 4), rows(rng, 7, 4)
    wanted = np.sort(clips @ bank.T, axis=1)[:, -NEIGHBOURS:].mean(axis=1)
    assert Bank(bank, "csls", 0.5).taken(clips) == pytest.approx(wanted / 2, rel=1e-5)


def test_the_inverted_softmax_takes_the_log_of_the_mean(rng: np.random.Generator) -> None:
    bank, clips = rows(rng, 50, 4), rows(rng, 7, 4)
    wanted = np.log(np.exp(clips @ bank.T).mean(axis=1))
    assert Bank(bank, "inverted-softmax", 1.0).taken(clips) == pytest.approx(wanted, abs=1e-5)


def test_a_small_bank_and_no_clips(rng: np.random.Generator) -> None:
    bank = Bank(rows(rng, 3, 4), "csls", 1.0)
    clips = rows(rng, 2, 4)
    assert bank.taken(clips) == pytest.approx((clips @ bank.texts.T).mean(axis=1), rel=1e-5)
    assert bank.taken(np.zeros((0, 4), np.float32)).shape == (0,)


def test_scores_lose_what_the_bank_takes_and_nothing_else(rng: np.random.Generator) -> None:
    plain = LinearMaps(rows(rng, 6, 3), rows(rng, 5, 3), np.abs(rows(rng, 2, 3)))
    texts, clips = rows(rng, 9, 6), rows(rng, 8, 5)
    items = np.arange(10), np.arange(9)
    bank = Bank(plain.map_texts(rows(rng, 30, 6), np.arange(31)), "csls", 0.5)
    banked = plain.with_bank(bank)
    before = plain.map_texts(texts, items[0]) @ plain.map_clips(clips, items[1]).T
    after = banked.map_texts(texts, items[0]) @ banked.map_clips(clips, items[1]).T
    taken = bank.taken(plain.map_clips(clips, items[1]))
    assert before - after == pytest.approx(np.tile(taken, (9, 1)), abs=1e-4)


def test_a_bank_comes_back_with_its_maps(rng: np.random.Generator) -> None:
    plain = LinearMaps(rows(rng, 6, 3), rows(rng, 5, 3), np.abs(rows(rng, 2, 3)))
    banked = plain.with_bank(Bank(rows(rng, 30, 5), "inverted-softmax", 0.25))
    again = LinearMaps.build(banked.tensors(), banked.options())
    clips = rows(rng, 8, 5)
    assert np.array_equal(
        again.map_clips(clips, np.arange(9)), banked.map_clips(clips, np.arange(9))
    )


def test_what_is_no_bank_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="corrects 'magic'"):
        Bank(rows(rng, 3, 4), "magic", 1.0)
    with pytest.raises(ValueError, match="bank of 0"):
        Bank(rows(rng, 0, 4), "csls", 1.0)
    with pytest.raises(ValueError, match="goes with a penalty"):
        LinearMaps(rows(rng, 6, 3), rows(rng, 5, 3), None, Bank(rows(rng, 3, 5), "csls", 1.0))
