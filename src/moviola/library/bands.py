"""What a score means: strong, likely or weak.

With a calibration (fitted by whoever trained the encoder, kept in the library's card) a score is a
probability of being right, and the bands are its two thresholds. Without one, a band is a
heuristic: how far the hit stands above what the best of so many unrelated clips would score by
chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Band = Literal["strong", "likely", "weak"]

STRONG_PROBABILITY = 0.9
LIKELY_PROBABILITY = 0.5
# Under unrelated clips the excess follows a Gumbel law, so e**-x of the queries pass by chance.
STRONG_EXCESS = 4.6
LIKELY_EXCESS = 2.3
FEWEST_CLIPS = 50


@dataclass(frozen=True, slots=True)
class Calibrated:
    """Bands from a fitted probability `1 / (1 + exp(-(slope * score + intercept)))`."""

    slope: float
    intercept: float

    def probability(self, score: float) -> float:
        """The probability that a hit of this score is right, in [0, 1]."""
        exponent = -(self.slope * score + self.intercept)
        return 1 / (1 + math.exp(min(exponent, 700)))  # exp overflows beyond

    def band(self, score: float) -> Band:
        """`strong` from .9, `likely` from .5."""
        probability = self.probability(score)
        if probability >= STRONG_PROBABILITY:
            return "strong"
        return "likely" if probability >= LIKELY_PROBABILITY else "weak"


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Bands from one query's scores over the rest of the library: a heuristic, no probability.

    The upper half of unrelated scores is taken to fall off exponentially (which overstates the
    tails of cosines, on the safe side): its scale is the distance from the median to the 90 %
    quantile, over ln 5. The best of n unrelated clips is then expected ln(n / 2) scales above the
    median, and exceeds that by x more scales in a share of about e**-x of all queries. A hit is
    `likely` beyond 2.3 scales (one in ten by chance) and `strong` beyond 4.6 (one in a hundred).
    With fewer than 50 other clips nothing is ever strong.
    """

    median: float
    scale: float
    clips: int

    @classmethod
    def of(cls, scores: NDArray[np.floating]) -> Outstanding:
        """The yardstick of one query: its scores `(n,)` over all clips but the best video's."""
        if scores.size < 2:
            return cls(0.0, 0.0, int(scores.size))
        median, high = np.quantile(scores, [0.5, 0.9])
        return cls(float(median), float(high - median) / math.log(5), int(scores.size))

    def excess(self, score: float) -> float:
        """By how many scales a score exceeds what the best unrelated clip is expected to have."""
        if self.scale <= 0:
            return 0.0
        return (score - self.median) / self.scale - math.log(max(self.clips, 2) / 2)

    def probability(self, score: float) -> None:
        """There is none without a calibration."""
        del score

    def band(self, score: float) -> Band:
        """`strong` from 4.6 scales of excess and 50 clips on, `likely` from 2.3."""
        excess = self.excess(score)
        if excess >= STRONG_EXCESS and self.clips >= FEWEST_CLIPS:
            return "strong"
        return "likely" if excess >= LIKELY_EXCESS else "weak"


Yardstick = Calibrated | Outstanding
