"""`/api/search` and `/api/similar`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from moviola.serve.answers import SearchAnswer
from moviola.serve.desk import Desk, desk_of
from moviola.serve.errors import ApiError
from moviola.serve.params import Searching
from moviola.serve.routes.answering import answer_search

router = APIRouter(prefix="/api", tags=["search"])
AtDesk = Annotated[Desk, Depends(desk_of)]


@router.get("/search")
def search(params: Searching, desk: AtDesk) -> SearchAnswer:
    """The moments that a sentence, a picture or both describe, best first."""
    return answer_search(params, desk, desk.live.view())


@router.get("/similar")
def similar(params: Searching, desk: AtDesk) -> SearchAnswer:
    """Moments that look like the one of `clip`; its own video is left out unless `own` is set."""
    if params.clip is None:
        raise ApiError(422, "invalid", "clip: name the clip that the moments should look like")
    return answer_search(params, desk, desk.live.view())
