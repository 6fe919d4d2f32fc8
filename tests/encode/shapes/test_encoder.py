from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch

from moviola.core import Frames, WeightsUnavailableError
from moviola.encode.shapes.encoder import (
    DIMENSION,
    WEIGHTS,
    Calibration,
    cut_windows,
    load,
    shrink_frames,
)
from moviola.encode.shapes.model import TowerConfig, Towers
from moviola.experiments.shapes.probes import PROBED, direction_wins, draw_probes, probe_wins
from moviola.synthetic.shapes.rendering import render
from moviola.synthetic.shapes.world import LEVELS, draw_shot, stage


@pytest.fixture(scope="module")
def encoder():
    return load()


def clip_of(seed: int, count: int = 8, size: int = 64):
    rng = np.random.default_rng(seed)
    shot = draw_shot(rng, LEVELS["plain"], held_out=False)
    times = (np.arange(count) + 0.5) / 4
    return shot, Frames(render(stage(rng, shot, max(4.0, count / 4)), times, size), times)


def test_the_shipped_weights_are_small(encoder):
    assert (WEIGHTS / "model.safetensors").stat().st_size <= 10_000_000
    assert sum(p.numel() for p in encoder.towers.parameters()) <= 4_000_000


def test_rows_are_unit_vectors_of_one_space(encoder):
    clips = [clip_of(seed, count)[1] for seed, count in enumerate((1, 5, 8, 9, 24, 64))]
    texts = ["a red square moves left", "a red dog", "a dog", "", "a star, then a circle grows"]
    for rows in (encoder.encode_videos(clips), encoder.encode_texts(texts)):
        assert all(row.shape == (1, DIMENSION) and row.dtype == np.float32 for row in rows)
        assert np.allclose([np.linalg.norm(row) for row in rows], 1, atol=1e-5)
    assert encoder.space.dimension == DIMENSION
    assert encoder.encode_texts([]) == []
    assert encoder.encode_videos([]) == []


def test_the_batch_changes_nothing(encoder):
    clips = [clip_of(seed, count)[1] for seed, count in enumerate((8, 24, 12, 40, 8))]
    together = np.concatenate(encoder.encode_videos(clips))
    alone = np.concatenate([encoder.encode_videos([clip])[0] for clip in clips])
    assert np.allclose(together, alone, atol=1e-5)
    texts = ["a star", "a large red square moves left on a brick wall", "a red dog"]
    together = np.concatenate(encoder.encode_texts(texts))
    alone = np.concatenate([encoder.encode_texts([text])[0] for text in texts])
    assert np.allclose(together, alone, atol=1e-5)


def test_the_size_of_the_picture_hardly_matters(encoder):
    small = np.concatenate(encoder.encode_videos([clip_of(s)[1] for s in range(8)]))
    large = np.concatenate(encoder.encode_videos([clip_of(s, size=192)[1] for s in range(8)]))
    assert (small * large).sum(1).min() > 0.99


def test_strange_texts_point_away_from_every_video(encoder):
    videos = np.concatenate(encoder.encode_videos([clip_of(s)[1] for s in range(8)]))
    strange, half = np.concatenate(encoder.encode_texts(["a dog on a skateboard", "a red dog"]))
    assert np.abs(videos @ strange).max() < 1e-6
    assert np.abs(videos @ half).max() <= 1 / 3 + 1e-6


def test_words_are_read_whatever_their_case(encoder):
    one, other = np.concatenate(encoder.encode_texts(["A RED Square.", "a red square"]))
    assert np.allclose(one, other, atol=1e-6)


def test_the_shipped_weights_know_their_world(encoder):
    drawn = [clip_of(seed) for seed in range(1000, 1120)]
    shots = [shot for shot, _ in drawn]
    videos = np.concatenate(encoder.encode_videos([clip for _, clip in drawn]))

    def encode(texts):
        return np.concatenate(encoder.encode_texts(texts))

    wins = probe_wins(draw_probes(np.random.default_rng(1), shots), videos, encode)
    # Below the card's figures by more than the chance of 120 windows.
    assert {kind: bool(wins[kind].mean() > 0.85) for kind in PROBED} == dict.fromkeys(PROBED, True)
    _, directions = direction_wins(np.random.default_rng(2), shots, videos, encode)
    assert directions.mean() > 0.85


def test_windows_cover_a_clip_to_its_end():
    frames = torch.arange(21, dtype=torch.uint8)[:, None, None, None]
    windows = cut_windows(frames)[..., 0, 0, 0]
    assert windows[:, 0].tolist() == [0, 4, 8, 12, 13]
    assert windows[-1, -1] == 20
    assert cut_windows(frames[:3])[0, :, 0, 0, 0].tolist() == [0, 1, 2, 2, 2, 2, 2, 2]
    assert len(cut_windows(frames[:8])) == 1


def test_shrinking_takes_the_mean_of_areas():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 128, 192, 3), np.uint8)
    expected = pixels.reshape(2, 64, 2, 64, 3, 3).mean((2, 4))
    assert np.abs(shrink_frames(pixels).numpy() - expected).max() <= 0.51


def test_a_clip_without_frames_is_refused(encoder):
    empty = Frames(np.zeros((0, 4, 4, 3), np.uint8), np.zeros(0))
    with pytest.raises(ValueError, match="without frames"):
        encoder.encode_videos([empty])


def test_missing_or_foreign_weights_are_told(tmp_path):
    with pytest.raises(WeightsUnavailableError, match="no weights"):
        load(tmp_path)
    shutil.copytree(WEIGHTS, tmp_path / "copy")
    config = json.loads((tmp_path / "copy" / "config.json").read_text())
    config["towers"]["text_layers"] += 1
    (tmp_path / "copy" / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsUnavailableError, match="does not fit"):
        load(tmp_path / "copy")


def test_the_space_follows_the_weights_not_the_calibration(tmp_path, encoder):
    shutil.copytree(WEIGHTS, tmp_path / "copy")
    path = tmp_path / "copy" / "config.json"
    config = json.loads(path.read_text())
    config["calibration"]["slope"] += 1
    path.write_text(json.dumps(config))
    assert load(tmp_path / "copy").space == encoder.space
    config["vocabulary"][0], config["vocabulary"][1] = config["vocabulary"][1::-1]
    path.write_text(json.dumps(config))
    assert load(tmp_path / "copy").space != encoder.space


def test_calibration_is_a_rising_chance():
    chance = Calibration(20.0, -10.0).probability
    assert chance(0.5) == pytest.approx(0.5)
    assert 0 <= chance(-100) < chance(0.4) < chance(0.6) < chance(100) <= 1


def test_unpooled_rows_pool_to_the_pooled_ones():
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (24, 64, 64, 3), dtype=np.uint8)
    clip = Frames(pixels, np.arange(24) / 4)
    text = "a red square moves left, then a blue circle grows"
    pooled, rows = load(), load(pooling="none")
    assert pooled.space == rows.space
    assert (rows.video_readout.pooling, rows.text_readout.pooling) == ("none", "none")
    for one, several, count in (
        (pooled.encode_videos([clip])[0], rows.encode_videos([clip])[0], 5),
        (pooled.encode_texts([text])[0], rows.encode_texts([text])[0], 2),
    ):
        assert one.shape == (1, 257)
        assert several.shape == (count, 257)
        np.testing.assert_allclose(np.linalg.norm(several, axis=1), 1, atol=1e-5)
        mean = several.mean(0)
        np.testing.assert_allclose(one[0], mean / np.linalg.norm(mean), atol=1e-5)
    with pytest.raises(ValueError, match="pooling"):
        load(pooling="max")  # pyright: ignore[reportArgumentType]


def test_texts_are_computed_where_they_are():
    # Any device but the CPU tells; this one needs no hardware.
    with torch.device("meta"):
        towers = Towers(TowerConfig(words=50))
        numbers = torch.zeros(3, 7, dtype=torch.long)
    assert towers.texts(numbers).device.type == "meta"
