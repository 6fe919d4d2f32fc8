"""Read the best moments of a search again by further models, and order them by those."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from moviola.core import (
    Encoder,
    Frames,
    FrameSampler,
    PairScorer,
    SoundSpec,
    Span,
    wanted_sound,
)
from moviola.core.moments import Moment
from moviola.pipeline.encode.streaming import VideoTower, encode_stream
from moviola.plugins import judges, load_encoder, load_scorer
from moviola.retrieve.calibration.judge_calibration import JudgeCalibrations
from moviola.retrieve.parsing import split_unwanted
from moviola.retrieve.reranking import Reranked, order_again, order_by_scores
from moviola.video import DecodePool, GivenSegmenter, ReadRequest

RowsT = TypeVar("RowsT")


@dataclass(frozen=True, slots=True)
class Stage:
    """A model of a cascade.

    Attributes:
        model: as `--model` takes it, or one that scores pairs.
        top: how many of the best moments it reads; None for all of them.

    Raises:
        ValueError: when it would read none.
    """

    model: str
    top: int | None = None

    def __post_init__(self) -> None:
        if self.top is not None and self.top < 1:
            raise ValueError(f"a model reads at least one moment again, not {self.top}")


def rerank_cascade(
    text: str,
    moments: Sequence[Moment],
    stages: Sequence[Stage],
    *,
    workers: int | None = None,
    calibrations: JudgeCalibrations | None = None,
) -> list[Reranked]:
    """Order moments by one model after the other, the cheap ones first.

    Each model orders the best of what the one before it left; the rest keep their order behind
    them, with the scores of the last model that read them.

    Args:
        text: the query as it was typed; what is not wanted is left out of it.
        moments: what `search` found.
        stages: one at least.
        workers: decoding processes; None decides by the number of cores.
        calibrations: of judges, by which their moments get probabilities and bands.

    Raises:
        PluginNotFoundError: when there is no such model.
        ValueError: when there is no text to order by.
        WeightsUnavailableError: when weights are neither here nor to be had.
    """
    ranked = [Reranked(moment, None) for moment in moments]
    for stage in stages:
        best = ranked[: stage.top]
        again = rerank(
            text,
            [each.moment for each in best],
            model=stage.model,
            workers=workers,
            calibrations=calibrations,
        )
        ranked = [*again, *ranked[len(best) :]]
    return ranked


def rerank(
    text: str,
    moments: Sequence[Moment],
    *,
    model: str,
    workers: int | None = None,
    calibrations: JudgeCalibrations | None = None,
) -> list[Reranked]:
    """Order moments anew by a model that reads their frames again.

    The model need not be that of the library. A judge of pairs, such as a chat model, scores by
    its answers; one with a `scorer` of its own, such as `xclip-base-patch32,output=conditioned`,
    by that, any other by its vectors. Moments that cannot be read any more follow in the order
    they came.

    Args:
        text: the query as it was typed; what is not wanted is left out of it.
        moments: what `search` found.
        model: the second model, as `--model` takes it.
        workers: decoding processes; None decides by the number of cores.
        calibrations: of judges; one of this model's gives its moments probabilities and bands.

    Raises:
        PluginNotFoundError: when there is no such model.
        ValueError: when there is no text to order by.
        WeightsUnavailableError: when its weights are neither here nor to be had.
    """
    sentence, _ = split_unwanted(text)
    if not sentence:
        raise ValueError("a second model orders moments by a text; say what happens in them")
    if judges(model):
        scorer = load_scorer(model)
        with DecodePool(workers) as pool:
            judged = judge_moments(sentence, moments, scorer, pool)
        return order_by_scores(
            moments, judged, calibrations and calibrations.of(model, scorer.space)
        )
    encoder = load_encoder(model)
    with DecodePool(workers) as pool:
        rows = _read(moments, encoder, _Wanted.of(encoder), pool)
    return order_again(sentence, moments, rows, encoder)


def judge_moments(
    sentence: str, moments: Sequence[Moment], scorer: PairScorer, pool: DecodePool
) -> dict[int, float]:
    """Score every moment that can be read against a sentence, by its place.

    Args:
        sentence: that moments are judged by.
        moments: what `search` found.
        scorer: the judge.
        pool: reads their frames.
    """
    return _read(moments, _Judging(scorer, sentence), _Wanted.of(scorer), pool)


class _Judging:
    """Score clips against one sentence, as a tower whose rows are scores."""

    def __init__(self, scorer: PairScorer, sentence: str) -> None:
        self._scorer = scorer
        self._sentence = sentence

    def encode_videos(self, clips: Sequence[Frames]) -> Sequence[float]:
        """Score every clip."""
        return self._scorer.score_pairs([self._sentence] * len(clips), clips).tolist()


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The frames and the sound that a model reads."""

    sampler: FrameSampler
    sound: SoundSpec | None

    @classmethod
    def of(cls, model: Encoder | PairScorer) -> _Wanted:
        """Ask a model."""
        return cls(model.sampler, wanted_sound(model))


def _read(
    moments: Sequence[Moment], tower: VideoTower[RowsT], wanted: _Wanted, pool: DecodePool
) -> dict[int, RowsT]:
    """Read every moment that can be read, as the tower's rows by its place."""
    places: dict[Path, list[int]] = {}
    for place, moment in enumerate(moments):
        places.setdefault(moment.path, []).append(place)
    requests = (
        ReadRequest(
            str(path),
            path,
            GivenSegmenter(tuple(Span(moments[at].start, moments[at].end) for at in of_file)),
            wanted.sampler,
            sound=wanted.sound,
        )
        for path, of_file in places.items()
    )
    found: dict[int, RowsT] = {}
    for video in encode_stream(pool, requests, tower):
        # Spans past what could be decoded are left out, and the last one may end earlier.
        starts = {moments[at].start: at for at in places[Path(str(video.done.key))]}
        for span, rows in zip(video.spans, video.rows, strict=True):
            found[starts[span.start]] = rows
    return found
