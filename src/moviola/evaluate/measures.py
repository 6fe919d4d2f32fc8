"""Measures as values that print as their names and are read back from them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.ranks import Ranks
from moviola.evaluate.bootstrap import Summary
from moviola.evaluate.ties import (
    Ties,
    average_precision,
    discounted_gain,
    first_relevant_rank,
    hit_within,
    recall_within,
    reciprocal_rank,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Measure:
    """A number for every query, and how the numbers become one.

    Attributes:
        name: as it prints, such as `R@5`.
        of: `(ranks, ties) -> (Q,)` values; shares and chances lie in [0, 1].
        summary: whether the aggregate is the mean or the median of the queries.
        scale: what the aggregate is multiplied with: 100 where it is told in percent.
    """

    name: str
    of: Callable[[Ranks, Ties], Values] = field(compare=False, repr=False)
    summary: Summary = "mean"
    scale: float = 1.0

    def __str__(self) -> str:
        return self.name

    @property
    def parts(self) -> tuple[Measure, ...]:
        """The measures whose queries this one needs: itself."""
        return (self,)


@dataclass(frozen=True, slots=True)
class Combined:
    """A number made of the aggregates of several measures.

    Attributes:
        name: as it prints, such as `SumR`.
        parts: the measures it is made of, P of them.
        combine: aggregates `(P, ...)` to `(...)`.
    """

    name: str
    parts: tuple[Measure, ...]
    combine: Callable[[Values], Values] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.name


def hit(cutoff: int) -> Measure:
    """`R@K` in percent: is any relevant item among the first K (the papers' recall)."""
    return Measure(f"R@{cutoff}", lambda ranks, ties: hit_within(ranks, cutoff, ties), scale=100.0)


def recall(cutoff: int) -> Measure:
    """`Recall@K` in percent: which share of the relevant items is among the first K."""
    return Measure(
        f"Recall@{cutoff}", lambda ranks, ties: recall_within(ranks, cutoff, ties), scale=100.0
    )


def ndcg(cutoff: int | None = None) -> Measure:
    """`nDCG@K` as a fraction, or over the whole ranking."""
    name = "nDCG" if cutoff is None else f"nDCG@{cutoff}"
    return Measure(name, lambda ranks, ties: discounted_gain(ranks, cutoff, ties))


MEDIAN_RANK = Measure("MdR", first_relevant_rank, summary="median")
MEAN_RANK = Measure("MnR", first_relevant_rank)
MRR = Measure("MRR", reciprocal_rank)
MAP = Measure("mAP", average_precision)


def _sum(aggregates: Values) -> Values:
    return aggregates.sum(axis=0)


def _geometric_mean(aggregates: Values) -> Values:
    return np.prod(aggregates, axis=0) ** (1.0 / len(aggregates))


#: R@1 + R@5 + R@10 of one direction.
SUM_OF_RECALLS = Combined("SumR", (hit(1), hit(5), hit(10)), _sum)
#: Geometric mean of R@1, R@5 and R@10, in percent.
GEOMETRIC_MEAN = Combined("GeoR", (hit(1), hit(5), hit(10)), _geometric_mean)

#: What is measured unless told otherwise.
DEFAULT_MEASURES: tuple[Measure | Combined, ...] = (
    hit(1),
    hit(2),
    hit(5),
    hit(10),
    MEDIAN_RANK,
    MEAN_RANK,
    MRR,
    MAP,
)

_PLAIN: dict[str, Measure | Combined] = {
    str(measure).casefold(): measure
    for measure in (MEDIAN_RANK, MEAN_RANK, MRR, MAP, ndcg(), SUM_OF_RECALLS, GEOMETRIC_MEAN)
}
_WITH_CUTOFF: dict[str, Callable[[int], Measure]] = {"r": hit, "recall": recall, "ndcg": ndcg}


def parse_measure(name: str) -> Measure | Combined:
    """The measure that prints as `name`; capitals do not matter.

    Raises:
        ValueError: when there is none, with the list of those there are.
    """
    found = re.fullmatch(r"([a-z]+)@([1-9][0-9]*)", name.casefold())
    if found and found[1] in _WITH_CUTOFF:
        return _WITH_CUTOFF[found[1]](int(found[2]))
    if name.casefold() in _PLAIN:
        return _PLAIN[name.casefold()]
    known = ", ".join(["R@K", "Recall@K", "nDCG@K", *map(str, _PLAIN.values())])
    raise ValueError(f"no measure is called {name!r}; there are {known}, K a rank from 1")


def parse_measures(names: Sequence[str]) -> tuple[Measure | Combined, ...]:
    """Measures by name, in the order asked for."""
    return tuple(parse_measure(name) for name in names)
