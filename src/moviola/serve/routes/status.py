"""Tell the state of everything, and what a page needs to make changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict

from moviola.core.version import __version__
from moviola.retrieve.query import LONGEST_QUERY
from moviola.serve.errors import ApiError, problem
from moviola.serve.indexing.runs import What
from moviola.serve.schemas import (
    ExamplesAnswer,
    FailuresAnswer,
    LibraryAnswer,
    ModelAnswer,
    ProblemAnswer,
    SessionAnswer,
    StatusAnswer,
)
from moviola.serve.state import ServerState, state_of

#: The encoder that ships, whose world the examples are of.
SHAPES = "moviola/shapes"
_EXAMPLES = (
    "a red circle moves to the right",
    "a blue square",
    "a green triangle moves up",
    "a small yellow circle",
    "a large red square",
    "a circle moves left, then a square moves right",
)

router = APIRouter(prefix="/api", tags=["status"])
WithState = Annotated[ServerState, Depends(state_of)]


class IndexAction(BaseModel):
    """An order about indexing."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["demo", "update", "retry", "stop"]


@router.get("/session")
def session(state: WithState) -> SessionAnswer:
    """Give the token that writes carry, and the limits of what is sent."""
    return SessionAnswer(
        token=state.settings.token,
        version=__version__,
        max_upload=state.settings.most_upload,
        max_text=LONGEST_QUERY,
    )


@router.get("/status")
def status(state: WithState) -> StatusAnswer:
    """Tell the state of library, model and indexing."""
    return status_of(state)


@router.get("/failures")
def failures(state: WithState) -> FailuresAnswer:
    """List the files that could not be used, and why."""
    return FailuresAnswer(
        failures=[
            state.presenter.failure(record, name)
            for record in state.watch.opened().failures()
            for name in record.names
        ]
    )


@router.get("/examples")
def examples(state: WithState) -> ExamplesAnswer:
    """Give sentences to try, where it is known what the model understands."""
    library = state.watch.library
    known = library is not None and library.card.space.model == SHAPES
    return ExamplesAnswer(examples=list(_EXAMPLES) if known else [])


@router.post("/index", status_code=202)
def index(asked: IndexAction, state: WithState) -> StatusAnswer:
    """Begin or end an index run over folders that are known; no folder comes from a request."""
    if asked.action == "stop":
        state.indexing.stop()
    else:
        paths = _paths(state, asked.action)
        if not paths:
            raise ApiError(
                409, "nothing", "there is nothing to index; name a folder with moviola index"
            )
        state.indexing.start(asked.action, paths)
    return status_of(state)


def _paths(state: ServerState, what: What) -> list[Path]:
    """List the paths that an index run is about."""
    settings = state.settings
    if what == "demo":
        if state.watch.state != "first_run":
            raise ApiError(409, "not_empty", "the demo is for an empty library")
        return [settings.library.with_name(f"{settings.library.name}-demo") / "videos"]
    library = state.watch.library
    records = library.videos() if library is not None else []
    if what == "retry":
        failed = [record for record in records if record.code.is_failure]
        return [name.path for record in failed for name in record.names]
    roots = {name.root for record in records for name in record.names}
    return sorted({*roots, *settings.roots})


def status_of(state: ServerState) -> StatusAnswer:
    """Collect the state of library, model and indexing."""
    watch, library = state.watch, state.watch.library
    indexing = state.indexing.answer()
    indexing.message = state.settings.hide(indexing.message)
    records = library.videos() if library is not None and watch.state != "damaged" else []
    usable = [record for record in records if record.code.has_clips]
    fault = watch.fault
    return StatusAnswer(
        state=watch.state,
        problem=None
        if fault is None
        else ProblemAnswer(code=problem(fault)[1], message=state.settings.hide(str(fault))),
        generation=watch.generation,
        library=LibraryAnswer(
            name=state.settings.library.name,
            videos=len(usable),
            clips=sum(record.clips for record in usable),
            failed=sum(record.code.is_failure for record in records),
            missing=sum(record.is_missing for record in records),
            seconds=sum(record.info.duration for record in usable if record.info),
        ),
        model=None
        if library is None
        else ModelAnswer(
            name=library.card.model,
            segment=library.card.segment,
            pictures=True,
            calibrated=library.card.calibration is not None,
            note=None,
        ),
        indexing=indexing,
        demo=not records and watch.state == "first_run",
        folders_known=len(
            {name.root for record in records for name in record.names} | set(state.settings.roots)
        ),
    )
