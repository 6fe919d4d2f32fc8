"""Order the moments that a search found anew, by a second model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Embeddings, Encoder, Span, Text, own_scorer
from moviola.core.moments import Moment
from moviola.retrieve.bands import band_of
from moviola.retrieve.calibration.judge_calibration import JudgeCalibration
from moviola.score import scorer_for

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Reranked:
    """A moment, and its score by the second model.

    Attributes:
        moment: as the search found it, with the score of the library, and its band unless the
            second model has a calibration of its own.
        score: of the second model, on its own scale; None where the file could not be read.
    """

    moment: Moment
    score: float | None


def order_again(
    text: str,
    moments: Sequence[Moment],
    rows: Mapping[int, NDArray[np.float32]],
    encoder: Encoder,
) -> list[Reranked]:
    """Order moments by the scores of `encoder`; those without rows follow in the order they came.

    Args:
        text: the sentence that was searched for.
        moments: as the search found them.
        rows: for the places of those that could be read, what `encoder` made of their frames,
            `(n_i, D)`.
        encoder: the second model; one with a `scorer` of its own scores by that, any other by
            its vectors.
    """
    places = sorted(rows)
    scored: dict[int, float] = {}
    if places:
        query = Embeddings[Text].from_rows(
            [Text("query", text)],
            encoder.encode_texts([text]),
            encoder.space,
            encoder.text_readout,
        )
        clips = Embeddings[Clip].from_rows(
            [_clip(place, moments[place]) for place in places],
            [rows[place] for place in places],
            encoder.space,
            encoder.video_readout,
        )
        score = own_scorer(encoder) or scorer_for(query, clips)
        matrix = score(query, clips).matrix
        scored = dict(zip(places, map(float, matrix[0]), strict=True))
    return order_by_scores(moments, scored)


def order_by_scores(
    moments: Sequence[Moment],
    scores: Mapping[int, float],
    calibration: JudgeCalibration | None = None,
) -> list[Reranked]:
    """Order moments by scores of their places; those without follow in the order they came.

    Args:
        moments: as the search found them.
        scores: by place.
        calibration: of who gave the scores: moments with one get its probability and band.
    """
    order = sorted(range(len(moments)), key=lambda at: (at not in scores, -scores.get(at, 0.0), at))
    shown = list(moments)
    if calibration is not None and scores:
        chances = calibration.probabilities(np.array(list(scores.values()), np.float64))
        for at, chance in zip(scores, map(float, chances), strict=True):
            shown[at] = replace(moments[at], probability=chance, band=band_of(chance))
    return [Reranked(shown[at], scores.get(at)) for at in order]


def _clip(place: int, moment: Moment) -> Clip:
    """Make a clip of a moment, with its place as its id."""
    return Clip(str(place), moment.path, Span(moment.start, moment.end))
