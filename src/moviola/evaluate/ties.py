"""Compute the measures of queries from ranks, under three readings of ties.

All functions are vectorised over queries and take the groups of ties that `core.ranks` counted: g
items strictly better, t tied, r of them relevant. The expected values over random orders of tied
items are those of McSherry and Najork, "Computing Information Retrieval Performance Measures
Efficiently in the Presence of Tied Scores", ECIR 2008; optimistic puts the relevant items of a
group first, pessimistic last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import numpy as np

from moviola.core.ranks import UNRANKED, Ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]
    Counts = NDArray[np.int64]

Ties = Literal["expected", "optimistic", "pessimistic"]


def hit_within(ranks: Ranks, cutoff: int, ties: Ties) -> Values:
    """Compute the `(Q,)` chance that at least one relevant item is among the first `cutoff`."""
    g, t, r = _best_groups(ranks)
    if ties != "expected":
        return (_first_rank(g, t, r, ties) <= cutoff).astype(np.float64)
    drawn = np.clip(cutoff - g, 0, t)
    # None of `drawn` draws out of t hits one of r: a product over the smaller of the two.
    fewer, more = np.minimum(r, drawn), np.maximum(r, drawn)
    missed = np.ones(len(g))
    for step in range(int(fewer.max(initial=0))):
        left = np.maximum(t - more - step, 0) / np.maximum(t - step, 1)
        missed *= np.where(step < fewer, left, 1.0)
    return 1.0 - missed


def first_relevant_rank(ranks: Ranks, ties: Ties) -> Values:
    """Compute the `(Q,)` rank, from 1, of the best relevant item.

    Expected it is `g + (t + 1) / (r + 1)`; an item that was not retrieved counts as `ranks.last`.
    """
    return np.minimum(_first_rank(*_best_groups(ranks), ties), float(ranks.last))


def reciprocal_rank(ranks: Ranks, ties: Ties) -> Values:
    """Compute `(Q,)` one over the rank of the best relevant item."""
    g, t, r = _best_groups(ranks)
    if ties != "expected":
        return 1.0 / _first_rank(g, t, r, ties)
    values = 1.0 / (g.astype(np.float64) + 1.0)
    _where_tied(values, (g, t, r), _expected_reciprocal)
    return values


def recall_within(ranks: Ranks, cutoff: int, ties: Ties) -> Values:
    """Compute the `(Q,)` share of the relevant items that are among the first `cutoff`."""
    g, t, r = ranks.better, ranks.tied, ranks.relevant
    places = np.clip(cutoff - g, 0, t)
    if ties == "expected":
        found = r * places / t
    elif ties == "optimistic":
        found = np.minimum(places, r)
    else:
        found = np.maximum(places - (t - r), 0)
    return _per_query(ranks, found) / _relevant(ranks)


def average_precision(ranks: Ranks, ties: Ties) -> Values:
    """Compute the `(Q,)` mean over the relevant items of the precision at their ranks."""
    g, t, r = ranks.better, ranks.tied, ranks.relevant
    before = _relevant_before(ranks)
    offset = g if ties != "pessimistic" else g + t - r
    gains = np.zeros(len(g))
    # The relevant items of a group in a row: item i of them stands at offset + i.
    group = np.repeat(np.arange(len(g)), r)
    place = np.arange(len(group)) - np.repeat(np.cumsum(r) - r, r) + 1
    np.add.at(gains, group, (before[group] + place) / (offset[group] + place))
    if ties == "expected":
        _where_tied(gains, (g, t, r, before), _expected_precisions)
    return _per_query(ranks, gains) / _relevant(ranks)


def discounted_gain(ranks: Ranks, cutoff: int | None, ties: Ties) -> Values:
    """Compute the `(Q,)` nDCG: gain 1 for a relevant item, discounted by `log2(rank + 1)`.

    Jaervelin and Kekaelaeinen, "Cumulated gain-based evaluation of IR techniques", 2002, with the
    discount as trec_eval's `ndcg_cut` has it; divided by the gain of the best possible order.
    """
    g, t, r = ranks.better, ranks.tied, ranks.relevant
    relevant = _relevant(ranks)
    retrieved = np.where(g < UNRANKED, g + t, 0)
    deepest = int(max(retrieved.max(initial=0), relevant.max(initial=0)))
    cutoff = deepest if cutoff is None else cutoff
    # cumulated[n] is the gain of relevant items at all of the first n ranks.
    ranked = np.arange(1, min(cutoff, deepest) + 1)
    cumulated = np.concatenate([[0.0], np.cumsum(1.0 / np.log2(ranked + 1.0))])

    def between(first: Counts, last: Counts) -> Values:
        return cumulated[np.minimum(last, cutoff)] - cumulated[np.minimum(first, cutoff)]

    if ties == "expected":
        gains = between(g, g + t) * r / t
    elif ties == "optimistic":
        gains = between(g, g + r)
    else:
        gains = between(g + t - r, g + t)
    return _per_query(ranks, gains) / cumulated[np.minimum(relevant, cutoff)]


def _first_rank(g: Counts, t: Counts, r: Counts, ties: Ties) -> Values:
    if ties == "expected":
        return g.astype(np.float64) + (t + 1) / (r + 1)
    return (g + 1 if ties == "optimistic" else g + t - r + 1).astype(np.float64)


def _expected_reciprocal(g: int, t: int, r: int) -> float:
    """Sum up over j of P(first relevant at j) / (g + j)."""
    place = np.arange(1, t - r + 2)
    # P(1) = r / t, and P(j + 1) = P(j) (t - j - r + 1) / (t - j).
    steps = (t - place[:-1] - r + 1.0) / (t - place[:-1])
    chance = r / t * np.concatenate([[1.0], np.cumprod(steps)])
    return float((chance / (g + place)).sum())


def _expected_precisions(g: int, t: int, r: int, before: int) -> float:
    """Sum up over the r relevant of t tied items of the expected precision at their ranks."""
    place = np.arange(1, t + 1)
    # Given a relevant item at j, each of the j - 1 before it is relevant by (r - 1) / (t - 1).
    found = before + 1.0 + (place - 1) * ((r - 1) / (t - 1))
    return float(r / t * (found / (g + place)).sum())


def _where_tied(values: Values, groups: tuple[Counts, ...], expected: Callable[..., float]) -> None:
    """Replace the values of groups that hold irrelevant items by their expectation."""
    _, t, r = groups[:3]
    tied = np.flatnonzero(t > r)
    if not len(tied):
        return
    # Equal groups are many where vectors are constant or coarse; each is worked out once.
    kinds, which = np.unique(np.stack([part[tied] for part in groups]), axis=1, return_inverse=True)
    worked_out = np.array([expected(*kind) for kind in kinds.T.tolist()])
    values[tied] = worked_out[which]


def _best_groups(ranks: Ranks) -> tuple[Counts, Counts, Counts]:
    first = ranks.offsets[:-1]
    return ranks.better[first], ranks.tied[first], ranks.relevant[first]


def _per_query(ranks: Ranks, gains: NDArray[np.float64 | np.int64]) -> Values:
    return np.add.reduceat(gains.astype(np.float64), ranks.offsets[:-1])


def _relevant(ranks: Ranks) -> Counts:
    return np.add.reduceat(ranks.relevant, ranks.offsets[:-1])


def _relevant_before(ranks: Ranks) -> Counts:
    """Count `(M,)` relevant items of the same query in better groups."""
    upto = np.cumsum(ranks.relevant) - ranks.relevant
    return upto - np.repeat(upto[ranks.offsets[:-1]], np.diff(ranks.offsets))
