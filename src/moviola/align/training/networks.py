"""Build the trained maps of a head: one network a side, from a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.align.data.rows import RaggedRows
from moviola.align.training.mlp import Mlp, ResidualMlp
from moviola.align.training.transformer import RowTransformer
from moviola.core.spaces import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Offsets = NDArray[np.int64]

Architecture = Literal["linear", "mlp", "residual", "transformer"]
#: Items that go through a network at a time where nothing is learned.
_ITEMS = 512


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    """Configure one side of a trained head.

    Attributes:
        architecture: `linear`, `mlp`, `residual` (a linear map and a branch beside it) or
            `transformer`.
        widths: outputs of the layers of an `mlp`; the last, or the only one, is the width of the
            output of every architecture.
        dropout: inside the network.
        input_dropout: share of the numbers of an input row that training drops.
        free_end: whether the last layer of an `mlp` is a bare `Linear`.
        layers: of the transformer.
        heads: of the transformer's attention.
        hidden: width of the transformer's feed-forward part, or of the branch of `residual`.
        pre_norm: whether the transformer normalises before each part.

    Raises:
        ValueError: when a value does not exist.
    """

    architecture: Architecture
    widths: tuple[int, ...] = (256,)
    dropout: float = 0.0
    input_dropout: float = 0.0
    free_end: bool = True
    layers: int = 1
    heads: int = 8
    hidden: int = 512
    pre_norm: bool = True

    def __post_init__(self) -> None:
        if self.architecture not in get_args(Architecture):
            known = ", ".join(get_args(Architecture))
            raise ValueError(f"no network is called {self.architecture!r}; there are {known}")
        if not self.widths or min(self.widths) < 1:
            raise ValueError(f"widths must be numbers of at least 1, got {self.widths}")

    @property
    def takes_rows(self) -> bool:
        """Return whether an item may have several rows."""
        return self.architecture == "transformer"


class Network(nn.Module):
    """Map standardised rows of one side into the shared space, not yet of unit length.

    Args:
        config: what it is made of.
        entry: numbers of a row.
        skip: rows at the beginning of an item that are not looked at, where it has more than these.
        linear: `(entry, width)` where `linear` and `residual` begin; None for a random map.
    """

    def __init__(
        self, config: NetworkConfig, entry: int, *, skip: int = 0, linear: Tensor | None = None
    ) -> None:
        super().__init__()
        self.config, self.entry, self.skip = config, entry, skip
        self.drop = nn.Dropout(config.input_dropout)
        width = config.widths[-1]
        self.body: nn.Module
        if config.architecture == "transformer":
            self.body = RowTransformer(
                entry,
                width,
                layers=config.layers,
                heads=config.heads,
                hidden=config.hidden,
                dropout=config.dropout,
                pre_norm=config.pre_norm,
            )
        elif config.architecture == "residual":
            begin = torch.randn(entry, width) / entry**0.5 if linear is None else linear
            self.body = ResidualMlp(begin, config.hidden, dropout=config.dropout)
        elif config.architecture == "linear":
            self.body = nn.Linear(entry, width)
            if linear is not None:
                with torch.no_grad():
                    self.body.weight.copy_(linear.T)
                    self.body.bias.zero_()
        else:
            self.body = Mlp(entry, config.widths, dropout=config.dropout, free_end=config.free_end)

    def forward(self, rows: Tensor, there: Tensor) -> Tensor:
        """Map rows `(B, L, D)` under a mask `(B, L)` to `(B, width)`."""
        rows = self.drop(rows)
        if not self.config.takes_rows:
            return self.body(rows[:, 0])
        if self.skip:
            several = there.sum(1) > self.skip
            there = there.clone()
            there[several, : self.skip] = False
        return self.body(rows, there)

    def embed(self, side: RaggedRows) -> Floats:
        """Embed all items as unit vectors `(N, width)` float32, in evaluation mode."""
        training = self.training
        self.eval()
        like = next(self.parameters())
        parts: list[Floats] = []
        with torch.inference_mode():
            for begin in range(0, len(side), _ITEMS):
                items = np.arange(begin, min(begin + _ITEMS, len(side)))
                rows, there = (each.to(like.device) for each in side.block(items))
                vectors = functional.normalize(self(rows.to(like.dtype), there), dim=-1)
                parts.append(vectors.float().cpu().numpy())
        self.train(training)
        return np.concatenate(parts)


class NetworkMaps:
    """Map by two trained networks to vectors of unit length.

    Args:
        texts: of the text side.
        clips: of the video side.
    """

    kind = "network"
    metric: Metric = "cosine"

    def __init__(self, texts: Network, clips: Network) -> None:
        self.texts, self.clips = texts, clips

    @property
    def dimension(self) -> int:
        """Return the length of a vector in the shared space."""
        return self.texts.config.widths[-1]

    @property
    def takes_rows(self) -> bool:
        """Return whether an item may have several rows."""
        return self.texts.config.takes_rows

    def map_texts(self, rows: Floats, offsets: Offsets) -> Floats:
        """Map texts to one vector each; arguments as of `Maps`."""
        return self.texts.embed(RaggedRows(rows, offsets))

    def map_clips(self, rows: Floats, offsets: Offsets) -> Floats:
        """Map clips to one vector each; arguments as of `Maps`."""
        return self.clips.embed(RaggedRows(rows, offsets))

    def tensors(self) -> dict[str, Floats]:
        """Return the weights by name."""
        return {
            f"{side}.{name}": tensor.detach().float().cpu().numpy()
            for side, network in (("texts", self.texts), ("clips", self.clips))
            for name, tensor in network.state_dict().items()
        }

    def options(self) -> dict[str, Any]:
        """Return the settings that build the networks, as JSON values."""
        return {
            side: {
                "entry": network.entry,
                "skip": network.skip,
                "network": {**asdict(network.config), "widths": list(network.config.widths)},
            }
            for side, network in (("texts", self.texts), ("clips", self.clips))
        }

    @classmethod
    def build(cls, tensors: Mapping[str, Floats], options: Mapping[str, Any]) -> Self:
        """Build the maps from `tensors` and `options`.

        Raises:
            KeyError: when something is missing.
            ValueError: when something is left over, or does not fit.
        """
        made = cls(*(_network(options[side]) for side in ("texts", "clips")))
        left = dict(tensors)
        for side, network in (("texts", made.texts), ("clips", made.clips)):
            weights = {
                name: torch.from_numpy(left.pop(f"{side}.{name}")) for name in network.state_dict()
            }
            try:
                network.load_state_dict(weights)
            except RuntimeError as error:
                raise ValueError(str(error)) from error
        if left:
            raise ValueError(f"these networks have no {next(iter(left))}")
        return made


def _network(found: Mapping[str, Any]) -> Network:
    about = dict(found["network"])
    config = NetworkConfig(**{**about, "widths": tuple(about["widths"])})
    return Network(config, int(found["entry"]), skip=int(found["skip"])).eval()
