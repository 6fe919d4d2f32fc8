"""Take away from a clip's scores what its nearest queries have in common."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import ScoreBlocks, Scores
from moviola.score.corrections import (
    CorrectedBlocks,
    corrected,
    nearest_mean,
    per_column,
    positive,
    reference,
)

if TYPE_CHECKING:
    from moviola.score.corrections import Adjust, Values


@dataclass(frozen=True, slots=True)
class CSLS:
    """Correct by cross-domain similarity local scaling.

    Conneau, Lample, Ranzato, Denoyer and Jegou, "Word Translation Without Parallel Data", 2018,
    section 2.3: `2 s(q, g) - r(q) - r(g)`, r the mean score with the nearest of the other side.
    With a bank r(g) comes from its captions and r(q) is left out: it is one number for the whole
    ranking of q, and read the other way round it would be a look at the other clips that are asked.

    Attributes:
        bank: training captions against the gallery; None for the test's own (transductive).
        neighbours: how many nearest make r.

    Raises:
        ValueError: when `neighbours` is not above 0.
    """

    bank: ScoreBlocks | None = field(default=None, repr=False)
    neighbours: int = 10

    def __post_init__(self) -> None:
        positive(self.neighbours, "number of neighbours")

    @property
    def transductive(self) -> bool:
        """Tell whether it looks at the other queries of the test."""
        return self.bank is None

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores to `(Q, G)`."""
        matrix = self._adjust(scores)(scores.matrix.astype(np.float64))
        return corrected(scores, matrix, "CSLS", self.bank)

    def blocks(self, scores: ScoreBlocks) -> CorrectedBlocks:
        """Correct scores `(Q, G)` a few queries at a time."""
        return CorrectedBlocks(scores, self._adjust(scores), "CSLS", self.bank)

    def _adjust(self, scores: ScoreBlocks) -> Adjust:
        adjust = self.learn(reference(scores, self.bank))
        if self.bank is not None:
            return adjust
        return lambda rows: adjust(rows) - nearest_mean(rows, self.neighbours, axis=1)[:, None]

    def learn(self, bank: ScoreBlocks) -> Adjust:
        """Learn how near each clip is to the nearest captions of `bank`, to be taken away."""
        crowding = _crowding(bank, self.neighbours)
        return lambda rows: 2.0 * rows - crowding


@dataclass(frozen=True, slots=True)
class NNN:
    """Correct by nearest neighbour normalization: inductive.

    Chowdhury, Wang, Shenoy, Kiela, Schwettmann and Thrush, "Nearest Neighbor Normalization Improves
    Multimodal Retrieval", 2024, section 2: `s(q, g) - a r(g)`, r the mean score of the clip with
    its nearest captions of the bank. Choose a and their number on validation queries.

    Attributes:
        bank: training captions against the gallery.
        neighbours: how many nearest make r.
        weight: a.

    Raises:
        ValueError: when a parameter is not above 0.
    """

    bank: ScoreBlocks = field(repr=False)
    neighbours: int = 16
    weight: float = 0.5

    def __post_init__(self) -> None:
        positive(self.neighbours, "number of neighbours")
        positive(self.weight, "weight")

    @property
    def transductive(self) -> bool:
        """Tell whether it looks at the other queries of the test: no."""
        return False

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores to `(Q, G)`."""
        adjust = self.learn(reference(scores, self.bank))
        return corrected(scores, adjust(scores.matrix.astype(np.float64)), "NNN", self.bank)

    def blocks(self, scores: ScoreBlocks) -> CorrectedBlocks:
        """Correct scores `(Q, G)` a few queries at a time."""
        adjust = self.learn(reference(scores, self.bank))
        return CorrectedBlocks(scores, adjust, "NNN", self.bank)

    def learn(self, bank: ScoreBlocks) -> Adjust:
        """Learn how near each clip is to the nearest captions of `bank`, taken away in part."""
        bias = self.weight * _crowding(bank, self.neighbours)
        return lambda rows: rows - bias


def _crowding(scores: ScoreBlocks, neighbours: int) -> Values:
    """Compute the `(G,)` mean score of each clip with its nearest queries."""

    def column(values: Values) -> Values:
        return nearest_mean(values, neighbours, axis=0)

    return per_column(scores, column)
