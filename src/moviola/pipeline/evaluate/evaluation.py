"""Hold what was evaluated and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from moviola.core import Clip, Qrels, Readout, ScoreBlocks, Scores, Space, Text, display_path
from moviola.evaluate import (
    DEFAULT_MEASURES,
    Combined,
    CorrectedResult,
    Measure,
    RetrievalResult,
    Ties,
    evaluate,
)
from moviola.pipeline.evaluate.correction_names import parse_corrections


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
        correct: corrections for hubs, by name with options such as `qb-norm,k=5`, or
            `module:attribute`, to apply beside, never in the headline.
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
        if self.correct or self.bank is not None:
            parse_corrections(self.correct, has_bank=self.bank is not None)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Hold what was evaluated, and what came of it.

    Attributes:
        result: the measures.
        qrels: text id to the ids of its videos.
        scores: texts times videos; None where only a run was given.
        run: text id to video id to score, where a run was given.
        texts: the texts, in order of the scores; words may be empty.
        clips: the videos, in order of the scores; paths may be empty.
        scoring: how scores were made, such as `cosine`.
        spaces: what is known of the spaces of texts and clips.
        inputs: option to what was given.
        asked: how it was done.
        seconds: how long it took.
        missing: ids of videos of the protocol that are not here, where they are known.
        readouts: how the two towers were read.
        corrected: the same with scores corrected for hubs; no part of the headline.
    """

    result: RetrievalResult
    qrels: Qrels
    scores: Scores | None
    texts: Sequence[Text]
    clips: Sequence[Clip]
    scoring: str
    inputs: dict[str, str]
    asked: EvaluateOptions
    seconds: float
    run: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    spaces: dict[str, Space] = field(default_factory=dict[str, Space])
    readouts: dict[str, Readout] = field(default_factory=dict[str, Readout])
    missing: tuple[str, ...] = ()
    corrected: tuple[CorrectedResult, ...] = ()

    def described_spaces(self) -> dict[str, str]:
        """Describe the space and readout of each side in words."""
        return {side: _described(space, self.readouts[side]) for side, space in self.spaces.items()}


def as_object(evaluation: Evaluation) -> dict[str, Any]:
    """Write the numbers as JSON values; `notes`, `protocol`, `corrected` where there are any."""
    value = evaluation.result.to_json()
    if not value["notes"]:
        del value["notes"]
    if evaluation.asked.protocol is not None:
        value["protocol"] = evaluation.asked.protocol
    if evaluation.corrected:
        value["corrected"] = {each.name: each.to_json() for each in evaluation.corrected}
    return value


def _described(space: Space, readout: Readout) -> str:
    if space.is_anonymous:
        return f"unknown, {space.dimension} numbers"
    parts = [space.model, f"{space.dimension} numbers", readout.sampling, f"pool {readout.pooling}"]
    return ", ".join(part for part in parts if part)


def measure_scores(scores: ScoreBlocks, qrels: Qrels, asked: EvaluateOptions) -> RetrievalResult:
    """Measure scores in both directions, as it is asked."""
    return evaluate(
        scores,
        qrels,
        ties=asked.ties,
        tolerance=asked.tolerance,
        measures=asked.measures,
        resamples=asked.resamples,
        seed=asked.seed,
    )


def given_inputs(**options: Any) -> dict[str, str]:
    """Name the options that were given, and what."""
    return {name: display_path(value) for name, value in options.items() if value is not None}
