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
    best_device,
    bfloat16_is_faster,
)
from moviola.encode.two_tower.encoder import load


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(precision, "bfloat16_is_faster", lambda _: True)


def tower(module):
    return Tower(module, lambda part, batch: part(batch), torch.device("cpu"))


def test_bfloat16_is_kept_where_it_keeps_the_vectors(fast):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 32))
    exact = copy.deepcopy(module)
    batch = torch.randn(5, 64)
    made = tower(module)
    rows = made(batch)
    assert made.dtype == torch.bfloat16
    assert rows.dtype == torch.float32
    assert torch.cosine_similarity(rows, exact(batch), dim=-1).min() >= SAME
    assert made._exact is None  # the second copy of the weights is gone
    assert torch.equal(made(batch), rows)


class Cancelling(nn.Module):
    """Whose vectors are small differences of large numbers: nothing for eight bits."""

    def forward(self, batch):
        return (batch + 1000) - 1000


def test_float32_is_kept_where_bfloat16_moves_vectors(fast):
    batch = torch.randn(3, 8)
    made = tower(Cancelling())
    assert torch.allclose(made(batch), Cancelling()(batch))
    assert made.dtype == torch.float32
    assert torch.allclose(made(batch), Cancelling()(batch))


def test_products_in_bfloat16_keep_the_vectors(fast):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.LayerNorm(64), nn.Linear(64, 32))
    made = MixedPrecision(module, torch.device("cpu"))
    for _ in range(2):
        batch = torch.randn(5, 64)
        rows, exact = made(batch), module(batch)
        assert rows.dtype == torch.float32
        assert not torch.equal(rows, exact)  # they were in bfloat16
        assert torch.cosine_similarity(rows, exact, dim=-1).min() >= SAME
    assert made.is_fast


def test_products_stay_in_float32_where_bfloat16_moves_vectors(fast):
    torch.manual_seed(0)
    weights = torch.randn(8, 8)

    def cancelling(batch):
        return batch @ (weights + 1000) - 1000 * batch.sum(1, keepdim=True)

    made = MixedPrecision(cancelling, torch.device("cpu"))
    for _ in range(2):
        batch = torch.randn(3, 8)
        assert torch.equal(made(batch), cancelling(batch))
    assert not made.is_fast


def test_without_fast_bfloat16_nothing_is_rounded():
    module = nn.Linear(64, 32)
    batch = torch.randn(5, 64)
    made = MixedPrecision(module, torch.device("cpu"))
    assert torch.equal(made(batch), module(batch))


def test_sentences_are_encoded_with_products_in_bfloat16(monkeypatch, make_checkpoint):
    texts = ["a red dog", "dogs do red things, and are red", "r"]
    folder = make_checkpoint("clip")
    exact = load(str(folder)).encode_texts(texts)
    monkeypatch.setattr(precision, "bfloat16_is_faster", lambda _: True)
    rounded = load(str(folder)).encode_texts(texts)
    for row, wanted in zip(rounded, exact, strict=True):
        assert row.dtype == np.float32
        assert not np.array_equal(row, wanted)
        assert (row * wanted).sum() >= SAME


def test_what_is_faster_is_measured_once_and_cheaply():
    device = best_device()
    bfloat16_is_faster.cache_clear()
    found = bfloat16_is_faster(device)
    assert bfloat16_is_faster(device) is found
    assert bfloat16_is_faster.cache_info().hits == 1
    assert bfloat16_is_faster(torch.device("mps")) is False


def test_slow_bfloat16_is_not_used(monkeypatch):
    speed = {torch.float32: 1.0, torch.bfloat16: 1.0}
    monkeypatch.setattr(precision, "_seconds", speed.__getitem__)
    for seconds, wanted in ((3.0, False), (1.0, False), (0.3, True)):
        bfloat16_is_faster.cache_clear()
        speed[torch.bfloat16] = seconds
        assert bfloat16_is_faster(torch.device("cpu")) is wanted
    bfloat16_is_faster.cache_clear()


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
