"""Is one result better than another, or was it luck? Paired over the same queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.evaluate.bootstrap import Column, Interval, interval, resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: Measures of which less is better.
_RANKS = frozenset({"MdR", "MnR"})
#: Values that are shuffled at a time, 64 MiB of float64.
_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """One measure of two results, A and B, on the same queries.

    Attributes:
        a: aggregate of A.
        b: aggregate of B.
        difference: B minus A.
        interval: the 95 % bootstrap interval of the difference.
        p: how often chance alone gives a difference at least as large, either way.
        won: queries that B does better than A.
        lost: queries that B does worse.
        tied: queries without a difference.
    """

    a: float
    b: float
    difference: float
    interval: Interval
    p: float
    won: int
    lost: int
    tied: int


def compare(
    a: Mapping[str, Values],
    b: Mapping[str, Values],
    scales: Mapping[str, float],
    *,
    permutations: int = 10_000,
    seed: int = 0,
) -> dict[str, Comparison]:
    """Paired randomisation test of each measure that both have.

    For every query the values of A and B change places with chance one half; p is the share of
    such draws whose difference is at least as large as the one that was found, this one included
    (Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for
    Information Retrieval Evaluation", 2007, section 3.1).

    Args:
        a: measure to its `(Q,)` values.
        b: measure to its `(Q,)` values, of the same queries in the same order.
        scales: what aggregates are multiplied with, 1 where a measure is not named.
        permutations: how many draws.
        seed: the same seed gives the same draws.

    Raises:
        ValueError: when the two differ in their number of queries, or have no measure in common.
    """
    names = [name for name in a if name in b]
    if not names:
        raise ValueError("the two results have no measure in common")
    lengths = {len(side[name]) for name in names for side in (a, b)}
    if len(lengths) != 1 or not lengths.pop():
        raise ValueError("the two results must have the same queries, at least one")
    means = [name for name in names if name != "MdR"]
    chances = _of_means([b[name] - a[name] for name in means], permutations=permutations, seed=seed)
    p = dict(zip(means, chances, strict=True))
    if "MdR" in names:
        p["MdR"] = _of_median(a["MdR"], b["MdR"], permutations=permutations, seed=seed)
    return {
        name: _compared(name, a[name], b[name], p=p[name], scale=scales.get(name, 1.0), seed=seed)
        for name in names
    }


def _compared(name: str, a: Values, b: Values, *, p: float, scale: float, seed: int) -> Comparison:
    summary = "median" if name == "MdR" else "mean"
    columns = [Column(side, summary, scale) for side in (a, b)]
    drawn = resample(columns, resamples=1000, seed=seed)
    better = a - b if name in _RANKS else b - a
    won, lost = (int(np.count_nonzero(side > 1e-12)) for side in (better, -better))
    values = [column.aggregate for column in columns]
    return Comparison(
        a=values[0],
        b=values[1],
        difference=values[1] - values[0],
        interval=interval(drawn[1] - drawn[0]),
        p=p,
        won=won,
        lost=lost,
        tied=len(a) - won - lost,
    )


def _of_means(differences: Sequence[Values], *, permutations: int, seed: int) -> list[float]:
    """The p of the mean of each column; all see the same draws."""
    if not differences:
        return []
    table = np.stack(differences)
    found = np.abs(table.sum(axis=1))
    as_large = np.ones(len(table))
    for signs in _signs(table.shape[1], permutations, seed):
        # A hair of slack: sums in another order differ in their last digits.
        as_large += (np.abs(signs @ table.T) >= found - 1e-9 * (1 + found)).sum(axis=0)
    return [float(value) for value in as_large / (permutations + 1)]


def _of_median(a: Values, b: Values, *, permutations: int, seed: int) -> float:
    found = abs(float(np.median(b) - np.median(a)))
    as_large = 1
    for signs in _signs(len(a), permutations, seed):
        stay = signs > 0
        gap = np.median(np.where(stay, b, a), axis=1) - np.median(np.where(stay, a, b), axis=1)
        as_large += int((np.abs(gap) >= found - 1e-9).sum())
    return as_large / (permutations + 1)


def _signs(queries: int, permutations: int, seed: int) -> Iterator[Values]:
    """Blocks of `(n, queries)` signs, `permutations` rows in all."""
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // queries)
    for first in range(0, permutations, step):
        rows = min(step, permutations - first)
        yield np.where(rng.integers(0, 2, (rows, queries), np.int8), 1.0, -1.0)
