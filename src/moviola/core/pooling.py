"""Many rows into one: `(n, D)` to `(D,)`. A pooling is a function; these are the usual ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.embeddings import Embeddings, ItemT

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]


def _wide(rows: Floats) -> Floats:
    """Half precision is for storage: sums of it lose digits and may overflow."""
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"pooling needs (n, D) rows, n at least 1, got {rows.shape}")
    return rows.astype(np.float32) if rows.dtype == np.float16 else rows


def first(rows: Floats) -> Floats:
    """The first row `(D,)`."""
    return _wide(rows)[0]


def last(rows: Floats) -> Floats:
    """The last row `(D,)`."""
    return _wide(rows)[-1]


def mean(rows: Floats) -> Floats:
    """The mean of the rows `(D,)`."""
    return _wide(rows).mean(axis=0)


def total(rows: Floats) -> Floats:
    """The sum of the rows `(D,)`; under the cosine it is the mean."""
    return _wide(rows).sum(axis=0)


def largest(rows: Floats) -> Floats:
    """The largest value in each dimension `(D,)`."""
    return _wide(rows).max(axis=0)


def smallest(rows: Floats) -> Floats:
    """The smallest value in each dimension `(D,)`."""
    return _wide(rows).min(axis=0)


def position_weighted_mean(rows: Floats) -> Floats:
    """The mean of the rows, row i (from 1) weighing `i / (1 + ... + n)`: `(D,)`.

    Later tokens of a causal decoder have seen more of the text (Muennighoff, "SGPT: GPT Sentence
    Embeddings for Semantic Search", 2022, section 4.1).
    """
    wide = _wide(rows)
    weights = np.arange(1, len(wide) + 1, dtype=wide.dtype)
    return weights / weights.sum() @ wide


#: Poolings by the name under which a readout and the command line know them. `"none"`, which keeps
#: every row, is no function of this kind; `pool` knows it.
POOLINGS: Mapping[str, Callable[[Floats], Floats]] = MappingProxyType(
    {
        "first": first,
        "last": last,
        "max": largest,
        "mean": mean,
        "min": smallest,
        "position_weighted_mean": position_weighted_mean,
        "sum": total,
    }
)


def pool(embeddings: Embeddings[ItemT], name: str) -> Embeddings[ItemT]:
    """The embeddings with one row an item, float32, read out with pooling `name`.

    `"none"` gives back what came.

    Raises:
        ValueError: when there is no such pooling, or the rows were pooled before by another one.
    """
    if name == "none":
        return embeddings
    if name not in POOLINGS:
        raise ValueError(f"no pooling is called {name!r}; there are none, {', '.join(POOLINGS)}")
    before = embeddings.readout.pooling
    if before not in ("none", name):
        raise ValueError(f"these rows are pooled by {before!r}; pool the unpooled ones")
    function = POOLINGS[name]
    shape = (len(embeddings), embeddings.space.dimension)
    vectors = np.empty(shape, np.float32)
    for index in range(len(embeddings)):
        vectors[index] = function(embeddings.rows(index))
    return Embeddings(
        embeddings.items,
        np.arange(len(embeddings) + 1, dtype=np.int64),
        [vectors],
        embeddings.space,
        replace(embeddings.readout, pooling=name),
    )
