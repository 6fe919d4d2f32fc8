"""Reduce what a bank of ordinary sentences scores on a gallery to a few numbers a clip."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Sentences that a bank needs at least: one has no spread.
FEWEST_SENTENCES = 2
# A clip's own variance counts as so many sentences less than the mean variance of all clips:
# small banks tell it badly. The posterior mean of a scaled inverse chi-square prior.
_PRIOR_SENTENCES = 10
# The size of the bank that the best of a bank is restated for.
_REFERENCE_BANK = 200


@dataclass(frozen=True, slots=True)
class BankStatistics:
    """Hold, in a few numbers, how the sentences of a bank score on every clip.

    Attributes:
        mean: `(N,)` of the sentences' scores on each clip.
        spread: `(N,)` their standard deviation, above 0.
        most: `(N,)` how far the best of 200 such sentences stands above the mean, in spreads.
        centre: mean of all scores of the bank.
        unit: standard deviation of all scores of the bank, above 0.
        best: median over the sentences of what each scores on its best clip.
        best_spread: standard deviation of that over the sentences, above 0.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    most: NDArray[np.float64]
    centre: float
    unit: float
    best: float
    best_spread: float

    @classmethod
    def of(cls, bank: NDArray[np.floating]) -> Self:
        """Reduce the scores `(B, N)` of B sentences on N clips; see `over`."""
        return cls.over([bank])

    @classmethod
    def over(cls, blocks: Iterable[NDArray[np.floating]]) -> Self:
        """Reduce the scores of B sentences on N clips that come in blocks `(B, n)`.

        Args:
            blocks: at least one, finite, of the same B sentences; their n add up to N >= 1.

        Raises:
            ValueError: when there are fewer than two sentences, or no clips.
        """
        means: list[NDArray[np.float64]] = []
        variances: list[NDArray[np.float64]] = []
        tops: list[NDArray[np.float64]] = []
        bests: NDArray[np.float64] | None = None
        count = 0
        for block in blocks:
            scores = np.asarray(block, np.float64)
            count = len(scores)
            if count < FEWEST_SENTENCES:
                raise ValueError(f"a bank needs at least {FEWEST_SENTENCES} sentences, got {count}")
            if not scores.shape[1]:
                continue
            means.append(scores.mean(0))
            variances.append(scores.var(0))
            tops.append(scores.max(0))
            best = scores.max(1)
            bests = best if bests is None else np.maximum(bests, best)
        if bests is None:
            raise ValueError("a gallery needs at least one clip, got none")
        mean, variance = np.concatenate(means), np.concatenate(variances)
        return cls._of_moments(mean, variance, np.concatenate(tops), bests, count)

    @classmethod
    def _of_moments(
        cls,
        mean: NDArray[np.float64],
        variance: NDArray[np.float64],
        top: NDArray[np.float64],
        bests: NDArray[np.float64],
        count: int,
    ) -> Self:
        centre = float(mean.mean())
        unit = math.sqrt(float(np.mean(variance + (mean - centre) ** 2)))
        # Rounding of equal scores leaves a spread that means nothing.
        least = 1e-9 * max(abs(centre), float(np.abs(bests).max()))
        unit = unit if unit > least else 1.0
        within = math.sqrt(float(variance.mean()))
        within = within if within > 1e-6 * unit else unit
        prior = _PRIOR_SENTENCES
        spread = np.sqrt((count * variance + prior * within**2) / (count + prior))
        # In float16 most of a bank may tie, so that the bests hardly differ.
        best_spread = float(bests.std())
        return cls(
            mean,
            spread,
            (top - mean) / spread + _expected_best(_REFERENCE_BANK) - _expected_best(count),
            centre,
            unit,
            float(np.median(bests)),
            best_spread if best_spread > 1e-3 * unit else unit,
        )


def _expected_best(count: int) -> float:
    """Estimate the expected largest of `count` standard normal numbers (Blom, 1958)."""
    return NormalDist().inv_cdf((count - 0.375) / (count + 0.25))
