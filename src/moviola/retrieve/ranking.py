"""Rank the clips of a snapshot into moments, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from moviola.core.moments import Moment, Reason, Stretch
from moviola.library import Snapshot, VideoFilter
from moviola.retrieve.merging import merge_videos
from moviola.retrieve.parsing import SEEN
from moviola.retrieve.quantiles import quantiles
from moviola.retrieve.query import Query
from moviola.retrieve.sequences import best_chains

if TYPE_CHECKING:
    from numpy.typing import NDArray


def rank_query(
    query: Query,
    snapshot: Snapshot,
    scores: NDArray[np.float32],
    *,
    top: int,
    per_video: int | None,
    filters: VideoFilter | None,
) -> list[Moment]:
    """Rank the `(k, n)` scores of a query's steps into the best `top` moments.

    They are not judged yet. `filters` take the place of the query's own.
    """
    if query.then:
        return rank_sequences(snapshot, scores, within=query.within, top=top, filters=filters)
    return rank_moments(
        snapshot,
        scores[0],
        top=top,
        per_video=per_video,
        filters=filters,
        # Measured on sentences: pictures and weighted steps score on other scales.
        sharpness=snapshot.sharpness if query.is_plain else 0.0,
    )


def rank_moments(
    snapshot: Snapshot,
    scores: NDArray[np.floating],
    *,
    top: int,
    per_video: int | None,
    filters: VideoFilter | None = None,
    sharpness: float = 0.0,
) -> list[Moment]:
    """Rank the `(n,)` scores of all clips into the best `top` moments.

    Args:
        snapshot: the library as it is shown.
        scores: `(n,)` of every clip, larger is better.
        top: at most this many moments.
        per_video: at most this many of one video; None for no limit.
        filters: which videos to search.
        sharpness: of joining windows to moments; it changes no score.

    Returns:
        Moments, best first; ties in the order of videos and times.
    """
    if not snapshot.records or top < 1:
        return []
    best = np.maximum.reduceat(scores, snapshot.offsets[:-1])
    background = quantiles(scores, [0.5])[0] if len(snapshot.records) > 1 else None
    # A video beyond the first `top` cannot hold any of the `top` best moments.
    places = _best_first(snapshot, best, top, filters)
    if not places.size:
        return []
    counts = np.diff(snapshot.offsets)[places]
    offsets = np.append(0, np.cumsum(counts))
    rows: NDArray[np.int64] = np.arange(int(offsets[-1]))
    rows += np.repeat(snapshot.offsets[places] - offsets[:-1], counts)
    found = merge_videos(
        scores[rows],
        snapshot.spans[rows],
        offsets,
        background=background,
        most=per_video,
        sharpness=sharpness,
    )
    order = np.lexsort((found.starts, places[found.videos], -found.scores))[:top]
    columns = (
        places[found.videos],
        found.starts,
        found.ends,
        found.peaks,
        found.scores,
        rows[found.windows],
        found.others,
    )
    return [
        _moment(snapshot, place, Stretch(*stretch), row, others=others)
        for place, *stretch, row, others in zip(
            *(column[order].tolist() for column in columns), strict=True
        )
    ]


def rank_sequences(
    snapshot: Snapshot,
    scores: NDArray[np.floating],
    *,
    within: float,
    top: int,
    filters: VideoFilter | None = None,
) -> list[Moment]:
    """Rank the best chain of clips of each video, one clip a step, in order.

    Args:
        snapshot: the library as it is shown.
        scores: `(k, n)` of every clip for every step.
        within: seconds from the start of one step to the start of the next, at most.
        top: at most this many moments, one a video.
        filters: which videos to search.
    """
    if not snapshot.records or top < 1:
        return []
    totals, chains = best_chains(scores, snapshot.spans, snapshot.offsets, within=within)
    best = np.maximum.reduceat(totals, snapshot.offsets[:-1])
    if not np.isfinite(best).any():
        return []
    found: list[Moment] = []
    for place in _best_first(snapshot, best, top, filters).tolist():
        if not np.isfinite(best[place]):
            break
        own = snapshot.video(place)
        rows = chains[:, own.start + totals[own].argmax()].tolist()
        steps = tuple(
            Stretch(
                float(snapshot.spans[row, 0]),
                float(snapshot.spans[row, 1]),
                float(snapshot.spans[row].mean()),
                float(scores[step, row]),
            )
            for step, row in enumerate(rows)
        )
        whole = Stretch(steps[0].start, steps[-1].end, steps[0].peak, float(best[place]))
        found.append(_moment(snapshot, place, whole, rows[0], steps=steps))
    return found


def _best_first(
    snapshot: Snapshot, best: NDArray[np.floating], top: int, filters: VideoFilter | None
) -> NDArray[np.int64]:
    """Order the places of admitted videos by their `(V,)` best scores, and keep `top`."""
    order = np.argsort(-best, kind="stable")
    return order[snapshot.admitted(filters)[order]][:top]


def _moment(
    snapshot: Snapshot,
    place: int,
    stretch: Stretch,
    row: int,
    *,
    others: int = 0,
    steps: tuple[Stretch, ...] = (),
) -> Moment:
    """Make a moment of a stretch of the video at `place`, whose best clip is at `row`."""
    record = snapshot.records[place]
    return Moment(
        record.id,
        record.path,
        stretch.start,
        stretch.end,
        stretch.peak,
        stretch.score,
        missing=record.is_missing,
        clip=bytes(snapshot.clips[row]).decode(),
        others=others,
        steps=steps,
        why=(Reason(SEEN, "", stretch.start, stretch.end),),
    )
