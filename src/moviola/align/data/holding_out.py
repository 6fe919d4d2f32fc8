"""Choose whole videos to hold out, keeping copies of one video together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

#: Videos that are held out at a time at most, and parts at least.
_MOST, _PARTS = 500, 5
#: Numbers a vector from which on only one part is looked at: solutions then take seconds each.
WIDE = 2048
_ROUNDS, _ROUNDS_WIDE = 3, 1


def hold_out(
    captioned: Counts, same: Counts, dimension: int, *, seed: int
) -> tuple[list[Counts], Counts]:
    """Choose disjoint parts of held-out videos, and one more that a training may watch.

    Each is in rising order. Results are reported on the former alone: whoever chooses the best of
    many epochs on some videos cannot report how well these are found.

    Args:
        captioned: rows of the videos that have captions.
        same: `(M,)` for each video the first one with the very same rows; such stay together.
        dimension: of the wider side.
        seed: of the draw.
    """
    groups = np.unique(same[captioned])
    drawn = np.random.default_rng(seed).permutation(groups)
    count = max(_PARTS, -(-len(captioned) // _MOST))
    rounds = _ROUNDS_WIDE if dimension > WIDE else _ROUNDS
    pieces = [captioned[np.isin(same[captioned], part)] for part in np.array_split(drawn, count)]
    return pieces[:rounds], pieces[rounds]
