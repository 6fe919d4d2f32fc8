"""Measure scores that are corrected for hubs, beside the headline and never in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Embeddings, Qrels, ScoreBlocks, Scores, Tempered, Text
from moviola.core.attributes import is_attribute
from moviola.evaluate import CorrectedResult, DirectionResult
from moviola.evaluate.retrieval import measure_ranks, rank
from moviola.pipeline.evaluate.correction_names import parse_corrections
from moviola.score import BlockCorrection, Correction, is_transductive
from moviola.score.corrections import row_blocks

if TYPE_CHECKING:
    from moviola.pipeline.evaluate.evaluation import EvaluateOptions

#: Scores beyond this are no cosines, for which the temperatures are meant.
_COSINE = 1.01
#: Scores of which a correction of one's own may get several copies in float64.
_MOST = 1 << 28


def measure_corrected(
    scores: ScoreBlocks,
    qrels: Qrels,
    bank: ScoreBlocks | None,
    asked: EvaluateOptions,
    *,
    seen: int = 0,
) -> tuple[CorrectedResult, ...]:
    """Measure under each correction that was asked for, in the order they were asked in.

    Named corrections are computed a few queries at a time; one of somebody's own is handed the
    whole matrix. Corrected scores are float64 and crowd together near one value: only equal ones
    are tied.

    Args:
        scores: texts times videos.
        qrels: text id to the ids of its videos.
        bank: training captions against the same videos.
        asked: how; its tolerance is that of the headline.
        seen: how many of the texts are in the bank as well.

    Raises:
        ValueError: when a correction of one's own would need a matrix that is too large.
    """
    found: list[CorrectedResult] = []
    largest: float | None = None
    for named in parse_corrections(asked.correct, has_bank=bank is not None):
        if is_attribute(named.name):
            scores = _whole(scores)
            bank = None if bank is None else _whole(bank)
        correct = named.make(bank)
        forward = _corrected(correct, scores)
        transductive = is_transductive(forward)
        said = [forward.notes[-1]]
        if isinstance(correct, Tempered):
            largest = _largest(scores) if largest is None else largest
            said += _reservations(named.name, correct.temperature, largest)
        backward: DirectionResult | None = None
        if transductive:
            # The test can be asked the other way round, and learnt from the other way round too.
            turned = _corrected(correct, scores.transposed())
            backward = _measured(turned, qrels.transposed(), asked)
        else:
            said.append("video-to-text is not corrected: that needs a bank of training videos")
            if seen:
                said.append(
                    f"{seen:,} of the {len(scores.queries):,} texts are in the bank as well, so "
                    f"that to this extent it knows the test"
                )
        forward_measured = _measured(forward, qrels, asked)
        found.append(
            CorrectedResult(named.spec, transductive, tuple(said), forward_measured, backward)
        )
    return tuple(found)


def _corrected(correct: Correction, scores: ScoreBlocks) -> ScoreBlocks:
    """Correct scores by blocks where the correction can, or the whole matrix."""
    if isinstance(correct, BlockCorrection):
        return correct.blocks(scores)
    return correct(_whole(scores))


def _whole(scores: ScoreBlocks) -> Scores:
    """Make the whole matrix, `(Q, G)`.

    Raises:
        ValueError: when it is too large.
    """
    cells = len(scores.queries) * len(scores.gallery)
    if cells > _MOST:
        raise ValueError(
            f"a correction of your own corrects all {cells:,} scores at once, which are more than "
            f"{_MOST:,}; evaluate a part, or leave it out"
        )
    if isinstance(scores, Scores):
        return scores
    matrix = scores.block(slice(0, len(scores.queries)))
    return Scores(scores.queries, scores.gallery, matrix, scores.notes)


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


def _largest(scores: ScoreBlocks) -> float:
    """Find the largest absolute score."""
    return max((float(np.abs(rows).max()) for rows in row_blocks(scores)), default=0.0)


def _reservations(name: str, temperature: float, largest: float) -> list[str]:
    if largest <= _COSINE:
        return []
    meant = f"the temperature of {name}, {temperature:g}, is meant for cosines"
    return [f"{meant}, and these scores reach {largest:.3g}"]


def _measured(scores: ScoreBlocks, qrels: Qrels, asked: EvaluateOptions) -> DirectionResult:
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
