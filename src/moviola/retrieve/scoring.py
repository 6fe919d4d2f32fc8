"""Score every clip on every step of a query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.library import Snapshot
from moviola.retrieve.products import Multiply
from moviola.retrieve.query import Query

if TYPE_CHECKING:
    from numpy.typing import NDArray


def score_query(query: Query, snapshot: Snapshot, multiply: Multiply) -> NDArray[np.float32]:
    """Score every clip of `snapshot` on every step of `query`.

    Args:
        query: what is asked; its filters change no score.
        snapshot: the n clips.
        multiply: gives the `(n,)` scores of the clips for each text and direction.

    Returns:
        `(k, n)`, one row a step.

    Raises:
        ValueError: when the clip that the moments should look like is not there, or a text cannot
            be encoded.
    """
    directions = [picture.direction for picture in query.pictures]
    if query.like is not None:
        row = snapshot.row_of(query.like)
        if row is None:
            raise ValueError(
                f"there is no clip {query.like!r} in this library; take the 'clip' of a moment, "
                "as `moviola search TEXT --json` prints it"
            )
        directions.append(snapshot.matrix[row])
    rows = multiply(query.texts, directions)
    texts, seen = rows[: len(query.texts)], rows[len(query.texts) :]
    return combine_scores(query, texts, np.stack(seen).mean(axis=0) if seen else None)


def combine_scores(
    query: Query,
    texts: Sequence[NDArray[np.float32]],
    picture: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Combine the scores of a query's texts and pictures to scores of its steps.

    Text and picture are combined as numbers of standard deviations above the mean of all clips:
    two pictures of anything resemble each other more than a text and its picture do, so that the
    scores themselves, or a mean of the vectors, would be the picture's alone. From every step is
    taken off by how much a clip answers to what is not wanted, beyond an ordinary clip, so that
    one without it keeps its score.

    Args:
        query: what is asked.
        texts: `(n,)` scores of all n clips for each of `query.texts`.
        picture: `(n,)` scores of the pictures, where there are any.

    Returns:
        `(k, n)`, one row a step.
    """
    rest = list(texts)
    first = rest.pop(0) if query.text else picture
    if first is None:
        raise ValueError("a query without text needs the scores of its picture")
    if query.text and picture is not None:
        first = _weighted(first, picture, query.weight)
    steps = [first, *rest[: len(query.then)]]
    scores = np.stack(steps).astype(np.float32, copy=False)
    for unwanted in rest[len(query.then) :]:
        scores -= _excess(unwanted)
    return scores


def _excess(unwanted: NDArray[np.float32]) -> NDArray[np.float32]:
    """Measure by how much clips answer to what is not wanted, `(n,)`; 0 for those that do not.

    The middle of the range takes the median's place where most of a library answers.
    """
    if not unwanted.size:
        return unwanted
    middle = (float(unwanted.min()) + float(unwanted.max())) / 2
    return np.maximum(unwanted - min(float(np.median(unwanted)), middle), 0)


def _weighted(
    text: NDArray[np.float32], picture: NDArray[np.float32], weight: float
) -> NDArray[np.float32]:
    """Average the standardised scores of text and picture, `(n,)`."""
    return ((1 - weight) * _standardised(text) + weight * _standardised(picture)).astype(np.float32)


def _standardised(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Express `(n,)` scores as numbers of standard deviations above their mean."""
    if not scores.size:
        return scores
    spread = float(scores.std())
    return (scores - scores.mean()) / (spread if spread > 0 else 1)
