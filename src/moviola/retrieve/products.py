"""Multiply the vectors of a library with directions: texts and pictures that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Encoder
from moviola.library import Library, Snapshot
from moviola.library.storage.row_column import ClipRows
from moviola.score.maxsim import interact

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK_ROWS = 4096
#: Clips that are scored by all of their rows; of more, those with the nearest mean vectors.
_EXACT_CLIPS = 20_000

#: From texts and from directions `(D,)` of pictures to the `(n,)` scores of all clips for each.
Multiply = Callable[[Sequence[str], Sequence["NDArray[np.float32]"]], "list[NDArray[np.float32]]"]


def multiply_rows(rows: NDArray[np.float32], matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Multiply `rows` `(b, D)` with `matrix` `(n, D)`, giving `(b, n)`.

    Block by block, and the matrix first: the other way round, BLAS copies all of the matrix into
    another order for a few rows, which takes longer than the product.
    """
    scores = np.empty((len(rows), len(matrix)), np.float32)
    columns = np.ascontiguousarray(rows.T)
    for first in range(0, len(matrix), _BLOCK_ROWS):
        block = matrix[first : first + _BLOCK_ROWS]
        scores[:, first : first + _BLOCK_ROWS] = (block @ columns).T
    return scores


def score_directions(
    directions: Sequence[NDArray[np.float32]], snapshot: Snapshot
) -> NDArray[np.float32]:
    """Score all n clips of a snapshot on b directions, `(b, n)`.

    Where clips keep several rows, a direction is several too, `(m, D)`, and the score is MaxSim;
    of more clips than are scored exactly at once, the mean vectors choose first.

    Raises:
        ValueError: when a score is not finite, which no ranking can hold.
    """
    if snapshot.rows is None:
        scores = multiply_rows(np.stack(directions), snapshot.matrix)
    else:
        scores = np.empty((len(directions), len(snapshot.matrix)), np.float32)
        for place, direction in enumerate(directions):
            scores[place] = _interact(np.atleast_2d(direction), snapshot.matrix, snapshot.rows)
    if not np.isfinite(scores).all():
        raise ValueError("the scores are not finite: the encoder's vectors are too large")
    return scores


def _interact(
    asked: NDArray[np.float32], matrix: NDArray[np.float32], clips: ClipRows
) -> NDArray[np.float32]:
    """Score n clips on the unit rows `(m, D)` of one query by MaxSim, `(n,)`.

    A clip that its mean vector leaves behind keeps the order that this gave it, below all others.
    """
    bounds = np.array([0, len(asked)], np.int64)
    if len(matrix) <= _EXACT_CLIPS:
        return interact(asked, bounds, clips.rows, clips.offsets)[0]
    scores = multiply_rows(asked.mean(axis=0, keepdims=True), matrix)[0]
    chosen = np.sort(np.argpartition(-scores, _EXACT_CLIPS - 1)[:_EXACT_CLIPS])
    left = clips.take(chosen)
    exact = interact(asked, bounds, left.rows, left.offsets)[0]
    scores += exact.min() - scores[chosen].min()
    scores[chosen] = exact
    return scores


def encode_directions(
    library: Library, encoder: Encoder, texts: Sequence[str]
) -> list[NDArray[np.float32]]:
    """Encode texts as the directions `(D,)` that the library's vectors are multiplied with.

    Raises:
        ValueError: when a text becomes several rows, or has no direction.
    """
    return [library.direction(rows) for rows in encoder.encode_texts(texts)]


def multiply_with(library: Library, encoder: Encoder, snapshot: Snapshot) -> Multiply:
    """Make what scores the clips of `snapshot`, one query at a time."""

    def multiply(
        texts: Sequence[str], pictures: Sequence[NDArray[np.float32]]
    ) -> list[NDArray[np.float32]]:
        """Score all clips on texts and directions."""
        rows = [*(encode_directions(library, encoder, texts) if texts else ()), *pictures]
        return list(score_directions(rows, snapshot))

    return multiply
