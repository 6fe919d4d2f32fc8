"""Select shrinkage and width of a canonical head by how held-out videos are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.closed_form.canonical import CanonicalSolver
from moviola.align.closed_form.covariance import Covariance, Pairs
from moviola.align.closed_form.likelihood import held_out_correlations, likelihood_maps, smoothed
from moviola.align.data.holding_out import WIDE
from moviola.align.head.maps import Maps
from moviola.core.ranks import FLOAT32_TOLERANCE, rank_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: What may be added to the variances, and how many coordinates may count.
SHRINKAGES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
WIDTHS = (32, 64, 128, 256)
#: Steps of the climb: of either shrinkage, and where each costs seconds, of both together.
_STEPS = ((-1, 0), (0, -1), (0, 1), (1, 0))
_STEPS_WIDE = ((-1, -1), (1, 1))
#: Held-out captions a video at most.
_CAPTIONS = 10


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Hold standardised videos that were not fitted on, and their captions.

    Attributes:
        texts: `(n, D_t)`.
        clips: `(m, D_v)`.
        owner: `(n,)` row of its clip for every text.
    """

    texts: Floats
    clips: Floats
    owner: Counts

    @classmethod
    def of(cls, pairs: Pairs, clips: Counts) -> HeldOut:
        """Take some clips, with ten captions each at most."""
        texts, owner = pairs.texts_of(clips)
        within = np.arange(len(owner)) - np.searchsorted(owner, owner)
        kept = within < _CAPTIONS
        return cls(pairs.text_rows(texts[kept]), pairs.clip_rows(clips), owner[kept])


@dataclass(frozen=True, slots=True)
class Selection:
    """Hold the selected settings and their result on held-out videos.

    Attributes:
        shrinkage: of texts and of clips.
        width: coordinates that count.
        correlations: `(k,)` of held-out pairs, smoothed.
        reciprocal_ranks: of every held-out caption, in order of the parts.
    """

    shrinkage: tuple[float, float]
    width: int
    correlations: Floats
    reciprocal_ranks: NDArray[np.float64]

    @property
    def mrr(self) -> float:
        """Return the mean reciprocal rank."""
        return float(self.reciprocal_ranks.mean())


def select(
    rests: Sequence[Covariance],
    parts: Sequence[HeldOut],
    start: float,
    widths: Sequence[int] = WIDTHS,
) -> Selection:
    """Select the settings with the best MRR on held-out videos, climbing from `start`.

    Args:
        rests: covariance of all but each part.
        parts: what was held out, in the same order.
        start: shrinkage of both sides to begin with.
        widths: how many coordinates may count, the fewest first.
    """
    solvers = [CanonicalSolver(rest) for rest in rests]
    wide = max(rests[0].cross.shape) > WIDE
    steps = _STEPS_WIDE if wide else _STEPS
    place = int(np.argmin(np.abs(np.log(np.array(SHRINKAGES) / start))))
    at = (place, place)
    seen = {at: _tried(solvers, parts, at, widths)}
    while True:
        for step in steps:
            near = (at[0] + step[0], at[1] + step[1])
            if near not in seen and 0 <= min(near) <= max(near) < len(SHRINKAGES):
                seen[near] = _tried(solvers, parts, near, widths)
        best = max(seen, key=lambda key: seen[key].mrr)
        if best == at:
            return seen[best]
        at = best


def reciprocal_ranks(maps: Maps, part: HeldOut) -> NDArray[np.float64]:
    """Compute expected reciprocal ranks `(n,)` of held-out captions among held-out clips."""
    ones = np.arange(len(part.owner) + 1), np.arange(len(part.clips) + 1)
    texts = maps.map_texts(part.texts, ones[0])
    clips = maps.map_clips(part.clips, ones[1])
    ranks = rank_block(texts @ clips.T, part.owner, ones[0], FLOAT32_TOLERANCE)
    return 1 / (ranks.better + (ranks.tied + 1) / 2)


def _tried(
    solvers: Sequence[CanonicalSolver],
    parts: Sequence[HeldOut],
    at: tuple[int, int],
    widths: Sequence[int],
) -> Selection:
    shrinkage = (SHRINKAGES[at[0]], SHRINKAGES[at[1]])
    solved = [solver.solve(shrinkage, widths[-1]) for solver in solvers]
    found = [
        held_out_correlations(part.texts @ each.texts, part.clips @ each.clips, part.owner)
        for each, part in zip(solved, parts, strict=True)
    ]
    correlations = smoothed(np.mean(found, axis=0))
    tries = [
        Selection(
            shrinkage,
            width,
            correlations,
            np.concatenate(
                [
                    reciprocal_ranks(likelihood_maps(each, correlations, width), part)
                    for each, part in zip(solved, parts, strict=True)
                ]
            ),
        )
        for width in widths
        if width == widths[0] or width <= len(correlations)
    ]
    return max(tries, key=lambda choice: choice.mrr)
