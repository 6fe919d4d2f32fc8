"""Record and report a fit: data, result, losses, cosines, geometry before and after, hubness."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align.closed_form.task import Fitted, Task
from moviola.align.data.rows import RaggedRows
from moviola.align.head.maps import unit_rows
from moviola.align.training.history import Cosines
from moviola.core import Clip, Embeddings, Qrels, Readout, Space, Span, Text
from moviola.evaluate.bootstrap import Column, interval, resample
from moviola.evaluate.chance import chance_level
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


def chance_warnings(what: str, mrr: Sequence[float], chance: float) -> list[str]:
    """Warn where an MRR is not told from chance; empty where it is above.

    Args:
        what: it was measured on.
        mrr: the value and both ends of its 95 % interval.
        chance: MRR of random orders.
    """
    value, low, high = mrr
    if low > chance:
        return []
    sentence = (
        f"{what}: MRR {value:.4f} [{low:.4f}, {high:.4f}] is not told from chance, {chance:.4f}: "
        f"nothing shows that this head finds other videos; give it more pairs, or look for the "
        f"cause with moviola diagnose"
    )
    return [sentence]


def fit_record(task: Task, fitted: Fitted, warnings: list[str]) -> dict[str, Any]:
    """Record a fit as JSON values: data, protocol, choice, result, report and warnings."""
    parts = task.parts[: len(fitted.partial)]
    gallery = len(parts[0])
    val = validation_of(np.concatenate(list(fitted.reciprocal_ranks)), gallery)
    chance = chance_level(gallery)
    told = chance_warnings("held-out videos", (val["MRR"], *val["intervals"]["MRR"]), chance)
    return {
        "method": fitted.method,
        "data": _data_record(task, fitted),
        "protocol": _protocol(task, fitted),
        "choice": dict(fitted.choice),
        "val": val,
        "chance_MRR": chance,
        "figures": report_of(task, fitted),
        "epochs": None if fitted.epochs is None else [dict(each) for each in fitted.epochs],
        "seed": task.seed,
        "warnings": [*warnings, *told],
        "test": None,
    }


def _data_record(task: Task, fitted: Fitted) -> dict[str, Any]:
    """Count what was there, what the weights were fitted on, and what chose and reported."""
    videos = len(np.unique(task.owner))
    parts = task.parts[: len(fitted.partial)]
    held = sum(map(len, parts))
    watched = 0 if fitted.epochs is None else len(task.watched)
    return {
        "texts": len(task.texts),
        "videos": videos,
        "dimensions": list(task.dimensions),
        "fitted_videos": videos if fitted.epochs is None else videos - held - watched,
        "watched_videos": watched,
        "reported_videos": held,
    }


def _protocol(task: Task, fitted: Fitted) -> str:
    """Say in a sentence what was fitted, chosen and reported on which videos."""
    found = _data_record(task, fitted)
    held, videos = found["reported_videos"], found["videos"]
    if fitted.epochs is not None:
        return (
            f"fitted on {found['fitted_videos']:,} of {videos:,} videos; the epoch was chosen on "
            f"{found['watched_videos']:,} others, and what is reported is text-to-video among "
            f"{held:,} more, which neither has seen"
        )
    parts = len(task.parts[: len(fitted.partial)])
    return (
        f"{held:,} of {videos:,} videos held out in {parts} parts, each fitted without; "
        f"text-to-video among the videos of a part, which also chose the settings; then refitted "
        f"on all"
    )


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
