"""Record the input of one side of a head: space, readout, mean and scale."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from moviola.core import Embeddings, Readout, Space, SpaceMismatchError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.embeddings import ItemT

    Floats = NDArray[np.float32]

#: The readout of arrays of which nothing is known.
_UNKNOWN = "unknown"
#: How far beyond the spread of the fit the middle of what is given may lie.
_SLACK = 3.0
#: Rows at a time. Torch is loaded where it is used: commands that only list import this module.
_BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """Hold space, readout, mean and scale of one side at the time of the fit.

    Attributes:
        space: the space of its vectors.
        readout: how it was read.
        mean: `(D,)` float32, of every dimension.
        scale: `(D,)` float32, the standard deviation of every dimension, 1 where it is constant.
        spread: the least and the largest mean square of a standardised row, but for one in a
            thousand at either end.
    """

    space: Space
    readout: Readout
    mean: Floats
    scale: Floats
    spread: tuple[float, float]

    @classmethod
    def of(cls, embeddings: Embeddings[ItemT]) -> Self:
        """Measure the side that gave these embeddings; every row counts once."""
        rows = all_rows(embeddings)
        mean = rows.mean(axis=0, dtype=np.float64)
        scale = _deviation(rows, mean)
        scale[scale <= 1e-6 * (1e-30 + np.abs(mean))] = 1.0
        made = cls(
            embeddings.space,
            embeddings.readout,
            mean.astype(np.float32),
            scale.astype(np.float32),
            (0.0, np.inf),
        )
        squares = made.mean_squares(rows)
        low, high = np.quantile(squares, [0.001, 0.999])
        return cls(made.space, made.readout, made.mean, made.scale, (float(low), float(high)))

    def standardise(self, rows: NDArray[np.floating]) -> Floats:
        """Scale rows `(n, D)` to the fit's mean 0 and standard deviation 1, float32."""
        import torch

        standard = torch.tensor(rows, dtype=torch.float32)
        standard.sub_(torch.from_numpy(self.mean)).div_(torch.from_numpy(self.scale))
        return standard.numpy()

    def mean_squares(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Compute mean squares `(n,)` of standardised rows: about 1 for data of the fit."""
        import torch

        squares = [
            torch.from_numpy(self.standardise(rows[first : first + _BLOCK])).square_().mean(dim=1)
            for first in range(0, len(rows), _BLOCK)
        ]
        return torch.cat([torch.zeros(0), *squares]).numpy().astype(np.float64)

    def require(self, embeddings: Embeddings[ItemT], *, what: str) -> None:
        """Refuse vectors of another model, another readout, or another distribution.

        Of bare arrays only the dimension, the pooling where one is known, and the spread of their
        numbers can be checked. Where everything is known, no vector is refused for being odd.

        Args:
            embeddings: what is to be mapped.
            what: how to call it, such as `the texts`.

        Raises:
            SpaceMismatchError: naming what differs.
        """
        self.require_like(embeddings.space, embeddings.readout, what=what)
        if self.space.is_anonymous or embeddings.space.is_anonymous:
            self._require_spread(embeddings, what)

    def require_like(self, space: Space, readout: Readout, *, what: str) -> None:
        """Refuse another space or readout, as far as both are known.

        Raises:
            SpaceMismatchError: naming what differs.
        """
        if self.space.is_anonymous or space.is_anonymous:
            _require_dimension(self.space, space, what)
        else:
            self.space.require(space, what=what)
        if _UNKNOWN in (self.readout.preprocessing, readout.preprocessing):
            _require_pooling(self.readout.pooling, readout.pooling, what)
        else:
            self.readout.require(readout, what=what)

    def _require_spread(self, embeddings: Embeddings[ItemT], what: str) -> None:
        if not len(embeddings):
            return
        squares = [self.mean_squares(block) for _, block in embeddings.blocks()]
        middle = float(np.median(np.concatenate(squares)))
        low, high = self.spread
        if low / _SLACK <= middle <= high * _SLACK:
            return
        raise SpaceMismatchError(
            f"{what} are spread otherwise than what the head was fitted on: the mean square of a "
            f"standardised row is {middle:.3g}, in the fit it was {low:.3g} to {high:.3g}; were "
            f"they pooled, scaled or encoded in another way?"
        )

    def to_json(self) -> dict[str, Any]:
        """Convert space, readout and spread to JSON values; mean and scale are tensors."""
        return {
            "space": asdict(self.space),
            "readout": asdict(self.readout),
            "spread": list(self.spread),
        }

    @classmethod
    def from_json(cls, found: dict[str, Any], mean: Floats, scale: Floats) -> Self:
        """Build the side from a head's card.

        Raises:
            KeyError: when something is missing.
            TypeError: when something is misspelt.
            ValueError: when the parts do not fit together.
        """
        space, readout = Space(**found["space"]), Readout(**found["readout"])
        low, high = (float(value) for value in found["spread"])
        if mean.shape != (space.dimension,) or scale.shape != mean.shape:
            raise ValueError(
                f"mean and scale must be ({space.dimension},), got {mean.shape} and {scale.shape}"
            )
        return cls(space, readout, mean, scale, (low, high))


def all_rows(embeddings: Embeddings[ItemT]) -> Floats:
    """Gather all rows `(M, D)` in float32; a copy unless one float32 shard holds them."""
    if len(embeddings.shards) == 1 and embeddings.shards[0].dtype == np.float32:
        return np.asarray(embeddings.shards[0], np.float32)
    import torch

    rows = torch.empty(int(embeddings.offsets[-1]), embeddings.space.dimension)
    for where, block in embeddings.blocks():
        rows[where] = torch.tensor(block)
    return rows.numpy()


def _deviation(rows: Floats, mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the standard deviation `(D,)` in double precision over the blocks."""
    import torch

    centre = torch.from_numpy(mean.astype(np.float32))
    total = torch.zeros(rows.shape[1], dtype=torch.float64)
    for first in range(0, len(rows), _BLOCK):
        block = torch.tensor(rows[first : first + _BLOCK], dtype=torch.float32)
        total += block.sub_(centre).square_().sum(dim=0)
    return (total / len(rows)).sqrt_().numpy()


def _require_dimension(ours: Space, theirs: Space, what: str) -> None:
    if ours.dimension != theirs.dimension:
        raise SpaceMismatchError(
            f"{what} have {theirs.dimension} numbers a vector, the head was fitted on "
            f"{ours.dimension}"
        )


def _require_pooling(ours: str, theirs: str, what: str) -> None:
    if ours != theirs and "none" not in (ours, theirs):
        raise SpaceMismatchError(
            f"{what} are pooled by {theirs!r}, the head was fitted on {ours!r}; pool them alike"
        )
