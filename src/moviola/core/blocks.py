"""Scores that need not exist all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class ScoreBlocks(Protocol):
    """Queries times gallery, made a few queries at a time. `Scores` are one kind of it."""

    @property
    def queries(self) -> Sequence[str]:
        """Ids of the Q queries."""
        ...

    @property
    def gallery(self) -> Sequence[str]:
        """Ids of the G gallery items."""
        ...

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Of the scores: float32 or float64."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know wherever the scores are shown, such as `unaligned`."""
        ...

    def block(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32 | np.float64]:
        """Finite scores of some queries against the whole gallery, `(q, G)`, C-contiguous."""
        ...

    def transposed(self) -> ScoreBlocks:
        """The same scores with queries and gallery exchanged."""
        ...
