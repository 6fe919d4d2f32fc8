"""Compute the dual-softmax contrastive loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def dual_softmax_loss(cosines: Tensor, rivals: Tensor, scale: float) -> Tensor:
    """Compute the mean cross-entropy of both directions, each weighed by the softmax of the other.

    Cheng et al., "Improving Video-Text Retrieval by Multi-Stream Corpus Alignment and Dual Softmax
    Loss", arXiv 2109.04290, equations 4 to 6: every score is multiplied by its softmax over the
    other side before it goes into the softmax over its own.

    Args:
        cosines: `(N, N)` of texts with texts; those of a pair on the diagonal.
        rivals: `(N, N)` bool, which pairs are negatives; the diagonal is false.
        scale: one over the temperature.
    """
    away = ~rivals
    away.fill_diagonal_(0)
    logits = (scale * cosines).masked_fill(away, float("-inf"))
    target = torch.arange(len(cosines), device=cosines.device)
    losses = [_one_way(side, target) for side in (logits, logits.T)]
    return (losses[0] + losses[1]) / 2


def _one_way(logits: Tensor, target: Tensor) -> Tensor:
    """Compute the loss of rows among columns, `(N, N)`, -inf where there is no rivalry."""
    prior = logits.softmax(dim=0)
    weighed = torch.where(logits.isinf(), logits, logits.masked_fill(logits.isinf(), 0) * prior)
    return functional.cross_entropy(weighed, target)
