"""Score items of several rows in stages: many by what is cheap, the best of them exactly.

Only codes and mean vectors of all items are gone through for a query; exact rows are read of those
that are left, from the memory-mapped shards where embeddings have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from moviola.core import Clip, Embeddings, ScoreBlocks, Text
from moviola.core.row_codes import RowCodes, concatenate_codes, encode_eight_bits, encode_signs
from moviola.score.blocks import MaxSimBlocks
from moviola.score.maxsim import interact
from moviola.score.row_scoring import RowScoring
from moviola.score.vectors import notes_for, unit_blocks, unit_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core.row_codes import CodeName

    Rows = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: Scores of a later stage lie above all of an earlier one: cosines, and codes a little beyond.
_APART = np.float32(2.5)


def score_rows(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    scoring: RowScoring,
    *,
    codes: RowCodes | None = None,
    unaligned: bool = False,
) -> ScoreBlocks:
    """Score texts against clips by MaxSim, at once or in stages, a few queries at a time.

    An item that a stage leaves behind stands below all that go on, in the order of that stage, so
    that measures of the ranking hold for all of it.

    Args:
        texts: any number of rows a text.
        clips: any number of rows a clip.
        scoring: how.
        codes: of the clips' rows, where they are there already.
        unaligned: compare vectors of two spaces all the same; the scores say so in their notes.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when a row is zero, NaN or infinite, the space means dot products, or the codes
            are of other rows.
    """
    notes = notes_for(texts, clips, unaligned=unaligned)
    if texts.space.metric == clips.space.metric == "dot":
        raise ValueError("MaxSim takes the cosine of rows, and this space means dot products")
    if scoring.is_exact:
        ids = [text.id for text in texts.items], [clip.id for clip in clips.items]
        rows = unit_rows(texts), unit_rows(clips)
        return MaxSimBlocks(ids, rows, (texts.offsets, clips.offsets), notes)
    if codes is None and scoring.codes is not None:
        codes = encode_embeddings(clips, scoring.codes)
    if codes is not None and len(codes) != int(clips.offsets[-1]):
        raise ValueError(f"codes of {len(codes)} rows are not those of {int(clips.offsets[-1])}")
    for _ in unit_blocks(texts):
        pass  # refuses what no stage could score
    sides = Side.of(texts, scoring), Side.of(clips, scoring, codes)
    return StagedBlocks(sides, scoring, notes)


def encode_embeddings(embeddings: Embeddings[Text] | Embeddings[Clip], name: CodeName) -> RowCodes:
    """Write all rows, of unit length, as codes.

    Raises:
        ValueError: naming the item whose row is zero, NaN or infinite.
    """
    nothing = np.empty((0, embeddings.space.dimension), np.float32)
    if name == "int8":
        parts = [encode_eight_bits(nothing)]
        parts += [encode_eight_bits(block) for _, block in unit_blocks(embeddings)]
        return concatenate_codes(parts)
    sums = np.zeros(embeddings.space.dimension, np.float64)
    for _, block in unit_blocks(embeddings):
        sums += block.sum(axis=0, dtype=np.float64)
    centre = (sums / max(1, int(embeddings.offsets[-1]))).astype(np.float32)
    parts = [encode_signs(nothing, centre)]
    parts += [encode_signs(block, centre) for _, block in unit_blocks(embeddings)]
    return concatenate_codes(parts)


def mean_rows(embeddings: Embeddings[Text] | Embeddings[Clip]) -> Rows:
    """Average the unit rows of each item to unit length, `(N, D)`; its first where they cancel.

    Raises:
        ValueError: naming the item whose row is zero, NaN or infinite.
    """
    sums = np.zeros((len(embeddings), embeddings.space.dimension), np.float32)
    owners = np.repeat(np.arange(len(embeddings)), np.diff(embeddings.offsets))
    for where, block in unit_blocks(embeddings):
        own = owners[where]
        starts = np.flatnonzero(np.diff(own, prepend=-1))
        sums[own[starts]] += np.add.reduceat(block, starts, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    for item in np.flatnonzero(lengths[:, 0] < 1e-6 * np.diff(embeddings.offsets)):
        row = embeddings.rows(int(item))[0].astype(np.float32)
        sums[item], lengths[item] = row, np.linalg.norm(row)
    return sums / lengths


@dataclass(frozen=True, slots=True)
class Side:
    """Hold one side of a scoring: exact rows where they lie, and what is gone through.

    Attributes:
        embeddings: N items.
        codes: of their rows, where codes are used.
        means: `(N, D)` unit means of their rows, or their codes; None where there is one stage.
    """

    embeddings: Embeddings[Text] | Embeddings[Clip]
    codes: RowCodes | None
    means: Rows | RowCodes | None

    @classmethod
    def of(
        cls,
        embeddings: Embeddings[Text] | Embeddings[Clip],
        scoring: RowScoring,
        codes: RowCodes | None = None,
    ) -> Self:
        """Prepare one side; `codes` for the one that has them."""
        means = mean_rows(embeddings) if scoring.name == "two-stage" else None
        # Of one vector an item, signs alone lose too much to choose by.
        coded = encode_eight_bits(means) if means is not None and codes is not None else means
        return cls(embeddings, codes, coded)

    @property
    def ids(self) -> list[str]:
        """Return the ids of its items."""
        return [item.id for item in self.embeddings.items]

    @property
    def nbytes(self) -> int:
        """Count the bytes that are gone through or held ready for all items."""
        held = 0 if self.means is None else self.means.nbytes
        if self.codes is not None:
            return held + self.codes.nbytes
        return held + int(self.embeddings.offsets[-1]) * self.embeddings.space.dimension * 4

    def exact(self, items: Counts) -> tuple[Rows, Counts]:
        """Read the exact unit rows of some items, and where each item's begin and end."""
        rows = [self.embeddings.rows(int(item)).astype(np.float32) for item in items]
        offsets = np.cumsum([0, *map(len, rows)]).astype(np.int64)
        together = np.concatenate(rows)
        together /= np.abs(together).max(axis=1, keepdims=True)
        together /= np.linalg.norm(together, axis=1, keepdims=True)
        return together, offsets

    def coded(self, items: Counts | None) -> tuple[RowCodes, Counts]:
        """Take the codes of some items, None for all, as `exact` takes rows."""
        if self.codes is None:
            raise RuntimeError("this side has no codes")
        if items is None:
            return self.codes, self.embeddings.offsets
        first, counts = self.embeddings.offsets[:-1][items], np.diff(self.embeddings.offsets)[items]
        offsets = np.cumsum([0, *counts]).astype(np.int64)
        places = np.arange(int(offsets[-1])) + np.repeat(first - offsets[:-1], counts)
        return self.codes.take(places), offsets


class StagedBlocks:
    """Score in stages; `turned` where clips ask for texts."""

    dtype = np.dtype(np.float32)

    def __init__(
        self,
        sides: tuple[Side, Side],
        scoring: RowScoring,
        notes: tuple[str, ...],
        *,
        turned: bool = False,
    ) -> None:
        self.sides, self.scoring, self._notes, self._turned = sides, scoring, notes, turned
        self._asking, self._asked = sides[::-1] if turned else sides
        self.queries: Sequence[str] = self._asking.ids
        self.gallery: Sequence[str] = self._asked.ids

    @property
    def notes(self) -> tuple[str, ...]:
        """Tell how many items each stage lets go on, where it is not all."""
        kept = min(self.scoring.k, self.scoring.rescore if self.scoring.codes else self.scoring.k)
        if self.scoring.name == "maxsim":
            kept = self.scoring.rescore
        if kept >= len(self.gallery):
            return self._notes
        told = f"in stages ({self.scoring.spec}): exact MaxSim orders the best {kept:,} of a query"
        return (*self._notes, told)

    def block(self, rows: slice | Counts) -> Rows:
        """Score some queries with the whole gallery `(q, G)`."""
        asking = np.arange(len(self.queries))[rows]
        first = self._first_stage(asking)
        scores = [self._finish(asking[i : i + 1], first[i]) for i in range(len(asking))]
        return np.stack(scores) if scores else first

    def transposed(self) -> Self:
        """Exchange queries and gallery; every clip then chooses among the texts."""
        return type(self)(self.sides, self.scoring, self._notes, turned=not self._turned)

    def _first_stage(self, asking: Counts) -> Rows:
        """Score some queries with all of the gallery by what is cheap, `(q, G)`."""
        means, others = self._asking.means, self._asked.means
        if means is None or others is None:
            return self._interact(asking, None, coded=True)
        queries = means.take(asking).widen() if isinstance(means, RowCodes) else means[asking]
        if isinstance(others, RowCodes):
            return others.multiply(queries)
        return queries @ others.T

    def _finish(self, query: Counts, first: Rows) -> Rows:
        """Score one query with what its first stage, `(G,)`, lets go on: `(G,)`."""
        scores, left = first, np.arange(len(first))
        if self.scoring.name == "two-stage":
            left = _best(left, first, self.scoring.k)
        if self.scoring.codes is not None:
            if self.scoring.name == "two-stage":
                scores = _above(scores, left, self._interact(query, left, coded=True)[0])
            left = _best(left, scores[left], self.scoring.rescore)
        return _above(scores, left, self._interact(query, left, coded=False)[0])

    def _interact(self, asking: Counts, left: Counts | None, *, coded: bool) -> Rows:
        """Score some queries by MaxSim with those that are left, None for all: `(q, left)`."""
        places = np.arange(len(self.gallery)) if left is None else left
        if not self._turned:
            many = self._asked.coded(left) if coded else self._asked.exact(places)
            return interact(*self._asking.exact(asking), *many)
        own = self._asking.coded(asking) if coded else self._asking.exact(asking)
        return np.ascontiguousarray(interact(*self._asked.exact(places), *own).T)


def _best(items: Counts, scores: Rows, count: int) -> Counts:
    """Choose the `count` items of the best `scores`, in order of their places."""
    if count >= len(items):
        return items
    return np.sort(items[np.argpartition(-scores, count - 1)[:count]])


def _above(scores: Rows, left: Counts, better: Rows) -> Rows:
    """Put the scores of those that are left above all others."""
    if len(left) == len(scores):
        return better
    placed = scores - _APART
    placed[left] = better
    return placed
