"""Answer requests about videos, clips and folders; with a query, about curves."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends
from fastapi import Path as InPath

from moviola.core import VideoUnreadableError
from moviola.pipeline.media.opening import FileGoneError, FileReplacedError
from moviola.serve.errors import ApiError
from moviola.serve.parts import opening
from moviola.serve.presenters import present_reason
from moviola.serve.routes.answering import clip_answer, read_query
from moviola.serve.schemas import (
    CurveAnswer,
    FoldersAnswer,
    MomentAnswer,
    PeakAnswer,
    VideoAnswer,
    VideosAnswer,
)
from moviola.serve.search.params import ID, Asking, Browsing
from moviola.serve.state import ServerState, state_of

router = APIRouter(prefix="/api", tags=["videos"])
WithState = Annotated[ServerState, Depends(state_of)]
AnId = Annotated[str, InPath(pattern=ID)]


@router.get("/videos")
def browse(params: Browsing, state: WithState) -> VideosAnswer:
    """List videos that can be searched, newest first or by name."""
    library, wanted = state.watch.opened(), params.as_filter(state.folders())
    snapshot = library.snapshot()
    if library.card.has_vectors:
        admitted: list[int] = snapshot.admitted(wanted).nonzero()[0].tolist()
        records = [snapshot.records[place] for place in admitted]
    else:
        shown = (record for record in library.videos() if record.names and record.code.has_clips)
        records = [record for record in shown if wanted.admits(record)]
    if params.sort == "name":
        records.sort(key=lambda record: record.path.name.casefold())
    else:
        records.sort(key=lambda record: (record.date, record.id), reverse=True)
    return VideosAnswer(
        videos=[
            state.presenter.part(*opening(snapshot, record), state.media.known_facts(record.id))
            for record in records[params.offset : params.offset + params.top]
        ],
        found=len(records),
    )


@router.get("/clips/{clip}")
def clip(clip: AnId, state: WithState) -> MomentAnswer:
    """Describe one clip."""
    state.watch.opened()
    found = clip_answer(state, clip)
    if found is None:
        raise ApiError(404, "not_found", "there is no such clip in the library any more")
    return found


@router.get("/videos/{video}")
async def video(video: AnId, state: WithState) -> VideoAnswer:
    """Describe a video; what its file adds is left out where it cannot be read."""
    record = await anyio.to_thread.run_sync(state.record, video)
    facts = None
    if record.code.has_clips:
        with suppress(ApiError, FileGoneError, FileReplacedError, VideoUnreadableError):
            facts = await state.quick_work.run(partial(state.media.facts, record))
    return state.presenter.video(record, facts)


@router.get("/videos/{video}/curve")
def curve(video: AnId, params: Asking, state: WithState) -> CurveAnswer:
    """Score every window of a video on a query."""
    view = state.watch.view()
    record = state.record(video)
    if not record.code.has_clips:
        raise ApiError(404, "not_found", "this video could not be read; see the failures")
    found = state.searcher.curve(view, read_query(params, state, view), record)
    return CurveAnswer(
        starts=[round(float(start), 3) for start in found.spans[:, 0]],
        ends=[round(float(end), 3) for end in found.spans[:, 1]],
        scores=[round(float(score), 6) for score in found.scores],
        low=found.low,
        high=found.high,
        moments=[
            PeakAnswer(
                start=peak.start,
                end=peak.end,
                peak=peak.peak,
                score=peak.score,
                band=peak.band,
                probability=peak.probability,
                why=[present_reason(reason) for reason in peak.why],
            )
            for peak in found.peaks
        ],
        duration=found.duration,
    )


@router.get("/folders")
def folders(state: WithState) -> FoldersAnswer:
    """List the folders that hold videos."""
    return FoldersAnswer(folders=state.folders().answers)
