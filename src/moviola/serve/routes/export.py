"""Answer requests for moments as files."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import Field

from moviola.serve.exports import as_csv, as_edl, as_json
from moviola.serve.routes.answering import answer_search
from moviola.serve.search.params import Id, SearchParams
from moviola.serve.state import ServerState, state_of

router = APIRouter(prefix="/api", tags=["export"])
WithState = Annotated[ServerState, Depends(state_of)]

_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "edl": "text/plain; charset=utf-8",
}


class ExportParams(SearchParams):
    """Hold a search, and how its moments are written."""

    format: Literal["csv", "json", "edl"]
    only: Annotated[list[Id], Field(max_length=1000)] = Field(default_factory=list)
    raw_csv: bool = False


@router.get("/export", response_class=Response)
def export(params: Annotated[ExportParams, Query()], state: WithState) -> Response:
    """Send the moments of a search as an attachment; with `only`, those of these clips."""
    answer = answer_search(params, state, state.watch.view())
    wanted = set(params.only)
    moments = [moment for moment in answer.moments if not wanted or moment.id in wanted]
    query = answer.query.model_dump(by_alias=True)
    match params.format:
        case "csv":
            text = as_csv(moments, raw=params.raw_csv)
        case "json":
            text = as_json(moments, query)
        case "edl":
            text = as_edl(moments, answer.query.text)
    return Response(
        text.encode("utf-8", "backslashreplace"),
        headers={
            "content-type": _TYPES[params.format],
            "content-disposition": f'attachment; filename="moviola.{params.format}"',
        },
    )
