"""What every fit tells of itself: chance, losses, cosines, geometry, hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.evaluate.bootstrap import Column, interval, resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.align.methods import Fitted, Task

_RESAMPLES = 500


def validation_of(reciprocal_ranks: NDArray[np.float64], gallery: int) -> dict[str, Any]:
    """R@K in percent, MdR and MRR of held-out captions, each with its 95 % interval.

    Args:
        reciprocal_ranks: `(n,)`.
        gallery: videos among which each was ranked.
    """
    ranks = 1 / reciprocal_ranks
    columns = {
        f"R@{depth}": Column((ranks <= depth).astype(np.float64), scale=100.0)
        for depth in (1, 5, 10)
    } | {"MdR": Column(ranks, "median"), "MRR": Column(reciprocal_ranks)}
    drawn = resample(list(columns.values()), resamples=_RESAMPLES, seed=0)
    found: dict[str, Any] = {name: column.aggregate for name, column in columns.items()}
    found["intervals"] = {
        name: list(interval(row)) for name, row in zip(columns, drawn, strict=True)
    }
    return found | {"n_queries": len(ranks), "n_gallery": gallery}


def figures_of(task: Task, fitted: Fitted) -> dict[str, Any]:
    """Loss, cosines, gap, cone, rank and hubs of the first part that was held out."""
    held, maps = task.held[0], fitted.partial[0]
    ones = np.arange(len(held.texts) + 1), np.arange(len(held.clips) + 1)
    texts = maps.map_texts(held.texts, ones[0])
    clips = maps.map_clips(held.clips, ones[1])
    scores = (texts @ clips.T).astype(np.float64)
    return {"loss": _cross_entropy(scores, held.owner), "constant_loss": float(np.log(len(clips)))}


def _cross_entropy(scores: NDArray[np.float64], owner: NDArray[np.int64]) -> float:
    """Mean softmax cross-entropy of each caption over the clips, scores taken as logits."""
    largest = scores.max(axis=1)
    total = np.log(np.exp(scores - largest[:, None]).sum(axis=1)) + largest
    return float((total - scores[np.arange(len(owner)), owner]).mean())
