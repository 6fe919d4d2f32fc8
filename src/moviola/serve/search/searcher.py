"""Answer queries over the library that is served, keeping scores that are asked for again."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Literal

import numpy as np

from moviola.core.moments import Moment
from moviola.library import VideoFilter, VideoRecord
from moviola.retrieve.query import Query
from moviola.retrieve.scoring import score_query
from moviola.retrieve.search import find_moments
from moviola.serve.errors import ApiError
from moviola.serve.search.library_watch import View
from moviola.serve.search.params import Shown

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A page draws no more points than this.
_MOST_POINTS = 2000
_SCORES_KEPT = 16
# Peaks that are marked on a curve, at most.
_MOST_PEAKS = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """The moments that were found, in the order asked for.

    Attributes:
        moments: those wanted.
        unsure_from: from which of them on all are unsure; None where none is, or where something
            else than scores orders them.
        more: whether there would be more.
        absent: whether the library was measured to hold nothing of what is asked for.
        score_seconds: spent on the model and on comparing.
        rank_seconds: spent on making moments of it.
    """

    moments: list[Moment]
    unsure_from: int | None
    more: bool
    absent: bool
    score_seconds: float
    rank_seconds: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The scores of the windows of one video on a query.

    Attributes:
        spans: `(n, 2)` starts and ends in seconds; none where pictures are not asked.
        scores: `(n,)`, of the best step.
        low: the median score of all clips of the library.
        high: the best score of all clips of the library.
        peaks: the moments of the video, best first.
        duration: of the video, seconds.
    """

    spans: NDArray[np.float64]
    scores: NDArray[np.float32]
    low: float
    high: float
    peaks: list[Moment]
    duration: float


class Searcher:
    """Answer queries; keep the last few `(k, n)` scores, because curves ask for them again."""

    def __init__(self) -> None:
        """Begin with no scores."""
        self._kept: OrderedDict[tuple[str, int, Query], NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()
        # Threads that rank at the same time only take Python from each other and from the model.
        self._ranking = Lock()
        self._searches = 0

    @property
    def is_busy(self) -> bool:
        """Tell whether a search is under way, for which slower work had better wait."""
        return self._searches > 0

    def scores(self, view: View, query: Query) -> NDArray[np.float32]:
        """Score every clip on every step of `query`, `(k, n)`.

        Raises:
            ApiError: 404 where there is no clip that the moments should look like, 422 where the
                query cannot be encoded.
        """
        if query.like is not None and view.snapshot.row_of(query.like) is None:
            raise ApiError(404, "not_found", f"there is no clip {query.like} any more")
        key = (view.generation, id(view.snapshot), replace(query, filters=None, own=False))
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                return found
        try:
            found = score_query(query, view.snapshot, view.scores)
        except ValueError as error:
            raise ApiError(422, "invalid", f"q: {error}") from error
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _SCORES_KEPT:
                self._kept.popitem(last=False)
        return found

    def search(self, view: View, query: Query, shown: Shown) -> Answer:
        """Find the moments that answer `query`, as many and in the order that `shown` says."""
        with self._lock:
            self._searches += 1
        try:
            return self._search(view, query, shown)
        finally:
            with self._lock:
                self._searches -= 1

    def _search(self, view: View, query: Query, shown: Shown) -> Answer:
        """Score, rank and order, and measure how long that takes."""
        began = perf_counter()
        scores = self.scores(view, query) if view.sees(query) else None
        compared = perf_counter()
        with self._ranking:
            found = find_moments(
                query,
                view.snapshot,
                scores,
                judge=view.judge,
                texts=view.texts,
                top=shown.top,
                per_video=1 if shown.group == "video" else None,
                fold=shown.duplicates == "collapse",
            )
        moments = _sorted(view, found.moments, shown.sort)
        return Answer(
            moments,
            _unsure_from(moments) if shown.sort == "score" else None,
            found.more,
            found.absent,
            compared - began,
            perf_counter() - compared,
        )

    def curve(self, view: View, query: Query, record: VideoRecord) -> Curve:
        """Score the windows of one video, and find its moments."""
        place = view.snapshot.place_of(record.id)
        steps = self.scores(view, query) if view.sees(query) and place is not None else None
        peaks = find_moments(
            # Of a clip's own video its curve is wanted too.
            replace(query, filters=VideoFilter(videos=frozenset([record.id])), own=True),
            view.snapshot,
            steps,
            judge=view.judge,
            texts=view.texts,
            top=_MOST_PEAKS,
            per_video=None,
            fold=False,
        ).moments
        length = record.info.duration if record.info else 0.0
        if steps is None or place is None:
            return Curve(np.zeros((0, 2)), np.zeros(0, np.float32), 0.0, 0.0, peaks, length)
        scores = steps.max(axis=0)
        own = view.snapshot.video(place)
        low, high = float(np.median(scores)), float(scores.max())
        spans, drawn = _thinned(view.snapshot.spans[own], scores[own])
        return Curve(spans, drawn, min(low, high), high, peaks, float(spans[-1, 1]))


def _unsure_from(moments: Sequence[Moment]) -> int | None:
    """Find from where on all moments are unsure, None where the last one is not."""
    sure = [place for place, moment in enumerate(moments) if moment.band != "unsure"]
    first = sure[-1] + 1 if sure else 0
    return first if first < len(moments) else None


def _sorted(
    view: View, moments: Sequence[Moment], by: Literal["score", "date", "name"]
) -> list[Moment]:
    """Order moments, best first, as they are asked for."""
    if by == "score":
        return list(moments)
    if by == "name":
        return sorted(moments, key=lambda moment: (moment.path.name.casefold(), moment.start))
    dates = {record.id: record.date for record in view.library.videos()}
    return sorted(moments, key=lambda moment: dates[moment.video], reverse=True)


def _thinned(
    spans: NDArray[np.float64], scores: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Keep at most as many windows as are drawn: of neighbours, the best."""
    step = -(-len(scores) // _MOST_POINTS)
    if step <= 1:
        return spans, scores
    firsts = np.arange(0, len(scores), step)
    best = np.array([first + int(scores[first : first + step].argmax()) for first in firsts])
    return spans[best], scores[best]
