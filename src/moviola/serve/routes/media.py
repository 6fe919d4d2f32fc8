"""The files themselves, and what is made of them, by id."""

from __future__ import annotations

import os
from functools import partial
from typing import Annotated

import anyio
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from moviola.core import Span, display_path
from moviola.library import VideoRecord
from moviola.pipeline.media.opening import FileReplacedError
from moviola.pipeline.media.sprites import read_times
from moviola.serve.errors import ApiError
from moviola.serve.media.descriptor_response import DescriptorResponse
from moviola.serve.media.media import LONGEST_PREVIEW, tag_of
from moviola.serve.media.playing import Facts, begins_like, media_type
from moviola.serve.parts import find_part
from moviola.serve.schemas import PlaybackAnswer
from moviola.serve.search.params import ID
from moviola.serve.state import ServerState, state_of

router = APIRouter(tags=["media"])
WithState = Annotated[ServerState, Depends(state_of)]
AnId = Annotated[str, InPath(pattern=ID)]
Second = Annotated[float, Query(ge=0, le=1e8, allow_inf_nan=False)]
_KEPT = "private, max-age=3600"
# Pictures are made after the searches that are under way, but not much later.
_LOOK_SECONDS, _PATIENCE_SECONDS = 0.01, 1.0


@router.get("/media/clips/{clip}/sprite", response_class=Response)
async def sprite(clip: AnId, state: WithState, request: Request) -> Response:
    """Eight frames of a clip in the order of time, 4 by 2; their seconds in X-Moviola-Times."""
    record, span = _clip(state, clip)
    sheet = await state.quick_work.run(
        partial(state.media.sprite, record, span), abandoned=partial(_has_left, request, state)
    )
    return _jpeg(sheet, request, {"x-moviola-times": read_times(sheet)})


@router.get("/media/clips/{clip}/poster", response_class=Response)
async def poster(clip: AnId, state: WithState, request: Request) -> Response:
    """Serve the frame in the middle of a clip."""
    record, span = _clip(state, clip)
    still = await state.quick_work.run(
        partial(state.media.poster, record, span), abandoned=partial(_has_left, request, state)
    )
    return _jpeg(still, request, {})


@router.head("/media/{video}", include_in_schema=False)
@router.get("/media/{video}", response_class=FileResponse)
def original(video: AnId, state: WithState) -> Response:
    """Serve the file as it is, whole or in ranges."""
    record = state.record(video)
    kind = media_type(record)
    if kind is None:
        raise ApiError(
            415, "unplayable", "browsers cannot play this kind of file; ask for a preview"
        )
    with state.media.files.opened(record) as file:
        if not begins_like(kind, file.head(12)):
            shown = display_path(record.path.name)
            raise FileReplacedError(f"the file {shown} is no {kind} any more; index it again")
        return DescriptorResponse(
            os.dup(file.descriptor), file.identity, kind, {"cache-control": "private, no-cache"}
        )


@router.get("/api/videos/{video}/playback")
async def playback(
    video: AnId,
    state: WithState,
    start: Second = 0.0,
    end: Second | None = None,
    direct: bool = True,
) -> PlaybackAnswer:
    """Say how a browser plays a part of a video: the file itself, or a preview."""
    record = state.record(video)
    if record.info is None or not record.code.has_clips:
        message = state.presenter.message(record) or "this file could not be read"
        return PlaybackAnswer(mode="none", codec="", message=message)
    facts = await state.quick_work.run(partial(state.media.facts, record))
    length = record.info.duration
    kind = media_type(record)
    if facts.direct and direct and kind is not None:
        return PlaybackAnswer(
            mode="direct",
            url=f"/media/{video}",
            offset=0,
            until=length,
            type=kind,
            codec=facts.codec,
        )
    span = _within(record, start, end)
    return PlaybackAnswer(
        mode="preview",
        url=f"/media/{video}/preview?start={span.start:.3f}&end={span.end:.3f}",
        offset=span.start,
        until=span.end,
        type="video/mp4",
        codec=facts.codec,
        message=_why(facts),
    )


@router.head("/media/{video}/preview", include_in_schema=False)
@router.get("/media/{video}/preview", response_class=FileResponse)
async def preview(video: AnId, state: WithState, start: Second, end: Second) -> FileResponse:
    """Serve a part of a video as H.264 and AAC, made when it is first asked for."""
    record, span = _asked_span(state, video, start, end)
    path = await state.slow_work.run(partial(state.media.preview, record, span))
    return FileResponse(path, media_type="video/mp4", headers={"cache-control": _KEPT})


@router.get("/media/{video}/cut", response_class=FileResponse)
async def cut(video: AnId, state: WithState, start: Second, end: Second) -> FileResponse:
    """Exactly a part of a video as an MP4 to keep."""
    record, span = _asked_span(state, video, start, end)
    path = await state.slow_work.run(partial(state.media.cut, record, span))
    name = f"{record.path.stem} {span.start:.1f}-{span.end:.1f}.mp4"
    printable = name.encode("utf-8", "replace").decode()
    return FileResponse(path, media_type="video/mp4", filename=printable)


async def _has_left(request: Request, state: ServerState) -> bool:
    """Let searches go first, then tell whether the client has gone away meanwhile.

    Pages do that which show something else by now.
    """
    with anyio.move_on_after(_PATIENCE_SECONDS):
        while state.searcher.is_busy:  # noqa: ASYNC110 -- searches end in other threads
            await anyio.sleep(_LOOK_SECONDS)
    await request.body()  # what comes after it is the client going away
    return await request.is_disconnected()


def _why(facts: Facts) -> str:
    cannot = "could not play this file" if facts.direct else f"cannot play {facts.codec}"
    return f"Your browser {cannot}; a preview of this part is made."


def _clip(state: ServerState, clip: str) -> tuple[VideoRecord, Span]:
    found = find_part(state.watch.opened(), clip)
    if found is None:
        raise ApiError(404, "not_found", "there is no such clip in the library any more")
    return found


def _asked_span(
    state: ServerState, video: str, start: float, end: float
) -> tuple[VideoRecord, Span]:
    record = state.record(video)
    if record.info is None or not record.code.has_clips:
        raise ApiError(422, "unreadable", "this file could not be read; see the failures")
    end = min(end, record.info.duration)
    if not start < end:
        raise ApiError(422, "invalid", "end: a part ends after it starts, within the video")
    # To the millisecond, so that one part has one name.
    return record, Span(round(start, 3), round(max(end, start + 0.04), 3))


def _within(record: VideoRecord, start: float, end: float | None) -> Span:
    """Return what to preview of a video, at most as long as a preview may be."""
    length = record.info.duration if record.info else 0.0
    start = max(0.0, min(start, length - 1.0))
    end = min(length, start + LONGEST_PREVIEW / 2) if end is None else min(end, length)
    end = min(max(end, min(start + 1.0, length)), start + LONGEST_PREVIEW)
    return Span(round(start, 3), round(max(end, start + 0.04), 3))


def _jpeg(data: bytes, request: Request, more: dict[str, str]) -> Response:
    headers = {"etag": tag_of(data), "cache-control": _KEPT, **more}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(data, media_type="image/jpeg", headers=headers)
