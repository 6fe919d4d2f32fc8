"""Take some queries of scores, where the matrix need not exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import ScoreBlocks

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PartOfQueries:
    """View the scores of some queries, or turned, of all queries against some of the gallery.

    Args:
        scores: Q queries times G items.
        chosen: rows of the queries that are kept, `(q,)`.
    """

    def __init__(
        self, scores: ScoreBlocks, chosen: NDArray[np.int64], *, turned: bool = False
    ) -> None:
        kept: Sequence[str] = [scores.queries[int(row)] for row in chosen]
        self.queries: Sequence[str] = scores.gallery if turned else kept
        self.gallery: Sequence[str] = kept if turned else scores.gallery
        self.dtype, self.notes = scores.dtype, scores.notes
        self._scores, self._chosen, self._turned = scores, chosen, turned

    def block(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32 | np.float64]:
        """Return the scores of some queries, C-contiguous."""
        if self._turned:
            whole = self._scores.transposed().block(rows)
            return np.ascontiguousarray(whole[:, self._chosen])
        return self._scores.block(self._chosen[rows])

    def transposed(self) -> PartOfQueries:
        """Exchange queries and gallery of the same scores."""
        return PartOfQueries(self._scores, self._chosen, turned=not self._turned)
