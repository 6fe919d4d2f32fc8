"""What the hubness corrections share: one signature, banks, and notes about themselves.

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

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np

from moviola.core import Scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

#: How the note of a transductive correction begins.
TRANSDUCTIVE = "transductive"
#: How the note of an inductive correction begins.
INDUCTIVE = "inductive"

#: Scores held in float64 at a time, 32 MiB.
_BLOCK = 4 << 20


class Correction(Protocol):
    """Maps scores to scores; parameters and bank are its own."""

    @property
    def transductive(self) -> bool:
        """Whether it looks at the other queries of the test."""
        ...

    def __call__(self, scores: Scores) -> Scores:
        """Corrected scores `(Q, G)` in float64, with a note that says what was done.

        Raises:
            ValueError: when the bank is about another gallery.
        """
        ...


def is_transductive(scores: Scores) -> bool:
    """Whether a correction that made these scores looked at the other queries of the test."""
    return any(note.startswith(TRANSDUCTIVE) for note in scores.notes)


def reference(scores: Scores, bank: Scores | None) -> Scores:
    """The scores a correction learns from: the bank, or the test itself.

    Raises:
        ValueError: when the bank is about another gallery, or holds nothing.
    """
    if bank is None:
        return scores
    if list(bank.gallery) != list(scores.gallery):
        raise ValueError(
            "the bank must be scored against the same gallery, in the same order, as the test"
        )
    if not len(bank.queries):
        raise ValueError("the bank holds no captions")
    return bank


def corrected(
    scores: Scores, matrix: NDArray[np.float64], name: str, bank: Scores | None
) -> Scores:
    """`matrix` as the scores that correction `name` made with `bank`."""
    if bank is None:
        note = f"{TRANSDUCTIVE}: {name} looked at all {len(scores.queries)} queries of the test"
    else:
        note = f"{INDUCTIVE}: {name} with a bank of {len(bank.queries)} training queries"
    return Scores(scores.queries, scores.gallery, matrix, (*scores.notes, note))


def per_column(
    matrix: NDArray[np.float32 | np.float64], summarise: Callable[[Values], Values]
) -> Values:
    """`(G,)`: `summarise` of a `(R, g)` float64 block to `(g,)`, block after block of columns."""
    rows, columns = matrix.shape
    step = max(1, _BLOCK // max(1, rows))
    parts = [
        summarise(matrix[:, begin : begin + step].astype(np.float64))
        for begin in range(0, columns, step)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def log_mean_exp(values: Values, axis: int) -> Values:
    """`log(mean(exp(values)))` along `axis`, without overflow."""
    largest = values.max(axis=axis, keepdims=True)
    total = np.log(np.exp(values - largest).mean(axis=axis, keepdims=True))
    return np.squeeze(largest + total, axis=axis)


def nearest_mean(values: Values, neighbours: int, axis: int) -> Values:
    """Mean of the `neighbours` largest values along `axis`, of all where there are fewer."""
    count = values.shape[axis]
    kept = min(neighbours, count)
    ordered = np.partition(values, count - kept, axis=axis)
    return np.take(ordered, range(count - kept, count), axis=axis).mean(axis=axis)


def positive(value: float, what: str) -> None:
    """Refuses a parameter that is not a number above 0.

    Raises:
        ValueError: naming the parameter.
    """
    if not (np.isfinite(value) and value > 0):
        raise ValueError(f"the {what} must be above 0, got {value}")
