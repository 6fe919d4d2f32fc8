"""Give the hubness corrections one signature, banks, and notes about themselves.

A correction maps `Scores` to `Scores`, so that a clip that is near to everything stops coming
first for everything. What it needs to know about the clips it learns from a *bank*, scores of
training captions against the same gallery (inductive: the test never looks at itself), or from the
test queries all together (transductive: the rank of a query depends on who else asks). Transductive
scores say so in their notes, and have no place in a headline.

Corrections speak about text-to-video. For the other direction, transpose first:
`correct(scores.transposed()).transposed()`, with a bank of training clips against the texts.

Corrected scores are float64, where the default tie tolerance of `evaluate` is 0, as it must be for
scores that crowd together near one value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from moviola.core import ScoreBlocks, Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: Takes float64 rows of scores `(q, G)`, which may be overwritten, and gives corrected ones.
Adjust = Callable[["Values"], "Values"]

#: How the note of a transductive correction begins.
TRANSDUCTIVE = "transductive"
#: How the note of an inductive correction begins.
INDUCTIVE = "inductive"

#: Scores held in float64 at a time, 32 MiB.
_BLOCK = 4 << 20


class Correction(Protocol):
    """Map scores to scores; parameters and bank are its own."""

    @property
    def transductive(self) -> bool:
        """Tell whether it looks at the other queries of the test."""
        ...

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores `(Q, G)` to float64, with a note that says what was done.

        Raises:
            ValueError: when the bank is about another gallery.
        """
        ...


@runtime_checkable
class BlockCorrection(Correction, Protocol):
    """Correct scores without their matrix."""

    def blocks(self, scores: ScoreBlocks) -> CorrectedBlocks:
        """Correct scores `(Q, G)` a few queries at a time: neither matrix needs to exist.

        Raises:
            ValueError: when the bank is about another gallery.
        """
        ...


class BankCorrection(BlockCorrection, Protocol):
    """Learn from a bank once, and then correct any rows of scores."""

    @property
    def bank(self) -> ScoreBlocks | None:
        """Hold training captions against the gallery; None where it looks at the test."""
        ...

    def learn(self, bank: ScoreBlocks) -> Adjust:
        """Learn what `bank` teaches of the gallery."""
        ...


class CorrectedBlocks:
    """Make corrected scores a few queries at a time, float64.

    Args:
        scores: what is corrected.
        adjust: what to make of some rows.
        name: of the correction.
        bank: what it learnt from; None for the test itself.
    """

    dtype = np.dtype(np.float64)

    def __init__(
        self, scores: ScoreBlocks, adjust: Adjust, name: str, bank: ScoreBlocks | None
    ) -> None:
        self.queries, self.gallery = scores.queries, scores.gallery
        self.notes = (*scores.notes, _note(scores, name, bank))
        self._scores, self._adjust = scores, adjust

    def block(self, rows: slice | NDArray[np.int64]) -> Values:
        """Correct the scores of some queries with the whole gallery, `(q, G)`."""
        return self._adjust(self._scores.block(rows).astype(np.float64))

    def transposed(self) -> ScoreBlocks:
        """Refuse: what corrects one direction says nothing about the other.

        Raises:
            TypeError: always; transpose the scores first.
        """
        raise TypeError("corrected scores speak of one direction; transpose, then correct")


def is_transductive(scores: ScoreBlocks) -> bool:
    """Tell whether a correction that made these scores looked at the other queries of the test."""
    return any(note.startswith(TRANSDUCTIVE) for note in scores.notes)


def reference(scores: ScoreBlocks, bank: ScoreBlocks | None) -> ScoreBlocks:
    """Pick the scores a correction learns from: the bank, or the test itself.

    Raises:
        ValueError: when the bank is about another gallery, or holds nothing.
    """
    if bank is None:
        return scores
    _require_bank(bank, scores.gallery)
    return bank


def adjust_blocks(
    blocks: ScoreBlocks, correct: BankCorrection, *, queries: int
) -> Iterator[tuple[slice, Values]]:
    """Correct the scores of `queries` queries at a time, `(q, G)` float64, and which rows they are.

    What `correct` makes of the whole matrix, which need not exist: the bank is learnt from once.

    Raises:
        ValueError: when the correction is transductive, or its bank is about another gallery.
    """
    if correct.transductive or (bank := correct.bank) is None:
        raise ValueError(
            "a transductive correction looks at all queries together and cannot answer one by "
            "one; give it a bank of training captions, or correct the whole matrix"
        )
    _require_bank(bank, blocks.gallery)
    return _adjusted(blocks, correct.learn(bank), queries)


def _adjusted(blocks: ScoreBlocks, adjust: Adjust, step: int) -> Iterator[tuple[slice, Values]]:
    for first in range(0, len(blocks.queries), step):
        rows = slice(first, min(first + step, len(blocks.queries)))
        yield rows, adjust(blocks.block(rows).astype(np.float64))


def corrected(
    scores: Scores, matrix: NDArray[np.float64], name: str, bank: ScoreBlocks | None
) -> Scores:
    """Wrap `matrix` as the scores that correction `name` made with `bank`."""
    notes = (*scores.notes, _note(scores, name, bank))
    return Scores(scores.queries, scores.gallery, matrix, notes)


def _note(scores: ScoreBlocks, name: str, bank: ScoreBlocks | None) -> str:
    if bank is None:
        return f"{TRANSDUCTIVE}: {name} looked at all {len(scores.queries)} queries of the test"
    return f"{INDUCTIVE}: {name} with a bank of {len(bank.queries)} training queries"


def per_column(scores: ScoreBlocks, summarise: Callable[[Values], Values]) -> Values:
    """Apply `summarise`, `(R, g)` float64 to `(g,)`, to blocks of columns; `(G,)` in all."""
    turned = scores.transposed()
    columns = len(scores.gallery)
    step = max(1, _BLOCK // max(1, len(scores.queries)))
    parts = [
        summarise(turned.block(slice(begin, begin + step)).T.astype(np.float64))
        for begin in range(0, columns, step)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def row_blocks(scores: ScoreBlocks) -> Iterator[NDArray[np.float32 | np.float64]]:
    """Cut some rows `(r, G)` at a time, all columns of each."""
    step = max(1, _BLOCK // max(1, len(scores.gallery)))
    for first in range(0, len(scores.queries), step):
        yield scores.block(slice(first, first + step))


def log_mean_exp(values: Values, axis: int) -> Values:
    """Compute `log(mean(exp(values)))` along `axis`, without overflow."""
    largest = values.max(axis=axis, keepdims=True)
    total = np.log(np.exp(values - largest).mean(axis=axis, keepdims=True))
    return np.squeeze(largest + total, axis=axis)


def nearest_mean(values: Values, neighbours: int, axis: int) -> Values:
    """Average the `neighbours` largest values along `axis`, of all where there are fewer."""
    count = values.shape[axis]
    kept = min(neighbours, count)
    ordered = np.partition(values, count - kept, axis=axis)
    return np.take(ordered, range(count - kept, count), axis=axis).mean(axis=axis)


def _require_bank(bank: ScoreBlocks, gallery: Sequence[str]) -> None:
    if list(bank.gallery) != list(gallery):
        raise ValueError(
            "the bank must be scored against the same gallery, in the same order, as the test"
        )
    if not len(bank.queries):
        raise ValueError("the bank holds no captions")


def positive(value: float, what: str) -> None:
    """Refuse a parameter that is not a number above 0.

    Raises:
        ValueError: naming the parameter.
    """
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"the {what} must be above 0, got {value}")
