"""Compute the gradients of a large batch in chunks that fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Vectors = tuple[Tensor, Tensor]


def cached_gradients(
    chunks: Sequence[Callable[[], Vectors]],
    loss_of: Callable[[Tensor, Tensor], Tensor],
    backward: Callable[[Tensor], None],
    *,
    shared: Sequence[Tensor] = (),
    factor: float = 1.0,
) -> Tensor:
    """Add the gradients of a loss over all chunks to the parameters, one chunk's graph at a time.

    Gao et al., "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup",
    RepL4NLP 2021, section 3.2: vectors without graphs, the loss's gradient by them, then each
    chunk again with its share of that. Every chunk must give the same vectors each time.

    Args:
        chunks: each gives the vectors of its texts `(n, D)` and of its clips `(m, D)`.
        loss_of: all texts `(N, D)` and all clips `(M, D)` to the loss.
        backward: of a scalar.
        shared: parameters that the loss uses by itself, such as the temperature.
        factor: of the gradients by the vectors: the number of devices, where each computes the
            loss of all and the mean of their gradients is taken.

    Returns:
        The loss, without a graph.
    """
    with torch.no_grad():
        parts = [chunk() for chunk in chunks[:-1]]
    # The graph of the last one is kept: it is needed first.
    last = chunks[-1]()
    sides = [[*side] for side in zip(*parts, last, strict=True)]
    leaves = [torch.cat([each.detach() for each in side]).requires_grad_() for side in sides]
    with torch.enable_grad():
        loss = loss_of(leaves[0], leaves[1])
    found = torch.autograd.grad(loss, [*leaves, *shared])
    sizes = [[len(each) for each in side] for side in sides]
    shares = [
        (factor * by).split(size) for by, size in zip(found[: len(leaves)], sizes, strict=True)
    ]
    for place in reversed(range(len(chunks))):
        is_last = place == len(chunks) - 1
        vectors = last if is_last else chunks[place]()
        products = [
            (each * share[place]).sum() for each, share in zip(vectors, shares, strict=True)
        ]
        # Devices agree on gradients only where every parameter has one in each backward pass.
        products += [
            (each * by).sum() * is_last for each, by in zip(shared, found[2:], strict=True)
        ]
        backward(torch.stack(products).sum())
    return loss.detach()
