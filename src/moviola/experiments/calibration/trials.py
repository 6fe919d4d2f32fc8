"""Draw searches with known answers out of a score matrix: galleries, queries, and a bank."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Draw:
    """Configure how searches are drawn.

    Attributes:
        clips: N, in the gallery.
        sentences: B, in the bank.
        times: how often a gallery is drawn.
    """

    clips: int
    sentences: int
    times: int


@dataclass(frozen=True, slots=True)
class Trial:
    """Searches with known answers.

    Attributes:
        scores: `(Q, N)` of the queries on the gallery.
        bank: `(B, N)` of the bank.
        answers: `(Q,)` columns of what the queries describe, -1 where the gallery lacks it.
    """

    scores: NDArray[np.float64]
    bank: NDArray[np.float64]
    answers: NDArray[np.int64]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Tell of which queries `(Q,)` the first hit is what they describe."""
        return self.scores.argmax(1) == self.answers

    @property
    def held(self) -> NDArray[np.bool_]:
        """Tell for which queries `(Q,)` the gallery holds what they describe."""
        return self.answers >= 0


def draw_trial(scores: NDArray[np.float64], draw: Draw, rng: np.random.Generator) -> Trial:
    """Draw one gallery; half of its queries describe clips that are not in it.

    The bank's sentences describe clips that are neither in the gallery nor asked for.

    Args:
        scores: `(n, n)`, row i describes column i.
        draw: how many of what.
        rng: draws.

    Raises:
        ValueError: when the matrix is too small for the draw.
    """
    queries = min(draw.clips, len(scores) - draw.clips - draw.sentences)
    if queries < 1:
        raise ValueError(
            f"{draw.clips} clips, {draw.sentences} sentences and a query that describes none of "
            f"them need a larger matrix than {scores.shape}"
        )
    order = rng.permutation(len(scores))
    gallery, rest = order[: draw.clips], order[draw.clips :]
    asked = np.concatenate([gallery[:queries], rest[draw.sentences :][:queries]])
    return Trial(
        scores[np.ix_(asked, gallery)],
        scores[np.ix_(rest[: draw.sentences], gallery)],
        np.where(np.arange(2 * queries) < queries, np.arange(2 * queries), -1),
    )


def draw_trials(scores: NDArray[np.float64], draws: Sequence[Draw], seed: int) -> list[list[Trial]]:
    """Draw all trials, one list a `Draw`; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    return [[draw_trial(scores, draw, rng) for _ in range(draw.times)] for draw in draws]
