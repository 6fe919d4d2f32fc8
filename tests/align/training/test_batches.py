from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from moviola.align.data.pairs import make_pairs
from moviola.align.training.batches import (
    Batches,
    PairedRows,
    draw_batches,
    pair_draws,
    video_draws,
)
from moviola.align.training.config import TrainConfig
from moviola.align.training.data_module import PairedData, _share
from moviola.align.training.networks import NetworkConfig


@given(
    counts=st.lists(st.integers(1, 5), min_size=2, max_size=20),
    batch=st.integers(1, 8),
    captions=st.integers(1, 4),
)
def test_a_batch_holds_different_videos_each_with_its_own_captions(counts, batch, captions) -> None:
    owner = np.repeat(np.arange(len(counts)), counts)
    videos = np.arange(0, len(counts), 2)
    draws = video_draws(owner, videos, batch, captions, np.random.default_rng(0))
    assert len(draws) == len(videos) // min(batch, len(videos))
    for draw in draws:
        assert len(set(draw.clips)) == len(draw.clips)
        assert set(draw.clips) <= set(videos)
        assert draw.truth.shape == (len(draw.texts), len(draw.clips))
        assert (draw.truth.sum(1) == 1).all()
        assert np.array_equal(owner[draw.texts], draw.clips[draw.truth.argmax(1)])
        if captions <= min(counts):
            assert len(set(draw.texts)) == len(draw.texts)


def test_pairs_are_walked_once() -> None:
    table = make_pairs(np.repeat(np.arange(9), 3), np.arange(9), positives=2, negatives=2)
    draws = pair_draws(table, 8, np.random.default_rng(0))
    walked = [
        pair for draw in draws for pair in zip(draw.texts, draw.clips, draw.truth, strict=True)
    ]
    assert sorted(walked) == sorted(zip(table.texts, table.videos, table.labels, strict=True))
    assert {len(draw.truth) for draw in draws[:-1]} == {8}


@pytest.mark.parametrize("loss", ["infonce", "mse"])
def test_an_epoch_follows_from_the_seed_and_differs_from_the_next(paired, split, loss) -> None:
    config = TrainConfig(NetworkConfig("linear"), loss=loss, batch=32)
    first, again, other = (
        draw_batches(paired, split.train, config, [config.seed, epoch]) for epoch in (0, 0, 1)
    )
    assert all(np.array_equal(a.texts, b.texts) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0].clips, other[0].clips)
    if loss == "mse":  # the table stays, its order does not
        assert sorted(np.concatenate([draw.clips for draw in first])) == sorted(
            np.concatenate([draw.clips for draw in other])
        )


def test_no_video_of_another_split_is_drawn(paired, split) -> None:
    for loss in ("infonce", "mse"):
        config = TrainConfig(NetworkConfig("linear"), loss=loss, batch=16)
        data = PairedData(paired, split.train, split.validation, config)
        for loader, videos in (
            (data.train_dataloader(), split.train),
            (data.val_dataloader(), split.validation),
        ):
            for draw in loader.dataset.draws:
                assert set(draw.clips) <= set(videos)
                assert set(paired.owner[draw.texts]) <= set(videos)


def test_mixtures_have_one_share_for_both_sides(paired) -> None:
    draws = video_draws(paired.owner, np.arange(40), 20, 1, np.random.default_rng(0))
    plain, mixed = Batches(paired, draws)[1], Batches(paired, draws, mixup=1.0, seed=3)[1]
    rng = np.random.default_rng([3, 1])
    share, other = rng.beta(1.0, 1.0), rng.permutation(20)
    for side in ("texts", "clips"):
        expected = share * plain[side] + (1 - share) * plain[side][other]
        assert np.allclose(mixed[side], expected, atol=1e-6)
    assert np.array_equal(mixed["truth"], plain["truth"])


def test_devices_share_a_batch_without_a_video_in_common(paired) -> None:
    draw = video_draws(paired.owner, np.arange(40), 10, 2, np.random.default_rng(0))[0]
    shares = [_share(draw, rank, 3) for rank in range(3)]
    seen = np.concatenate([share.clips for share in shares])
    assert len(set(seen)) == 9
    for share in shares:
        assert share.truth.shape == (6, 3)
        assert np.array_equal(paired.owner[share.texts], share.clips[share.truth.argmax(1)])
    assert _share(draw, 0, 11) is None


def test_owners_must_fit_the_texts(paired) -> None:
    with pytest.raises(ValueError, match="480 texts"):
        PairedRows(paired.texts, paired.clips, paired.owner[:-1])
