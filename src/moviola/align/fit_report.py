"""Report on a fit: losses, cosines, geometry before and after, hubness."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align.closed_form.task import Fitted, Task
from moviola.align.data.rows import RaggedRows
from moviola.align.head.maps import unit_rows
from moviola.align.training.history import Cosines
from moviola.core import Clip, Embeddings, Qrels, Readout, Space, Span, Text
from moviola.evaluate.bootstrap import Column, interval, resample
from moviola.evaluate.diagnostics import diagnose

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

_RESAMPLES = 500
#: Of each side, and of pairs, what a diagnosis tells that belongs on a card.
_OF_SIDE = ("mean_cosine", "effective_rank", "possible_rank", "top_dimensions", "uniformity")


def validation_of(reciprocal_ranks: NDArray[np.float64], gallery: int) -> dict[str, Any]:
    """Compute R@K in percent, MdR and MRR of held-out captions with 95 % intervals.

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


def report_of(task: Task, fitted: Fitted) -> dict[str, Any]:
    """Report on the first held-out part, before and after maps that have not seen it.

    Losses are mean softmax cross-entropies of a caption over the videos of the part, scores taken
    as logits; beside them that of the best constant. Cosines are of aligned vectors. Of the
    geometry see `moviola.evaluate.diagnose`.
    """
    part = task.parts[0]
    texts = np.flatnonzero(np.isin(task.owner, part))
    owner = np.searchsorted(part, task.owner[texts])
    sides = task.texts.some(texts), task.clips.some(part)
    maps = fitted.partial[0]
    mapped = [
        to_space(expected.standardise(side.rows), side.offsets)
        for to_space, expected, side in (
            (maps.map_texts, task.text_side, sides[0]),
            (maps.map_clips, task.clip_side, sides[1]),
        )
    ]
    scores = mapped[0].astype(np.float64) @ mapped[1].T.astype(np.float64)
    cosines = Cosines.of(unit_rows(mapped[0]), unit_rows(mapped[1]), owner)
    found: dict[str, Any] = {
        "loss": _cross_entropy(scores, owner),
        "constant_loss": float(np.log(len(part))),
        "positive": [cosines.positive, cosines.positive_sd],
        "negative": [cosines.negative, cosines.negative_sd],
        "collapsed": cosines.collapsed,
        "after": _geometry(mapped[0], mapped[1], owner),
    }
    if all(side.is_pooled for side in sides):
        before = [side.rows.astype(np.float32) for side in sides]
        found["before"] = _geometry(before[0], before[1], owner)
    return found


def _geometry(texts: Floats, clips: Floats, owner: Counts) -> dict[str, Any]:
    items = (
        [Text(f"t{row}", "") for row in range(len(texts))],
        [Clip(f"v{row}", Path(), Span(0.0, 1.0)) for row in range(len(clips))],
    )
    qrels = Qrels({f"t{row}": frozenset([f"v{place}"]) for row, place in enumerate(owner)})
    figures = diagnose(
        _embeddings(items[0], texts), _embeddings(items[1], clips), qrels, sample=500
    ).figures
    found: dict[str, Any] = {
        side: {name: figures[side][name] for name in _OF_SIDE if name in figures[side]}
        for side in ("texts", "videos")
    }
    for name in ("modality_gap", "gap_share"):
        if name in figures.get("pairs", {}):
            found[name] = figures["pairs"][name]
    if "hubness" in figures.get("t2v", {}):
        found["hubness"] = figures["t2v"]["hubness"]
    return found


def _embeddings(items: Any, rows: Floats) -> Any:
    side = RaggedRows.pooled(rows)
    space = Space.anonymous(rows.shape[1])
    return Embeddings(items, side.offsets, [rows], space, Readout("unknown"))


def _cross_entropy(scores: NDArray[np.float64], owner: Counts) -> float:
    largest = scores.max(axis=1)
    total = np.log(np.exp(scores - largest[:, None]).sum(axis=1)) + largest
    return float((total - scores[np.arange(len(owner)), owner]).mean())
