"""Evaluate files of moments: in a corpus of videos as TVR does, inside one as QVHighlights does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import DatasetError, Span, display_path
from moviola.core.moment_queries import FoundMoment, MomentQuery
from moviola.datasets.moments import qvhighlights
from moviola.datasets.moments.reading import read_moment_queries
from moviola.evaluate.moments.corpus import CorpusMomentResult, evaluate_corpus_moments
from moviola.evaluate.moments.first import MomentResult
from moviola.evaluate.moments.highlights import HighlightResult, evaluate_highlights
from moviola.evaluate.moments.ranked import evaluate_ranked_moments
from moviola.pipeline.evaluate.moments.predictions import Predictions, read_predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Annotators of a clip in QVHighlights.
_ANNOTATORS = 3


@dataclass(frozen=True, slots=True)
class MomentEvaluation:
    """Hold what came of moments that were found.

    Attributes:
        corpus: VCMR, SVMR and VR, as far as moments of them were given.
        inside: R1@IoU, mIoU and mAP inside one video, of files in QVHighlights' layout.
        highlights: HIT@1 and mAP of highlights, where salience was told.
        notes: what must be known of the numbers.
    """

    corpus: CorpusMomentResult
    inside: MomentResult | None = None
    highlights: HighlightResult | None = None
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Write the numbers as JSON values: percent, but for mIoU."""
        told: dict[str, Any] = {} if self.inside is None else dict(self.inside.aggregates)
        told |= {
            "n_queries": len(self.corpus.queries),
            "tvr": self.corpus.to_json(),
            "intervals": {task: dict(values) for task, values in self.corpus.intervals.items()},
        }
        if self.highlights is not None:
            told["highlights"] = self.highlights.to_json()
        if self.notes:
            told["notes"] = list(self.notes)
        return told

    def __str__(self) -> str:
        lines: list[str] = []
        if self.inside is not None:
            lines += _lines(self.inside.aggregates, self.inside.intervals)
        for task, values in self.corpus.aggregates.items():
            names = {f"{task} {name}": value for name, value in values.items()}
            bounds = {
                f"{task} {name}": pair for name, pair in self.corpus.intervals.get(task, {}).items()
            }
            lines += ["", *_lines(names, bounds)]
        if self.highlights is not None:
            lines += ["", *_lines(self.highlights.aggregates, self.highlights.intervals)]
        said = f"{len(self.corpus.queries)} queries; in brackets: 95 % bootstrap intervals"
        return "\n".join([*lines, "", said, *(f"NOTE: {note}" for note in self.notes)]).lstrip()


def evaluate_moment_files(found: Path, truth: Path, *, resamples: int = 1000) -> MomentEvaluation:
    """Measure the moments in `found` against those in `truth`.

    Args:
        found: as `read_predictions` takes it.
        truth: as `read_moment_queries` takes it.
        resamples: of the bootstrap; 0 for no intervals.

    Raises:
        FileNotFoundError: when a file is not there.
        DatasetError: naming the file and the place that is wrong.
        ValueError: when moments were found for a query that has no truth.
    """
    queries, predictions = read_moment_queries(truth), read_predictions(found)
    if not predictions.inside:
        corpus = evaluate_corpus_moments(predictions.corpus, queries, resamples=resamples)
        return MomentEvaluation(corpus, notes=_absent(queries, predictions.corpus))
    video = {query.id: query.video for query in queries}
    placed = {
        query: [moment._replace(video=video.get(query, "")) for moment in moments]
        for query, moments in predictions.inside.items()
    }
    return MomentEvaluation(
        corpus=evaluate_corpus_moments({"SVMR": placed}, queries, resamples=resamples),
        inside=evaluate_ranked_moments(
            {query: list(map(_ranked, moments)) for query, moments in predictions.inside.items()},
            {query.id: [_true(query, truth, *span) for span in query.spans] for query in queries},
            resamples=resamples,
        ),
        highlights=_highlights(predictions, truth, resamples=resamples),
        notes=_absent(queries, {"SVMR": placed}),
    )


def _highlights(predictions: Predictions, truth: Path, *, resamples: int) -> HighlightResult | None:
    if not predictions.salience or truth.suffix.lower() != ".jsonl":
        return None
    told, counts = qvhighlights.load_saliency(truth), qvhighlights.clip_count(truth)
    if not told:
        return None
    scores = {
        query: _matrix(clips, counts.get(query, max(clips, default=-1) + 1))
        for query, clips in told.items()
    }
    return evaluate_highlights(predictions.salience, scores, resamples=resamples)


def _matrix(clips: Mapping[int, Sequence[int]], count: int) -> NDArray[np.int64]:
    """Spread the scores of relevant clips over all `(clips, annotators)` of a video."""
    scores = np.zeros((count, _ANNOTATORS), np.int64)
    for clip, given in clips.items():
        if 0 <= clip < count:
            scores[clip, : len(given)] = given[:_ANNOTATORS]
    return scores


def _absent(
    queries: Sequence[MomentQuery], found: Mapping[Any, Mapping[str, Sequence[FoundMoment]]]
) -> tuple[str, ...]:
    """Tell of queries without moments, which count as failed."""
    said: list[str] = []
    for task, moments in found.items():
        lost = [query.id for query in queries if query.id not in moments]
        if lost:
            said.append(
                f"{task}: {len(lost)} of {len(queries)} queries have no moments and count as "
                f"failed, the first of them {lost[0]!r}"
            )
    return tuple(said)


def _ranked(moment: FoundMoment) -> tuple[Span, float]:
    """Make a span with its score; one without length overlaps nothing, and none begins below 0."""
    begin = max(moment.start, 0.0)
    return Span(begin, max(moment.end, begin + 1e-9)), moment.score


def _true(query: MomentQuery, truth: Path, start: float, end: float) -> Span:
    try:
        return Span(start, end)
    except ValueError as error:
        raise DatasetError(f"{display_path(truth)}: query {query.id!r}: {error}") from None


def _lines(
    aggregates: Mapping[str, float], intervals: Mapping[str, tuple[float, float]]
) -> list[str]:
    width = max(map(len, aggregates))
    lines: list[str] = []
    for name, value in aggregates.items():
        digits = 4 if name == "mIoU" else 2
        line = f"{name:<{width}}{value:8.{digits}f}"
        if name in intervals:
            low, high = intervals[name]
            line += f"  [{low:.{digits}f}, {high:.{digits}f}]"
        lines.append(line)
    return lines
