"""`/api/search` and `/api/similar`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from moviola.serve.answers import QueryAnswer, SearchAnswer, TookAnswer
from moviola.serve.desk import Desk, desk_of
from moviola.serve.errors import ApiError
from moviola.serve.live import View
from moviola.serve.params import Searching, SearchParams

router = APIRouter(prefix="/api", tags=["search"])
AtDesk = Annotated[Desk, Depends(desk_of)]


@router.get("/search")
def search(params: Searching, desk: AtDesk) -> SearchAnswer:
    """The moments that a sentence, a picture or both describe, best first."""
    return _answer(params, desk, desk.live.view())


@router.get("/similar")
def similar(params: Searching, desk: AtDesk) -> SearchAnswer:
    """Moments that look like the one of `clip`; its own video is left out unless `own` is set."""
    if params.clip is None:
        raise ApiError(422, "invalid", "clip: name the clip that the moments should look like")
    return _answer(params, desk, desk.live.view())


def _answer(params: SearchParams, desk: Desk, view: View) -> SearchAnswer:
    without = None
    if params.clip is not None and not params.own:
        row = view.snapshot.row_of(params.clip)
        without = None if row is None else view.snapshot.records[view.snapshot.owner_of(row)].id
    filters = params.as_filter(desk.folders(), without=without)
    answer = desk.searcher.search(view, params, filters)
    question = params.question()
    pictured = params.picture is not None or params.clip is not None
    records = {record.id: record for record in view.snapshot.records}
    return SearchAnswer(
        query=QueryAnswer(
            text=question.text,
            without=list(question.without),
            then=list(question.then),
            within=question.within if question.then else None,
            picture=params.picture,
            weight=question.weight if pictured and question.text else None,
            clip=params.clip,
        ),
        moments=[
            desk.teller.moment(hit.moment, records[hit.moment.video], duplicates=hit.duplicates)
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
