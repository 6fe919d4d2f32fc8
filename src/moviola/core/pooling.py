"""Pool many rows into one, `(n, D)` to `(D,)`, each pooling a function; or into a few."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np

from moviola.core.attributes import is_attribute, load_attribute
from moviola.core.embeddings import Embeddings, ItemT
from moviola.core.errors import PluginNotFoundError
from moviola.core.token_pooling import TokenPooling, pool_by_ward

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
#: every row, and token poolings, which keep a few, are no functions of this kind: `pool` does them.
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
            f"no pooling is called {name!r}; there are none, {', '.join(POOLINGS)}, "
            f"hierarchical-N and attention-N for N rows, and your own as module:attribute"
        )
    found = load_attribute(name, "pooling")
    if not callable(found):
        raise PluginNotFoundError(
            f"{name!r} is a {type(found).__name__}; a pooling is a function of (n, D) rows to (D,)"
        )
    return cast("Callable[[Floats], Floats]", found)


def require_pooling(name: str) -> None:
    """Refuse a name that is no pooling: neither one of rows to one, nor to a few, nor `"none"`.

    Raises:
        ValueError: when there is no such pooling.
        PluginNotFoundError: when `module:attribute` cannot be imported, or cannot be called.
    """
    if name != "none" and TokenPooling.parse(name) is None:
        find_pooling(name)


def pool_rows(rows: Floats, name: str) -> Floats:
    """Pool the rows `(n, D)` of one item by the pooling called `name`: `(1, D)`, or a few.

    Raises:
        ValueError: when there is no such pooling, it needs the model's attention, or a pooling of
            somebody's own gives no `(D,)`.
        PluginNotFoundError: when `module:attribute` cannot be imported.
    """
    if name == "none":
        return rows
    if (tokens := TokenPooling.parse(name)) is not None:
        if tokens.kind == "attention":
            raise ValueError(
                f"rows alone tell no attention, which {name} needs; take "
                f"hierarchical-{tokens.rows}, or pool them while a chat model encodes"
            )
        return pool_by_ward(rows, tokens.rows)
    vector = np.asarray(find_pooling(name)(rows))
    if vector.shape != rows.shape[1:]:
        raise ValueError(
            f"the pooling {name!r} must give {rows.shape[1:]} of an item's rows, not {vector.shape}"
        )
    return vector[None]


def pool(embeddings: Embeddings[ItemT], name: str) -> Embeddings[ItemT]:
    """Pool the rows of each item by the pooling called `name`: to one, or to a few; float32.

    `"none"` gives back what came. The readout records the name.

    Raises:
        ValueError: when there is no such pooling, the rows were pooled before by another one, it
            needs the model's attention, or a pooling of somebody's own gives no `(D,)`.
        PluginNotFoundError: when `module:attribute` cannot be imported.
    """
    if name == "none":
        return embeddings
    require_pooling(name)
    before = embeddings.readout.pooling
    if before not in ("none", name):
        raise ValueError(f"these rows are pooled by {before!r}; pool the unpooled ones")
    rows = [np.empty((0, embeddings.space.dimension), np.float32)]
    for index, item in enumerate(embeddings.items):
        try:
            rows.append(pool_rows(embeddings.rows(index), name).astype(np.float32, copy=False))
        except ValueError as error:
            raise ValueError(f"{item.id!r}: {error}") from None
    offsets = np.cumsum([len(own) for own in rows]).astype(np.int64)
    readout = replace(embeddings.readout, pooling=name)
    return Embeddings(embeddings.items, offsets, [np.concatenate(rows)], embeddings.space, readout)
