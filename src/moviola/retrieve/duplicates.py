"""Fold moments that show the same thing: copies, re-encodings, cuts of one recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.moments import Moment
from moviola.library import Snapshot

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Least cosine of moments of different videos that count as near-duplicates.
NEAR = 0.985


def fold_duplicates(
    moments: Sequence[Moment], snapshot: Snapshot, *, threshold: float = NEAR
) -> list[Moment]:
    """Fold each moment into the first of another video that it nearly equals.

    Moments that were found by different texts are different, however alike they look.

    Args:
        moments: best first.
        snapshot: holds the vectors of their best clips.
        threshold: least cosine of near-duplicates.

    Returns:
        Those that stand for themselves, in order; `duplicates` names the clips they stand for.
    """
    rows = snapshot.rows_of([moment.clip for moment in moments])
    under = np.arange(len(moments))
    for places in _by_texts(moments, rows):
        videos = [moments[place].video for place in places]
        found = assign_duplicates(snapshot.matrix[rows[places]], videos, threshold=threshold)
        under[places] = np.array(places)[found]
    folded: dict[int, list[str]] = {}
    for place, better in enumerate(under.tolist()):
        if place != better:
            folded.setdefault(better, []).append(moments[place].clip)
    return [
        replace(moment, duplicates=tuple(folded[place])) if place in folded else moment
        for place, moment in enumerate(moments)
        if under[place] == place
    ]


def _by_texts(moments: Sequence[Moment], rows: NDArray[np.int64]) -> list[list[int]]:
    """Group the places of moments that have a clip by the texts that they were found by."""
    groups: dict[frozenset[str], list[int]] = {}
    for place, moment in enumerate(moments):
        if rows[place] >= 0:
            texts = frozenset(reason.text for reason in moment.why)
            groups.setdefault(texts, []).append(place)
    return list(groups.values())


def assign_duplicates(
    rows: NDArray[np.float32], videos: Sequence[str], *, threshold: float
) -> NDArray[np.int64]:
    """Assign each item to the better one of another video that it nearly equals, or to itself.

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
