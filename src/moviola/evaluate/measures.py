"""Name the measures of retrieval, each a value that knows all about itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np

from moviola.core import PluginNotFoundError
from moviola.core.attributes import is_attribute, load_attribute
from moviola.core.ranks import Ranks
from moviola.evaluate.bootstrap import Column, Summary
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

Direction = Literal["larger", "smaller"]
Combination = Literal["sum", "geometric mean"]


@dataclass(frozen=True, slots=True)
class MeasureCard:
    """Describe a measure as far as summing up, comparing and showing its values needs.

    Attributes:
        name: as it prints, such as `R@5`.
        direction: whether a `"larger"` or a `"smaller"` value is better.
        summary: whether the aggregate is the mean or the median of the queries.
        scale: what the aggregate is multiplied with: 100 where it is told in percent.
        digits: how many digits it is shown with.

    Raises:
        ValueError: when the name is empty, or direction or summary is another word.
    """

    name: str
    direction: Direction = field(default="larger", kw_only=True)
    summary: Summary = field(default="mean", kw_only=True)
    scale: float = field(default=1.0, kw_only=True)
    digits: int = field(default=4, kw_only=True)

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("a measure needs a name")
        for what, value, kind in (
            ("direction", self.direction, Direction),
            ("summary", self.summary, Summary),
        ):
            if value not in get_args(kind):
                words = " or ".join(map(repr, get_args(kind)))
                raise ValueError(f"the {what} of measure {self.name!r} is {words}, not {value!r}")

    def __str__(self) -> str:
        return self.name

    @property
    def parts(self) -> tuple[MeasureCard, ...]:
        """Name the measures whose queries this one needs: itself."""
        return (self,)

    def column(self, values: Values) -> Column:
        """Put `(Q,)` values together with how they become one number."""
        return Column(values, self.summary, self.scale)

    def combine(self, aggregates: Values) -> Values:
        """Give back the one aggregate of `(1, ...)` as `(...)`."""
        return aggregates[0]

    def show(self, value: float, *, signed: bool = False) -> str:
        """Write a value with the digits of this measure."""
        return f"{value:+.{self.digits}f}" if signed else f"{value:.{self.digits}f}"

    def to_json(self) -> dict[str, Any]:
        """Write the card as JSON values, as `card_from_json` reads them."""
        return {
            "name": self.name,
            "direction": self.direction,
            "summary": self.summary,
            "scale": self.scale,
            "digits": self.digits,
        }


@dataclass(frozen=True, slots=True)
class Measure(MeasureCard):
    """Compute a number for every query, and know how the numbers become one.

    Attributes:
        of: `(ranks, ties) -> (Q,)` values; shares and chances lie in [0, 1].
    """

    of: Callable[[Ranks, Ties], Values] = field(kw_only=True, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Combined:
    """Combine the aggregates of several measures to one number.

    Attributes:
        name: as it prints, such as `SumR`.
        parts: the measures it is made of, P of them.
        combination: how their aggregates become one number.
        direction: whether a `"larger"` or a `"smaller"` value is better.
        digits: how many digits it is shown with.
    """

    name: str
    parts: tuple[MeasureCard, ...]
    combination: Combination
    direction: Direction = "larger"
    digits: int = 1

    def __str__(self) -> str:
        return self.name

    def combine(self, aggregates: Values) -> Values:
        """Combine aggregates `(P, ...)` of the parts to `(...)`."""
        if self.combination == "sum":
            return aggregates.sum(axis=0)
        return np.prod(aggregates, axis=0) ** (1.0 / len(aggregates))

    def show(self, value: float, *, signed: bool = False) -> str:
        """Write a value with the digits of this measure."""
        return f"{value:+.{self.digits}f}" if signed else f"{value:.{self.digits}f}"

    def to_json(self) -> dict[str, Any]:
        """Write the card as JSON values, as `card_from_json` reads them."""
        return {
            "name": self.name,
            "direction": self.direction,
            "combination": self.combination,
            "digits": self.digits,
            "parts": [part.to_json() for part in self.parts],
        }


def card_from_json(value: Mapping[str, Any]) -> MeasureCard | Combined:
    """Read the card of a measure that `to_json` wrote.

    Raises:
        KeyError: when a field is not there.
        ValueError: when a field holds what it cannot.
    """
    name, direction = str(value["name"]), cast("Direction", value["direction"])
    digits = int(value["digits"])
    if "parts" not in value:
        return MeasureCard(
            name,
            direction=direction,
            summary=cast("Summary", value["summary"]),
            scale=float(value["scale"]),
            digits=digits,
        )
    combination = cast("Combination", value["combination"])
    if combination not in get_args(Combination):
        raise ValueError(f"there is no combination {combination!r}")
    cards = [card_from_json(part) for part in value["parts"]]
    parts = tuple(card for card in cards if isinstance(card, MeasureCard))
    return Combined(name, parts, combination, direction, digits)


def hit(cutoff: int) -> Measure:
    """Measure `R@K` in percent: is any relevant item among the first K (the papers' recall)."""
    return Measure(
        f"R@{cutoff}",
        of=lambda ranks, ties: hit_within(ranks, cutoff, ties),
        scale=100.0,
        digits=1,
    )


def recall(cutoff: int) -> Measure:
    """Measure `Recall@K` in percent: the share of the relevant items among the first K."""
    return Measure(
        f"Recall@{cutoff}",
        of=lambda ranks, ties: recall_within(ranks, cutoff, ties),
        scale=100.0,
        digits=1,
    )


def ndcg(cutoff: int | None = None) -> Measure:
    """Measure `nDCG@K` as a fraction, or over the whole ranking."""
    name = "nDCG" if cutoff is None else f"nDCG@{cutoff}"
    return Measure(name, of=lambda ranks, ties: discounted_gain(ranks, cutoff, ties))


MEDIAN_RANK = Measure(
    "MdR", of=first_relevant_rank, direction="smaller", summary="median", digits=1
)
MEAN_RANK = Measure("MnR", of=first_relevant_rank, direction="smaller", digits=1)
MRR = Measure("MRR", of=reciprocal_rank)
MAP = Measure("mAP", of=average_precision)
#: R@1 + R@5 + R@10 of one direction.
SUM_OF_RECALLS = Combined("SumR", (hit(1), hit(5), hit(10)), "sum")
#: Geometric mean of R@1, R@5 and R@10, in percent.
GEOMETRIC_MEAN = Combined("GeoR", (hit(1), hit(5), hit(10)), "geometric mean")

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
    """Find the measure that prints as `name`, capitals aside, or that `module:attribute` names.

    Raises:
        ValueError: when there is none, with the list of those there are.
        PluginNotFoundError: when the attribute cannot be imported, or is no measure.
    """
    found = re.fullmatch(r"([a-z]+)@([1-9][0-9]*)", name.casefold())
    if found and found[1] in _WITH_CUTOFF:
        return _WITH_CUTOFF[found[1]](int(found[2]))
    if name.casefold() in _PLAIN:
        return _PLAIN[name.casefold()]
    if is_attribute(name):
        measure = load_attribute(name, "measure")
        if isinstance(measure, (Measure, Combined)):
            return measure
        raise PluginNotFoundError(
            f"{name!r} is a {type(measure).__name__}, no moviola.evaluate.Measure; write one as "
            f"Measure('NAME', of=lambda ranks, ties: ...)"
        )
    known = ", ".join(["R@K", "Recall@K", "nDCG@K", *map(str, _PLAIN.values())])
    raise ValueError(
        f"no measure is called {name!r}; there are {known}, K a rank from 1, and your own as "
        f"module:attribute"
    )


def parse_measures(names: Sequence[str]) -> tuple[Measure | Combined, ...]:
    """Find measures by name, in the order asked for, each once.

    Raises:
        ValueError: as `parse_measure`, or when two measures print the same name.
        PluginNotFoundError: as `parse_measure`.
    """
    found = {parse_measure(name): None for name in names}
    printed = [str(measure) for measure in found]
    twice = [name for name in printed if printed.count(name) > 1]
    if twice:
        raise ValueError(f"two measures are called {twice[0]!r}; rename one of them")
    return tuple(found)
