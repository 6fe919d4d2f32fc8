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
        right: `(Q,)` whether the first hit is what the query describes.
        held: `(Q,)` whether the gallery holds it.
    """

    scores: NDArray[np.float64]
    bank: NDArray[np.float64]
    right: NDArray[np.bool_]
    held: NDArray[np.bool_]


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
    shown = scores[np.ix_(asked, gallery)]
    return Trial(
        shown,
        scores[np.ix_(rest[: draw.sentences], gallery)],
        gallery[shown.argmax(1)] == asked,
        np.arange(2 * queries) < queries,
    )


def draw_trials(scores: NDArray[np.float64], draws: Sequence[Draw], seed: int) -> list[list[Trial]]:
    """Draw all trials, one list a `Draw`; the same seed gives the same."""
    rng = np.random.default_rng(seed)
    return [[draw_trial(scores, draw, rng) for _ in range(draw.times)] for draw in draws]
