"""Tell the state of everything, and what a page needs to make changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from moviola.core.version import __version__
from moviola.pipeline.models import tell_narrow_world
from moviola.retrieve.query import LONGEST_QUERY
from moviola.serve.errors import ApiError, problem
from moviola.serve.routes.channels import check_installed
from moviola.serve.schemas import (
    ExamplesAnswer,
    FailuresAnswer,
    LibraryAnswer,
    ModelAnswer,
    ProblemAnswer,
    SessionAnswer,
    StatusAnswer,
)
from moviola.serve.search.params import Channel
from moviola.serve.state import ServedLibraries, ServerState, libraries_of, state_of

#: Sentences about the world of the encoder that ships; each is true of a video of the demo.
EXAMPLES = (
    "a red circle moves down",
    "a blue square",
    "a green triangle moves left",
    "a small yellow square",
    "a large purple cross",
    "a circle, then a square",
)

router = APIRouter(prefix="/api", tags=["status"])
WithState = Annotated[ServerState, Depends(state_of)]
WithLibraries = Annotated[ServedLibraries, Depends(libraries_of)]


class IndexAction(BaseModel):
    """An order about indexing."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["demo", "update", "retry", "channels", "stop"]
    channels: Annotated[list[Channel], Field(max_length=20)] = Field(default_factory=list[str])


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
def status(libraries: WithLibraries) -> StatusAnswer:
    """Tell the state of library, model and indexing."""
    return status_of(libraries)


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
    known = library is not None and tell_narrow_world(library.card.space) is not None
    return ExamplesAnswer(examples=list(EXAMPLES) if known else [])


@router.post("/index", status_code=202)
def index(asked: IndexAction, libraries: WithLibraries) -> StatusAnswer:
    """Begin or end an index run over folders that are known; no folder comes from a request."""
    if asked.action == "stop":
        libraries.running().indexing.stop()
    elif asked.action == "demo":
        if libraries.own.watch.state != "first_run":
            raise ApiError(409, "not_empty", "the demo is for an empty library")
        demo = libraries.demo
        demo.indexing.start("demo", [demo.settings.library.with_name("videos")])
    else:
        if asked.action == "channels":
            check_installed(asked.channels)
        failed = asked.action == "retry"
        # Channels are added to what was asked what they cost; the demo is left as it is otherwise.
        state = libraries.shown() if asked.action == "channels" else libraries.own
        paths = _failed_paths(state) if failed else _roots(state)
        if not paths:
            raise ApiError(
                409, "nothing", "there is nothing to index; name a folder with moviola index"
            )
        added = asked.channels if asked.action == "channels" else []
        state.indexing.start(asked.action, paths, added)
    return status_of(libraries)


def _failed_paths(state: ServerState) -> list[Path]:
    """List the files that could not be used."""
    library = state.watch.library
    failed = [] if library is None else library.failures()
    return [name.path for record in failed for name in record.names]


def _roots(state: ServerState) -> list[Path]:
    """List the folders that the library knows, and those that the server was started with."""
    library = state.watch.library
    known = [] if library is None or state.watch.state == "damaged" else library.roots()
    return sorted({*known, *state.settings.roots})


def status_of(libraries: ServedLibraries) -> StatusAnswer:
    """Collect the state of library, model and indexing."""
    state = libraries.shown()
    watch, library = state.watch, state.watch.library
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
            covers=state.covers(records),
        ),
        model=None
        if library is None
        else ModelAnswer(
            name=library.card.model,
            segment=library.card.segment,
            pictures=library.card.has_vectors,
            calibrated=library.card.calibration is not None,
            note=tell_narrow_world(library.card.space),
        ),
        indexing=libraries.indexing(),
        demo=not records and watch.state == "first_run",
        is_demo=state is libraries.demo,
        folders_known=len(_roots(libraries.own)),
    )
