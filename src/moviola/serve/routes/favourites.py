"""Answer requests about the moments that people marked."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from moviola.retrieve.query import LONGEST_QUERY
from moviola.serve.errors import ApiError
from moviola.serve.favourites import Favourite, qrels_text, queries_of
from moviola.serve.parts import find_part
from moviola.serve.routes.answering import answer_search, clip_answer
from moviola.serve.schemas import FavouriteAnswer, FavouritesAnswer
from moviola.serve.search.params import ID, Id, SearchParams
from moviola.serve.state import ServerState, state_of

router = APIRouter(prefix="/api/favourites", tags=["favourites"])
WithState = Annotated[ServerState, Depends(state_of)]
_DEEP = 1000
Seconds = Annotated[float, Field(ge=0, le=1e9)]


class NewFavourite(BaseModel):
    """A judgement on a moment, as it is sent."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=LONGEST_QUERY)]
    clip: Id
    start: Seconds
    end: Seconds
    relevant: bool = True


@router.get("")
def favourites(state: WithState) -> FavouritesAnswer:
    """List all judgements, newest first."""
    state.watch.opened()
    return FavouritesAnswer(
        favourites=[_answer(state, found) for found in reversed(state.favourites.all())]
    )


@router.post("", status_code=201)
def add(new: NewFavourite, state: WithState) -> FavouriteAnswer:
    """Mark a moment as an answer to a query, or as none."""
    part = find_part(state.watch.opened(), new.clip)
    if part is None:
        raise ApiError(404, "not_found", "there is no such clip in the library any more")
    if new.end <= new.start:
        raise ApiError(422, "invalid", "end: a moment ends after it starts")
    found = Favourite.of(
        new.query.encode("utf-8", "replace").decode(),
        new.clip,
        part[0].id,
        new.start,
        new.end,
        relevant=new.relevant,
    )
    try:
        state.favourites.add(found)
    except ValueError as error:
        raise ApiError(409, "full", str(error)) from error
    return _answer(state, found)


@router.delete("/{favourite}", status_code=204)
def remove(favourite: Annotated[str, InPath(pattern=ID)], state: WithState) -> Response:
    """Forget a judgement."""
    state.watch.opened()
    if not state.favourites.remove(favourite):
        raise ApiError(404, "not_found", "there is no such favourite any more")
    return Response(status_code=204)


@router.get("/export", response_class=Response)
def export(format: Literal["qrels", "run", "queries"], state: WithState) -> Response:  # noqa: A002
    """Send the judgements as TREC qrels, as a TREC run over this library, or the queries' words."""
    found = state.favourites.all()
    match format:
        case "qrels":
            text, name = qrels_text(found), "favourites.qrels"
        case "run":
            text, name = _run(state, queries_of(found)), "favourites.run"
        case "queries":
            rows = queries_of(found).items()
            text = "".join(json.dumps({"id": key, "text": words}) + "\n" for key, words in rows)
            name = "favourites.jsonl"
    return Response(
        text,
        media_type="text/plain; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _run(state: ServerState, queries: dict[str, str]) -> str:
    """Search for each query, and write the videos found as a TREC run."""
    from moviola.evaluate.trec import run_lines

    view = state.watch.view()
    ranked: list[tuple[str, list[tuple[str, float]]]] = []
    for number, words in queries.items():
        params = SearchParams(q=words, top=_DEEP, duplicates="show")
        hits = answer_search(params, state, view).moments
        ranked.append((number, [(hit.video, hit.score or 0.0) for hit in hits]))
    return "".join(run_lines(ranked, tag="moviola"))


def _answer(state: ServerState, found: Favourite) -> FavouriteAnswer:
    """Present a judgement."""
    return FavouriteAnswer(
        id=found.id,
        query=found.query,
        relevant=found.relevant,
        start=found.start,
        end=found.end,
        moment=clip_answer(state, found.clip),
        saved=found.saved,
    )
