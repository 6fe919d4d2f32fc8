"""Represent items by their similarity to paired anchors of their own side (ASIF)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch

from moviola.align.closed_form.classical import inverse_root
from moviola.align.closed_form.covariance import Covariance
from moviola.align.closed_form.selection import reciprocal_ranks
from moviola.align.closed_form.task import Fitted, Task
from moviola.align.head.maps import unit_rows
from moviola.core.spaces import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: Anchors, how many of the nearest count, and to which power likeness is taken.
_ANCHORS, _NEAREST, _POWER = 3000, 100, 2
_SHRINKAGES = (0.1, 0.3, 1.0)


class AsifMaps:
    """Map items to their largest cosines with paired anchors, `(N, anchors)`.

    Norelli et al., "ASIF: Coupled Data Turns Unimodal Models to Multimodal Without Training",
    2023; both sides are whitened first, without which frozen language models give little.

    Args:
        whiten: `(D_t, D_t)` and `(D_v, D_v)`.
        anchors: `(A, D_t)` and `(A, D_v)` unit rows, whitened; row i of both belong together.
    """

    kind = "anchors"
    metric: Metric = "cosine"
    takes_rows = False

    def __init__(self, whiten: tuple[Floats, Floats], anchors: tuple[Floats, Floats]) -> None:
        if len(anchors[0]) != len(anchors[1]):
            raise ValueError(f"anchors are pairs, got {len(anchors[0])} and {len(anchors[1])}")
        self._whiten, self._anchors = whiten, anchors

    @property
    def dimension(self) -> int:
        """Return the number of anchors."""
        return len(self._anchors[0])

    def map_texts(self, rows: Floats, offsets: Counts) -> Floats:
        """Map standardised texts to `(N, anchors)`, as `Maps` describes."""
        del offsets
        return self._mapped(rows, 0)

    def map_clips(self, rows: Floats, offsets: Counts) -> Floats:
        """Map standardised clips to `(N, anchors)`, as `Maps` describes."""
        del offsets
        return self._mapped(rows, 1)

    def tensors(self) -> dict[str, Floats]:
        """Return the weights by name, as `Maps` describes."""
        return {
            "texts.whiten": self._whiten[0],
            "clips.whiten": self._whiten[1],
            "texts.anchors": self._anchors[0],
            "clips.anchors": self._anchors[1],
        }

    def options(self) -> dict[str, Any]:
        """Return the remaining settings, as `Maps` describes."""
        return {}

    @classmethod
    def build(cls, tensors: Mapping[str, Floats], options: Mapping[str, Any]) -> Self:
        """Build the maps from tensors and options, as `Maps` describes."""
        left = dict(tensors)
        whiten, anchors = (
            (left.pop(f"texts.{name}"), left.pop(f"clips.{name}")) for name in ("whiten", "anchors")
        )
        if left or options:
            raise ValueError(f"anchors know nothing of {', '.join([*left, *options])}")
        return cls(whiten, anchors)

    def _mapped(self, rows: Floats, side: int) -> Floats:
        alike = np.maximum(unit_rows(rows @ self._whiten[side]) @ self._anchors[side].T, 0)
        kept = min(_NEAREST, alike.shape[1])
        least = np.partition(alike, -kept, axis=1)[:, -kept, None]
        kept_alike = np.where(alike >= least, alike, 0).astype(np.float32)
        return unit_rows(kept_alike**_POWER)


def fit_asif(task: Task) -> Fitted:
    """Fit relative representations to anchors drawn at random from the videos."""
    whole, rests = task.covariances
    every = task.pairs.captioned
    best: Fitted | None = None
    for shrinkage in _SHRINKAGES:
        partial = [
            _made(task, rest, np.setdiff1d(every, part), shrinkage)
            for rest, part in zip(rests, task.parts, strict=True)
        ]
        found = [
            reciprocal_ranks(maps, part) for maps, part in zip(partial, task.held, strict=True)
        ]
        maps = _made(task, whole, every, shrinkage)
        tried = Fitted("asif", maps, partial, found, {"shrinkage": shrinkage})
        if best is None or tried.mrr > best.mrr:
            best = tried
    if best is None:
        raise ValueError("there is nothing to choose from for asif")
    return best


def _made(task: Task, covariance: Covariance, clips: Counts, shrinkage: float) -> AsifMaps:
    rng = np.random.default_rng(task.seed)
    if len(clips) > _ANCHORS:
        clips = np.sort(rng.choice(clips, _ANCHORS, replace=False))
    texts, place = task.pairs.texts_of(clips)
    sums = torch.zeros(len(clips), task.dimensions[0])
    sums.index_add_(0, torch.from_numpy(place), torch.from_numpy(task.pairs.text_rows(texts)))
    means = (sums / torch.from_numpy(np.bincount(place))[:, None]).numpy()
    whiten = (
        inverse_root(covariance.texts, shrinkage).numpy(),
        inverse_root(covariance.clips, shrinkage).numpy(),
    )
    rows = (means, task.pairs.clip_rows(clips))
    return AsifMaps(whiten, (unit_rows(rows[0] @ whiten[0]), unit_rows(rows[1] @ whiten[1])))
