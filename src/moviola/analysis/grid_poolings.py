"""List the poolings of a grid, and find those that are equivalent for some embeddings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Embeddings
from moviola.core.embeddings import ItemT
from moviola.core.pooling import POOLINGS, find_pooling

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.floating]
    Pooling = Callable[[Rows], Rows]

_DROP = "drop_first_"
#: Cosine from which on two pooled vectors are one and rounding.
_SAME = 1.0 - 1e-6


def _without_first(function: Pooling) -> Pooling:
    """Pool all rows but the first, which a decoder gives to every input; one row stays."""

    def pooled(rows: Rows) -> Rows:
        return function(rows[1:] if len(rows) > 1 else rows)

    return pooled


#: What is tried on both sides, in the order of the rows and columns of the grid.
GRID: Mapping[str, Pooling] = {
    **{
        name: POOLINGS[name]
        for name in ("first", "last", "max", "mean", "sum", "position_weighted_mean")
    },
    **{
        _DROP + name: _without_first(POOLINGS[name])
        for name in ("max", "mean", "sum", "position_weighted_mean")
    },
}


def find_grid_pooling(name: str) -> Pooling:
    """Find a pooling of `GRID`, another of `moviola.core.pooling`, or `module:attribute`.

    Raises:
        ValueError: when there is no such pooling.
        PluginNotFoundError: when `module:attribute` cannot be imported, or cannot be called.
    """
    if name in GRID:
        return GRID[name]
    if name.startswith(_DROP) and name.removeprefix(_DROP) in POOLINGS:
        return _without_first(POOLINGS[name.removeprefix(_DROP)])
    return find_pooling(name)


@dataclass(frozen=True, slots=True)
class SidePoolings:
    """Hold one side's poolings: which repeat an earlier one, which are constant.

    The vectors themselves are made when they are needed: ten poolings of many items are large.
    """

    same: Mapping[str, str]
    constant: frozenset[str]

    @classmethod
    def of(cls, embeddings: Embeddings[ItemT], names: Sequence[str]) -> SidePoolings:
        """Compare all poolings of some names on some embeddings."""
        same: dict[str, str] = {}
        kept: dict[str, Rows] = {}
        constant: set[str] = set()
        for name in names:
            unit = _unit(pooled(embeddings, name).vectors)
            like = next((other for other, rows in kept.items() if _alike(unit, rows)), None)
            same[name] = like or name
            if like is None:
                kept[name] = unit
            if _alike(unit, unit[:1]):
                constant.add(name)
        return cls(same, frozenset(constant))


def pooled(embeddings: Embeddings[ItemT], name: str) -> Embeddings[ItemT]:
    """Pool to one row an item, by the pooling that `find_grid_pooling` finds.

    Raises:
        ValueError: when there is no such pooling.
        PluginNotFoundError: when `module:attribute` cannot be imported.
    """
    function = find_grid_pooling(name)
    vectors = np.stack([function(block) for block in _items(embeddings)]).astype(np.float32)
    return Embeddings(
        embeddings.items,
        np.arange(len(embeddings) + 1, dtype=np.int64),
        [vectors],
        embeddings.space,
        replace(embeddings.readout, pooling=name),
    )


def _items(embeddings: Embeddings[ItemT]) -> Iterator[Rows]:
    return (embeddings.rows(index) for index in range(len(embeddings)))


def _unit(vectors: Rows) -> Rows:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1.0)


def _alike(one: Rows, other: Rows) -> bool:
    """Return whether all vectors of two pooled sets point the same way."""
    return bool((np.einsum("ij,ij->i", one, np.broadcast_to(other, one.shape)) >= _SAME).all())
