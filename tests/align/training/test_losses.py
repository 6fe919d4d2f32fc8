"""Every loss against a double loop that follows its formula, over a grid of shapes."""

from __future__ import annotations

import math

import pytest
import torch

from moviola.align.training.losses import (
    LOSSES,
    MARGIN,
    PAIR_LOSSES,
    constant_loss,
    contrastive,
    hardest_triplet,
    info_nce,
    mse,
    multi_positive,
    siglip,
    triplet,
)

SCALE, BIAS = torch.tensor(7.0, dtype=torch.float64), torch.tensor(-2.5, dtype=torch.float64)
#: Captions of each video of a batch.
SHAPES = [(1,), (1, 1), (1, 1, 1, 1, 1), (2, 2), (3, 3, 3), (1, 4, 2), (5,)]


def _batch(counts: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor, list[int]]:
    owner = [video for video, count in enumerate(counts) for _ in range(count)]
    generator = torch.Generator().manual_seed(len(owner) * 31 + len(counts))
    cosines = 2 * torch.rand(len(owner), len(counts), generator=generator, dtype=torch.float64) - 1
    truth = torch.zeros(len(owner), len(counts), dtype=torch.bool)
    truth[range(len(owner)), owner] = True
    return cosines, truth, owner


def _softmax_cost(own: float, others: list[float]) -> float:
    return -math.log(math.exp(own) / (math.exp(own) + sum(map(math.exp, others))))


@pytest.mark.parametrize("counts", SHAPES)
def test_info_nce(counts) -> None:
    cosines, truth, owner = _batch(counts)
    s = float(SCALE)
    total = 0.0
    for text, video in enumerate(owner):
        own = s * float(cosines[text, video])
        clips = [s * float(cosines[text, v]) for v in range(len(counts)) if v != video]
        texts = [s * float(cosines[t, video]) for t in range(len(owner)) if owner[t] != video]
        total += (_softmax_cost(own, clips) + _softmax_cost(own, texts)) / 2
    assert float(info_nce(cosines, truth, SCALE, BIAS)) == pytest.approx(total / len(owner))


@pytest.mark.parametrize("counts", SHAPES)
def test_multi_positive(counts) -> None:
    cosines, truth, owner = _batch(counts)
    s = float(SCALE)
    t2v = [
        _softmax_cost(
            s * float(cosines[t, v]),
            [s * float(cosines[t, other]) for other in range(len(counts)) if other != v],
        )
        for t, v in enumerate(owner)
    ]
    v2t = []
    for video in range(len(counts)):
        own = [t for t in range(len(owner)) if owner[t] == video]
        everything = sum(math.exp(s * float(cosines[t, video])) for t in range(len(owner)))
        costs = [-math.log(math.exp(s * float(cosines[t, video])) / everything) for t in own]
        v2t.append(sum(costs) / len(costs))
    expected = (sum(t2v) / len(t2v) + sum(v2t) / len(v2t)) / 2
    assert float(multi_positive(cosines, truth, SCALE, BIAS)) == pytest.approx(expected)


@pytest.mark.parametrize("counts", SHAPES)
def test_siglip(counts) -> None:
    cosines, truth, owner = _batch(counts)
    total = 0.0
    for text in range(len(owner)):
        for video in range(len(counts)):
            sign = 1 if owner[text] == video else -1
            logit = float(SCALE) * float(cosines[text, video]) + float(BIAS)
            total += math.log(1 + math.exp(-sign * logit))
    assert float(siglip(cosines, truth, SCALE, BIAS)) == pytest.approx(total / len(owner))


@pytest.mark.parametrize("counts", SHAPES)
def test_triplets(counts) -> None:
    cosines, truth, owner = _batch(counts)
    summed = hardest = 0.0
    for text, video in enumerate(owner):
        own = float(cosines[text, video])
        clips = [float(cosines[text, v]) for v in range(len(counts)) if v != video]
        texts = [float(cosines[t, video]) for t in range(len(owner)) if owner[t] != video]
        for negatives in (clips, texts):
            hinges = [max(0.0, MARGIN + each - own) for each in negatives]
            summed += sum(hinges)
            hardest += max(hinges, default=0.0)
    assert float(triplet(cosines, truth, SCALE, BIAS)) == pytest.approx(summed / len(owner))
    found = float(hardest_triplet(cosines, truth, SCALE, BIAS))
    assert found == pytest.approx(hardest / len(owner))


@pytest.mark.parametrize("shape", [(1,), (7,), (64,), (3, 4)])
def test_pair_losses(shape) -> None:
    generator = torch.Generator().manual_seed(sum(shape))
    cosines = 2 * torch.rand(*shape, generator=generator, dtype=torch.float64) - 1
    truth = torch.rand(*shape, generator=generator) < 0.5
    squared = embedded = 0.0
    for value, label in zip(cosines.flatten().tolist(), truth.flatten().tolist(), strict=True):
        squared += (value - label) ** 2
        embedded += 1 - value if label else max(0.0, value)
    count = cosines.numel()
    assert float(mse(cosines, truth, SCALE, BIAS)) == pytest.approx(squared / count)
    assert float(contrastive(cosines, truth, SCALE, BIAS)) == pytest.approx(embedded / count)


def test_captions_of_one_video_are_no_negatives_of_each_other() -> None:
    cosines, truth, _ = _batch((2, 2))
    cosines = cosines.requires_grad_()
    for loss in (info_nce, triplet, hardest_triplet):
        # The two captions of video 0 against video 0: the cost of one never asks the other to sink.
        (gradient,) = torch.autograd.grad(loss(cosines, truth, SCALE, BIAS), cosines)
        assert (gradient[truth] <= 0).all()


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_losses_are_least_where_what_belongs_together_agrees(name) -> None:
    _, truth, _ = _batch((1, 1, 1, 1))
    if name in PAIR_LOSSES:
        truth = truth.flatten()
    right = torch.where(truth, 1.0, -1.0).double()
    wrong = -right
    loss = LOSSES[name]
    assert float(loss(right, truth, SCALE, BIAS)) < float(loss(wrong, truth, SCALE, BIAS))


def test_the_best_constant_is_where_the_losses_of_the_report_stay() -> None:
    one, zero = torch.tensor(1.0), torch.tensor(0.0)
    balanced = torch.tensor([True, False] * 8)
    assert constant_loss(mse, balanced, one, zero) == pytest.approx(0.25)
    assert constant_loss(contrastive, balanced, one, zero) == pytest.approx(0.5)
    batch = torch.eye(32, dtype=torch.bool)
    assert constant_loss(info_nce, batch, torch.tensor(20.0), zero) == pytest.approx(math.log(32))
