"""Videos, clips, folders: what there is, without a question; and curves, with one."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Depends
from fastapi import Path as InPath

from moviola.core import VideoUnreadableError
from moviola.serve.errors import ApiError
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
from moviola.serve.state import Desk, desk_of

router = APIRouter(prefix="/api", tags=["videos"])
AtDesk = Annotated[Desk, Depends(desk_of)]
AnId = Annotated[str, InPath(pattern=ID)]


@router.get("/videos")
def browse(params: Browsing, desk: AtDesk) -> VideosAnswer:
    """Videos that can be searched, newest first or by name."""
    snapshot = desk.live.opened().snapshot()
    admitted = snapshot.admitted(params.as_filter(desk.folders()))
    places = admitted.nonzero()[0].tolist()
    records = snapshot.records
    if params.sort == "name":
        places.sort(key=lambda place: records[place].path.name.casefold())
    else:
        places.sort(key=lambda place: (records[place].date, records[place].id), reverse=True)
    shown = places[params.offset : params.offset + params.top]
    return VideosAnswer(
        videos=[
            desk.teller.clip(
                snapshot,
                int(snapshot.offsets[place]),
                desk.studio.known_facts(records[place].id),
            )
            for place in shown
        ],
        found=len(places),
    )


@router.get("/clips/{clip}")
def clip(clip: AnId, desk: AtDesk) -> MomentAnswer:
    """One clip."""
    desk.live.opened()
    found = clip_answer(desk, clip)
    if found is None:
        raise ApiError(404, "not_found", "there is no such clip in the library any more")
    return found


@router.get("/videos/{video}")
async def video(video: AnId, desk: AtDesk) -> VideoAnswer:
    """Facts about a video; what its file adds to them is left out where it cannot be read."""
    record = await anyio.to_thread.run_sync(desk.record, video)
    facts = None
    if record.code.has_clips:
        with suppress(ApiError, VideoUnreadableError):
            facts = await desk.glances.run(partial(desk.studio.facts, record))
    return desk.teller.video(record, facts)


@router.get("/videos/{video}/curve")
def curve(video: AnId, params: Asking, desk: AtDesk) -> CurveAnswer:
    """What every window of a video scores on a question."""
    view = desk.live.view()
    place = view.snapshot.place_of(video)
    if place is None:
        raise ApiError(404, "not_found", "there is no such video with clips in the library")
    found = desk.searcher.curve(view, read_query(params, desk, view), place)
    return CurveAnswer(
        starts=[round(float(start), 3) for start in found.spans[:, 0]],
        ends=[round(float(end), 3) for end in found.spans[:, 1]],
        scores=[round(float(score), 6) for score in found.scores],
        low=found.low,
        high=found.high,
        moments=[
            PeakAnswer(
                start=peak.start, end=peak.end, peak=peak.peak, score=peak.score, band=peak.band
            )
            for peak in found.peaks
        ],
        duration=float(found.spans[-1, 1]),
    )


@router.get("/folders")
def folders(desk: AtDesk) -> FoldersAnswer:
    """Folders that hold videos."""
    return FoldersAnswer(folders=desk.folders().answers)
