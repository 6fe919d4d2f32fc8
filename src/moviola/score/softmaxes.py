"""Correct scores by how surely a clip is meant by a query, and not by another one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import ScoreBlocks, Scores
from moviola.score.corrections import (
    CorrectedBlocks,
    corrected,
    log_mean_exp,
    per_column,
    positive,
    reference,
    row_blocks,
)

#: One over the inverse temperature 20 that the authors of QB-Norm use for cosines throughout.
QBNORM_TEMPERATURE = 0.05

if TYPE_CHECKING:
    from moviola.score.corrections import Adjust, Values


@dataclass(frozen=True, slots=True)
class InvertedSoftmax:
    """Correct by the softmax over queries instead of clips.

    Smith, Turban, Hamblin and Hammerla, "Offline bilingual word vectors, orthogonal
    transformations and the inverted softmax", 2017, section 2.3: `exp(s / T)` over the sum of
    `exp(s / T)` that the clip has with all the queries of the bank. Given here is `T` times the
    logarithm of that (and of the size of the bank), `s - T log mean exp(s_bank / T)`: the same
    order, in the units of the scores, and nothing underflows.

    Attributes:
        bank: training captions against the gallery; None for the test's own (transductive).
        temperature: T, in the units of the scores.

    Raises:
        ValueError: when the temperature is not above 0.
    """

    bank: ScoreBlocks | None = field(default=None, repr=False)
    temperature: float = QBNORM_TEMPERATURE

    def __post_init__(self) -> None:
        positive(self.temperature, "temperature")

    @property
    def transductive(self) -> bool:
        """Tell whether it looks at the other queries of the test."""
        return self.bank is None

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores to `(Q, G)`."""
        matrix = self.learn(reference(scores, self.bank))(scores.matrix.astype(np.float64))
        return corrected(scores, matrix, "inverted softmax", self.bank)

    def blocks(self, scores: ScoreBlocks) -> CorrectedBlocks:
        """Correct scores `(Q, G)` a few queries at a time."""
        adjust = self.learn(reference(scores, self.bank))
        return CorrectedBlocks(scores, adjust, "inverted softmax", self.bank)

    def learn(self, bank: ScoreBlocks) -> Adjust:
        """Learn how near each clip is to the captions of `bank`, to be taken away."""
        penalty = _crowding(bank, self.temperature)
        return lambda rows: rows - penalty


@dataclass(frozen=True, slots=True)
class DualSoftmax:
    """Multiply scores by the softmax over all queries of the test: transductive, always.

    Cheng, Lin, Wu, Yang and Shen, "Improving Video-Text Retrieval by Multi-Stream Corpus Alignment
    and Dual Softmax Loss", 2021, section 3.3, used when ranking: it supposes that every clip is
    asked for once. Meant for scores that are positive where it matters.

    Attributes:
        temperature: T of the softmax, in the units of the scores; 0.01 is CLIP's scale of 100.

    Raises:
        ValueError: when the temperature is not above 0.
    """

    temperature: float = 0.01

    def __post_init__(self) -> None:
        positive(self.temperature, "temperature")

    @property
    def transductive(self) -> bool:
        """Tell whether it looks at the other queries of the test: yes."""
        return True

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores to `(Q, G)`."""
        matrix = self._learn(scores)(scores.matrix.astype(np.float64))
        return corrected(scores, matrix, "dual softmax", None)

    def blocks(self, scores: ScoreBlocks) -> CorrectedBlocks:
        """Correct scores `(Q, G)` a few queries at a time."""
        return CorrectedBlocks(scores, self._learn(scores), "dual softmax", None)

    def _learn(self, scores: ScoreBlocks) -> Adjust:
        # The sum over queries is their mean times Q.
        count = self.temperature * np.log(max(1, len(scores.queries)))
        whole = _crowding(scores, self.temperature) + count
        return lambda rows: rows * np.exp((rows - whole) / self.temperature)


@dataclass(frozen=True, slots=True)
class QBNorm:
    """Correct by the inverted softmax only queries whose first clip is a known hub: inductive.

    Bogolin, Croitoru, Jin, Liu and Albanie, "Cross Modal Retrieval with Querybank Normalisation",
    2022, section 3.3 (dynamic inverted softmax): the clips that come first for a caption of the
    bank are activated; only a query whose own first clip is one of them is corrected. Given in
    the units of the scores, as `InvertedSoftmax` does.

    Attributes:
        bank: training captions against the gallery.
        temperature: T; the paper's inverse temperature of 20 is 0.05.
        nearest: how many first clips of a caption are activated.

    Raises:
        ValueError: when a parameter is not above 0.
    """

    bank: ScoreBlocks = field(repr=False)
    temperature: float = QBNORM_TEMPERATURE
    nearest: int = 1

    def __post_init__(self) -> None:
        positive(self.temperature, "temperature")
        positive(self.nearest, "number of nearest clips")

    @property
    def transductive(self) -> bool:
        """Tell whether it looks at the other queries of the test: no."""
        return False

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores to `(Q, G)`."""
        matrix = self.learn(reference(scores, self.bank))(scores.matrix.astype(np.float64))
        return corrected(scores, matrix, "QB-Norm", self.bank)

    def blocks(self, scores: ScoreBlocks) -> CorrectedBlocks:
        """Correct scores `(Q, G)` a few queries at a time."""
        adjust = self.learn(reference(scores, self.bank))
        return CorrectedBlocks(scores, adjust, "QB-Norm", self.bank)

    def learn(self, bank: ScoreBlocks) -> Adjust:
        """Learn the clips that are hubs of `bank`, and how near each is to its captions."""
        kept = min(self.nearest, len(bank.gallery))
        activated = np.zeros(len(bank.gallery), dtype=bool)
        for rows in row_blocks(bank):
            activated[np.argpartition(-rows, kept - 1, axis=1)[:, :kept]] = True
        penalty = _crowding(bank, self.temperature)

        def adjust(rows: Values) -> Values:
            rows[activated[rows.argmax(axis=1)]] -= penalty
            return rows

        return adjust


def _crowding(scores: ScoreBlocks, temperature: float) -> Values:
    """Compute `(G,)` how near the queries are to each clip: `T log mean exp(s / T)`."""

    def column(values: Values) -> Values:
        return temperature * log_mean_exp(values / temperature, axis=0)

    return per_column(scores, column)
