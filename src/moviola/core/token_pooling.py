"""Pool the rows of an item to a few, `(n, D)` to `(N, D)`, for late interaction."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating]
    Unit = NDArray[np.float32]

TokenPoolingKind = Literal["hierarchical", "attention"]

_NAME = re.compile(r"(hierarchical|attention)-(\d+)")
#: Rows that are clustered at once: their distances are 128 MiB of float64.
_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class TokenPooling:
    """Say how the rows of an item become at most `rows`, by a name such as `hierarchical-32`.

    Attributes:
        kind: `"hierarchical"` for Ward's clusters, `"attention"` for clusters around the rows that
            the model attends to most.
        rows: rows that an item keeps at most.
    """

    kind: TokenPoolingKind
    rows: int

    @classmethod
    def parse(cls, name: str) -> Self | None:
        """Parse a name; None where it is none of a token pooling.

        Raises:
            ValueError: when it leaves no row.
        """
        spelled = _NAME.fullmatch(name)
        if spelled is None:
            return None
        if not int(spelled[2]):
            raise ValueError(f"the pooling {name!r} leaves no row; keep at least one")
        return cls("hierarchical" if spelled[1] == "hierarchical" else "attention", int(spelled[2]))

    @property
    def name(self) -> str:
        """Return the name under which readouts record it."""
        return f"{self.kind}-{self.rows}"


def pool_by_ward(rows: Floats, count: int) -> Unit:
    """Pool `(n, D)` rows to the unit means of `min(n, count)` clusters, `(N, D)` float32.

    Ward's hierarchical clustering of unit rows, whose squared distance is two less twice the
    cosine: section 3 of Clavié et al., "Reducing the Footprint of Multi-Vector Retrieval with
    Minimal Performance Impact via Token Pooling", 2024. Clusters stand in the order of their first
    rows. More than 4,096 rows are clustered in stretches first, for memory.

    Raises:
        ValueError: when `count` is below 1, or a row is zero, NaN or infinite.
    """
    return _pool_stretches(_unit(rows, count), count)


def pool_by_salience(rows: Floats, salience: Floats, count: int) -> Unit:
    """Pool `(n, D)` rows around the `min(n, count)` most salient of them, `(N, D)` float32.

    Each row joins the centre with which it has the largest cosine; a cluster becomes the unit mean
    of its rows, weighted by their salience. This is attention-guided clustering as in Qin et al.,
    "Multi-Vector Index Compression in Any Modality", 2026, with the model's own attention in place
    of trained query tokens. Centres stand in the order of their rows.

    Args:
        rows: `(n, D)`.
        salience: `(n,)`, at least 0.
        count: rows that are kept at most.

    Raises:
        ValueError: when `count` is below 1, a row is zero, NaN or infinite, or the salience does
            not fit.
    """
    unit = _unit(rows, count)
    weights = np.asarray(salience, np.float64)
    if weights.shape != (len(unit),) or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError(f"salience must be ({len(unit)},) finite weights of at least 0")
    if count >= len(unit):
        return unit
    centres = np.sort(np.argsort(-weights, kind="stable")[:count])
    labels = (unit @ unit[centres].T).argmax(axis=1)
    labels[centres] = np.arange(count)  # of equal rows too, each centre is in its own cluster
    return _unit_means(unit, labels, unit[centres], weights)


def _unit(rows: Floats, count: int) -> Unit:
    """Scale `(n, D)` rows to unit length, float32."""
    if count < 1:
        raise ValueError(f"an item keeps at least one row, not {count}")
    if rows.ndim != 2 or not len(rows):
        raise ValueError(f"pooling needs (n, D) rows, n at least 1, got {rows.shape}")
    wide = rows.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ValueError(
            "a row is all zeros or holds NaN or infinity and has no direction; encode it again or "
            "leave it out"
        )
    return (wide / lengths).astype(np.float32)


def _pool_stretches(unit: Unit, count: int) -> Unit:
    """Pool unit rows, neighbours among themselves first where they are too many to compare."""
    total = len(unit)
    if count >= total:
        return unit
    if total <= _AT_ONCE:
        labels = _cut_tree(_merges(unit), total, count)
        first = np.unique(labels, return_index=True)[1]
        return _unit_means(unit, labels, unit[first], np.ones(total))
    stretches = -(-total // _AT_ONCE)
    kept = max(count, _AT_ONCE)
    begins, shares = (
        np.linspace(0, whole, stretches + 1).astype(np.int64) for whole in (total, kept)
    )
    pooled = np.concatenate(
        [
            _pool_stretches(unit[begins[i] : begins[i + 1]], int(shares[i + 1] - shares[i]))
            for i in range(stretches)
        ]
    )
    return _pool_stretches(pooled, count)


def _merges(unit: Unit) -> list[tuple[float, int, int]]:
    """List the `n - 1` merges of Ward's tree over unit rows, each `(height, one, other)`.

    A cluster is named by one of its rows. By chains of nearest neighbours (Murtagh, "A Survey of
    Recent Advances in Hierarchical Clustering Algorithms", 1983), with the update of Lance and
    Williams for squared distances.
    """
    wide = unit.astype(np.float64)
    squared = np.maximum(2 - 2 * (wide @ wide.T), 0)
    np.fill_diagonal(squared, np.inf)
    sizes = np.ones(len(unit))
    alive = np.ones(len(unit), np.bool_)
    merges: list[tuple[float, int, int]] = []
    chain: list[int] = []
    while len(merges) < len(unit) - 1:
        if not chain:
            chain.append(int(alive.argmax()))
        tip = chain[-1]
        nearest = int(squared[tip].argmin())
        # On a tie the one before wins, or the chain would never end.
        if len(chain) > 1 and squared[tip, chain[-2]] <= squared[tip, nearest]:
            nearest = chain[-2]
        else:
            chain.append(nearest)
            continue
        del chain[-2:]
        height = float(squared[tip, nearest])
        merges.append((height, tip, nearest))
        own, other = sizes[tip], sizes[nearest]
        joined = (sizes + own) * squared[tip] + (sizes + other) * squared[nearest]
        joined = (joined - sizes * height) / (sizes + own + other)
        alive[tip] = False
        joined[~alive] = joined[nearest] = np.inf
        squared[nearest], squared[:, nearest] = joined, joined
        squared[tip], squared[:, tip] = np.inf, np.inf
        sizes[nearest] += own
    return merges


def _cut_tree(merges: list[tuple[float, int, int]], total: int, count: int) -> NDArray[np.int64]:
    """Label `total` rows by the `count` clusters that remain after the lowest merges."""
    parents = list(range(total))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for _, one, other in sorted(merges, key=lambda merge: merge[0])[: total - count]:
        roots = root(one), root(other)
        parents[max(roots)] = min(roots)  # a cluster is named by its first row
    roots = np.fromiter((root(row) for row in range(total)), np.int64, total)
    return np.unique(roots, return_inverse=True)[1]


def _unit_means(
    unit: Unit, labels: NDArray[np.int64], centres: Unit, weights: NDArray[np.float64]
) -> Unit:
    """Average the rows of each cluster to unit length; one without a mean becomes its centre."""
    sums = np.zeros(centres.shape, np.float64)
    np.add.at(sums, labels, unit * weights[:, None])
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    # Rows that cancel each other, or have no weight, leave rounding alone.
    heavy = lengths > 1e-6 * np.bincount(labels, weights, len(centres))[:, None]
    return np.where(heavy, sums / np.where(heavy, lengths, 1), centres).astype(np.float32)
