"""Say how an evaluation is to be done."""

from __future__ import annotations

from dataclasses import dataclass

from moviola.evaluate import DEFAULT_MEASURES, Combined, Measure, Ties
from moviola.score.named import require_corrections


@dataclass(frozen=True, slots=True)
class EvaluateOptions:
    """Hold how an evaluation is to be done.

    Attributes:
        ties: how ties are read.
        tolerance: share of a row's largest absolute score within which two scores are tied; None
            for what suits the precision.
        protocol: name of the published protocol that this claims to be.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.
        measures: what to measure.
        correct: corrections for hubs, by name or `module:attribute`, to apply beside, never in the
            headline.
        bank: what they learn from: vectors of training captions, or where the scores are given, a
            matrix of theirs, bank times videos. None where they look at the test itself.

    Raises:
        ValueError: when there is no such correction, or it and the bank do not go together.
    """

    ties: Ties = "expected"
    tolerance: float | None = None
    protocol: str | None = None
    resamples: int = 1000
    seed: int = 0
    measures: tuple[Measure | Combined, ...] = DEFAULT_MEASURES
    correct: tuple[str, ...] = ()
    bank: str | None = None

    def __post_init__(self) -> None:
        require_corrections(self.correct, has_bank=self.bank is not None)
