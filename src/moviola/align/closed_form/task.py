"""Define the input (`Task`) and the output (`Fitted`) of an alignment method."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from moviola.align.closed_form.covariance import Covariance, Pairs, PartedCovariance, gather_parts
from moviola.align.closed_form.selection import HeldOut, reciprocal_ranks
from moviola.align.data.rows import RaggedRows
from moviola.align.head.maps import Maps
from moviola.align.head.side import Side
from moviola.align.options import TrainOptions, TrainOutput

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

OptionT = TypeVar("OptionT")


@dataclass(frozen=True, eq=False)
class Task:
    """Hold the pairs that a method fits, and the parts that it holds out.

    Attributes:
        texts: rows of N texts as stored.
        clips: rows of M clips as stored.
        owner: `(N,)` row of its clip for every text.
        text_side: of the texts.
        clip_side: of the clips.
        parts: rows of the clips to hold out and to report on, part by part, each in rising order.
        watched: rows of other clips, by which a training chooses its epoch; nothing is reported
            on them.
        seed: of what is drawn.
        training: settings of a training that were asked for.
        output: where a training writes.
    """

    texts: RaggedRows
    clips: RaggedRows
    owner: Counts
    text_side: Side
    clip_side: Side
    parts: Sequence[Counts]
    watched: Counts
    seed: int
    training: TrainOptions = field(default_factory=TrainOptions)
    output: TrainOutput = field(default_factory=TrainOutput)

    @cached_property
    def pairs(self) -> Pairs:
        """Return the pairs with one row an item, for methods that need it.

        Raises:
            ValueError: when an item has several.
        """
        if not (self.texts.is_pooled and self.clips.is_pooled):
            raise ValueError(
                "items have several rows and this method takes one; say how they become one "
                "(--pool mean), or fit a transformer"
            )
        return Pairs(self.texts.rows, self.clips.rows, self.owner, self.text_side, self.clip_side)

    @cached_property
    def held(self) -> list[HeldOut]:
        """Return the held-out videos with their captions, part by part."""
        return [HeldOut.of(self.pairs, part) for part in self.parts]

    @cached_property
    def covariances(self) -> tuple[Covariance, list[Covariance]]:
        """Return the covariance of all pairs, and of all except each part."""
        parted = self._parted
        return parted.without(), [parted.without(number) for number in range(len(self.parts))]

    @cached_property
    def unwatched(self) -> Covariance:
        """Return the covariance of all pairs except those of the first part and the watched."""
        return self._parted.without(0, len(self.parts))

    @cached_property
    def _parted(self) -> PartedCovariance:
        return gather_parts(self.pairs, [*self.parts, self.watched], seed=self.seed)

    @property
    def dimensions(self) -> tuple[int, int]:
        """Return the lengths of a text row and of a clip row."""
        return self.texts.dimension, self.clips.dimension


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Hold the fitted maps and their result on held-out videos.

    Attributes:
        method: its name.
        maps: fitted on all pairs.
        partial: maps fitted without each part, in order of the parts; of trained methods the first
            part only, without which `maps` were fitted too.
        reciprocal_ranks: of the held-out captions of these parts, part after part.
        choice: what was chosen, as JSON values.
        epochs: how a training went, as JSON values; None in closed form.
        warnings: sentences.
    """

    method: str
    maps: Maps
    partial: Sequence[Maps]
    reciprocal_ranks: Sequence[NDArray[np.float64]]
    choice: Mapping[str, Any] = field(default_factory=dict[str, Any])
    epochs: Sequence[Mapping[str, Any]] | None = None
    warnings: Sequence[str] = ()

    @property
    def mrr(self) -> float:
        """Return the mean reciprocal rank of held-out captions."""
        return float(np.concatenate(list(self.reciprocal_ranks)).mean())


def fit_best(
    task: Task,
    method: str,
    options: Sequence[OptionT],
    make: Callable[[Covariance, OptionT], Maps],
    name: str = "shrinkage",
) -> Fitted:
    """Fit the option whose maps find held-out videos best, on all pairs.

    Args:
        task: what is to be fitted.
        method: its name.
        options: what to try; where there is one, nothing is chosen.
        make: covariance and an option to maps.
        name: what an option is called on the card.
    """
    whole, rests = task.covariances
    best: tuple[OptionT, list[Maps], list[NDArray[np.float64]], float] | None = None
    for option in options:
        partial = [make(rest, option) for rest in rests]
        found = [
            reciprocal_ranks(maps, part) for maps, part in zip(partial, task.held, strict=True)
        ]
        mrr = float(np.concatenate(found).mean())
        if best is None or mrr > best[3]:
            best = (option, partial, found, mrr)
    if best is None:
        raise ValueError(f"there is nothing to choose from for {method}")
    option, partial, found, _ = best
    choice = {name: option} if len(options) > 1 else {}
    return Fitted(method, make(whole, option), partial, found, choice)
