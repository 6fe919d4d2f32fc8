"""Answer `/api/search` and `/api/similar`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Response

from moviola.serve.errors import ApiError
from moviola.serve.routes.answering import answer_search
from moviola.serve.schemas import SearchAnswer
from moviola.serve.search.params import Searching
from moviola.serve.state import ServerState, state_of

router = APIRouter(prefix="/api", tags=["search"])
WithState = Annotated[ServerState, Depends(state_of)]


@router.get("/search", response_model=SearchAnswer)
def search(params: Searching, state: WithState) -> Response:
    """Find the moments that a sentence, a picture or both describe, best first."""
    return _as_json(answer_search(params, state, state.watch.view()))


@router.get("/similar", response_model=SearchAnswer)
def similar(params: Searching, state: WithState) -> Response:
    """Find moments that look like `clip`; its own video is left out unless `own` is set."""
    if params.clip is None:
        raise ApiError(422, "invalid", "clip: name the clip that the moments should look like")
    return _as_json(answer_search(params, state, state.watch.view()))


def _as_json(answer: SearchAnswer) -> Response:
    """Write JSON. FastAPI would check it once more, and wait for another thread to do it."""
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
