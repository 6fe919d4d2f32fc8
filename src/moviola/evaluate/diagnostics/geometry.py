"""Examine how the vectors of one side fill their space: cones, rogue dimensions, rank."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.evaluate.diagnostics.findings import Figures, Finding
from moviola.evaluate.diagnostics.sides import Side, pair_cosines
from moviola.evaluate.geometry import effective_rank, mean_cosine, variance_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Rows from which directions of variance are computed.
_SPECTRUM = 2000
#: Pairs from which uniformity is computed.
_PAIRS = 20_000
_TOP = 3


def look_at_geometry(side: Side, rng: np.random.Generator) -> tuple[list[Finding], Figures]:
    """Measure anisotropy, rogue dimensions, effective rank and uniformity of one side."""
    unit = side.directed
    if len(unit) < 3:
        return [], {}
    cone = mean_cosine(unit)
    shares = np.einsum("ij,ij->j", unit, unit, dtype=np.float64) / len(unit)
    rogue = np.argsort(-shares)[:_TOP]
    spectrum = variance_shares(side.unit[side.sample(_SPECTRUM, rng)])
    rank = effective_rank(spectrum)
    possible = min(unit.shape[1], min(len(unit), _SPECTRUM) - 1)
    figures: Figures = {
        "mean_cosine": cone,
        "top_dimensions": {str(place): float(shares[place]) for place in rogue},
        "top_directions": [float(value) for value in spectrum[:_TOP]],
        "effective_rank": rank,
        "possible_rank": possible,
        "uniformity": _uniformity(side, rng),
    }
    findings = [
        *_cone(side, cone),
        *_rogue(side, rogue, float(shares[rogue].sum())),
        *_rank(side, rank, possible, float(spectrum[0])),
    ]
    return findings, figures


def _uniformity(side: Side, rng: np.random.Generator) -> float:
    """Compute the log of the mean Gaussian potential of random pairs: lower is more spread.

    Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and
    Uniformity on the Hypersphere", 2020, section 4.1.2, t = 2.
    """
    places = np.flatnonzero(side.usable)
    one = rng.integers(0, len(places), _PAIRS)
    other = (one + rng.integers(1, len(places), _PAIRS)) % len(places)
    cosines = pair_cosines(side, places[one], side, places[other])
    return float(np.log(np.exp(-2.0 * (2.0 - 2.0 * cosines)).mean()))


def _cone(side: Side, cosine: float) -> list[Finding]:
    if cosine < 0.4:
        return []
    return [
        Finding(
            "warning",
            "anisotropy",
            side.name,
            f"Two random {side.name} have a mean cosine of {cosine:.2f}: a large part common to "
            f"all hides what differs, as in hidden states of language models; subtract the mean "
            f"of training vectors, or let a fitted head do it.",
        )
    ]


def _rogue(side: Side, places: NDArray[np.int64], share: float) -> list[Finding]:
    dimension = side.unit.shape[1]
    if share < max(0.25, 5 * _TOP / dimension):
        return []
    named = ", ".join(str(place) for place in sorted(int(place) for place in places))
    return [
        Finding(
            "warning",
            "rogue-dimensions",
            side.name,
            f"Dimensions {named} of {dimension:,} carry {share:.0%} of the squared length of the "
            f"{side.name}: massive activations of a transformer, nearly the same for every input; "
            f"standardise each dimension with training statistics, and drop the first token "
            f"before pooling.",
        )
    ]


def _rank(side: Side, rank: float, possible: int, first: float) -> list[Finding]:
    if rank >= max(3.0, 0.03 * possible):
        return []
    return [
        Finding(
            "warning",
            "low-rank",
            side.name,
            f"The {side.name} vary in about {rank:.1f} of {possible:,} possible directions "
            f"({first:.0%} of it in one): the vectors have all but collapsed, as under a loss that "
            f"one constant answer satisfies, or a few dimensions drown the rest; standardise the "
            f"dimensions, and train with a contrastive loss.",
        )
    ]
