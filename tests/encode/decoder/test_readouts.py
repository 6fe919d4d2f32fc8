"""Readouts of a decoder, against what transformers itself gives out."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import LlamaConfig, LlamaModel

from moviola.core.pooling import POOLINGS
from moviola.encode.decoder.hidden_states import chosen_positions, read_decoder, weights_of
from moviola.encode.decoder.inputs import DecoderInputs, Kind
from moviola.encode.decoder.readouts import DecoderReadout, split_prompt

LAYERS, WIDTH = 4, 24
B, P, T, V, A, _ = (
    Kind.BOS,
    Kind.PROMPT,
    Kind.TEXT,
    Kind.VIDEO,
    Kind.AUDIO,
    Kind.PADDING,
)
SEQUENCES = [
    [B, P, P, V, V, V, A, P],
    [B, T, T, T],
    [B, P, T, T, T, T, T, P, P, P, P],
    [B],
]


@pytest.fixture(scope="module")
def decoder():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50,
        hidden_size=WIDTH,
        intermediate_size=40,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        initializer_range=0.3,
    )
    model = LlamaModel(config).eval()
    with torch.no_grad():  # a norm that does something
        model.norm.weight.copy_(torch.rand(WIDTH) + 0.5)
    return model


def sequences(kinds=SEQUENCES, *, side="right"):
    """The same vectors for the same sequence, whatever is beside it."""
    longest = max(map(len, kinds))
    embeds = torch.full((len(kinds), longest, WIDTH), 7.0)
    places = torch.zeros(len(kinds), longest, dtype=torch.int8)
    for row, own in enumerate(kinds):
        generator = torch.Generator().manual_seed(len(own))
        where = slice(0, len(own)) if side == "right" else slice(longest - len(own), longest)
        embeds[row, where] = torch.randn(len(own), WIDTH, generator=generator)
        places[row, where] = torch.tensor(own, dtype=torch.int8)
    mask = (places != _).long()
    return DecoderInputs(embeds, mask, (mask.cumsum(1) - 1).clip(min=0), places)


def states(decoder, inputs, row):
    """What transformers gives out for one sequence alone, without padding, and the raw last one."""
    own = inputs.embeds[row : row + 1][:, inputs.kinds[row] != _]
    raw = []
    handle = decoder.norm.register_forward_pre_hook(lambda _module, args: raw.append(args[0]))
    with torch.inference_mode():
        given = decoder(inputs_embeds=own, output_hidden_states=True).hidden_states
    handle.remove()
    return [state[0].numpy() for state in given], raw[0][0].numpy()


def assert_close(ours, theirs, what=""):
    """Equal but for the order of sums in float32, which processors choose: raw states reach 100."""
    np.testing.assert_allclose(ours, theirs, atol=2e-6 * max(1, np.abs(theirs).max()), err_msg=what)


ALL = [
    DecoderReadout(layer=layer, norm=norm, tokens=tokens, pooling=pooling)
    for layer, norm, tokens, pooling in itertools.product(
        range(LAYERS + 1),
        ("last", "every", "never"),
        ("all", "content", "video", "last"),
        ("none", *POOLINGS),
    )
]


@pytest.mark.parametrize("side", ["left", "right"])
def test_every_readout_is_what_transformers_gives_out(decoder, side):
    inputs = sequences(side=side)
    found = read_decoder(decoder, inputs, ALL)
    for row, kinds in enumerate(SEQUENCES):
        given, raw = states(decoder, inputs, row)
        for readout, rows in zip(ALL, found, strict=True):
            state = raw if readout.layer == LAYERS else given[readout.layer]
            if readout.norm == "every" or (readout.norm, readout.layer) == ("last", LAYERS):
                state = decoder.norm(torch.from_numpy(state)).detach().numpy()
            wanted = {
                "all": range(len(kinds)),
                "content": [i for i, kind in enumerate(kinds) if kind in (T, V, A)],
                "video": [i for i, kind in enumerate(kinds) if kind == V],
                "last": [],
            }[readout.tokens] or [len(kinds) - 1]
            chosen = state[list(wanted)]
            expected = (
                chosen if readout.pooling == "none" else POOLINGS[readout.pooling](chosen)[None]
            )
            assert_close(rows[row], expected, str(readout))
            assert rows[row].dtype == np.float32


def test_the_last_layer_is_normed_once_and_the_others_are_not(decoder):
    """The convention: without more words, layer N is `last_hidden_state`."""
    inputs = sequences(SEQUENCES[1:2])
    with torch.inference_mode():
        given = decoder(inputs_embeds=inputs.embeds, output_hidden_states=True)
    readouts = [DecoderReadout(layer, tokens="all", pooling="none") for layer in (-2, -1)]
    (before,), (last,) = read_decoder(decoder, inputs, readouts)
    np.testing.assert_allclose(last, given.last_hidden_state[0], atol=1e-6)
    np.testing.assert_allclose(before, given.hidden_states[-2][0], atol=1e-6)
    lengths = np.sqrt(np.mean((last / decoder.norm.weight.detach().numpy()) ** 2, axis=1))
    np.testing.assert_allclose(lengths, 1.0, atol=1e-3)


@pytest.mark.parametrize("mask", ["causal", "bidirectional"])
def test_batched_is_single_and_one_pass_is_many(decoder, mask):
    readouts = [replace(readout, mask=mask) for readout in ALL[::7]]
    inputs = sequences()
    together = read_decoder(decoder, inputs, readouts)
    for row, kinds in enumerate(SEQUENCES):
        alone = read_decoder(decoder, sequences([kinds]), readouts)
        for ours, theirs in zip(together, alone, strict=True):
            assert_close(ours[row], theirs[0])
    for index, readout in enumerate(readouts):
        for ours, theirs in zip(
            together[index], read_decoder(decoder, inputs, [readout])[0], strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)


def test_masks_of_both_kinds_in_one_call(decoder):
    inputs = sequences()
    causal, both = DecoderReadout(), DecoderReadout(mask="bidirectional")
    mixed = read_decoder(decoder, inputs, [both, causal, both])
    for index, readout in enumerate([both, causal, both]):
        for ours, theirs in zip(
            mixed[index], read_decoder(decoder, inputs, [readout])[0], strict=True
        ):
            np.testing.assert_array_equal(ours, theirs)
    assert np.abs(mixed[0][0] - mixed[1][0]).max() > 1e-3


def test_a_causal_decoder_gives_its_first_token_to_every_input_and_a_bidirectional_one_does_not(
    decoder,
):
    inputs = sequences([[B, T, T], [B, T, T, T, T], [B, T, T, T]])
    inputs.embeds[:, 0] = 1.0
    first = DecoderReadout(tokens="all", pooling="first")
    causal, both = read_decoder(decoder, inputs, [first, replace(first, mask="bidirectional")])
    for rows, apart in ((causal, False), (both, True)):
        gap = max(np.abs(one - rows[0]).max() for one in rows)
        assert (gap > 1e-2) if apart else (gap < 1e-5)


def test_a_bidirectional_mask_does_not_see_padding(decoder):
    readout = DecoderReadout(mask="bidirectional", tokens="all", pooling="none")
    inputs = sequences(SEQUENCES[1:3])
    changed = replace(inputs, embeds=inputs.embeds.clone())
    changed.embeds[inputs.kinds == _] = -3.0
    for ours, theirs in zip(
        read_decoder(decoder, inputs, [readout])[0],
        read_decoder(decoder, changed, [readout])[0],
        strict=True,
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_a_pass_ends_at_the_deepest_layer_and_leaves_no_hooks(decoder):
    ran = []
    handles = [
        layer.register_forward_hook(lambda *_args, i=i: ran.append(i))
        for i, layer in enumerate(decoder.layers)
    ]
    read_decoder(decoder, sequences(), [DecoderReadout(2), DecoderReadout(1)])
    for handle in handles:
        handle.remove()
    assert ran == [0, 1]
    assert not any(module._forward_pre_hooks for module in [*decoder.layers, decoder.norm])


def test_layers_that_run_in_another_order_are_an_error(decoder):
    class Backwards(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers, self.norm = decoder.layers, decoder.norm

        def forward(self, inputs_embeds, **_):
            self.layers[1](inputs_embeds, position_embeddings=None)

    with pytest.raises(RuntimeError, match="ran layer 1 where 0 was next"):
        read_decoder(Backwards(), sequences(), [DecoderReadout()])


def test_memory_holds_pooled_vectors_only(decoder):
    """No state may outlive its layer."""
    import weakref

    alive, kept = [], []

    def watch(_module, args, named):
        hidden = args[0] if args else named["hidden_states"]
        alive.append(sum(ref() is not None for ref in kept))
        kept.append(weakref.ref(hidden))

    handles = [layer.register_forward_pre_hook(watch, with_kwargs=True) for layer in decoder.layers]
    read_decoder(decoder, sequences(), [DecoderReadout(i) for i in range(LAYERS + 1)])
    for handle in handles:
        handle.remove()
    # What went into the model lives on, and the layer before.
    assert max(alive) <= 2


def test_weights_are_the_poolings_of_core():
    chosen = torch.tensor([[0, 1, 1, 0, 1], [1, 0, 0, 0, 0]], dtype=torch.bool)
    rows = torch.randn(2, 5, 3)
    for pooling in ("first", "last", "mean", "sum", "position_weighted_mean"):
        found = weights_of(pooling, chosen)[:, None] @ rows
        for own, mine, pooled in zip(rows, chosen, found, strict=True):
            np.testing.assert_allclose(
                pooled[0], POOLINGS[pooling](own[mine].numpy()), atol=1e-6, err_msg=pooling
            )
    with pytest.raises(ValueError, match="no weighted sum"):
        weights_of("max", chosen)


def test_an_input_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no positions at all"):
        chosen_positions("all", torch.zeros(1, 3, dtype=torch.int8))


def test_the_record_tells_everything_that_changes_a_vector():
    base = DecoderReadout()
    others = [
        replace(base, layer=3),
        replace(base, norm="never"),
        replace(base, layer=3, norm="every"),
        replace(base, tokens="last"),
        replace(base, pooling="sum"),
        replace(base, prompt="{input} in one word:"),
        replace(base, mask="bidirectional"),
    ]
    digests = {readout.record(LAYERS, preprocessing="p").digest for readout in [base, *others]}
    assert len(digests) == len(others) + 1
    record = replace(base, mask="bidirectional").record(LAYERS, preprocessing="p", sampling="s")
    assert record.layer == "4 of 4, final norm, bidirectional mask"
    # One state has one name.
    assert base.record(LAYERS, preprocessing="") == replace(base, layer=4).record(
        LAYERS, preprocessing=""
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"norm": "final"}, "norm is one of last, every, never"),
        ({"tokens": "eos"}, "tokens is one of all, content, video, last"),
        ({"pooling": "median"}, "pooling is one of none, first"),
        ({"mask": "prefix"}, "mask is one of causal, bidirectional"),
        ({"prompt": "in one word:"}, "once or twice"),
        ({"prompt": "{input}{input}{input}"}, "once or twice"),
        ({"prompt": "{input} {caption}"}, "may have {timing}"),
    ],
)
def test_what_is_no_readout_is_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        DecoderReadout(**wrong)


def test_layers_that_are_not_there_are_refused(decoder):
    for layer in (LAYERS + 1, -LAYERS - 2):
        with pytest.raises(ValueError, match=rf"no layer {layer}: this model has {LAYERS}"):
            read_decoder(decoder, sequences(), [DecoderReadout(layer)])
    assert DecoderReadout(-LAYERS - 1).state(LAYERS) == 0


def test_a_prompt_is_split_at_its_places():
    assert split_prompt("{input}") == ["", ""]
    assert split_prompt("a {input} b {input}") == ["a ", " b ", ""]
    assert split_prompt("<V>{input}</V> {timing}!", "at 0 s ") == ["<V>", "</V> at 0 s !"]


def test_only_the_vectors_that_go_in_need_no_decoder():
    assert not DecoderReadout(0).needs_decoder(LAYERS)
    assert DecoderReadout(0, norm="every").needs_decoder(LAYERS)
    assert DecoderReadout(0, tokens="all").needs_decoder(LAYERS)
    assert DecoderReadout(1).needs_decoder(LAYERS)
