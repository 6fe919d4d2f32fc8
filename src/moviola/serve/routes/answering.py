"""A search as an answer: used by the routes of searches, exports and favourites."""

from __future__ import annotations

from moviola.serve.schemas import MomentAnswer, QueryAnswer, SearchAnswer, TookAnswer
from moviola.serve.search.library_watch import View
from moviola.serve.search.params import SearchParams
from moviola.serve.state import Desk


def answer_search(params: SearchParams, desk: Desk, view: View) -> SearchAnswer:
    """What `params` find."""
    without = None
    if params.clip is not None and not params.own:
        row = view.snapshot.row_of(params.clip)
        without = None if row is None else view.snapshot.records[view.snapshot.owner_of(row)].id
    filters = params.as_filter(desk.folders(), without=without)
    answer = desk.searcher.search(view, params, filters)
    return SearchAnswer(
        query=understood(params),
        moments=[
            desk.teller.moment(
                hit.moment,
                desk.record(hit.moment.video),
                duplicates=hit.duplicates,
                facts=desk.studio.known_facts(hit.moment.video),
            )
            for hit in answer.hits
        ],
        weak_from=answer.weak_from,
        found=len(answer.hits),
        more=answer.more,
        took=TookAnswer(
            score_ms=round(answer.score_seconds * 1000, 2),
            rank_ms=round(answer.rank_seconds * 1000, 2),
        ),
        generation=view.generation,
    )


def understood(params: SearchParams) -> QueryAnswer:
    """How a query was understood."""
    question = params.query()
    pictured = params.picture is not None or params.clip is not None
    return QueryAnswer(
        text=question.text,
        without=list(question.without),
        then=list(question.then),
        within=question.within if question.then else None,
        picture=params.picture,
        weight=question.weight if pictured and question.text else None,
        clip=params.clip,
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
