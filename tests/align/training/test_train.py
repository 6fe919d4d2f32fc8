from __future__ import annotations

import csv
import importlib
import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from moviola.align.data.rows import RaggedRows
from moviola.align.data.splitting import VideoSplit
from moviola.align.training.batches import PairedRows
from moviola.align.training.config import TrainConfig
from moviola.align.training.history import Cosines, measured
from moviola.align.training.losses import LOSSES, hardest_triplet, triplet
from moviola.align.training.module import HeadTraining
from moviola.align.training.networks import NetworkConfig
from moviola.align.training.train import build_networks, train_head
from moviola.core import MissingExtraError, Qrels, Scores
from moviola.evaluate import evaluate
from moviola.evaluate.chance import chance_level

CONFIG = TrainConfig(
    NetworkConfig("mlp", (32, 16)), epochs=6, batch=32, rate=3e-3, decay=0.01, warm_up=4
)


@pytest.fixture(scope="module")
def trained(paired, split):
    return train_head(paired, split, CONFIG)


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_every_loss_teaches_to_rank(paired, split, loss) -> None:
    captions = 2 if loss == "multi-positive" else 1
    head = train_head(paired, split, replace(CONFIG, loss=loss, captions=captions))
    best = max(epoch.measures["MRR"] for epoch in head.history.epochs)
    assert best > 5 * chance_level(40)
    assert head.history.epochs[head.history.best].measures["MRR"] == best


@pytest.mark.parametrize("architecture", ["linear", "residual", "transformer"])
def test_every_network_learns(paired, split, architecture) -> None:
    network = NetworkConfig(architecture, (16,), hidden=32, heads=2)
    head = train_head(paired, split, replace(CONFIG, network=network, epochs=14))
    assert max(epoch.measures["MRR"] for epoch in head.history.epochs) > 4 * chance_level(40)


def test_two_trainings_with_one_seed_give_equal_weights(paired, split, trained) -> None:
    again = train_head(paired, split, CONFIG)
    tensors = again.maps.tensors()
    for name, tensor in trained.maps.tensors().items():
        assert np.array_equal(tensor, tensors[name]), name
    other = train_head(paired, split, replace(CONFIG, seed=1)).maps.tensors()
    assert any(not np.array_equal(tensors[name], other[name]) for name in tensors)


def test_the_caller_s_own_random_numbers_are_left_alone(paired, split) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    train_head(paired, split, replace(CONFIG, epochs=1))
    assert torch.equal(before, torch.get_rng_state())


def test_test_videos_change_neither_weights_nor_choice(paired, split, trained) -> None:
    """Whatever the test videos hold, training and validation are the same to the last digit."""
    texts, clips = paired.texts.rows.copy(), paired.clips.rows.copy()
    texts[np.isin(paired.owner, split.test)] = 9.0
    clips[split.test] = -9.0
    spoiled = PairedRows(RaggedRows.pooled(texts), RaggedRows.pooled(clips), paired.owner)
    other = train_head(spoiled, split, CONFIG)
    assert other.history.epochs == trained.history.epochs
    assert other.history.best == trained.history.best
    assert other.history.test_losses != trained.history.test_losses
    for name, tensor in other.maps.tensors().items():
        assert np.array_equal(tensor, trained.maps.tensors()[name])


def test_the_history_says_what_the_kept_weights_do(paired, split, trained) -> None:
    history = trained.history
    watched = paired.only(split.validation)
    vectors = trained.maps.texts.embed(watched.texts), trained.maps.clips.embed(watched.clips)
    best = history.epochs[history.best]
    assert measured(*vectors, watched.owner) == pytest.approx(best.measures)
    assert Cosines.of(*vectors, watched.owner) == best.cosines
    assert history.constant == pytest.approx(math.log(32), abs=1e-4)
    assert history.epochs[0].train_loss is None
    assert [number for number, _ in history.test_losses] == list(range(len(history.epochs)))


def test_test_losses_come_from_the_weights_of_their_epoch(paired, split, tmp_path) -> None:
    config = replace(CONFIG, loss="mse", epochs=2, keep_best=False)
    head = train_head(paired, split, config, folder=tmp_path)
    module = HeadTraining(build_networks(paired, config), paired.only(split.validation), config)
    from safetensors.torch import load_file

    from moviola.align.training.batches import Batches, draw_batches

    batches = Batches(paired, draw_batches(paired, split.test, config, [0, 1 << 21]))
    for epoch, loss in head.history.test_losses:
        module.load_state_dict(load_file(tmp_path / f"epoch-{epoch:03d}.safetensors"))
        module.eval()
        with torch.inference_mode():
            found = [float(module.loss_of(batches[place])) for place in range(len(batches))]
        assert loss == pytest.approx(np.mean(found))


def test_early_stopping_ends_a_training_that_no_longer_gains(paired, split) -> None:
    config = replace(CONFIG, rate=1e-9, epochs=30, patience=2, warm_up=0)
    history = train_head(paired, split, config).history
    assert len(history.epochs) < 8
    endless = train_head(paired, split, replace(config, patience=None, epochs=8)).history
    assert len(endless.epochs) == 9


def test_a_start_that_is_best_is_kept(paired, split) -> None:
    meant = np.linalg.lstsq(paired.texts.rows[: 2 * 160 : 2], paired.clips.rows[:160], rcond=None)[
        0
    ].astype(np.float32)
    initial = meant, np.eye(24, dtype=np.float32)
    config = replace(CONFIG, network=NetworkConfig("linear", (24,)), rate=0.5, epochs=2)
    head = train_head(paired, split, config, initial=initial)
    assert head.history.best == 0
    assert np.allclose(head.maps.tensors()["texts.body.weight"], meant.T)


def test_a_run_goes_on_where_it_was(paired, split, tmp_path) -> None:
    part = replace(CONFIG, epochs=3, schedule="constant", patience=None)
    whole = train_head(paired, split, replace(part, epochs=5), folder=tmp_path / "whole")
    train_head(paired, split, part, folder=tmp_path / "part")
    resumed = train_head(
        paired, split, replace(part, epochs=5), folder=tmp_path / "part", resume=True
    )
    assert [epoch.number for epoch in resumed.history.epochs] == list(range(6))
    assert resumed.history.epochs == whole.history.epochs
    with pytest.raises(FileNotFoundError, match=r"no last\.ckpt to resume"):
        train_head(paired, split, part, folder=tmp_path / "new", resume=True)


def test_a_run_that_mines_goes_on_mining(paired, split, tmp_path) -> None:
    part = replace(
        CONFIG, loss="triplet", epochs=4, schedule="constant", patience=None, keep_best=False
    )
    longer = replace(part, epochs=6)
    whole = train_head(paired, split, longer, folder=tmp_path / "whole")
    train_head(paired, split, part, folder=tmp_path / "part")
    resumed = train_head(paired, split, longer, folder=tmp_path / "part", resume=True)
    reached = max(epoch.measures["MRR"] for epoch in whole.history.epochs[:5])
    assert reached > 5 * chance_level(40)  # or nothing was mined before the run was gone on with
    assert resumed.history.epochs == whole.history.epochs


def test_the_log_is_a_csv(paired, split, tmp_path) -> None:
    train_head(paired, split, replace(CONFIG, epochs=2), folder=tmp_path)
    with (tmp_path / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"val_loss", "val_MRR", "val_R@1", "train_loss"} <= set(rows[0])
    assert len([row for row in rows if row["val_MRR"]]) >= 2


def test_checkpoints_are_thinned_and_hold_the_best_and_the_last(paired, split, tmp_path) -> None:
    config = replace(CONFIG, epochs=60, limit_batches=1, patience=None, rate=1e-2)
    head = train_head(paired, split, config, folder=tmp_path)
    kept = {int(path.stem[-3:]) for path in tmp_path.glob("epoch-*.safetensors")}
    assert kept == {*range(0, 61, 3), head.history.best, 60}
    assert [number for number, _ in head.history.test_losses] == sorted(kept)


def test_hard_negatives_are_mined_once_validation_is_well_above_chance(paired, split) -> None:
    config = replace(CONFIG, loss="triplet")
    module = HeadTraining(build_networks(paired, config), paired.only(split.validation), config)
    assert module._mined(9.9 * chance_level(40), 40) is triplet
    assert module._mined(10.1 * chance_level(40), 40) is hardest_triplet
    plain = HeadTraining(build_networks(paired, CONFIG), paired.only(split.validation), CONFIG)
    assert plain._mined(10.1 * chance_level(40), 40) is LOSSES["infonce"]


def test_double_precision_trains_and_gives_single_precision(paired, split) -> None:
    head = train_head(paired, split, replace(CONFIG, epochs=1, precision="64-true"))
    assert {tensor.dtype for tensor in head.maps.tensors().values()} == {np.dtype(np.float32)}


def test_measures_are_those_of_evaluate() -> None:
    rng = np.random.default_rng(0)
    texts, clips = (rng.normal(size=(n, 5)).astype(np.float32) for n in (30, 12))
    owner = rng.integers(0, 12, 30)
    ids = [f"t{i}" for i in range(30)], [f"v{i}" for i in range(12)]
    qrels = Qrels({t: frozenset([ids[1][owner[i]]]) for i, t in enumerate(ids[0])})
    expected = evaluate(Scores(*ids, texts @ clips.T), qrels, resamples=0).t2v
    found = measured(texts, clips, owner)
    assert found == pytest.approx({name: expected[name] for name in found})
    assert measured(0 * texts, 0 * clips, owner)["MRR"] == pytest.approx(chance_level(12))


def test_collapse_is_told_from_weak_alignment() -> None:
    rng = np.random.default_rng(0)
    same = np.ones((20, 4), np.float32) / 2
    assert Cosines.of(same, same, np.arange(20)).collapsed
    loose = rng.normal(size=(20, 4)).astype(np.float32)
    loose /= np.linalg.norm(loose, axis=1, keepdims=True)
    assert not Cosines.of(loose, loose, np.arange(20)).collapsed


def test_without_lightning_the_way_to_it_is_told(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "lightning", None)
    monkeypatch.delitem(sys.modules, "moviola.align.training.train")
    with pytest.raises(MissingExtraError, match=r"moviola\[train\]"):
        importlib.import_module("moviola.align.training.train")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"loss": "hinge"}, "no loss is called 'hinge'"),
        ({"epochs": 0}, "at least 1"),
        ({"mixup": 1.0, "captions": 2}, "mixup"),
        ({"mixup": 1.0, "loss": "mse"}, "mixup"),
    ],
)
def test_configurations_that_do_not_fit_are_refused(options, told) -> None:
    with pytest.raises(ValueError, match=told):
        replace(CONFIG, **options)


def test_splits_that_share_a_video_are_refused() -> None:
    with pytest.raises(ValueError, match="video 3 is in training and in test; split by video"):
        VideoSplit(np.arange(4), np.array([5]), np.array([3, 6]))


def test_several_rows_need_a_network_that_takes_them(paired, split) -> None:
    offsets = np.arange(0, 481, 2, dtype=np.int64)
    ragged = PairedRows(RaggedRows(paired.texts.rows, offsets), paired.clips, np.arange(240))
    with pytest.raises(ValueError, match="the texts have several rows an item"):
        train_head(ragged, split, CONFIG)
