"""Put the probability that a hit is right into one of three words."""

from __future__ import annotations

from moviola.core.moments import Band
from moviola.retrieve.calibration.measures import LIKELY_PROBABILITY, STRONG_PROBABILITY


def band_of(probability: float | None) -> Band | None:
    """Name a probability: `strong` from .9, `likely` from .5, else `unsure`; None for none."""
    if probability is None:
        return None
    if probability >= STRONG_PROBABILITY:
        return "strong"
    return "likely" if probability >= LIKELY_PROBABILITY else "unsure"
