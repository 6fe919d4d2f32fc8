"""Answer a search, for the routes of searches, exports and favourites."""

from __future__ import annotations

from moviola.retrieve.query import Query
from moviola.serve.parts import find_part
from moviola.serve.schemas import MomentAnswer, QueryAnswer, SearchAnswer, TermAnswer, TookAnswer
from moviola.serve.search.library_watch import View
from moviola.serve.search.params import QueryParams, SearchParams
from moviola.serve.state import ServerState


def read_query(params: SearchParams | QueryParams, state: ServerState, view: View) -> Query:
    """Make a query of parameters; pictures and folders are looked up by their ids.

    Raises:
        ApiError: 404 where picture or folder are unknown, 409 where a library without vectors is
            asked for what looks alike, 422 where nothing is asked.
    """
    if params.picture is not None or params.clip is not None:
        view.looking()
    pictures = [] if params.picture is None else [state.pictures.read(view, params.picture)]
    filters = params.as_filter(state.folders()) if isinstance(params, SearchParams) else None
    return params.query(pictures, filters, view.channel_names)


def answer_search(params: SearchParams, state: ServerState, view: View) -> SearchAnswer:
    """Search for what `params` ask, and present what was found."""
    query = read_query(params, state, view)
    answer = state.searcher.search(view, query, params)
    return SearchAnswer(
        query=_understood(params, query),
        moments=[
            state.presenter.moment(
                moment, state.record(moment.video), facts=state.media.known_facts(moment.video)
            )
            for moment in answer.moments
        ],
        unsure_from=answer.unsure_from,
        absent=answer.absent,
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
        channels=None if query.channels is None else sorted(query.channels),
        terms=[TermAnswer(text=term.text, channel=term.field) for term in query.terms],
    )


def clip_answer(state: ServerState, clip: str) -> MomentAnswer | None:
    """Present a clip, None where it is no longer there."""
    found = find_part(state.watch.opened(), clip)
    if found is None:
        return None
    record, span = found
    return state.presenter.part(clip, record, span, state.media.known_facts(record.id))
