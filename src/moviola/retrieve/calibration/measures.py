"""Measure what probabilities are worth: whether they separate, and mean what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.evaluate.moments.bands import calibration_error

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRONG_PROBABILITY = 0.9
LIKELY_PROBABILITY = 0.5
#: From this probability down that the library holds the thing, "nothing matches well" is said.
ABSENT_PROBABILITY = 0.1


@dataclass(frozen=True, slots=True)
class CalibrationMeasures:
    """Hold what the probabilities of n first hits are worth.

    Attributes:
        hits: n.
        right: share of them that were right.
        auc: probability that a right one has more than a wrong one, ties counting half.
        error: expected calibration error over ten bins of equal width.
        strong: share of hits with p >= .9.
        strong_right: share of these that were right; NaN without any.
        doubted: share of the right ones with p < .5.
    """

    hits: int
    right: float
    auc: float
    error: float
    strong: float
    strong_right: float
    doubted: float

    @classmethod
    def of(
        cls, probabilities: NDArray[np.float64], right: NDArray[np.bool_]
    ) -> CalibrationMeasures:
        """Measure the probabilities `(n,)` of hits of which `right` `(n,)` were right."""
        strong = probabilities >= STRONG_PROBABILITY
        return cls(
            hits=len(right),
            right=_share(right),
            auc=area_under_curve(probabilities, right),
            error=calibration_error(probabilities, right),
            strong=_share(strong),
            strong_right=_share(right[strong]),
            doubted=_share(probabilities[right] < LIKELY_PROBABILITY),
        )


def area_under_curve(values: NDArray[np.float64], outcomes: NDArray[np.bool_]) -> float:
    """Measure how often a true outcome has the larger value, over all pairs; ties count half.

    Mann and Whitney, 1947. NaN where all outcomes are alike.
    """
    ordered = np.sort(values[~outcomes])
    if not ordered.size or ordered.size == values.size:
        return float("nan")
    below = np.searchsorted(ordered, values[outcomes], side="left")
    upto = np.searchsorted(ordered, values[outcomes], side="right")
    return float((below + upto).mean() / 2 / ordered.size)


def _share(marks: NDArray[np.bool_]) -> float:
    return float(marks.mean()) if marks.size else float("nan")
