"""Moments that show the same thing: copies, re-encodings, cuts of one recording."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def collapse(
    rows: NDArray[np.float32], videos: Sequence[str], *, threshold: float
) -> NDArray[np.int64]:
    """For each item, the better one of another video that it nearly equals, or itself.

    Items come best first. Each joins the first item that stands for itself and whose cosine with
    it reaches `threshold`; nothing joins through a third.

    Args:
        rows: `(m, D)` vectors of any length but zero.
        videos: the m videos they belong to.
        threshold: least cosine of near-duplicates.

    Returns:
        `(m,)` places of the items they are shown under.
    """
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(norms > 0, norms, 1)
    numbers = {video: number for number, video in enumerate(videos)}
    owner = np.array([numbers[video] for video in videos], np.int64)
    near = (unit @ unit.T >= threshold) & (owner[:, None] != owner)
    under = np.arange(len(rows))
    for place in np.flatnonzero(np.tril(near, -1).any(axis=1)).tolist():
        better = np.flatnonzero(near[place, :place] & (under[:place] == np.arange(place)))
        if better.size:
            under[place] = better[0]
    return under
