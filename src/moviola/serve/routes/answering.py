"""A search as an answer: used by the routes of searches, exports and favourites."""

from __future__ import annotations

from moviola.retrieve.query import Query
from moviola.serve.schemas import MomentAnswer, QueryAnswer, SearchAnswer, TookAnswer
from moviola.serve.search.library_watch import View
from moviola.serve.search.params import QueryParams, SearchParams
from moviola.serve.state import Desk


def read_query(params: SearchParams | QueryParams, desk: Desk, view: View) -> Query:
    """Make a query of parameters; pictures and folders are looked up by their ids.

    Raises:
        ApiError: 404 where picture or folder are unknown, 422 where nothing is asked.
    """
    pictures = [] if params.picture is None else [desk.pictures.read(view, params.picture)]
    filters = params.as_filter(desk.folders()) if isinstance(params, SearchParams) else None
    return params.query(pictures, filters)


def answer_search(params: SearchParams, desk: Desk, view: View) -> SearchAnswer:
    """Search for what `params` ask, and present what was found."""
    query = read_query(params, desk, view)
    answer = desk.searcher.search(view, query, params)
    return SearchAnswer(
        query=_understood(params, query),
        moments=[
            desk.teller.moment(
                moment, desk.record(moment.video), facts=desk.studio.known_facts(moment.video)
            )
            for moment in answer.moments
        ],
        weak_from=answer.weak_from,
        found=len(answer.moments),
        more=answer.more,
        took=TookAnswer(
            score_ms=round(answer.score_seconds * 1000, 2),
            rank_ms=round(answer.rank_seconds * 1000, 2),
        ),
        generation=view.generation,
    )


def _understood(params: SearchParams, query: Query) -> QueryAnswer:
    """Present how a query was understood."""
    return QueryAnswer(
        text=query.text,
        without=list(query.unwanted),
        then=list(query.then),
        within=query.within if query.then else None,
        picture=params.picture,
        weight=query.weight if query.is_pictured and query.text else None,
        clip=query.like,
    )


def clip_answer(desk: Desk, clip: str) -> MomentAnswer | None:
    """A clip, None where it is no longer there."""
    library = desk.live.library
    if library is None:
        return None
    snapshot = library.snapshot()
    row = snapshot.row_of(clip)
    if row is None:
        return None
    video = snapshot.records[snapshot.owner_of(row)].id
    return desk.teller.clip(snapshot, row, desk.studio.known_facts(video))
