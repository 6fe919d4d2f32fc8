"""Multiply the vectors of a library with directions: texts and pictures that are asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Encoder
from moviola.library import Library, Snapshot

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK_ROWS = 4096

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
        return list(multiply_rows(np.stack(rows), snapshot.matrix))

    return multiply
