"""Make scores a few queries at a time, so that the matrix of a large test need not exist.

Memory is the rows of both sides in float32 and one block. The caller may hand in the function that
multiplies rows, such as one that runs on a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.core import Clip, Embeddings, ScoreBlocks, Text
from moviola.score.maxsim import interact
from moviola.score.scorers import scorer_for
from moviola.score.vectors import notes_for, plain_rows, require_pooled, unit_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: Gallery rows `(G, D)` to a function of query rows `(q, D)` to their products `(q, G)`.
Multiplier = Callable[["Rows"], Callable[["Rows"], "Rows"]]


def score_blocks(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    *,
    unaligned: bool = False,
    multiplier: Multiplier | None = None,
) -> ScoreBlocks:
    """Score as `scorer_for` chooses, a few queries at a time.

    Args:
        texts: N texts.
        clips: M clips.
        unaligned: compare vectors of two spaces all the same; the scores say so in their notes.
        multiplier: how products are computed; None for NumPy. MaxSim always runs on NumPy.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when a row is zero, NaN or infinite, or dot products meet several rows an item.
    """
    name = scorer_for(texts, clips).name
    notes = notes_for(texts, clips, unaligned=unaligned)
    ids = [text.id for text in texts.items], [clip.id for clip in clips.items]
    if name == "maxsim":
        rows = unit_rows(texts), unit_rows(clips)
        return MaxSimBlocks(ids, rows, (texts.offsets, clips.offsets), notes)
    if name == "dot":
        require_pooled(texts, clips, way_out="pool them first")
    read = plain_rows if name == "dot" else unit_rows
    return ProductBlocks(ids, (read(texts), read(clips)), notes, multiplier or _on_numpy)


class ProductBlocks:
    """Multiply rows, one row an item: cosines where they are of unit length."""

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        ids: tuple[Sequence[str], Sequence[str]],
        rows: tuple[Rows, Rows],
        notes: tuple[str, ...],
        multiplier: Multiplier,
    ) -> None:
        self.queries, self.gallery = ids
        self.notes = notes
        self._rows = rows
        self._multiplier = multiplier
        self._multiply: Callable[[Rows], Rows] | None = None

    def block(self, rows: slice | Counts) -> Rows:
        """Multiply some queries with the whole gallery `(q, G)`."""
        if self._multiply is None:
            self._multiply = self._multiplier(self._rows[1])
        return self._multiply(self._rows[0][rows])

    def transposed(self) -> Self:
        """Exchange queries and gallery of the same products."""
        queries, gallery = self._rows
        return type(self)(
            (self.gallery, self.queries), (gallery, queries), self.notes, self._multiplier
        )


class MaxSimBlocks:
    """Score by late interaction, any number of rows an item; `turned` where clips ask for texts."""

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        ids: tuple[Sequence[str], Sequence[str]],
        rows: tuple[Rows, Rows],
        offsets: tuple[Counts, Counts],
        notes: tuple[str, ...],
        *,
        turned: bool = False,
    ) -> None:
        self._ids, self._rows, self._offsets = ids, rows, offsets
        self._turned = turned
        self.queries, self.gallery = ids[::-1] if turned else ids
        self.notes = notes

    def block(self, rows: slice | Counts) -> Rows:
        """Score some queries with the whole gallery `(q, G)`."""
        asked = int(self._turned)
        sides = list(zip(self._rows, self._offsets, strict=True))
        sides[asked] = _chosen(*sides[asked], rows)
        (text_rows, text_offsets), (clip_rows, clip_offsets) = sides
        scores = interact(text_rows, text_offsets, clip_rows, clip_offsets)
        return np.ascontiguousarray(scores.T) if self._turned else scores

    def transposed(self) -> Self:
        """Exchange queries and gallery of the same scores."""
        return type(self)(self._ids, self._rows, self._offsets, self.notes, turned=not self._turned)


def _on_numpy(gallery: Rows) -> Callable[[Rows], Rows]:
    def multiply(queries: Rows) -> Rows:
        return queries @ gallery.T

    return multiply


def _chosen(rows: Rows, offsets: Counts, which: slice | Counts) -> tuple[Rows, Counts]:
    """Take the rows of some items and the items' offsets among them."""
    first, counts = offsets[:-1][which], np.diff(offsets)[which]
    chosen = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    places: Counts = np.arange(int(chosen[-1])) + np.repeat(first - chosen[:-1], counts)
    return rows[places], chosen
