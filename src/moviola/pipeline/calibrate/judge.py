"""Calibrate a judge on captions of a library's videos: what its scores are worth there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import Encoder, PairScorer
from moviola.core.moments import Moment
from moviola.library import Library
from moviola.pipeline.calibrate.calibrate import read_library_pairs
from moviola.pipeline.search.aligned_encoder import head_of, load_aligned
from moviola.pipeline.search.reranking import judge_moments
from moviola.plugins import judges, load_scorer
from moviola.retrieve.calibration.judge_calibration import JudgeCalibration, JudgeCalibrations
from moviola.retrieve.calibration.measures import CalibrationMeasures
from moviola.retrieve.query import Query
from moviola.retrieve.search import search
from moviola.video import DecodePool

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FOLDS = 5


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """Hold what a judge was calibrated on, and what its probabilities are worth.

    Attributes:
        judge: as `--rerank` is told it.
        captions: that were used.
        videos: that they are about.
        unknown: captions that name no video of the library.
        judged: hits that the judge read.
        measures: of the probabilities of hits of videos left out of the fit.
    """

    judge: str
    captions: int
    videos: int
    unknown: int
    judged: int
    measures: CalibrationMeasures


def calibrate_judge(
    captions: Path,
    library: Library,
    model: str,
    *,
    top: int = 5,
    workers: int | None = None,
    on_progress: Callable[[int, int], Any] = lambda *_: None,
) -> JudgeReport:
    """Calibrate a judge on the best hits of captions, and keep that with the library.

    Every caption is searched for, one hit a video, and the judge reads the best of them. A hit is
    right when it is of the caption's video.

    Args:
        captions: a table with the columns `video` and `caption`.
        library: an open library.
        model: the judge, as `--rerank` takes it.
        top: hits of each caption that are judged.
        workers: decoding processes; None decides by the number of cores.
        on_progress: called with captions done and their number.

    Raises:
        DatasetError: when the table cannot be read or names no videos.
        ValueError: when the model is no judge, there are too few pairs, or all hits are alike.
        StorageError: when it cannot be written.
    """
    if not judges(model):
        raise ValueError(
            f"{model!r} gives no scores of pairs to calibrate; name a chat model or a reranker"
        )
    texts, owners, _, unknown = read_library_pairs(captions, library)
    encoder = load_aligned(library.card.model, head_of(library.path))
    scorer = load_scorer(model)
    numbers = {video: number for number, video in enumerate(dict.fromkeys(owners))}
    found: list[tuple[float, bool, int]] = []
    with DecodePool(workers) as pool:
        for place, (text, owner) in enumerate(zip(texts, owners, strict=True)):
            hits = _hits(text, library, encoder, top)
            scores = judge_moments(text, hits, scorer, pool)
            found += [(s, hits[at].video == owner, numbers[owner]) for at, s in scores.items()]
            on_progress(place + 1, len(texts))
    scores, right, videos = (np.array(side) for side in zip(*found, strict=True))
    report = JudgeReport(
        model, len(texts), len(numbers), unknown, len(right),
        CalibrationMeasures.of(_left_out(scores, right, videos, scorer), right),
    )  # fmt: skip
    _keep(JudgeCalibration.fit(scores, right, scorer.space), report, library.path)
    return report


def _hits(text: str, library: Library, encoder: Encoder, top: int) -> Sequence[Moment]:
    return search(Query(text), library, encoder, top=top, per_video=1, fold=False)


def _left_out(
    scores: NDArray[np.float64],
    right: NDArray[np.bool_],
    videos: NDArray[np.int64],
    scorer: PairScorer,
) -> NDArray[np.float64]:
    """Give each hit `(n,)` the probability of a fit without its caption's video."""
    fold = np.random.default_rng(0).permutation(int(videos.max()) + 1) % _FOLDS
    found = np.empty(len(scores))
    for number in range(_FOLDS):
        out = fold[videos] == number
        fitted = JudgeCalibration.fit(scores[~out], right[~out], scorer.space)
        found[out] = fitted.probabilities(scores[out])
    return found


def _keep(fitted: JudgeCalibration, report: JudgeReport, library: Path) -> None:
    """Write a calibration beside those of other judges."""
    measured = {"created": datetime.now(UTC).isoformat(timespec="seconds"), **asdict(report)}
    others = JudgeCalibrations.read(library).by_name
    kept = {**others, report.judge: replace(fitted, measured=measured)}
    JudgeCalibrations(kept).write(library)
