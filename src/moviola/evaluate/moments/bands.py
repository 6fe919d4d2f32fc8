"""Measure what bands and probabilities of first hits are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Judged(NamedTuple):
    """Hold the first hit of a query.

    Attributes:
        band: what the search said of it, such as `strong`; `""` where nothing was found
            or nothing is known.
        probability: of being right, where the search told one.
        right: whether it was right.
    """

    band: str
    probability: float | None
    right: bool


@dataclass(frozen=True, slots=True)
class Reliability:
    """Hold one bin of a reliability diagram: what was promised, what came true, of how many."""

    promised: float
    right: float
    count: int


@dataclass(frozen=True, slots=True)
class BandResult:
    """Hold what bands and probabilities are worth.

    Attributes:
        share: band to the share of queries whose first hit had it.
        right: band to the share of these hits that were right.
        error: expected calibration error; None where the search told no probability.
        diagram: bins of probabilities that hold a hit, the lowest first.
    """

    share: Mapping[str, float]
    right: Mapping[str, float]
    error: float | None
    diagram: Sequence[Reliability]

    def to_json(self) -> dict[str, Any]:
        """Write `error`, and for each band its `share` and how many of it were `right`."""
        bands = {
            band: {"share": self.share[band], "right": self.right[band]} for band in self.share
        }
        return {"error": self.error, **bands}


def calibration_error(
    probabilities: NDArray[np.float64], outcomes: NDArray[np.bool_], *, bins: int = 10
) -> float:
    """Measure the expected calibration error over bins of equal width.

    The mean over all outcomes of how far the mean probability in their bin is from the share that
    came true (Naeini, Cooper and Hauskrecht, AAAI 2015).
    """
    place = np.minimum((probabilities * bins).astype(np.int64), bins - 1)
    surplus = np.bincount(place, weights=probabilities - outcomes, minlength=bins)
    return float(np.abs(surplus).sum() / max(len(outcomes), 1))


def measure_bands(hits: Sequence[Judged], *, bins: int = 10) -> BandResult:
    """Measure how often each band is right, and how far probabilities are from what came true.

    The error is that of `calibration_error`, and the diagram has its bins.

    Raises:
        ValueError: when there is no hit.
    """
    if not hits:
        raise ValueError("there is no first hit to judge")
    order = {"strong": 0, "likely": 1, "unsure": 2}
    names = sorted({hit.band for hit in hits if hit.band}, key=lambda name: order.get(name, 3))
    told = [(hit.probability, hit.right) for hit in hits if hit.probability is not None]
    diagram: list[Reliability] = []
    error: float | None = None
    if told:
        promised, right = np.array(told, np.float64).T
        error = calibration_error(promised, right.astype(bool), bins=bins)
        places = np.minimum((promised * bins).astype(np.int64), bins - 1)
        diagram = [
            Reliability(
                float(promised[places == place].mean()),
                float(right[places == place].mean()),
                int(np.count_nonzero(places == place)),
            )
            for place in range(bins)
            if (places == place).any()
        ]
    return BandResult(
        share={name: sum(hit.band == name for hit in hits) / len(hits) for name in names},
        right={
            name: float(np.mean([hit.right for hit in hits if hit.band == name])) for name in names
        },
        error=error,
        diagram=diagram,
    )
