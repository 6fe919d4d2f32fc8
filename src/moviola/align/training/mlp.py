"""Define networks over pooled rows: an MLP, and an MLP beside a linear map."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Mlp(nn.Module):
    """Apply layers of `Linear → ReLU → LayerNorm → dropout`.

    Args:
        entry: numbers of an input row.
        widths: outputs of the layers.
        dropout: share of outputs that training drops behind each layer.
        free_end: whether the last layer is a bare `Linear`. Without it, as the reference report has
            it, outputs pass a ReLU and a LayerNorm, which rule out most of the sphere.

    Raises:
        ValueError: when there is no layer.
    """

    def __init__(
        self, entry: int, widths: Sequence[int], *, dropout: float, free_end: bool
    ) -> None:
        super().__init__()
        if not widths:
            raise ValueError("an MLP needs at least one layer; give its widths, such as 512,256")
        layers: list[nn.Module] = []
        for place, width in enumerate(widths):
            layers.append(nn.Linear(entry, width))
            if not (free_end and place == len(widths) - 1):
                layers += [nn.ReLU(), nn.LayerNorm(width), nn.Dropout(dropout)]
            entry = width
        self.layers = nn.Sequential(*layers)

    def forward(self, rows: Tensor) -> Tensor:
        """Map `(B, D)` to `(B, widths[-1])`."""
        return self.layers(rows)


class ResidualMlp(nn.Module):
    """Add an MLP of one hidden layer, which begins at zero, to a linear map.

    At the start the network is its linear map, such as one found in closed form; training can only
    add to it.

    Args:
        linear: the map, `(D, K)` weights that multiply rows from the right.
        hidden: width of the hidden layer.
        dropout: share of hidden values that training drops.
    """

    def __init__(self, linear: Tensor, hidden: int, *, dropout: float) -> None:
        super().__init__()
        entry, width = linear.shape
        self.linear = nn.Linear(entry, width, bias=False)
        last = nn.Linear(hidden, width)
        self.branch = nn.Sequential(nn.Linear(entry, hidden), nn.ReLU(), nn.Dropout(dropout), last)
        with torch.no_grad():
            self.linear.weight.copy_(linear.T)
            last.weight.zero_()
            last.bias.zero_()

    def forward(self, rows: Tensor) -> Tensor:
        """Map `(B, D)` to `(B, K)`."""
        return self.linear(rows) + self.branch(rows)
