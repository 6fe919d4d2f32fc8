"""The best moments of a search, looked at again by a second model, and ordered by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core import Clip, Embeddings, Encoder, Span, Text, wanted_sound
from moviola.core.moments import Moment
from moviola.pipeline.encode.streaming import encode_stream
from moviola.plugins import load_encoder
from moviola.score import cosine, maxsim
from moviola.score.dot import dot
from moviola.video import DecodePool, GivenSegmenter, ReadRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Reranked:
    """A moment, and what the second model makes of it.

    Attributes:
        moment: as the search found it, with the score and the band of the library.
        score: of the second model, on its own scale; None where the file could not be read.
    """

    moment: Moment
    score: float | None


def rerank(
    text: str, moments: Sequence[Moment], *, model: str, workers: int | None = None
) -> list[Reranked]:
    """Order moments anew by a model that reads their frames again.

    The model need not be that of the library. One with a `scorer` of its own, such as
    `xclip-base-patch32,output=conditioned`, scores by it, any other by its vectors. Moments that
    cannot be read any more follow in the order they came.

    Args:
        text: the query.
        moments: what `search` found.
        model: the second model, as `--model` takes it.
        workers: decoding processes; None decides by the number of cores.

    Raises:
        PluginNotFoundError: when there is no such model.
        WeightsUnavailableError: when its weights are neither here nor to be had.
    """
    encoder = load_encoder(model)
    rows = _read(moments, encoder, workers)
    scored: dict[int, float] = {}
    if rows:
        query = Embeddings.from_rows(
            [Text("query", text)],
            encoder.encode_texts([text]),
            encoder.space,
            encoder.text_readout,
        )
        clips = Embeddings.from_rows(
            [_clip(place, moments[place]) for place in rows],
            list(rows.values()),
            encoder.space,
            encoder.video_readout,
        )
        matrix = _scored(encoder, query, clips)
        scored = dict(zip(rows, map(float, matrix[0]), strict=True))
    order = sorted(range(len(moments)), key=lambda at: (at not in scored, -scored.get(at, 0.0), at))
    return [Reranked(moments[at], scored.get(at)) for at in order]


def _scored(
    encoder: Encoder, query: Embeddings[Text], clips: Embeddings[Clip]
) -> NDArray[np.float32 | np.float64]:
    own = getattr(encoder, "scorer", None)
    if own is not None:
        return own(query, clips).matrix
    if not (query.is_pooled and clips.is_pooled):
        return maxsim(query, clips).matrix
    return (dot if encoder.space.metric == "dot" else cosine)(query, clips).matrix


def _read(
    moments: Sequence[Moment], encoder: Encoder, workers: int | None
) -> dict[int, NDArray[np.float32]]:
    """The rows of every moment that can be read, by its place."""
    places: dict[Path, list[int]] = {}
    for place, moment in enumerate(moments):
        places.setdefault(moment.path, []).append(place)
    requests = (
        ReadRequest(
            str(path),
            path,
            GivenSegmenter(tuple(Span(moments[at].start, moments[at].end) for at in of_file)),
            encoder.sampler,
            sound=wanted_sound(encoder),
        )
        for path, of_file in places.items()
    )
    found: dict[int, NDArray[np.float32]] = {}
    with DecodePool(workers) as pool:
        for video in encode_stream(pool, requests, encoder):
            # Spans past what could be decoded are left out, and the last one may end earlier.
            starts = {moments[at].start: at for at in places[Path(str(video.done.key))]}
            for span, rows in zip(video.spans, video.rows, strict=True):
                found[starts[span.start]] = rows
    return dict(sorted(found.items()))


def _clip(place: int, moment: Moment) -> Clip:
    return Clip(str(place), moment.path, Span(moment.start, moment.end))
