from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn

from moviola.encode.runtime import precision
from moviola.encode.runtime.batching import run_batched
from moviola.encode.runtime.precision import (
    SAME,
    MixedPrecision,
    Tower,
    device_precision,
    float32_products,
    probe_frames,
    weights_precision,
)
from moviola.encode.two_tower.encoder import load

CPU = torch.device("cpu")


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(precision, "device_precision", lambda _: "bfloat16")


def tower(module, **options):
    probe = torch.randn(1, 64, generator=torch.Generator().manual_seed(1))
    return Tower(module, nn.Module.__call__, CPU, probe=lambda: probe, **options)


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 32))


def test_bfloat16_is_kept_where_it_keeps_the_vectors(fast):
    exact = network()
    made = tower(copy.deepcopy(exact))
    batch = torch.randn(5, 64)
    assert made.precision == "bfloat16"
    rows = made(batch)
    assert rows.dtype == torch.float32
    assert not torch.equal(rows, exact(batch))
    assert torch.cosine_similarity(rows, exact(batch), dim=-1).min() >= SAME
    assert torch.equal(made(batch), rows)


class Cancelling(nn.Module):
    """Whose vectors are small differences of large numbers: nothing for eight bits."""

    def forward(self, batch):
        return (batch + 1000) - 1000


def test_float32_is_kept_where_bfloat16_moves_vectors(fast):
    batch = torch.randn(3, 64)
    made = tower(Cancelling())
    assert torch.equal(made(batch), Cancelling()(batch))
    assert made.precision == "float32"


def test_what_comes_first_does_not_decide(fast):
    """A batch that bfloat16 ruins, met first, once moved the whole run to another precision."""
    odd = torch.full((1, 64), 1e-30)
    first, second = tower(network()), tower(network())
    batch = torch.randn(5, 64)
    first(odd)
    assert torch.equal(first(batch), second(batch))
    assert first.precision == second.precision == "bfloat16"


@pytest.mark.parametrize("device", ["float32", "bfloat16"])
@pytest.mark.parametrize("asked", ["float32", "bfloat16"])
def test_what_is_asked_for_wins(monkeypatch, device, asked):
    monkeypatch.setattr(precision, "device_precision", lambda _: device)
    exact, batch = network(), torch.randn(5, 64)
    products = MixedPrecision(network(), CPU, precision=asked, probe=lambda: ())
    for made in (tower(network(), precision=asked), products):
        assert made.precision == asked
        assert torch.equal(made(batch), exact(batch)) is (asked == "float32")


def test_another_precision_is_refused():
    with pytest.raises(ValueError, match="float32 or bfloat16, not 'float16'"):
        tower(network(), precision="float16")
    with pytest.raises(ValueError, match="float32 or bfloat16, not 'float16'"):
        weights_precision("float16", CPU)


def test_products_in_bfloat16_keep_the_vectors(fast):
    module = network()
    probe = torch.randn(1, 64, generator=torch.Generator().manual_seed(1))
    made = MixedPrecision(module, CPU, probe=lambda: (probe,))
    assert made.precision == "bfloat16"
    batch = torch.randn(5, 64)
    rows, exact = made(batch), module(batch)
    assert rows.dtype == torch.float32
    assert not torch.equal(rows, exact)  # they were in bfloat16
    assert torch.cosine_similarity(rows, exact, dim=-1).min() >= SAME


def test_products_stay_in_float32_where_bfloat16_moves_vectors(fast):
    torch.manual_seed(0)
    weights = torch.randn(8, 8)

    def cancelling(batch):
        return batch @ (weights + 1000) - 1000 * batch.sum(1, keepdim=True)

    probe = torch.randn(1, 8)
    made = MixedPrecision(cancelling, CPU, probe=lambda: (probe,))
    batch = torch.randn(3, 8)
    assert torch.equal(made(batch), cancelling(batch))
    assert made.precision == "float32"


def test_sentences_are_encoded_with_products_in_bfloat16(monkeypatch, make_checkpoint):
    texts = ["a red dog", "dogs do red things, and are red", "r"]
    folder = make_checkpoint("clip")
    exact = load(str(folder)).encode_texts(texts)
    monkeypatch.setattr(precision, "device_precision", lambda _: "bfloat16")
    made = load(str(folder))
    assert made.precision("texts") == "bfloat16"
    for row, wanted in zip(made.encode_texts(texts), exact, strict=True):
        assert row.dtype == np.float32
        assert not np.array_equal(row, wanted)
        assert (row * wanted).sum() >= SAME
    kept = load(str(folder), precision="float32")
    assert kept.precision("texts") == kept.precision("clips") == "float32"
    assert all(map(np.array_equal, kept.encode_texts(texts), exact))


@pytest.mark.parametrize(
    ("instructions", "wanted"),
    [
        ({"avx2": True}, "float32"),
        ({"avx512_bf16": False, "amx_bf16": False}, "float32"),
        ({"avx512_bf16": True}, "bfloat16"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"bf16": True}, "bfloat16"),
    ],
)
def test_the_instructions_of_a_processor_decide(monkeypatch, instructions, wanted):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)
    device_precision.cache_clear()
    assert device_precision(CPU) == wanted
    assert device_precision(torch.device("mps")) == "float32"
    device_precision.cache_clear()


def test_the_probe_is_always_the_same_picture():
    assert np.array_equal(probe_frames(3, 32), probe_frames(3, 32))
    assert probe_frames(3, 32).shape == (3, 32, 32, 3)
    assert probe_frames(3, 32).std() > 30


def test_products_are_set_back_whatever_happens():
    before = torch.get_float32_matmul_precision()
    seen = []

    def fail():
        with float32_products("high"):
            seen.append(torch.get_float32_matmul_precision())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == ["high"]
    assert torch.get_float32_matmul_precision() == before


@pytest.mark.parametrize(
    "shortage",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("MPS backend out of memory"),
    ],
)
def test_batches_halve_until_they_fit(shortage):
    sizes = []

    def encode(part):
        sizes.append(len(part))
        if len(part) > 3:
            raise shortage
        return [10 * item for item in part]

    assert run_batched(encode, range(11), 10) == [10 * item for item in range(11)]
    assert sizes == [10, 5, 3, 3, 3, 2]


def test_one_item_that_does_not_fit_and_other_errors_are_raised():
    def full(_):
        raise MemoryError("no room for 8 GB")

    with pytest.raises(MemoryError, match=r"one item .* no room for 8 GB"):
        run_batched(full, [1, 2], 2)

    def broken(_):
        raise RuntimeError("shapes differ")

    with pytest.raises(RuntimeError, match="shapes differ"):
        run_batched(broken, [1], 1)
    assert run_batched(broken, [], 4) == []
