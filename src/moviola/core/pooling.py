"""Pool many rows into one, `(n, D)` to `(D,)`, each pooling a function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np

from moviola.core.attributes import is_attribute, load_attribute
from moviola.core.embeddings import Embeddings, ItemT
from moviola.core.errors import PluginNotFoundError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]


def _wide(rows: Floats) -> Floats:
    """Widen half precision, whose sums lose digits and may overflow, to float32."""
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"pooling needs (n, D) rows, n at least 1, got {rows.shape}")
    return rows.astype(np.float32) if rows.dtype == np.float16 else rows


def first(rows: Floats) -> Floats:
    """Take the first row `(D,)`."""
    return _wide(rows)[0]


def last(rows: Floats) -> Floats:
    """Take the last row `(D,)`."""
    return _wide(rows)[-1]


def mean(rows: Floats) -> Floats:
    """Average the rows to `(D,)`."""
    return _wide(rows).mean(axis=0)


def total(rows: Floats) -> Floats:
    """Add the rows up to `(D,)`; under the cosine it is the mean."""
    return _wide(rows).sum(axis=0)


def largest(rows: Floats) -> Floats:
    """Take the largest value in each dimension `(D,)`."""
    return _wide(rows).max(axis=0)


def smallest(rows: Floats) -> Floats:
    """Take the smallest value in each dimension `(D,)`."""
    return _wide(rows).min(axis=0)


def position_weighted_mean(rows: Floats) -> Floats:
    """Average the rows, row i (from 1) weighing `i / (1 + ... + n)`: `(D,)`.

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


def find_pooling(name: str) -> Callable[[Floats], Floats]:
    """Find the pooling called `name`, or the function that `module:attribute` names.

    Raises:
        ValueError: when there is no such pooling.
        PluginNotFoundError: when `module:attribute` cannot be imported, or cannot be called.
    """
    if name in POOLINGS:
        return POOLINGS[name]
    if not is_attribute(name):
        raise ValueError(
            f"no pooling is called {name!r}; there are none, {', '.join(POOLINGS)}, and your own "
            f"as module:attribute"
        )
    found = load_attribute(name, "pooling")
    if not callable(found):
        raise PluginNotFoundError(
            f"{name!r} is a {type(found).__name__}; a pooling is a function of (n, D) rows to (D,)"
        )
    return cast("Callable[[Floats], Floats]", found)


def pool(embeddings: Embeddings[ItemT], name: str) -> Embeddings[ItemT]:
    """Pool the rows of each item to one, float32, by the pooling called `name`.

    `"none"` gives back what came.

    Raises:
        ValueError: when there is no such pooling, the rows were pooled before by another one, or a
            pooling of somebody's own gives no `(D,)`.
        PluginNotFoundError: when `module:attribute` cannot be imported.
    """
    if name == "none":
        return embeddings
    function = find_pooling(name)
    before = embeddings.readout.pooling
    if before not in ("none", name):
        raise ValueError(f"these rows are pooled by {before!r}; pool the unpooled ones")
    shape = (len(embeddings), embeddings.space.dimension)
    vectors = np.empty(shape, np.float32)
    for index in range(len(embeddings)):
        vector = np.asarray(function(embeddings.rows(index)))
        if vector.shape != shape[1:]:
            raise ValueError(
                f"the pooling {name!r} must give {shape[1:]} of an item's rows, not {vector.shape}"
            )
        vectors[index] = vector
    return Embeddings(
        embeddings.items,
        np.arange(len(embeddings) + 1, dtype=np.int64),
        [vectors],
        embeddings.space,
        replace(embeddings.readout, pooling=name),
    )
