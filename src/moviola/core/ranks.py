"""Rank relevant items among all by counting, without sorting, and with ties told.

Two scores of one query are tied when they differ by at most the query's tolerance. Each relevant
item opens a window of that width on both sides of its score; windows that overlap merge into one.
A window and what lies above it are counted block by block, so that the gallery may come in pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32 | np.float64]
    Counts = NDArray[np.int64]

#: Share of a row's largest absolute score within which float32 scores count as tied. A dot product
#: of unit vectors in float32 is good to about this much, whatever the BLAS.
FLOAT32_TOLERANCE = 5e-7


#: How many items stand above one that was not retrieved at all: so many that it adds nothing to a
#: reciprocal rank.
UNRANKED = 1 << 52


@dataclass(frozen=True, slots=True)
class Windows:
    """Hold the tie windows of the relevant items of Q queries, M in all, best first in each query.

    Attributes:
        offsets: `(Q + 1,)`, query q owns windows `offsets[q]:offsets[q + 1]`.
        lower: `(M,)` smallest score inside a window, in the dtype of the scores.
        upper: `(M,)` largest score inside a window, in the dtype of the scores.
        relevant: `(M,)` how many relevant items a window holds.
    """

    offsets: Counts
    lower: Floats
    upper: Floats
    relevant: Counts


@dataclass(frozen=True, slots=True)
class Ranks:
    """Hold where the relevant items of Q queries stand: M groups of ties, best first in each query.

    Attributes:
        offsets: `(Q + 1,)`, query q owns groups `offsets[q]:offsets[q + 1]`, at least one.
        better: `(M,)` how many gallery items score strictly better than the group.
        tied: `(M,)` how many gallery items the group holds, relevant ones included.
        relevant: `(M,)` how many of them are relevant, at least one.
        last: the rank at which an item counts that was not retrieved at all.
    """

    offsets: Counts
    better: Counts
    tied: Counts
    relevant: Counts
    last: int = UNRANKED

    @property
    def is_tied(self) -> NDArray[np.bool_]:
        """Tell `(Q,)` whether a relevant item of the query ties with an irrelevant one."""
        return np.logical_or.reduceat(self.tied > self.relevant, self.offsets[:-1])


def default_tolerance(dtype: np.dtype[np.floating]) -> float:
    """Give the share of a row's largest absolute score within which scores of `dtype` are tied."""
    return FLOAT32_TOLERANCE if dtype == np.float32 else 0.0


def tie_windows(scores: Floats, offsets: Counts, tolerance: NDArray[np.float64]) -> Windows:
    """Merge the tie windows of relevant scores.

    Args:
        scores: `(R,)` scores of the relevant items, query after query, in any order within one.
        offsets: `(Q + 1,)`, query q owns scores `offsets[q]:offsets[q + 1]`, at least one.
        tolerance: `(Q,)` the absolute difference up to which two scores are tied.
    """
    query = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    order = np.lexsort((-scores, query))
    exact = scores[order].astype(np.float64)
    reach = tolerance[query]
    # Within a query the next window overlaps the one before unless it ends below its beginning.
    apart = np.ones(len(exact), dtype=bool)
    apart[1:] = (query[1:] != query[:-1]) | (exact[1:] + reach[1:] < exact[:-1] - reach[1:])
    begins = np.flatnonzero(apart)
    ends = np.append(begins[1:], len(exact))
    per_query = np.bincount(query[begins], minlength=len(offsets) - 1)
    return Windows(
        offsets=np.concatenate([[0], np.cumsum(per_query)]).astype(np.int64),
        lower=_rounded(exact[ends - 1] - reach[ends - 1], scores.dtype, up=True),
        upper=_rounded(exact[begins] + reach[begins], scores.dtype, up=False),
        relevant=(ends - begins).astype(np.int64),
    )


def count_block(block: Floats, windows: Windows) -> tuple[Counts, Counts]:
    """Count the scores of a `(Q, g)` block above, and those inside, each of M windows.

    Counts of the blocks of one gallery add up.
    """
    above = np.empty(len(windows.upper), np.int64)
    reached = np.empty(len(windows.upper), np.int64)
    sizes = np.diff(windows.offsets)
    alone = sizes == 1
    if alone.all():
        above[:], reached[:] = _count_single(block, windows.upper, windows.lower)
        return above, reached - above
    if alone.any():
        places = windows.offsets[:-1][alone]
        counts = _count_single(block[alone], windows.upper[places], windows.lower[places])
        above[places], reached[places] = counts
    for query in np.flatnonzero(~alone):
        row, begin, end = block[query], windows.offsets[query], windows.offsets[query + 1]
        rest = row if end - begin < _FEW else row[row >= windows.lower[end - 1]]
        for window in range(begin, end):
            above[window] = np.count_nonzero(rest > windows.upper[window])
            reached[window] = np.count_nonzero(rest >= windows.lower[window])
    return above, reached - above


#: From this many windows on it pays to look only at the scores that reach the lowest of them.
_FEW = 4
#: Bytes of comparisons held at a time: a share of the processor's cache.
_COMPARED = 1 << 18


def _count_single(block: Floats, upper: Floats, lower: Floats) -> tuple[Counts, Counts]:
    """Count for each row the scores larger than `upper`, and those not below `lower`.

    Comparisons are packed into bits and the bits counted 64 at a time, several rows a call: that
    is some three times as fast as counting row after row, most of which is the calling.
    """
    count, gallery = block.shape
    larger, reaching = np.empty(count, np.int64), np.empty(count, np.int64)
    step = max(1, _COMPARED // max(1, gallery))
    # Rows end on a whole word; what lies behind them stays False.
    compared = np.zeros((min(step, count), -(-gallery // 64) * 64), dtype=bool)
    for begin in range(0, count, step):
        rows = block[begin : begin + step]
        some = slice(begin, begin + len(rows))
        inside = compared[: len(rows)]
        np.greater(rows, upper[some, None], out=inside[:, :gallery])
        larger[some] = _count_true(inside)
        np.greater_equal(rows, lower[some, None], out=inside[:, :gallery])
        reaching[some] = _count_true(inside)
    return larger, reaching


def _count_true(rows: NDArray[np.bool_]) -> Counts:
    words = np.packbits(rows, axis=1).view(np.uint64)
    return np.bitwise_count(words).sum(axis=1, dtype=np.int64)


def rank_block(block: Floats, columns: Counts, offsets: Counts, tolerance: float) -> Ranks:
    """Rank the relevant items of Q queries in a block that holds the whole gallery.

    Args:
        block: `(Q, G)` finite scores, larger is better.
        columns: `(R,)` columns of the relevant items, query after query.
        offsets: `(Q + 1,)`, query q owns columns `offsets[q]:offsets[q + 1]`, at least one.
        tolerance: share of a row's largest absolute score within which scores are tied.
    """
    query = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    if tolerance:
        largest = np.maximum(block.max(axis=1), -block.min(axis=1)).astype(np.float64)
    else:
        largest = np.zeros(len(block))
    windows = tie_windows(block[query, columns], offsets, tolerance * largest)
    above, inside = count_block(block, windows)
    return Ranks(windows.offsets, above, inside, windows.relevant)


def join_ranks(blocks: list[Ranks]) -> Ranks:
    """Join the ranks of blocks of queries, in the same order."""
    sizes = np.concatenate([np.diff(block.offsets) for block in blocks])
    return Ranks(
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        better=np.concatenate([block.better for block in blocks]),
        tied=np.concatenate([block.tied for block in blocks]),
        relevant=np.concatenate([block.relevant for block in blocks]),
    )


def _rounded(bounds: NDArray[np.float64], dtype: np.dtype[np.floating], *, up: bool) -> Floats:
    """Round bounds to the dtype of the scores, inwards, so that comparing there is exact."""
    narrow = bounds.astype(dtype)
    wrong = narrow < bounds if up else narrow > bounds
    target = np.asarray(np.inf if up else -np.inf, dtype=dtype)
    return np.where(wrong, np.nextafter(narrow, target), narrow)
