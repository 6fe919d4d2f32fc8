"""Inputs at the edges give documented results, for encoders and judges of every kind."""

from __future__ import annotations

import numpy as np
import pytest

import moviola
from fixtures.qwen3_vl import save_qwen3_vl
from fixtures.text_pairs import WORDS
from moviola.core import Frames

KINDS = ("qwen3-vl", "qwen3-vl-embedding")
JUDGES = ("qwen3-vl", "qwen3-vl-reranker")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("edges")
    save_qwen3_vl(place, f"{WORDS} NULL", end=False)
    return place


def clip(frames, height=24, width=40, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), np.uint8)
    return Frames(pixels, np.arange(frames) / 2)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_of_one_frame_is_seen_and_is_no_text(folder, kind):
    encoder = moviola.load_encoder(f"{kind}:{folder}")
    one, other = encoder.encode_videos([clip(1), clip(1, seed=1)])
    (null,) = encoder.encode_texts(["NULL"])
    assert np.abs(one - other).max() > 1e-4
    assert np.abs(one - null).max() > 1e-4
    # It stands twice, as the published rule for odd numbers has it.
    twice = Frames(np.repeat(clip(1).pixels, 2, axis=0), np.zeros(2))
    np.testing.assert_allclose(one, encoder.encode_videos([twice])[0], atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_clip_of_odd_length_shows_its_last_frame_again(folder, kind):
    encoder = moviola.load_encoder(f"{kind}:{folder}")
    odd = clip(3)
    even = Frames(odd.pixels[[0, 1, 2, 2]], odd.times[[0, 1, 2, 2]])
    rows = encoder.encode_videos([odd, even])
    np.testing.assert_allclose(*rows, atol=1e-5)


@pytest.mark.parametrize("kind", JUDGES)
def test_judges_read_one_frame_odd_clips_and_empty_sentences(folder, kind):
    judge = moviola.load_scorer(f"{kind}:{folder}")
    clips = [clip(1), clip(3), clip(1, seed=1)]
    scores = judge.score(["", "a red square"], clips)
    assert np.isfinite(scores).all()
    assert ((scores >= 0) & (scores <= 1)).all()
    assert scores[1, 0] != scores[1, 2]


def test_ten_thousand_words_end_at_the_models_limit(folder):
    encoder = moviola.load_encoder(f"qwen3-vl:{folder}")
    backbone = encoder.backbone
    rows = [backbone.row("{input} in", backbone.caption("red " * n, 8192)) for n in (9_000, 12_000)]
    assert rows[0] == rows[1]
    assert 8192 <= sum(map(len, rows[0])) < 8192 + 32


def test_an_empty_caption_of_a_chat_model_is_its_prompt_alone(folder):
    encoder = moviola.load_encoder(f"qwen3-vl:{folder}")
    empty, null = encoder.encode_texts(["", "NULL"])
    assert np.isfinite(empty).all()
    assert np.abs(empty - null).max() > 1e-5


def test_half_a_minute_of_720p_is_shrunk_to_what_the_checkpoint_allows(folder):
    vision = moviola.load_encoder(f"qwen3-vl:{folder}").backbone.vision
    shown = clip(60, 720, 1280)
    resized = vision.resize(shown.pixels)
    assert len(resized) == 60
    assert resized.shape[2] * resized.shape[3] * 60 <= 1_048_576
