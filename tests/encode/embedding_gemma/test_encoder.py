"""EmbeddingGemma 2 of tiny random weights, against transformers' own model and processor."""

from __future__ import annotations

import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import moviola
from fixtures.gemma import save_gemma
from moviola.core import Frames
from moviola.core.frames import SoundSpec, Waveform
from moviola.encode.embedding_gemma.loading import load
from moviola.encode.embedding_gemma.prompts import query_prompt, sounded_blocks
from moviola.encode.runtime.parts import TensorIndex
from moviola.testing import check_encoder

RATE = 16_000


@pytest.fixture(scope="module")
def stock(tmp_path_factory):
    """The model of transformers, and the folder that it was saved to."""
    place = tmp_path_factory.mktemp("gemma")
    return save_gemma(place), place


@pytest.fixture(scope="module")
def encoder(stock):
    return load(str(stock[1]))


def clip(frames, seconds=0.0, height=40, width=60, seed=0):
    """A clip of noise, a frame a second, with so many seconds of sound."""
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (frames, height, width, 3), np.uint8)
    samples = rng.normal(0, 0.2, (1, int(seconds * RATE))).astype(np.float32)
    sound = Waveform(samples, RATE, 0.0) if seconds else None
    return Frames(pixels, np.arange(frames, dtype=np.float64), sound)


def published(model, network, prompt, patches, heard=None):
    """What the whole published class makes of a prompt: the mean over tokens, of unit length."""
    further = {}
    if heard is not None:
        features, mask = network.mel(heard)
        further = {"input_features": features, "input_features_mask": mask}
    with torch.inference_mode():
        states = model(
            input_ids=prompt.ids[None],
            attention_mask=torch.ones(1, len(prompt.ids), dtype=torch.long),
            pixel_values_videos=patches.values,
            video_position_ids=patches.places,
            num_frames_per_video=torch.tensor([len(patches.values)]),
            **further,
        ).last_hidden_state[0]
    return torch.nn.functional.normalize(states.mean(0), dim=0).numpy()


@pytest.mark.slow  # its long texts fill the model's 8,192 tokens
@pytest.mark.parametrize("options", ["", ",timestamps=1", ",sound=1", ",dimension=16,vectors=4"])
def test_it_keeps_what_encoders_promise(stock, options):
    check_encoder(moviola.load_encoder(f"embeddinggemma-2:{stock[1]}{options}"))


def test_texts_are_those_of_the_published_class(stock, encoder):
    text = "a red square moves left"
    prompt = encoder.prompt(query_prompt("search result", text))
    with torch.inference_mode():
        states = stock[0](input_ids=prompt.ids[None]).last_hidden_state[0]
    wanted = torch.nn.functional.normalize(states.mean(0), dim=0).numpy()
    np.testing.assert_allclose(encoder.encode_texts([text])[0][0], wanted, atol=2e-5)


@pytest.mark.parametrize("timestamps", [0, 1])
def test_clips_are_those_of_the_published_class(stock, timestamps):
    encoder, shown = load(str(stock[1]), timestamps=timestamps), clip(3)
    prompt = encoder.clip_prompts([shown])[0]
    wanted = published(stock[0], encoder._network, prompt, encoder._frames(shown.pixels))
    np.testing.assert_allclose(encoder.encode_videos([shown])[0][0], wanted, atol=2e-5)


@pytest.mark.parametrize(
    ("frames", "seconds"), [(3, 3.0), (3, 2.4), (2, 5.2), (1, 0.6), (4, 33.0), (1, 1.0)]
)
def test_sound_stands_between_frames_as_the_published_processor_writes_it(stock, frames, seconds):
    from transformers.models.embedding_gemma2.processing_embedding_gemma2 import (
        EmbeddingGemma2Processor,
    )

    encoder, shown = load(str(stock[1]), sound=1), clip(frames, seconds)
    samples = shown.sound.samples[0]
    _, mask = encoder._network.mel(samples)
    each = encoder._frames(shown.pixels).vectors
    marks = {"boi": "<|image>", "eoi": "<image|>", "video": "<|image|>"}
    marks |= {"boa": "<|audio>", "eoa": "<audio|>", "audio": "<|audio|>"}
    stub = SimpleNamespace(
        **{f"{name}_token": mark for name, mark in marks.items()},
        timestamp_fmt=EmbeddingGemma2Processor.timestamp_fmt,
        compute_sscp=EmbeddingGemma2Processor.compute_sscp,
        feature_extractor=SimpleNamespace(sampling_rate=RATE, frame_length=320, hop_length=160),
    )
    stub.audio_frame_boundary = lambda seconds: EmbeddingGemma2Processor.audio_frame_boundary(
        stub, seconds
    )
    told = SimpleNamespace(timestamps=shown.times.tolist(), duration=seconds)
    wanted = EmbeddingGemma2Processor.replace_video_with_audio_token(
        stub,
        {"video_metadata": [told], "num_soft_tokens_per_video": [each]},
        0,
        {"input_features_mask": [mask[0].numpy()]},
        [0],
    )
    heard = len(encoder._network.hear(samples))
    blocks = sounded_blocks(shown.times.tolist(), each, heard, seconds)
    assert " ".join(block.text for block in blocks) == wanted
    prompt = encoder.clip_prompts([shown])[0]
    ids = prompt.ids.tolist()
    assert ids.count(encoder._network.audio_id) == heard > 0
    found = published(stock[0], encoder._network, prompt, encoder._frames(shown.pixels), samples)
    np.testing.assert_allclose(encoder.encode_videos([shown])[0][0], found, atol=2e-5)


def test_sound_is_asked_for_and_recorded_and_its_absence_is_silence(stock, encoder):
    hearing = load(str(stock[1]), sound=1)
    assert encoder.sound is None
    assert hearing.sound == SoundSpec(RATE, 1)
    assert hearing.video_readout != encoder.video_readout
    timed = load(str(stock[1]), timestamps=1)
    silent = Frames(clip(3).pixels, clip(3).times, Waveform(np.zeros((1, 0), np.float32), RATE, 0))
    (row,), (wanted,) = hearing.encode_videos([silent]), timed.encode_videos([clip(3)])
    np.testing.assert_allclose(row, wanted, atol=1e-6)
    (heard,) = hearing.encode_videos([clip(3, 3.0)])
    assert np.abs(heard - wanted).max() > 1e-3


def test_clips_with_sound_in_a_batch_are_single_ones(stock):
    hearing = load(str(stock[1]), sound=1)
    clips = [clip(2, 2.0), clip(3, 1.5, seed=1), clip(1, seed=2)]
    for row, each in zip(hearing.encode_videos(clips), clips, strict=True):
        np.testing.assert_allclose(row, hearing.encode_videos([each])[0], atol=1e-5)


def test_texts_read_the_language_model_and_no_more(stock, monkeypatch):
    names = []
    read = TensorIndex.tensor
    monkeypatch.setattr(
        TensorIndex, "tensor", lambda *given: (names.append(given[1]), read(*given))[1]
    )
    encoder = load(str(stock[1]), sound=1)
    encoder.encode_texts(["a dog"])
    assert encoder.video_readout.digest
    assert names
    assert all(name.startswith("language_model.") for name in names)
    encoder.encode_videos([clip(1)])
    assert not [name for name in names if "audio" in name]
    encoder.encode_videos([clip(1, 1.0)])
    assert [name for name in names if "audio" in name]


def test_what_lies_at_the_edges(encoder):
    one, odd = clip(1), clip(3)
    for row in encoder.encode_videos([one, odd]):
        assert np.isfinite(row).all()
        assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)
    large = clip(30, height=720, width=1280)
    prompt = encoder.clip_prompts([large])[0]
    assert len(prompt.vectors) == 30 * encoder._frames(large.pixels).vectors
    assert np.isfinite(encoder.encode_videos([large])[0]).all()
    # An empty text is the empty query, and no word stands in its place.
    ids = encoder.prompt(query_prompt("search result", "")).ids.tolist()
    assert ids == encoder._network.tokenizer("task: search result | query: ").input_ids
    empty, word, none = encoder.encode_texts(["", "NULL", "none"])
    assert np.abs(empty - word).max() > 1e-4
    assert np.abs(empty - none).max() > 1e-4
    long, longer = (encoder.prompt(query_prompt("x", "dog " * n)).ids for n in (10_000, 12_000))
    assert len(long) == 8192
    assert torch.equal(long, longer)
    with pytest.raises(ValueError, match="without frames"):
        encoder.encode_videos([Frames(one.pixels[:0], one.times[:0])])


@pytest.mark.slow  # a stopwatch wants a machine that does nothing else
def test_batches_are_twice_as_fast_as_the_published_class_one_by_one(stock, encoder):
    clips = [clip(3, seed=seed) for seed in range(48)]

    def alone():
        for shown in clips:
            prompt = encoder.clip_prompts([shown])[0]
            published(stock[0], encoder._network, prompt, encoder._frames(shown.pixels))

    def seconds(run):
        began = time.process_time()
        run()
        return time.process_time() - began

    def preparing():
        for shown in clips:
            encoder.clip_prompts([shown])

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        batched = min(seconds(lambda: encoder.encode_videos(clips)) for _ in range(3))
        # What prepares the prompts here is no part of the published class's own time.
        single = min(seconds(alone) - seconds(preparing) for _ in range(3))
    finally:
        torch.set_num_threads(threads)
    assert single >= 2 * batched, (
        f"{len(clips) / batched:.0f} and {len(clips) / single:.0f} a second"
    )
