"""A question to the moments that answer it, as the page shows them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from moviola.core.moments import Moment
from moviola.library import VideoFilter
from moviola.retrieve.duplicates import collapse
from moviola.retrieve.query import Query
from moviola.retrieve.ranking import rank_query
from moviola.retrieve.scoring import score_steps
from moviola.serve.errors import ApiError
from moviola.serve.search.library_watch import View
from moviola.serve.search.params import QueryParams, SearchParams
from moviola.serve.search.pictures import Pictures

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Least cosine of moments of different videos that count as copies of each other.
NEAR = 0.985
# A page draws no more points than this.
_MOST_POINTS = 2000
_ANSWERS_KEPT = 16
# Moments that are looked at beyond those wanted, for copies; and at most, however many there are.
_SPARE = 12
_MOST_RANKED = 3000


@dataclass(frozen=True, slots=True)
class Hit:
    """A moment, and the near-duplicates that it stands for."""

    moment: Moment
    duplicates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, in the order asked for.

    Attributes:
        hits: moments.
        weak_from: which of them is the first weak one, None where none is or scores do not order.
        more: whether there would be more.
        score_seconds: spent on the model and on comparing.
        rank_seconds: spent on making moments of it.
    """

    hits: list[Hit]
    weak_from: int | None
    more: bool
    score_seconds: float
    rank_seconds: float


@dataclass(frozen=True, slots=True)
class Scored:
    """A question with `(k, n)` scores of all clips, one row a step."""

    query: Query
    steps: NDArray[np.float32]
    pictured: bool


class Searcher:
    """Answers questions; keeps the last few score vectors, because curves ask for them again."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._kept: OrderedDict[tuple[object, ...], Scored] = OrderedDict()
        self._lock = Lock()
        # Threads that rank at the same time only take Python from each other and from the model.
        self._ranking = Lock()

    def scored(self, view: View, asked: QueryParams) -> Scored:
        """Scores of all clips.

        Raises:
            ApiError: 404 where the picture or clip is unknown, 422 where there is no question.
        """
        query = asked.query()
        key = (view.generation, id(view.snapshot), query, asked.picture, asked.clip)
        with self._lock:
            if (found := self._kept.get(key)) is not None:
                return found
        pictures = self._directions(view, asked)
        rows = view.scores(query.texts, pictures)
        texts, seen = rows[: len(query.texts)], rows[len(query.texts) :]
        picture = np.stack(seen).mean(axis=0) if seen else None
        steps = score_steps(query, texts, picture)
        found = Scored(query, steps, picture is not None)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _ANSWERS_KEPT:
                self._kept.popitem(last=False)
        return found

    def search(self, view: View, params: SearchParams, filters: VideoFilter) -> Answer:
        """The moments that answer."""
        began = perf_counter()
        scored = self.scored(view, params)
        compared = perf_counter()
        with self._ranking:
            hits = self._hits(view, scored, params, filters)
        more = len(hits) > params.top
        hits = _sorted(view, hits[: params.top], params.sort)
        weak = [place for place, hit in enumerate(hits) if hit.moment.band == "weak"]
        return Answer(
            hits,
            weak[0] if weak and params.sort == "score" else None,
            more,
            compared - began,
            perf_counter() - compared,
        )

    def curve(
        self, view: View, asked: QueryParams, place: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float32], tuple[float, float], list[Moment]]:
        """Windows `(n, 2)` of a video, their scores `(n,)`, what to draw between, its peaks.

        The scale is the library's: low is the median clip's score, high the best one's.
        """
        scored = self.scored(view, asked)
        scores = scored.steps.max(axis=0)
        own = view.snapshot.video(place)
        low, high = float(np.median(scores)), float(scores.max())
        record = view.snapshot.records[place]
        peaks = rank_query(
            scored.query,
            view.snapshot,
            scored.steps,
            top=100,
            per_video=None,
            calibration=view.library.card.calibration,
            filters=VideoFilter(videos=frozenset([record.id])),
            pictured=scored.pictured,
        )
        return *_thinned(view.snapshot.spans[own], scores[own]), (min(low, high), high), peaks

    def _hits(
        self, view: View, scored: Scored, params: SearchParams, filters: VideoFilter
    ) -> list[Hit]:
        """One more than wanted, where there are so many; copies that are folded make room."""
        wanted = params.top + 1
        taken = wanted + (_SPARE if params.duplicates == "collapse" else 0)
        while True:
            moments = rank_query(
                scored.query,
                view.snapshot,
                scored.steps,
                top=taken,
                per_video=1 if params.group == "video" else None,
                calibration=view.library.card.calibration,
                filters=filters,
                pictured=scored.pictured,
            )
            if params.duplicates == "show":
                return [Hit(moment) for moment in moments]
            hits = self._collapsed(view, moments)
            if len(hits) >= wanted or len(moments) < taken or taken >= _MOST_RANKED:
                return hits
            taken *= 3

    def _directions(self, view: View, asked: QueryParams) -> list[NDArray[np.float32]]:
        found: list[NDArray[np.float32]] = []
        if asked.picture is not None:
            found.append(self._pictures.direction(view, asked.picture))
        if asked.clip is not None:
            row = view.snapshot.row_of(asked.clip)
            if row is None:
                raise ApiError(404, "not_found", f"there is no clip {asked.clip} any more")
            found.append(view.snapshot.matrix[row])
        return found

    @staticmethod
    def _collapsed(view: View, moments: Sequence[Moment]) -> list[Hit]:
        rows = view.snapshot.rows_of([moment.clip for moment in moments])
        under = collapse(
            view.snapshot.matrix[rows], [moment.video for moment in moments], threshold=NEAR
        )
        copies: dict[int, list[str]] = {}
        for place, better in enumerate(under.tolist()):
            if place != better:
                copies.setdefault(better, []).append(moments[place].clip)
        return [
            Hit(moment, tuple(copies.get(place, ())))
            for place, moment in enumerate(moments)
            if under[place] == place
        ]


def _sorted(view: View, hits: list[Hit], by: str) -> list[Hit]:
    if by == "score":
        return hits
    records = {record.id: record for record in view.snapshot.records}
    if by == "name":
        return sorted(hits, key=lambda hit: (hit.moment.path.name.casefold(), hit.moment.start))
    return sorted(hits, key=lambda hit: records[hit.moment.video].date, reverse=True)


def _thinned(
    spans: NDArray[np.float64], scores: NDArray[np.float32]
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """At most as many points as are drawn: of neighbours, the best."""
    step = -(-len(scores) // _MOST_POINTS)
    if step <= 1:
        return spans, scores
    firsts = np.arange(0, len(scores), step)
    best = np.array([first + int(scores[first : first + step].argmax()) for first in firsts])
    return spans[best], scores[best]
