"""Define losses over cosines. A loss is one function; pass your own.

Every loss takes `(cosines, truth, scale, bias)`: cosines of texts with clips, a boolean tensor of
the same shape that says which of them belong together, and two learned scalars, which a loss may
ignore. `mse` and `contrastive` look at single pairs, whatever the shape. The others look at a batch
`(N, M)` of N texts against M clips of different videos, in which every text has exactly one clip:
two captions of one video are never each other's negatives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional

from moviola.core import PluginNotFoundError
from moviola.core.attributes import is_attribute, load_attribute

Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

#: Of the triplet loss; Faghri et al., "VSE++", 2018, section 4.
MARGIN = 0.2
#: Constant cosines that are tried on either side of the middle, coarsely and then finely.
_CONSTANTS = 10


def mse(cosines: Tensor, truth: Tensor, scale: Tensor, bias: Tensor) -> Tensor:  # noqa: ARG001
    """Compute the mean squared error of the cosine against 1 for matching pairs, else 0.

    With as many negatives as positives the cosine 0.5 everywhere costs 0.25, and a network gets
    there without looking at its input.
    """
    return functional.mse_loss(cosines, truth.to(cosines.dtype))


def contrastive(cosines: Tensor, truth: Tensor, scale: Tensor, bias: Tensor) -> Tensor:  # noqa: ARG001
    """Compute `1 - cos` of positives and `max(0, cos)` of negatives, on average.

    Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping", 2006,
    with the cosine in place of the distance. With as many negatives as positives every constant
    cosine from 0 to 1 costs 0.5.
    """
    return torch.where(truth, 1 - cosines, cosines.clamp(min=0)).mean()


def info_nce(cosines: Tensor, truth: Tensor, scale: Tensor, bias: Tensor) -> Tensor:  # noqa: ARG001
    """Compute cross-entropy over one batch in both directions, other videos as negatives.

    Oord, Li and Vinyals, "Representation Learning with Contrastive Predictive Coding", 2018,
    equation 4; symmetric as in Radford et al., "CLIP", 2021, figure 3. Where a clip has several
    texts, each of them is asked for it alone.
    """
    logits = scale * cosines
    owner = _owner(truth)
    t2v = functional.cross_entropy(logits, owner)
    # Siblings of a text are right answers too: they leave the sum of its denominator.
    columns = logits.T[owner]
    siblings = truth.T[owner].clone()
    siblings.fill_diagonal_(0)
    columns = columns.masked_fill(siblings, float("-inf"))
    v2t = functional.cross_entropy(columns, torch.arange(len(owner), device=owner.device))
    return (t2v + v2t) / 2


def multi_positive(cosines: Tensor, truth: Tensor, scale: Tensor, bias: Tensor) -> Tensor:  # noqa: ARG001
    """Compute InfoNCE in which a clip shares its probability among all its texts.

    Khosla et al., "Supervised Contrastive Learning", 2020, equation 2 (the mean of the logarithms
    outside), with texts and clips as the two views.
    """
    logits = scale * cosines
    t2v = functional.cross_entropy(logits, _owner(truth))
    log_shares = functional.log_softmax(logits.T, dim=1)
    right = truth.T.to(logits.dtype)
    v2t = -((log_shares * right).sum(1) / right.sum(1).clamp(min=1))[truth.any(0)].mean()
    return (t2v + v2t) / 2


def siglip(cosines: Tensor, truth: Tensor, scale: Tensor, bias: Tensor) -> Tensor:
    """Compute the logistic loss of every pair, summed over the batch, a text.

    Zhai et al., "Sigmoid Loss for Language Image Pre-Training", 2023, equation 1. The bias begins
    at -10, because nearly all pairs are negatives.
    """
    signs = torch.where(truth, 1.0, -1.0).to(cosines.dtype)
    return -functional.logsigmoid(signs * (scale * cosines + bias)).sum(1).mean()


def triplet(cosines: Tensor, truth: Tensor, scale: Tensor, bias: Tensor) -> Tensor:  # noqa: ARG001
    """Sum the hinges of all negatives of both directions, a text.

    Faghri et al., "VSE++: Improving Visual-Semantic Embeddings with Hard Negatives", 2018,
    equation 5.
    """
    return _hinges(cosines, truth).sum(dim=(0, 2)).mean()


def hardest_triplet(cosines: Tensor, truth: Tensor, scale: Tensor, bias: Tensor) -> Tensor:  # noqa: ARG001
    """Sum the hinges of the hardest negative of each direction, a text.

    Faghri et al., 2018, equation 6. Its gradient vanishes where positives and negatives score
    alike, which is where an untrained head begins: training uses `triplet` until validation is well
    above chance.
    """
    return _hinges(cosines, truth).amax(dim=2).sum(dim=0).mean()


#: Losses by the name under which a configuration knows them.
LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "contrastive": contrastive,
        "infonce": info_nce,
        "mse": mse,
        "multi-positive": multi_positive,
        "siglip": siglip,
        "triplet": triplet,
    }
)
#: Those that look at labelled pairs; the others make their negatives from the batch.
PAIR_LOSSES = frozenset({"contrastive", "mse"})
#: What takes over from a loss once validation is well above chance.
MINING: Mapping[str, Loss] = MappingProxyType({"triplet": hardest_triplet})


def find_loss(name: str) -> Loss:
    """Find the loss of a name of `LOSSES`, or the function that `module:attribute` names.

    Raises:
        ValueError: when there is none of that name.
        PluginNotFoundError: when an attribute cannot be imported, or is no function.
    """
    if name in LOSSES:
        return LOSSES[name]
    if not is_attribute(name):
        close = get_close_matches(name, LOSSES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"no loss is called {name!r}; there are {', '.join(LOSSES)}, and your own as "
            f"module:attribute.{hint}"
        )
    found = load_attribute(name, "loss")
    if not callable(found):
        raise PluginNotFoundError(
            f"{name!r} is a {type(found).__name__}; a loss is a function of cosines, truth, scale "
            f"and bias"
        )
    return cast("Loss", found)


def constant_loss(loss: Loss, truth: Tensor, scale: Tensor, bias: Tensor) -> float:
    """Compute the loss of the best predictor that gives every pair the same cosine.

    A network that does no better has learned nothing of what it was shown.

    Args:
        loss: any.
        truth: bool, the shape of one batch.
        scale: as `loss` takes it.
        bias: as `loss` takes it.
    """
    found: dict[float, float] = {}
    centre, reach = 0.0, 1.0
    # Coarsely over the whole range, then finely around the best: each try is a whole batch.
    with torch.no_grad():
        for _ in range(2):
            for step in range(-_CONSTANTS, _CONSTANTS + 1):
                value = min(1.0, max(-1.0, centre + reach * step / _CONSTANTS))
                cosines = torch.full(truth.shape, value, dtype=scale.dtype)
                found[value] = float(loss(cosines, truth, scale, bias))
            centre, reach = min(found, key=lambda value: found[value]), reach / _CONSTANTS
    return min(found.values())


def _owner(truth: Tensor) -> Tensor:
    """Return the column `(N,)` of each text's clip."""
    return truth.to(torch.uint8).argmax(1)


def _hinges(cosines: Tensor, truth: Tensor) -> Tensor:
    """Compute hinges `(2, N, K)` of texts against other clips, and clips against other texts.

    Places without a negative hold 0, and shorter rows are filled up with it.
    """
    owner = _owner(truth)
    positive = cosines.gather(1, owner[:, None])
    clips = (MARGIN + cosines - positive).clamp(min=0).masked_fill(truth, 0)
    texts = (MARGIN + cosines.T[owner] - positive).clamp(min=0).masked_fill(truth.T[owner], 0)
    width = max(clips.shape[1], texts.shape[1])
    return torch.stack(
        [functional.pad(each, (0, width - each.shape[1])) for each in (clips, texts)]
    )
