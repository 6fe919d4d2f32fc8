"""Find pairs that count as wrong although they are right: equal captions, near copies of videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from moviola.evaluate.diagnostics.findings import Figures, Finding
from moviola.evaluate.diagnostics.sides import Side

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Centred cosine from which on two videos are taken for copies of one.
_NEAR = 0.99
_STEP = 128


def look_at_words(
    texts: Sequence[str], relevant: Mapping[int, Sequence[int]]
) -> tuple[list[Finding], Figures]:
    """Find captions of the same words that belong to different videos.

    Args:
        texts: the words of each caption, empty where they are not known.
        relevant: row of a caption to the rows of its videos.
    """
    groups: dict[str, list[int]] = {}
    for row, text in enumerate(texts):
        words = " ".join(text.casefold().split()).rstrip(" .!?")
        if words and row in relevant:
            groups.setdefault(words, []).append(row)
    shared = {
        words: rows
        for words, rows in groups.items()
        if len({frozenset(relevant[row]) for row in rows}) > 1
    }
    if not groups:
        return [], {}
    count = sum(len(rows) for rows in shared.values())
    figures: Figures = {"captions_of_several_videos": count}
    if not shared:
        return [], figures
    most = max(shared, key=lambda words: len(shared[words]))
    return [
        Finding(
            "warning" if count > 0.01 * len(texts) else "info",
            "false-negatives",
            "texts",
            f"{count:,} of {len(texts):,} captions are word for word captions of another video "
            f"too ({most!r}, {len(shared[most])} times): no model can tell which is meant, yet "
            f"only one counts; make all their videos relevant, or leave such captions out.",
        )
    ], figures


def look_at_near_videos(
    videos: Side, size: int, rng: np.random.Generator
) -> tuple[list[Finding], Figures]:
    """Find videos that another one hardly differs from.

    Args:
        videos: the gallery.
        size: how many videos are compared with all others at most.
        rng: chooses them.
    """
    asked = videos.sample(size, rng)
    if len(asked) < 3:
        return [], {}
    centred = _centred(videos)
    near: list[tuple[float, int, int]] = []
    for begin in range(0, len(asked), _STEP):
        rows = asked[begin : begin + _STEP]
        cosines = centred[rows] @ centred.T
        cosines[np.arange(len(rows)), rows] = -1.0
        best = cosines.argmax(axis=1)
        values = cosines[np.arange(len(rows)), best]
        near += [
            (float(value), int(row), int(other))
            for row, other, value in zip(rows, best, values, strict=True)
            if value >= _NEAR
        ]
    figures: Figures = {
        "near_copies": len(near),
        "near_copies_among": len(asked),
        "nearest": [
            {"cosine": value, "video": videos.ids[row], "other": videos.ids[other]}
            for value, row, other in sorted(near, reverse=True)[:10]
        ],
    }
    if not near:
        return [], figures
    _, row, other = max(near)
    return [
        Finding(
            "warning" if len(near) > 0.01 * len(asked) else "info",
            "near-copies",
            "videos",
            f"{len(near):,} of {len(asked):,} videos have a near copy (centred cosine of at least "
            f"{_NEAR}), such as {videos.ids[row]!r} and {videos.ids[other]!r}: a caption of one is "
            f"true of the other and still counts as wrong; make both relevant, or leave one out.",
        )
    ], figures


def _centred(side: Side) -> NDArray[np.float32]:
    """Make unit vectors after the mean was taken away; zeros where nothing is left."""
    rows = side.unit - side.directed.mean(axis=0)
    norms = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    known = side.usable & (norms > 1e-3)
    rows *= np.where(known, 1.0 / np.maximum(norms, 1e-12), 0.0).astype(np.float32)[:, None]
    return rows
