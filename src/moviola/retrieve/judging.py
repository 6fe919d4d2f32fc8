"""Say of moments how far to trust them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from moviola.core.moments import Moment
from moviola.library import Snapshot
from moviola.retrieve.bands import band_of
from moviola.retrieve.calibration.judges import Judge

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def judge_moments(
    moments: Sequence[Moment],
    judge: Judge | None,
    snapshot: Snapshot,
    scores: NDArray[np.floating],
) -> tuple[list[Moment], bool]:
    """Give moments their probabilities and bands.

    Args:
        moments: best first.
        judge: None where nothing is known.
        snapshot: the library as it is shown.
        scores: `(n,)` of every clip.

    Returns:
        The moments, in order, and whether the library was measured to hold nothing of the kind.
    """
    if judge is None or not snapshot.records:
        return list(moments), False
    places = [snapshot.place_of(moment.video) for moment in moments]
    found = judge(
        snapshot,
        scores,
        [place for place in places if place is not None],
        [moment.score for moment in moments],
    )
    return [
        replace(moment, probability=chance, band=band_of(chance))
        for moment, chance in zip(moments, found.probabilities, strict=True)
    ], found.absent
