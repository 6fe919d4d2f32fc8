"""Relevance, scores and hits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from moviola.core.spans import Span

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Qrels:
    """The gallery ids that are relevant to each query id. Ragged in both directions.

    Raises:
        ValueError: when a query has no relevant id.
    """

    relevant: Mapping[str, frozenset[str]]

    def __post_init__(self) -> None:
        for query, ids in self.relevant.items():
            if not ids:
                raise ValueError(f"query {query!r} has no relevant id; leave it out instead")

    def __len__(self) -> int:
        return len(self.relevant)

    def transposed(self) -> Self:
        """Return the same relevance asked the other way round, video-to-text."""
        turned: dict[str, set[str]] = {}
        for query, ids in self.relevant.items():
            for item in ids:
                turned.setdefault(item, set()).add(query)
        return type(self)({item: frozenset(queries) for item, queries in turned.items()})


@dataclass(frozen=True, slots=True)
class Scores:
    """A score for every query and gallery item.

    Attributes:
        queries: ids of the Q rows.
        gallery: ids of the G columns.
        matrix: `(Q, G)` float32 or float64, larger is better.
        notes: what a reader must know wherever the scores are shown, such as `unaligned`.
    """

    queries: Sequence[str]
    gallery: Sequence[str]
    matrix: NDArray[np.float32 | np.float64]
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        if self.matrix.shape != (len(self.queries), len(self.gallery)):
            raise ValueError(
                f"the matrix must be ({len(self.queries)}, {len(self.gallery)}), "
                f"got {self.matrix.shape}"
            )
        if not np.isfinite(self.matrix).all():
            raise ValueError("scores must be finite; some are NaN or infinite")

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Return the dtype of the matrix."""
        return self.matrix.dtype

    def block(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32 | np.float64]:
        """Return the scores of some queries `(q, G)`, C-contiguous."""
        # A transposed matrix would be read across its grain, row after row.
        return np.ascontiguousarray(self.matrix[rows])

    def transposed(self) -> Self:
        """Return the same scores with queries and gallery exchanged."""
        return type(self)(self.gallery, self.queries, self.matrix.T, self.notes)


@dataclass(frozen=True, slots=True)
class Hit:
    """One retrieved thing: a clip's or video's id, the moment in seconds, and the score."""

    id: str
    span: Span
    score: float


class ScoreBlocks(Protocol):
    """Queries times gallery, made a few queries at a time. `Scores` are one kind of it."""

    @property
    def queries(self) -> Sequence[str]:
        """Return the ids of the Q queries."""
        ...

    @property
    def gallery(self) -> Sequence[str]:
        """Return the ids of the G gallery items."""
        ...

    @property
    def dtype(self) -> np.dtype[np.floating]:
        """Return the dtype of the scores: float32 or float64."""
        ...

    @property
    def notes(self) -> tuple[str, ...]:
        """Tell what a reader must know wherever the scores are shown, such as `unaligned`."""
        ...

    def block(self, rows: slice | NDArray[np.int64]) -> NDArray[np.float32 | np.float64]:
        """Return finite scores of some queries against all items, `(q, G)`, C-contiguous."""
        ...

    def transposed(self) -> ScoreBlocks:
        """Return the same scores with queries and gallery exchanged."""
        ...
