"""Process what rows begin with once: its keys and values serve every row that goes on from it."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from moviola.encode.chat.backbone import count_places
from moviola.encode.decoder.inputs import Piece

if TYPE_CHECKING:
    from moviola.encode.chat.backbone import ChatBackbone


def split_shared(rows: Sequence[Sequence[Piece]]) -> tuple[list[Piece], list[list[Piece]]]:
    """Split rows into what all of them begin with, and the rest of each, one token at least.

    Args:
        rows: one at least; their last vectors are the same and stand behind the same pieces.
    """
    first = rows[0]
    at = max((i for i, piece in enumerate(first) if isinstance(piece.content, Tensor)), default=-1)
    tails = [_single_tokens(row[at + 1 :]) for row in rows]
    most = min(map(len, tails)) - 1
    common = 0
    while common < most and all(tail[common] == tails[0][common] for tail in tails):
        common += 1
    return [*first[: at + 1], *tails[0][:common]], [tail[common:] for tail in tails]


class Prefix:
    """The keys and values of what rows begin with.

    Args:
        backbone: the model.
        row: what rows begin with; processed at once.
    """

    @torch.inference_mode()
    def __init__(self, backbone: ChatBackbone, row: Sequence[Piece]) -> None:
        self._backbone = backbone
        self._row = list(row)
        inputs = backbone.inputs([row])
        self._decoder: Any = backbone.decoder()
        self._cache: Any = self._decoder(
            inputs_embeds=inputs.embeds,
            attention_mask=inputs.mask,
            position_ids=inputs.positions,
            use_cache=True,
            **inputs.further,
        ).past_key_values

    def __len__(self) -> int:
        return sum(map(len, self._row))

    @torch.inference_mode()
    def last_states(self, tails: Sequence[Sequence[Piece]]) -> Tensor:
        """Read the states `(B, H)` at the ends of tails that go on from here, after the norm.

        Args:
            tails: of tokens alone, B of them.
        """
        joined = self._backbone.inputs(tails)
        mask = joined.mask
        positions = joined.positions + self._next(tails).to(mask.device) * mask
        # The model writes into its cache, one row of it for each tail.
        cache = copy.deepcopy(self._cache)
        cache.batch_repeat_interleave(len(tails))
        states = self._decoder(
            inputs_embeds=joined.embeds,
            attention_mask=torch.cat([mask.new_ones(len(tails), len(self)), mask], dim=1),
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        ends = mask.sum(dim=1) - 1
        return states[torch.arange(len(tails), device=states.device), ends]

    def _next(self, tails: Sequence[Sequence[Piece]]) -> Tensor:
        """Return the position at which tails go on."""
        if not self._backbone.vision.counts_places:
            return torch.tensor(len(self))
        return count_places([*self._row, *tails[0]])[0, len(self)]


def _single_tokens(row: Sequence[Piece]) -> list[Piece]:
    """Split pieces of tokens into pieces of one token each."""
    return [
        replace(piece, content=(number,))
        for piece in row
        if isinstance(piece.content, tuple)
        for number in piece.content
    ]
