"""Measure scores that are corrected for hubs, beside the headline and never in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Embeddings, Qrels, Scores, Tempered, Text
from moviola.evaluate import CorrectedResult, DirectionResult
from moviola.evaluate.retrieval import measure_ranks, rank
from moviola.score import Correction, is_transductive, make_correction

if TYPE_CHECKING:
    from moviola.pipeline.evaluate.evaluation import EvaluateOptions

#: Scores beyond this are no cosines, for which the temperatures are meant.
_COSINE = 1.01


def measure_corrected(
    scores: Scores, qrels: Qrels, bank: Scores | None, asked: EvaluateOptions, *, seen: int = 0
) -> tuple[CorrectedResult, ...]:
    """Measure under each correction that was asked for, in the order they were asked in.

    Corrected scores are float64 and crowd together near one value: only equal ones are tied.

    Args:
        scores: texts times videos.
        qrels: text id to the ids of its videos.
        bank: training captions against the same videos.
        asked: how; its tolerance is that of the headline.
        seen: how many of the texts are in the bank as well.
    """
    found: list[CorrectedResult] = []
    for name in dict.fromkeys(asked.correct):
        correct = make_correction(name, bank)
        forward = correct(scores)
        transductive = is_transductive(forward)
        said = [forward.notes[-1], *_reservations(name, correct, scores)]
        backward: DirectionResult | None = None
        if transductive:
            # The test can be asked the other way round, and learnt from the other way round too.
            backward = _measured(correct(scores.transposed()), qrels.transposed(), asked)
        else:
            said.append("video-to-text is not corrected: that needs a bank of training videos")
            if seen:
                said.append(
                    f"{seen:,} of the {len(scores.queries):,} texts are in the bank as well, so "
                    f"that to this extent it knows the test"
                )
        forward_measured = _measured(forward, qrels, asked)
        found.append(CorrectedResult(name, transductive, tuple(said), forward_measured, backward))
    return tuple(found)


def count_seen(texts: Iterable[bytes], bank: Iterable[bytes]) -> int:
    """Count the texts that are in the bank as well, told by the bytes of their numbers.

    Raises:
        ValueError: when all are: such a bank is the test under another name.
    """
    known = {hash(each) for each in bank}
    matches = [hash(each) in known for each in texts]
    if all(matches):
        raise ValueError(
            "the bank holds every text of the test: to learn from these is transductive; give "
            "training captions, or leave --bank out"
        )
    return sum(matches)


def rows_of(items: Embeddings[Text] | Scores) -> Iterable[bytes]:
    """Give the bytes of each text's numbers, as float32."""
    if isinstance(items, Scores):
        return (row.astype(np.float32).tobytes() for row in items.matrix)
    return (items.rows(number).astype(np.float32).tobytes() for number in range(len(items)))


def _reservations(name: str, correct: Correction, scores: Scores) -> list[str]:
    temperature = correct.temperature if isinstance(correct, Tempered) else None
    largest = max(-float(scores.matrix.min()), float(scores.matrix.max()))
    if temperature is None or largest <= _COSINE:
        return []
    meant = f"the temperature of {name}, {temperature:g}, is meant for cosines"
    return [f"{meant}, and these scores reach {largest:.3g}"]


def _measured(scores: Scores, qrels: Qrels, asked: EvaluateOptions) -> DirectionResult:
    queries, ranks = rank(scores, qrels, 0.0)
    return measure_ranks(
        queries,
        ranks,
        len(scores.gallery),
        asked.measures,
        ties=asked.ties,
        resamples=asked.resamples,
        seed=asked.seed,
    )
