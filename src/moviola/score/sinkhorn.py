"""Correct scores so that every clip is equally wanted."""

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

if TYPE_CHECKING:
    from moviola.score.corrections import Adjust, Values


@dataclass(frozen=True, slots=True)
class Sinkhorn:
    """Correct by entropic optimal transport between queries and clips, each side with equal shares.

    Cuturi, "Sinkhorn Distances: Lightspeed Computation of Optimal Transport", 2013, section 4.1, in
    the logarithm. The scores become `T log` of the transport plan and a constant: `s - u(q) - v(g)`
    with potentials in the units of the scores. With a bank the plan is that of its captions, and
    the clips' potentials are taken over: `s - v(g)`.

    Attributes:
        bank: training captions against the gallery; None for the test's own (transductive).
        temperature: T, in the units of the scores.
        iterations: alternations of both sides; 10 bring shares within a few percent.

    Raises:
        ValueError: when a parameter is not above 0.
    """

    bank: ScoreBlocks | None = field(default=None, repr=False)
    temperature: float = 0.05
    iterations: int = 10

    def __post_init__(self) -> None:
        positive(self.temperature, "temperature")
        positive(self.iterations, "number of iterations")

    @property
    def transductive(self) -> bool:
        """Tell whether it looks at the other queries of the test."""
        return self.bank is None

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores to `(Q, G)`."""
        wanted, wants = self._potentials(reference(scores, self.bank))
        matrix = scores.matrix.astype(np.float64) - wanted
        if self.bank is None:
            matrix -= wants[:, None]
        return corrected(scores, matrix, "Sinkhorn", self.bank)

    def blocks(self, scores: ScoreBlocks) -> CorrectedBlocks:
        """Correct scores `(Q, G)` a few queries at a time.

        The potential of a query, one number for its whole ranking, is left out.
        """
        adjust = self.learn(reference(scores, self.bank))
        return CorrectedBlocks(scores, adjust, "Sinkhorn", self.bank)

    def learn(self, bank: ScoreBlocks) -> Adjust:
        """Learn how much each clip is wanted by the captions of `bank`, to be taken away."""
        wanted, _ = self._potentials(bank)
        return lambda rows: rows - wanted

    def _potentials(self, scores: ScoreBlocks) -> tuple[Values, Values]:
        """Compute the potentials of clips `(G,)` and queries `(R,)`, in the units of the scores."""
        heat = self.temperature
        wanted, wants = np.zeros(len(scores.gallery)), np.zeros(len(scores.queries))

        def column(values: Values) -> Values:
            return log_mean_exp(values / heat - wants[:, None], axis=0)

        for _ in range(self.iterations):
            parts = [
                log_mean_exp(rows.astype(np.float64) / heat - wanted, axis=1)
                for rows in row_blocks(scores)
            ]
            wants = np.concatenate(parts) if parts else wants
            wanted = per_column(scores, column)
        return heat * wanted, heat * wants
