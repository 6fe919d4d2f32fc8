"""Choose how sharply a library's windows are joined, on captions whose moments are known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Encoder, Span
from moviola.library import Library
from moviola.pipeline.calibrate.intervals import Measured, measure_over_videos
from moviola.retrieve.merging import merge_windows
from moviola.retrieve.products import encode_directions, multiply_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID = (0.0, 2.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0)
"""Sharpnesses that are tried, 0 for joining by the scores themselves."""
_OVERLAP = 0.7
_FOLDS = 5
_TOGETHER = 32


@dataclass(frozen=True, slots=True)
class JoiningReport:
    """Hold how sharply windows are joined, and what that was measured to do.

    Attributes:
        captions: whose moments are known.
        sharpness: that the library's card keeps.
        before: that it kept before.
        right: share of captions whose best moment in their video overlaps the true one by IoU 0.7,
            joined as chosen on other videos.
        right_before: the same, joined as before.
    """

    captions: int
    sharpness: float
    before: float
    right: Measured
    right_before: Measured


def choose_joining(
    told: Sequence[tuple[str, str, Span]], library: Library, encoder: Encoder
) -> JoiningReport:
    """Choose the sharpness whose moments overlap the true ones most often.

    Of equals it is the softest. What is kept is better, on videos left out of the choice, than
    what the card says; else the card stays as it is.

    Args:
        told: m captions, the ids of their videos, which have clips, and their true moments.
        library: holds the videos.
        encoder: the library's.
    """
    before = library.card.sharpness
    grid = sorted({*GRID, before})
    right = _right_moments(told, library, encoder, grid)
    numbers = {video: number for number, video in enumerate(dict.fromkeys(v for _, v, _ in told))}
    videos = np.array([numbers[owner] for _, owner, _ in told])
    fold = np.random.default_rng(0).permutation(len(numbers)) % _FOLDS
    left_out = np.empty(len(told), np.bool_)
    for number in range(_FOLDS):
        out = fold[videos] == number
        left_out[out] = right[out, _best(right[~out])]
    earlier = right[:, grid.index(before)]
    figures = measure_over_videos(
        {
            "now": lambda rows: float(left_out[rows].mean()),
            "before": lambda rows: float(earlier[rows].mean()),
        },
        videos,
    )
    chosen = grid[_best(right)] if left_out.mean() > earlier.mean() else before
    now = figures["now"] if chosen != before else figures["before"]
    return JoiningReport(len(told), chosen, before, now, figures["before"])


def _best(right: NDArray[np.bool_]) -> int:
    """Return the number of the first column that is right most often."""
    return int(right.mean(0).argmax())


def _right_moments(
    told: Sequence[tuple[str, str, Span]],
    library: Library,
    encoder: Encoder,
    grid: Sequence[float],
) -> NDArray[np.bool_]:
    """Tell `(m, G)` whether each caption's best moment is the true one, by each sharpness."""
    snapshot = library.snapshot()
    right = np.zeros((len(told), len(grid)), np.bool_)
    for start in range(0, len(told), _TOGETHER):
        part = [caption for caption, _, _ in told[start : start + _TOGETHER]]
        directions = np.stack(encode_directions(library, encoder, part))
        for row, scores in enumerate(multiply_rows(directions, snapshot.matrix), start):
            _, owner, span = told[row]
            place = snapshot.place_of(owner)
            if place is None:
                raise ValueError(f"the video {owner} has no clips in the library")
            own = slice(*snapshot.offsets[place : place + 2].tolist())
            background = float(np.median(scores)) if len(snapshot.records) > 1 else None
            for column, sharpness in enumerate(grid):
                best = merge_windows(
                    scores[own], snapshot.spans[own], background=background, sharpness=sharpness
                )[0]
                right[row, column] = Span(best.start, best.end).iou(span) >= _OVERLAP
    return right
