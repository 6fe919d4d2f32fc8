from __future__ import annotations

import numpy as np
import pytest
import torch

from moviola.core import Span
from moviola.encode.embedding_gemma.patches import PatchProcessor
from moviola.encode.embedding_gemma.sampling import StepSampler
from moviola.testing.encoders import check_sampler

WHOLE = Span(0.0, 1e6)


def test_it_keeps_what_samplers_promise():
    check_sampler(StepSampler())
    with pytest.raises(ValueError, match="fps"):
        StepSampler(0)
    with pytest.raises(ValueError, match="max_frames"):
        StepSampler(1, 0)


@pytest.mark.parametrize(
    ("total", "rate", "options", "wanted"),
    [
        (75, 24.0, (1, 32), [0, 24, 48]),
        (200, 30000 / 1001, (1, 32), [0, 29, 59, 89, 119, 149]),
        (200, 30000 / 1001, (2, 5), [0, 44, 89, 134, 179]),
        (5, 10.0, (1, 32), [0]),
        (1, 10.0, (1, 32), [0]),
    ],
)
def test_frames_are_those_that_numbers_give(total, rate, options, wanted):
    shown = np.arange(total) / rate
    assert np.array_equal(StepSampler(*options).choose(WHOLE, shown), shown[wanted])


def test_patches_hold_rows_of_pixels_with_their_channels_last():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 96, 144, 3), np.uint8)
    prepare = PatchProcessor(6)
    assert prepare.fit_size(96, 144) == (96, 144)
    patches = prepare(pictures)
    assert patches.vectors == 6
    assert patches.values.shape == (2, 54, 768)
    second = torch.from_numpy(pictures[1, :16, 16:32].reshape(-1)).float() / 255
    assert torch.equal(patches.values[1, 1], second)
    assert patches.places[0, 10].tolist() == [1, 1]


def test_what_is_left_of_the_budget_is_padding():
    patches = PatchProcessor(70)(np.zeros((1, 64, 96, 3), np.uint8))
    assert patches.vectors == 60
    assert (patches.places[0, 540:] == -1).all()
    assert (patches.places[0, :540] >= 0).all()


def test_slivers_keep_one_row_of_vectors():
    assert PatchProcessor(4).fit_size(10, 2000) == (48, 4 * 48)
    assert PatchProcessor(4).fit_size(2000, 10) == (4 * 48, 48)


def test_the_language_model_is_less_than_two_fifths_of_the_published_weights():
    from transformers import EmbeddingGemma2Config, EmbeddingGemma2TextModel

    from moviola.encode.embedding_gemma.checkpoints import FAMILY

    with torch.device("meta"):
        language = EmbeddingGemma2TextModel(EmbeddingGemma2Config().text_config)
    (published,) = FAMILY.models
    assert sum(map(torch.numel, language.parameters())) <= 0.4 * published.parameters
