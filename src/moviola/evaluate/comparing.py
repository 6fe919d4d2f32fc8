"""Test whether one result is better than another, paired over the same queries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.evaluate.bootstrap import Interval, interval, resample
from moviola.evaluate.measures import Combined, MeasureCard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: Values that are shuffled at a time, 64 MiB of float64.
_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """Hold one measure of two results, A and B, on the same queries.

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
    measures: Sequence[MeasureCard | Combined],
    *,
    permutations: int = 10_000,
    seed: int = 0,
) -> dict[str, Comparison]:
    """Test each measure that both have by paired randomisation.

    For every query the values of A and B change places with chance one half; p is the share of
    such draws whose difference is at least as large as the one that was found, this one included
    (Smucker, Allan and Carterette, "A Comparison of Statistical Significance Tests for
    Information Retrieval Evaluation", 2007, section 3.1). A query is won where its own value, or
    what a combined measure makes of its values, is the better one.

    Args:
        a: measure to its `(Q,)` values.
        b: measure to its `(Q,)` values, of the same queries in the same order.
        measures: what was measured; those whose values one of the two lacks are left out.
        permutations: how many draws.
        seed: the same seed gives the same draws.

    Raises:
        ValueError: when the two differ in their number of queries, or have no measure in common.
    """
    shared = [
        measure
        for measure in measures
        if all(part.name in a and part.name in b for part in measure.parts)
    ]
    if not shared:
        raise ValueError("the two results have no measure in common")
    names = {part.name for measure in shared for part in measure.parts}
    lengths = {len(side[name]) for name in names for side in (a, b)}
    if len(lengths) != 1 or not lengths.pop():
        raise ValueError("the two results must have the same queries, at least one")
    sides = [
        [np.stack([side[part.name] for part in measure.parts]) for measure in shared]
        for side in (a, b)
    ]
    chances = _chances(shared, *sides, permutations=permutations, seed=seed)
    return {
        str(measure): _compared(measure, mine, theirs, p=p, seed=seed)
        for measure, mine, theirs, p in zip(shared, *sides, chances, strict=True)
    }


def _compared(
    measure: MeasureCard | Combined, a: Values, b: Values, *, p: float, seed: int
) -> Comparison:
    """Compare the `(P, Q)` values of A and B, P parts of one measure."""
    count = len(measure.parts)
    columns = [
        part.column(values)
        for side in (a, b)
        for part, values in zip(measure.parts, side, strict=True)
    ]
    drawn = resample(columns, resamples=1000, seed=seed)
    found = np.array([column.aggregate for column in columns])
    values = [float(measure.combine(found[part])) for part in (slice(count), slice(count, None))]
    scales = np.array([[part.scale] for part in measure.parts])
    better = measure.combine(b * scales) - measure.combine(a * scales)
    if measure.direction == "smaller":
        better = -better
    won, lost = (int(np.count_nonzero(side > 1e-12)) for side in (better, -better))
    return Comparison(
        a=values[0],
        b=values[1],
        difference=values[1] - values[0],
        interval=interval(measure.combine(drawn[count:]) - measure.combine(drawn[:count])),
        p=p,
        won=won,
        lost=lost,
        tied=a.shape[1] - won - lost,
    )


def _chances(
    measures: Sequence[MeasureCard | Combined],
    a: Sequence[Values],
    b: Sequence[Values],
    *,
    permutations: int,
    seed: int,
) -> list[float]:
    """Compute the p of every measure; all see the same draws of which queries change places."""
    tests = [_test(measure, x, y) for measure, x, y in zip(measures, a, b, strict=True)]
    queries = a[0].shape[1]
    stay = np.ones((1, queries))
    found = [abs(float(test(stay)[0])) for test in tests]
    as_large = np.ones(len(tests))
    for signs in _signs(queries, permutations, seed):
        for place, test in enumerate(tests):
            # A hair of slack: sums in another order differ in their last digits.
            least = found[place] - 1e-9 * (1 + found[place])
            as_large[place] += np.count_nonzero(np.abs(test(signs)) >= least)
    return [float(value) for value in as_large / (permutations + 1)]


def _test(measure: MeasureCard | Combined, a: Values, b: Values) -> Callable[[Values], Values]:
    """Make the function from signs `(n, Q)`, -1 where A and B change places, to differences."""
    middle, half = (a + b) / 2, (b - a) / 2
    scales = np.array([[part.scale] for part in measure.parts])

    def difference(signs: Values) -> Values:
        mine, theirs = np.empty((2, len(measure.parts), len(signs)))
        for row, part in enumerate(measure.parts):
            if part.summary == "mean":
                moved, whole = signs @ half[row] / len(half[row]), middle[row].mean()
                mine[row], theirs[row] = whole - moved, whole + moved
            else:
                moved = signs * half[row]
                mine[row] = np.median(middle[row] - moved, axis=1)
                theirs[row] = np.median(middle[row] + moved, axis=1)
        return measure.combine(theirs * scales) - measure.combine(mine * scales)

    return difference


def _signs(queries: int, permutations: int, seed: int) -> Iterator[Values]:
    """Draw blocks of `(n, queries)` signs, `permutations` rows in all."""
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // queries)
    for first in range(0, permutations, step):
        rows = min(step, permutations - first)
        yield np.where(rng.integers(0, 2, (rows, queries), np.int8), 1.0, -1.0)
