from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers

from moviola.core import Clip, Embeddings, Frames, SpaceMismatchError, Span, Text
from moviola.encode.xclip.encoder import load
from moviola.testing import check_encoder

TEXTS = ["a red dog", "the blue square moves left", "", "a " * 300, "grows"]


def clips(count=5, frames=8, seed=0):
    rng = np.random.default_rng(seed)
    return [
        Frames(rng.integers(0, 256, (frames, 40 + 9 * i, 64, 3), np.uint8), np.arange(frames) / 4)
        for i in range(count)
    ]


@pytest.fixture(scope="module")
def folder(make_checkpoint):
    return make_checkpoint("xclip")


@pytest.fixture(scope="module")
def model(folder):
    return transformers.XCLIPModel.from_pretrained(folder).eval()


def tokens_of(folder, texts):
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return tokenizer(texts, padding=True, truncation=True, max_length=77, return_tensors="pt")


def pixels_of(encoder, given):
    return torch.stack([encoder._preprocessing(clip.pixels) for clip in given])


def embed(encoder, texts, given):
    return (
        Embeddings.from_rows(
            [Text(str(i), text) for i, text in enumerate(texts)],
            encoder.encode_texts(texts),
            encoder.space,
            encoder.text_readout,
        ),
        Embeddings.from_rows(
            [Clip(str(i), folder, Span(0, 1)) for i, _ in enumerate(given)],
            encoder.encode_videos(given),
            encoder.space,
            encoder.video_readout,
        ),
    )


def test_the_kit_is_content(folder):
    check_encoder(load(str(folder)), tolerance=1e-4)
    check_encoder(load(str(folder), recipe="prototype"), tolerance=1e-3)
    check_encoder(load(str(folder), output="conditioned"), tolerance=1e-3)


@pytest.mark.parametrize("recipe", ["uniform", "prototype"])
def test_features_equal_those_of_transformers_calls(folder, model, recipe):
    encoder, given = load(str(folder), recipe=recipe), clips()
    with torch.inference_mode():
        videos = model.get_video_features(pixels_of(encoder, given)).pooler_output
        texts = torch.cat(
            [model.get_text_features(**tokens_of(folder, [t])).pooler_output for t in TEXTS]
        )
    if recipe == "uniform":
        videos, texts = (torch.nn.functional.normalize(v, dim=-1) for v in (videos, texts))
    assert np.abs(np.concatenate(encoder.encode_videos(given)) - videos.numpy()).max() < 1e-5
    assert np.abs(np.concatenate(encoder.encode_texts(TEXTS)) - texts.numpy()).max() < 1e-5


def test_the_scorer_equals_the_logits_of_forward(folder, model):
    encoder, given = load(str(folder), output="conditioned"), clips()
    with torch.inference_mode():
        wanted = model(**tokens_of(folder, TEXTS), pixel_values=pixels_of(encoder, given))
    scores = encoder.scorer(*embed(encoder, TEXTS, given))
    assert np.abs(scores.matrix - wanted.logits_per_text.numpy()).max() < 1e-5
    assert scores.notes == ("texts conditioned on each video",)
    # The video changes the texts: otherwise this would be the cosine of the towers.
    towers = load(str(folder))
    plain = (
        np.concatenate(towers.encode_texts(TEXTS))
        @ np.concatenate(towers.encode_videos(given)).T
        * float(model.logit_scale.detach().exp())
    )
    assert np.abs(scores.matrix - plain).max() > 0.1


def test_the_scorer_refuses_what_was_not_read_for_it(folder, make_checkpoint):
    conditioned = load(str(folder), output="conditioned")
    for other in (load(str(folder)), load(str(make_checkpoint("xclip", seed=1)))):
        with pytest.raises(SpaceMismatchError, match="another space"):
            conditioned.scorer(*embed(other, TEXTS[:1], clips(1)))
    with pytest.raises(SpaceMismatchError, match="output=conditioned"):
        conditioned.scorer(*embed(load(str(folder), recipe="prototype"), TEXTS[:1], clips(1)))


def test_the_towers_the_recipe_and_the_output_are_told_apart(folder):
    plain, prototype, conditioned = (
        load(str(folder), **options)
        for options in ({}, {"recipe": "prototype"}, {"output": "conditioned"})
    )
    assert plain.space != prototype.space
    assert len({e.video_readout for e in (plain, prototype, conditioned)}) == 3
    assert prototype.sampler.spec == "consecutive:8/0"


def test_another_number_of_frames_is_refused(folder):
    with pytest.raises(ValueError, match="sees 8 frames together, not 4"):
        load(str(folder)).encode_videos(clips(1, frames=4))
    for wrong in ({"recipe": "random"}, {"output": "logits"}):
        with pytest.raises(ValueError, match="is one of"):
            load(str(folder), **wrong)
