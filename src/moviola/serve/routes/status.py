"""The state of everything; and what a page needs to make changes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from moviola import __version__
from moviola.pipeline.asking import LONGEST_QUERY
from moviola.serve.answers import (
    FailuresAnswer,
    IndexingAnswer,
    LibraryAnswer,
    ModelAnswer,
    ProblemAnswer,
    SessionAnswer,
    StatusAnswer,
)
from moviola.serve.desk import Desk, desk_of
from moviola.serve.errors import problem

router = APIRouter(prefix="/api", tags=["status"])
AtDesk = Annotated[Desk, Depends(desk_of)]


@router.get("/session")
def session(desk: AtDesk) -> SessionAnswer:
    """The token that writes carry, and the limits of what is sent."""
    return SessionAnswer(
        token=desk.settings.token,
        version=__version__,
        max_upload=desk.settings.most_upload,
        max_text=LONGEST_QUERY,
    )


@router.get("/status")
def status(desk: AtDesk) -> StatusAnswer:
    """The state of library, model and indexing."""
    return status_of(desk)


@router.get("/failures")
def failures(desk: AtDesk) -> FailuresAnswer:
    """Files that could not be used, and why."""
    return FailuresAnswer(
        failures=[
            desk.teller.failure(record, name)
            for record in desk.live.opened().failures()
            for name in record.names
        ]
    )


def status_of(desk: Desk) -> StatusAnswer:
    """The state of library, model and indexing."""
    live, library = desk.live, desk.live.library
    records = library.videos() if library is not None and live.state != "damaged" else []
    usable = [record for record in records if record.code.has_clips]
    fault = live.fault
    return StatusAnswer(
        state=live.state,
        problem=None
        if fault is None
        else ProblemAnswer(code=problem(fault)[1], message=str(fault)),
        generation=live.generation,
        library=LibraryAnswer(
            name=desk.settings.library.name,
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
        indexing=IndexingAnswer(state="idle"),
        demo=not records,
        folders_known=len({name.root for record in records for name in record.names}),
    )
