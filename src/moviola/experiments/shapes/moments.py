"""Choose how sharply windows are joined to moments, and measure the moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.moment_queries import FoundMoment, MomentQuery
from moviola.core.spans import Span
from moviola.encode.shapes.encoder import ShapesEncoder
from moviola.evaluate.moments.corpus import (
    CUTOFFS,
    DEPTH,
    NEVER,
    THRESHOLDS,
    Task,
    evaluate_corpus_moments,
)
from moviola.experiments.shapes.gallery import Gallery, text_rows
from moviola.experiments.shapes.intervals import Figure, figure
from moviola.retrieve.merging import merge_videos, merge_windows
from moviola.synthetic.shapes import Claim
from moviola.synthetic.shapes.facts import true_videos
from moviola.synthetic.shapes.writing import moments_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

GRID = (0.0, 2.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0)
"""Sharpnesses to choose from."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold a query, the video and span that answer it, and the cosines of all windows."""

    query: str
    claim: Claim
    video: int
    span: Span
    cosines: NDArray[np.float32]


def ask_moments(encoder: ShapesEncoder, gallery: Gallery) -> list[Asked]:
    """Score the moments' queries of a gallery that tell no held-out combination."""
    found = [
        (moment["query"], Claim.from_json(moment["asserted"]), number, *moment["relevant_windows"])
        for number, video in enumerate(gallery.videos)
        for moment in moments_of(video)
        if not moment["held_out"]
    ]
    cosines = text_rows(encoder, [query for query, *_ in found]) @ gallery.vectors.T
    return [
        Asked(query, claim, number, Span(*span), row)
        for (query, claim, number, span), row in zip(found, cosines, strict=True)
    ]


def overlaps(gallery: Gallery, asked: Sequence[Asked], sharpness: float) -> NDArray[np.float64]:
    """Compute the IoU `(Q,)` of the best moment inside the known video with the true one."""
    starts = [*gallery.starts, len(gallery.owner)]
    found: list[float] = []
    for each in asked:
        own = slice(starts[each.video], starts[each.video + 1])
        best = merge_windows(
            each.cosines[own],
            gallery.spans[own],
            background=float(np.median(each.cosines)),
            sharpness=sharpness,
        )[0]
        found.append(Span(best.start, best.end).iou(each.span))
    return np.array(found)


def choose_sharpness(
    encoder: ShapesEncoder, galleries: Sequence[Gallery], grid: Sequence[float] = GRID
) -> float:
    """Choose the sharpness whose mean R1@IoU 0.7 over several galleries is best.

    The galleries weigh the same: look-alike shots want a sharp joining, and videos that answer as
    a whole a soft one. Of equals, the softest.
    """
    asked = [ask_moments(encoder, gallery) for gallery in galleries]
    right = [
        np.mean(
            [
                (overlaps(gallery, own, sharpness) >= THRESHOLDS[1]).mean()
                for gallery, own in zip(galleries, asked, strict=True)
            ]
        )
        for sharpness in grid
    ]
    return float(grid[int(np.argmax(right))])


def measure_moments(
    encoder: ShapesEncoder, gallery: Gallery, sharpness: float
) -> dict[str, Figure]:
    """Measure localisation inside a known video, joined by cosines and by sharpened ones."""
    asked = ask_moments(encoder, gallery)
    owner = [each.video for each in asked]
    found: dict[str, Figure] = {}
    for joined, how in ((0.0, "by cosines"), (sharpness, "sharpened")):
        ious = overlaps(gallery, asked, joined)
        for limit in THRESHOLDS:
            found[f"R1@IoU{limit:g}, {how}"] = figure(ious >= limit, owner)
        found[f"mean IoU, {how}"] = figure(ious, owner)
    return found


def measure_corpus(encoder: ShapesEncoder, gallery: Gallery, sharpness: float) -> dict[str, Figure]:
    """Measure VCMR, SVMR and VR of queries that are true of exactly one video of a gallery.

    Moments of all videos are ranked as a search ranks them. Figures are shares of queries.
    """
    asked = ask_moments(encoder, gallery)
    alone = true_videos([each.claim for each in asked], gallery.shots).sum(1) == 1
    asked = [each for each, unique in zip(asked, alone, strict=True) if unique]
    queries = [
        MomentQuery(str(n), each.query, str(each.video), ((each.span.start, each.span.end),))
        for n, each in enumerate(asked)
    ]
    hits: dict[Task, dict[str, list[FoundMoment]]] = {"VCMR": {}, "SVMR": {}, "VR": {}}
    for query, each in zip(queries, asked, strict=True):
        moments = _rank(gallery, each.cosines, sharpness)
        hits["VCMR"][query.id] = moments[:DEPTH]
        hits["SVMR"][query.id] = [m for m in moments if m.video == query.video][:DEPTH]
        firsts = {moment.video: moment for moment in reversed(moments)}
        hits["VR"][query.id] = sorted(firsts.values(), key=lambda m: -m.score)[:DEPTH]
    ranks = evaluate_corpus_moments(hits, queries, resamples=0).ranks
    owner = [each.video for each in asked]
    return {
        " ".join(filter(None, (task, f"R@{cutoff}", criterion and f"IoU{criterion}"))): figure(
            (places != NEVER) & (places <= cutoff), owner
        )
        for task, criteria in ranks.items()
        for criterion, places in criteria.items()
        for cutoff in CUTOFFS
    }


def _rank(gallery: Gallery, cosines: NDArray[np.float32], sharpness: float) -> list[FoundMoment]:
    """Rank the moments of all videos by `(W,)` cosines, best first."""
    found = merge_videos(
        cosines,
        gallery.spans,
        np.append(gallery.starts, len(gallery.owner)),
        background=float(np.median(cosines)),
        sharpness=sharpness,
    )
    order = np.argsort(-found.scores, kind="stable")
    columns = (found.videos, found.starts, found.ends, found.scores)
    return [
        FoundMoment(str(video), start, end, score)
        for video, start, end, score in zip(*(c[order].tolist() for c in columns), strict=True)
    ]
