"""Read the best moments of a search again by a second model, and order them by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core import Encoder, Span, wanted_sound
from moviola.core.moments import Moment
from moviola.pipeline.encode.streaming import encode_stream
from moviola.plugins import load_encoder
from moviola.retrieve.parsing import split_unwanted
from moviola.retrieve.reranking import Reranked, order_again
from moviola.video import DecodePool, GivenSegmenter, ReadRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def rerank(
    text: str, moments: Sequence[Moment], *, model: str, workers: int | None = None
) -> list[Reranked]:
    """Order moments anew by a model that reads their frames again.

    The model need not be that of the library. One with a `scorer` of its own, such as
    `xclip-base-patch32,output=conditioned`, scores by it, any other by its vectors. Moments that
    cannot be read any more follow in the order they came.

    Args:
        text: the query as it was typed; what is not wanted is left out of it.
        moments: what `search` found.
        model: the second model, as `--model` takes it.
        workers: decoding processes; None decides by the number of cores.

    Raises:
        PluginNotFoundError: when there is no such model.
        ValueError: when there is no text to order by.
        WeightsUnavailableError: when its weights are neither here nor to be had.
    """
    sentence, _ = split_unwanted(text)
    if not sentence:
        raise ValueError("a second model orders moments by a text; say what happens in them")
    encoder = load_encoder(model)
    return order_again(sentence, moments, _read(moments, encoder, workers), encoder)


def _read(
    moments: Sequence[Moment], encoder: Encoder, workers: int | None
) -> dict[int, NDArray[np.float32]]:
    """Encode every moment that can be read, as rows `(n_i, D)` by its place."""
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
    return found
