"""Define a network over ragged rows: a transformer encoder read at a token of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class RowTransformer(nn.Module):
    """Run `[CLS]` and the rows of an item through encoder layers; return the state of `[CLS]`.

    Devlin et al., "BERT", 2019, section 3. Rows have no positions of their own here: they come out
    of encoders that have counted them already.

    Args:
        entry: numbers of a row.
        width: of the layers and of the output; where it differs from `entry`, a `Linear` leads in.
        layers: how many.
        heads: of attention, a divisor of `width`.
        hidden: width of the feed-forward part.
        dropout: of every layer.
        pre_norm: whether LayerNorm comes before each part (Xiong et al., "On Layer Normalization in
            the Transformer Architecture", 2020) or, as in the original, behind the sum.

    Raises:
        ValueError: when `heads` does not divide `width`.
    """

    def __init__(
        self,
        entry: int,
        width: int,
        *,
        layers: int,
        heads: int,
        hidden: int,
        dropout: float,
        pre_norm: bool,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"{heads} heads do not divide a width of {width}; choose a divisor")
        self.entry = nn.Identity() if entry == width else nn.Linear(entry, width)
        self.cls = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        layer = nn.TransformerEncoderLayer(
            width,
            heads,
            dim_feedforward=hidden,
            dropout=dropout,
            batch_first=True,
            norm_first=pre_norm,
        )
        self.layers = nn.TransformerEncoder(
            layer,
            layers,
            norm=nn.LayerNorm(width) if pre_norm else None,
            enable_nested_tensor=False,
        )

    def forward(self, rows: Tensor, there: Tensor) -> Tensor:
        """Map rows `(B, L, D)` under a mask `(B, L)` to `(B, width)`."""
        first = self.cls.expand(len(rows), 1, -1)
        states = torch.cat([first, self.entry(rows)], dim=1)
        absent = torch.cat([torch.zeros_like(there[:, :1]), ~there], dim=1)
        return self.layers(states, src_key_padding_mask=absent)[:, 0]
