"""The files themselves, by id."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from fastapi.responses import FileResponse

from moviola.serve.desk import Desk, desk_of
from moviola.serve.errors import ApiError
from moviola.serve.files import open_to_serve
from moviola.serve.params import ID
from moviola.serve.playing import media_type

router = APIRouter(prefix="/media", tags=["media"])
AtDesk = Annotated[Desk, Depends(desk_of)]
AnId = Annotated[str, InPath(pattern=ID)]


@router.api_route("/{video}", methods=["GET", "HEAD"], response_class=FileResponse)
def original(video: AnId, desk: AtDesk) -> FileResponse:
    """The file as it is, whole or in ranges."""
    record = desk.record(video)
    kind = media_type(record)
    if kind is None:
        raise ApiError(
            415, "unplayable", "browsers cannot play this kind of file; ask for a preview"
        )
    path = open_to_serve(record)
    return FileResponse(path, media_type=kind, headers={"cache-control": "private, no-cache"})
