"""Score every clip on every step of a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.retrieve.query import Query

if TYPE_CHECKING:
    from numpy.typing import NDArray


def score_steps(
    query: Query,
    texts: Sequence[NDArray[np.float32]],
    picture: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """What every clip scores on every step of `query`.

    Text and picture are combined as numbers of standard deviations above the mean of all clips:
    two pictures of anything resemble each other more than a text and its picture do, so that the
    scores themselves, or a mean of the vectors, would be the picture's alone. From every step is
    taken off by how much a clip answers to what is not wanted, beyond an ordinary clip, so that
    one without it keeps its score.

    Args:
        query: what is asked.
        texts: `(n,)` scores of all n clips for each of `query.texts`.
        picture: `(n,)` scores of the picture, where one is given.

    Returns:
        `(k, n)`, one row a step.

    Raises:
        ValueError: when there is neither text nor picture.
    """
    rest = list(texts)
    first = rest.pop(0) if query.text else None
    if picture is not None:
        first = picture if first is None else _combined(first, picture, query.weight)
    if first is None:
        raise ValueError("the query is empty; say what happens in the moment you look for")
    steps = [first, *rest[: len(query.then)]]
    scores = np.stack(steps).astype(np.float32, copy=False)
    for unwanted in rest[len(query.then) :]:
        scores -= _excess(unwanted)
    return scores


def _excess(unwanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """By how much clips answer to what is not wanted; 0 for those that do not.

    The middle of the range takes the median's place where most of a library answers.
    """
    if not unwanted.size:
        return unwanted
    middle = (float(unwanted.min()) + float(unwanted.max())) / 2
    return np.maximum(unwanted - min(float(np.median(unwanted)), middle), 0)


def _combined(
    text: NDArray[np.float32], picture: NDArray[np.float32], weight: float
) -> NDArray[np.float32]:
    return ((1 - weight) * _standardised(text) + weight * _standardised(picture)).astype(np.float32)


def _standardised(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    if not scores.size:
        return scores
    spread = float(scores.std())
    return (scores - scores.mean()) / (spread if spread > 0 else 1)
