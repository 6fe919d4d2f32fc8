from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch

from moviola.encode.shapes.encoder import WEIGHTS, Calibration, load
from moviola.encode.shapes.model import TowerConfig
from moviola.encode.shapes.words import Vocabulary
from moviola.experiments.shapes import train as shapes_encoder
from moviola.experiments.shapes.calibration import fit_logistic
from moviola.experiments.shapes.card import write_card
from moviola.experiments.shapes.gallery import Gallery, in_sequence
from moviola.experiments.shapes.intervals import figure
from moviola.experiments.shapes.joining import JoiningConfig
from moviola.experiments.shapes.module import TrainConfig, masked_nce, pair_labels
from moviola.experiments.shapes.probes import draw_probes
from moviola.experiments.shapes.windows import (
    CHANGES,
    WindowConfig,
    WindowStream,
    change_fact,
    turned,
    window,
)
from moviola.synthetic.shapes.facts import code_facts, has_held_out
from moviola.synthetic.shapes.grammar import vocabulary
from moviola.synthetic.shapes.world import LEVELS, draw_shot, is_possible, stage

SMALL = WindowConfig(groups=2, rendered=2)


def shot_of(seed: int):
    return draw_shot(np.random.default_rng(seed), LEVELS["plain"], held_out=False)


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_leaves_a_possible_shot_that_is_not_held_out(what):
    changed = 0
    for seed in range(60):
        shot = shot_of(seed)
        other = change_fact(np.random.default_rng(seed), shot, what)
        assert is_possible(other)
        assert not has_held_out(other)
        changed += other != shot
    assert changed > 5


def test_batches_are_true_and_reproducible():
    words = Vocabulary(vocabulary(), 40)
    first, again = (next(iter(WindowStream(SMALL, words))) for _ in range(2))
    assert all(np.array_equal(first[key], again[key]) for key in first)
    assert first["frames"].shape == (8, 8, 64, 64, 3)
    own = first["truth"][np.arange(len(first["owner"])), first["owner"]]
    assert own.all()
    other = next(iter(WindowStream(replace(SMALL, seed=2), words)))
    assert not np.array_equal(first["frames"], other["frames"])


def test_a_mirrored_window_shows_the_mirrored_facts():
    checked = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        shot = shot_of(seed)
        one = window(rng, stage(rng, shot, 4.0))
        other = turned(rng, one)
        if other is None:
            continue
        assert [t.colour for t in other.shot.things] == [t.colour for t in shot.things]
        again = other.frames
        options = (one.frames[:, :, ::-1], one.frames[::-1], one.frames[::-1, :, ::-1])
        assert any(np.array_equal(again, option) for option in options)
        moves = {("left", "right"), ("right", "left"), ("up", "down"), ("down", "up")}
        moves |= {("grow", "shrink"), ("shrink", "grow")}
        for a, b in zip(shot.things, other.shot.things, strict=True):
            assert a.motion == b.motion or (a.motion, b.motion) in moves
            checked += a.motion != b.motion
    assert checked > 10


def test_masked_nce_is_the_naive_sum():
    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(4, 6, generator=rng)
    target = torch.tensor([0, 1, 2, 5])
    ignored = torch.rand(4, 6, generator=rng) < 0.4
    expected = []
    for i in range(4):
        others = [j for j in range(6) if j == target[i] or not ignored[i, j]]
        total = sum(torch.exp(logits[i, j]) for j in others)
        expected.append(-torch.log(torch.exp(logits[i, target[i]]) / total))
    assert masked_nce(logits, target, ignored) == pytest.approx(
        float(torch.stack(expected).mean()), rel=1e-5
    )


def test_pair_labels_tell_who_does_what():
    shot = next(s for s in map(shot_of, range(100)) if len({t.motion for t in s.things}) == 2)
    a, b = shot.things
    swapped = replace(shot, things=(replace(a, motion=b.motion), replace(b, motion=a.motion)))
    labels = pair_labels(torch.from_numpy(code_facts([shot, swapped])))
    assert not torch.equal(labels[0], labels[1])


def test_probes_are_right_and_wrong():
    shots = [shot_of(seed) for seed in range(50)]
    probes = draw_probes(np.random.default_rng(0), shots)
    kinds = {probe.kind for probe in probes}
    assert kinds == {"background", "camera", "colour", "shape", "size", "motion", "binding"}
    assert all(probe.right != probe.wrong for probe in probes)
    assert all(len(p.right.split()) == len(p.wrong.split()) for p in probes if p.kind == "colour")


def test_clauses_in_sequence_is_the_best_increasing_choice():
    rng = np.random.default_rng(0)
    cosines = rng.normal(size=(3, 3, 9)).astype(np.float32)
    owner = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1])
    videos = (None, None)
    gallery = Gallery(videos, owner, np.zeros((9, 2)), np.zeros((9, 1), np.float32))  # type: ignore[arg-type]
    found = in_sequence(cosines, gallery)
    for n in range(3):
        for video, (start, end) in enumerate([(0, 5), (5, 9)]):
            best = max(
                cosines[n, 0, i] + cosines[n, 1, j] + cosines[n, 2, k]
                for i in range(start, end)
                for j in range(i + 1, end)
                for k in range(j + 1, end)
            )
            assert found[n, video] == pytest.approx(best / 3, rel=1e-5)


def test_intervals_resample_whole_videos():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(50), 20)
    shared = np.repeat(rng.random(50) < 0.5, 20)
    mixed = rng.random(1000) < 0.5
    wide, narrow = figure(shared, groups), figure(mixed, groups)
    assert wide.low <= wide.value <= wide.high
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_logistic_fit_finds_the_curve():
    rng = np.random.default_rng(0)
    scores = rng.uniform(0, 1, 20000)
    true = Calibration(12.0, -7.0)
    right = rng.random(20000) < [true.probability(score) for score in scores]
    found = fit_logistic(scores, right)
    assert found.slope == pytest.approx(12, rel=0.1)
    assert found.intercept == pytest.approx(-7, rel=0.1)


@pytest.mark.filterwarnings("ignore")
def test_three_steps_of_training_write_weights_that_load(tmp_path):
    tiny = TowerConfig(words=0, stem=(4, 8), pair=8, quad=8, width=32, text_width=32)
    config = shapes_encoder.RunConfig(
        out=tmp_path,
        towers=tiny,
        train=TrainConfig(steps=3, warm_up=1),
        windows=SMALL,
        every=3,
        workers=0,
        look_at=8,
    )
    before = torch.get_num_threads()
    shapes_encoder.train(config)
    torch.set_num_threads(before)
    encoder = load(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["towers"]["width"] == 32
    assert encoder.encode_texts(["a red square"])[0].shape == (1, 257)


def test_the_card_tells_what_is_not_met():
    figures = {
        "shape": {"value": 0.95, "low": 0.94, "high": 0.96, "count": 1000},
        "motion": {"value": 0.85, "low": 0.8, "high": 0.9, "count": 1000},
        "shape, held-out combinations": {"value": 0.5, "low": 0.4, "high": 0.6, "count": 100},
    }
    numbers = {"steps": 1, "parameters": 1, "words": 1, "megabytes": 1.0}
    numbers |= {"windows_a_second": 1.0, "videos": 1, "seed": 1}
    vcmr = {"VCMR R@1 IoU0.7": {"value": 0.75, "low": 0.7, "high": 0.8, "count": 228}}
    moments = {"figures": vcmr, "sharpness": 15.0, **asdict(JoiningConfig())}
    card = write_card({"figures": figures, "moments": moments, **numbers})
    assert "| VCMR R@1 IoU0.7 | 0.750 | 0.700 to 0.800 | 228 |  |" in card
    assert "exp(15 x cosine)" in card
    assert "| shape | 0.950 | 0.940 to 0.960 | 1,000 | 0.90 met |" in card
    assert "| motion | 0.850 | 0.800 to 0.900 | 1,000 | 0.90 **not met** |" in card
    assert "| shape, held-out combinations | 0.500 | 0.400 to 0.600 | 100 |  |" in card


def test_the_shipped_card_is_the_measured_one():
    measured = json.loads((WEIGHTS / "measured.json").read_text(encoding="utf-8"))
    assert (WEIGHTS / "README.md").read_text(encoding="utf-8") == write_card(measured)
