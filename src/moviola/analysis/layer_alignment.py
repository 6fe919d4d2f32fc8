"""Align one layer quickly in closed form, to learn how well its videos could be found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.closed_form.canonical import CanonicalSolver
from moviola.align.closed_form.covariance import Pairs, gather
from moviola.align.data.splitting import VideoSplit
from moviola.align.head.side import Side
from moviola.core import Clip, Embeddings, Readout, Space, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: A fifth of the videos is held out, at most so many.
_SHARE, _MOST = 5, 500
#: Fewer videos than these to fit on tell nothing.
_LEAST = 50
#: Coordinates that count.
_WIDTH = 128
#: What is added to the variances, which are 1, where there are fewer videos than these, and else.
_FEW, _MUCH, _LITTLE = 3000, 1.0, 0.3


@dataclass(frozen=True, slots=True, eq=False)
class LayerRows:
    """Hold the rows of one layer of both sides.

    Attributes:
        texts: `(N, D_t)`, one row a caption.
        clips: `(M, D_v)`, one row a video.
        owner: `(N,)` row of its video for every caption.
    """

    texts: Floats
    clips: Floats
    owner: Counts

    def only(self, videos: Counts) -> LayerRows:
        """Keep some videos, in rising order, with their captions."""
        kept = np.flatnonzero(np.isin(self.owner, videos))
        place = np.searchsorted(videos, self.owner[kept])
        return LayerRows(self.texts[kept], self.clips[videos], place)


def split_videos(videos: Counts, seed: int) -> VideoSplit:
    """Split videos into some to fit on and others to find; both in rising order."""
    order = np.random.default_rng(seed).permutation(videos)
    held = min(_MOST, len(videos) // _SHARE)
    return VideoSplit(np.sort(order[held:]), np.sort(order[:held]))


def align_layer(rows: LayerRows, split: VideoSplit) -> LayerRows | None:
    """Map the validation part by a fit on the others; None where those are few.

    Standardised dimensions, canonical correlation analysis with one fixed shrinkage, and
    coordinates that weigh by the roots of their correlations, to be compared by the cosine. It
    takes seconds, and makes no choices that would favour a layer.

    Args:
        rows: of the layer.
        split: which videos are fitted on, and which are found.
    """
    if len(split.train) < _LEAST:
        return None
    train, held = rows.only(split.train), rows.only(split.validation)
    towers = _tower(train.texts), _tower(train.clips)
    moments = gather(
        Pairs(train.texts, train.clips, train.owner, *towers), np.unique(train.owner), seed=0
    )
    shrinkage = _MUCH if len(split.train) < _FEW else _LITTLE
    found = CanonicalSolver(moments.mean()).solve((shrinkage, shrinkage), _WIDTH)
    weights = np.sqrt(np.clip(found.correlations, 0.0, 1.0))
    return LayerRows(
        towers[0].standardise(held.texts) @ found.texts * weights,
        towers[1].standardise(held.clips) @ found.clips * weights,
        held.owner,
    )


def _tower(rows: Floats) -> Side:
    items = [Clip(str(row), Path(), Span(0, 1)) for row in range(len(rows))]
    offsets = np.arange(len(rows) + 1, dtype=np.int64)
    space = Space.anonymous(rows.shape[1])
    return Side.of(Embeddings(items, offsets, [rows], space, Readout("any")))
