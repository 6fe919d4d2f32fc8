"""What a score means: strong, likely or weak.

With a calibration (fitted by whoever trained the encoder, kept in the library's card) a score is a
probability of being right, and the bands are its two thresholds. Without one, a band is a
heuristic: how far the hit stands above what the best of so many unrelated clips would score by
chance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moviola.core.moments import Band
from moviola.retrieve.quantiles import quantiles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

STRONG_PROBABILITY = 0.9
LIKELY_PROBABILITY = 0.5
# Under unrelated clips the excess follows a Gumbel law, so e**-x of the queries pass by chance.
STRONG_EXCESS = 5.0
LIKELY_EXCESS = 3.0
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

    The upper tail of unrelated scores is taken to fall off exponentially, with the slope that it
    has between two of its quantiles; these move outwards as the library grows. That tells the
    score that the best unrelated clip is expected to have; chance exceeds it by x scales in about
    e**-x of all queries, and less where the tail is lighter. A hit is `likely` beyond 3 scales and
    `strong` beyond 5. In simulated libraries of 60 to 50,000 clips with uniform, normal, Laplace
    and exponential tails, 93 % to 100 % of the queries without an answer were weak and at most
    2.5 % strong. The price: where many videos answer, they look ordinary, and are called weak.
    With fewer than 50 other clips nothing is ever strong.

    Attributes:
        expected: the score that the best unrelated clip is expected to have.
        scale: the unit of what is beyond, 0 where all scores are equal.
        clips: how many clips the rest of the library has.
    """

    expected: float
    scale: float
    clips: int

    @classmethod
    def of(cls, scores: NDArray[np.floating]) -> Outstanding:
        """The yardstick of one query: its scores `(n,)` over all clips but the best video's."""
        if scores.size < 2:
            return cls(0.0, 0.0, int(scores.size))
        root = math.sqrt(scores.size)
        tail = min(0.3, 2.4 / root)
        low, high = quantiles(scores, [1 - tail, 1 - tail / 6])
        # Few clips tell the scale badly: rather too large than too small.
        scale = (high - low) / math.log(6) * (1 + 3 / root)
        expected = low + scale * math.log(max(scores.size * tail, 1))
        return cls(expected, scale, int(scores.size))

    def excess(self, score: float) -> float:
        """By how many scales a score exceeds what the best unrelated clip is expected to have."""
        return (score - self.expected) / self.scale if self.scale > 0 else 0.0

    def probability(self, score: float) -> None:
        """There is none without a calibration."""
        del score

    def band(self, score: float) -> Band:
        """`strong` from 5 scales of excess and 50 clips on, `likely` from 3."""
        excess = self.excess(score)
        if excess >= STRONG_EXCESS and self.clips >= FEWEST_CLIPS:
            return "strong"
        return "likely" if excess >= LIKELY_EXCESS else "weak"


Yardstick = Calibrated | Outstanding
