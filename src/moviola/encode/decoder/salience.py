"""Watch what a decoder's last position attends to, layer by layer, while it is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from moviola.encode.decoder.inputs import Kind

if TYPE_CHECKING:
    from torch import nn

_NAME = "moviola_salience"


@contextmanager
def watch_attention(
    decoder: nn.Module, kinds: Tensor, states: Collection[int], found: dict[int, Tensor]
) -> Iterator[None]:
    """Put the salience `(B, L)` of each state asked for into `found` during a pass.

    The salience of state i is what the last position of each input attends to in the layer that
    made the state, averaged over its heads; padding has none. Attention itself is computed as
    before, by PyTorch's fused kernel.

    Args:
        decoder: whose attention goes through transformers' interface.
        kinds: `(B, L)` of `Kind`.
        states: numbers of states, from 1; state 0 has seen no attention.
        found: number of a state to its salience, filled as layers run.
    """
    if not states:
        yield
        return
    real = kinds != Kind.PADDING
    last = (torch.arange(kinds.shape[1], device=kinds.device) * real).max(dim=1).values

    def attend(
        module: Any, query: Tensor, key: Tensor, value: Tensor, *args: Any, **named: Any
    ) -> tuple[Tensor, None]:
        """Attend by the fused kernel, and keep what the last position attends to."""
        state = int(module.layer_idx) + 1
        if state in states:
            found[state] = _salience(query, key, named.get("scaling"), last, real)
        return sdpa_attention_forward(module, query, key, value, *args, **named)

    AttentionInterface.register(_NAME, attend)
    AttentionMaskInterface.register(_NAME, sdpa_mask)
    config: Any = decoder.config
    before = config._attn_implementation  # noqa: SLF001 -- what transformers has for it
    config._attn_implementation = _NAME  # noqa: SLF001
    try:
        yield
    finally:
        config._attn_implementation = before  # noqa: SLF001


def _salience(
    query: Tensor, key: Tensor, scaling: float | None, last: Tensor, real: Tensor
) -> Tensor:
    """Average over heads the attention of the last positions, `(B, heads, L, d)` to `(B, L)`."""
    rows = torch.arange(len(last), device=query.device)
    asked = query[rows, :, last.to(query.device)].float()
    keys = key.repeat_interleave(query.shape[1] // key.shape[1], dim=1).float()
    logits = torch.einsum("bhd,bhld->bhl", asked, keys)
    logits = logits * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    seen = logits.masked_fill(~real.to(query.device)[:, None], float("-inf"))
    return seen.softmax(dim=-1).mean(dim=1)
