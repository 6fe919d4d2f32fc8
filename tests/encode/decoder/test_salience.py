"""Rows pooled by attention: the salience is that of transformers' own attention weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import Qwen2Config, Qwen2Model

from moviola.core.token_pooling import pool_by_salience
from moviola.encode.decoder.hidden_states import read_decoder
from moviola.encode.decoder.inputs import DecoderInputs, Kind
from moviola.encode.decoder.readouts import DecoderReadout

LAYERS, WIDTH = 3, 24
LENGTHS = (9, 5)


def model(attention):
    torch.manual_seed(0)
    config = Qwen2Config(
        vocab_size=8,
        hidden_size=WIDTH,
        intermediate_size=32,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.4,
        attn_implementation=attention,
    )
    return Qwen2Model(config).eval()


@pytest.fixture
def inputs():
    mask = torch.tensor([[1] * LENGTHS[0], [1] * LENGTHS[1] + [0] * (LENGTHS[0] - LENGTHS[1])])
    embeds = torch.randn(2, LENGTHS[0], WIDTH, generator=torch.Generator().manual_seed(1))
    kinds = torch.where(mask.bool(), Kind.TEXT, Kind.PADDING)
    kinds[:, 0] = Kind.PROMPT
    positions = (mask.cumsum(1) - 1).clip(min=0) * mask
    return DecoderInputs(embeds, mask, positions, kinds)


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize("own", ["sdpa", "eager"])
def test_rows_gather_around_what_the_last_position_attends_to(inputs, layer, own):
    with torch.inference_mode():
        wanted = model("eager")(
            inputs_embeds=inputs.embeds, attention_mask=inputs.mask, output_attentions=True
        )
    decoder = model(own)
    few = DecoderReadout(layer=layer, norm="never", pooling="attention-3")
    every = DecoderReadout(layer=layer, norm="never", pooling="none")
    found, rows = read_decoder(decoder, inputs, [few, every])
    assert decoder.config._attn_implementation == own
    for i, length in enumerate(LENGTHS):
        weights = wanted.attentions[layer - 1][i, :, length - 1].mean(dim=0).numpy()
        salience = weights[1:length]  # the first position is prompt
        assert len(rows[i]) == length - 1
        np.testing.assert_allclose(found[i], pool_by_salience(rows[i], salience, 3), atol=2e-5)
        assert found[i].shape == (3, WIDTH)


def test_states_beside_it_are_what_they_are_without_it(inputs):
    every = [DecoderReadout(layer=layer, pooling="none") for layer in range(LAYERS + 1)]
    alone = read_decoder(model("sdpa"), inputs, every)
    beside = read_decoder(model("sdpa"), inputs, [*every, DecoderReadout(pooling="attention-2")])
    for one, other in zip(alone, beside, strict=False):
        for mine, theirs in zip(one, other, strict=True):
            np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_the_input_of_a_decoder_has_seen_no_attention(inputs):
    with pytest.raises(ValueError, match="state 0 has seen no attention"):
        read_decoder(model("sdpa"), inputs, [DecoderReadout(layer=0, pooling="attention-2")])


def test_an_attention_that_fails_leaves_the_model_as_it_was(inputs, monkeypatch):
    decoder = model("sdpa")
    monkeypatch.setattr(decoder.layers[1], "forward", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        read_decoder(decoder, inputs, [DecoderReadout(pooling="attention-2")])
    assert decoder.config._attn_implementation == "sdpa"


def test_other_poolings_of_a_few_are_no_readouts():
    for wrong in ("hierarchical-3", "attention", "attention-x"):
        with pytest.raises(ValueError, match="pooling is one of"):
            DecoderReadout(pooling=wrong)
    with pytest.raises(ValueError, match="leaves no row"):
        DecoderReadout(pooling="attention-0")
