"""Take in pictures and clips to search with: sent as raw bodies, no forms."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi import Path as InPath

from moviola.serve.errors import ApiError
from moviola.serve.schemas import PictureAnswer
from moviola.serve.search.params import ID
from moviola.serve.security import UPLOAD_TYPES
from moviola.serve.state import ServerState, state_of

router = APIRouter(tags=["pictures"])
WithState = Annotated[ServerState, Depends(state_of)]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in sorted(UPLOAD_TYPES)
        },
    }
}


@router.post("/api/pictures", status_code=201, openapi_extra=_BODY)
async def upload(request: Request, state: WithState) -> PictureAnswer:
    """Take a picture or a short clip in; the answer's id is what to search with."""
    data = await request.body()
    if not data:
        raise ApiError(422, "invalid", "the body is empty; send the bytes of a picture or a clip")
    kind = request.headers.get("content-type", "")
    is_clip = not kind.startswith("image/")
    found = await state.slow_work.run(partial(_take, state, data, is_clip=is_clip))
    return PictureAnswer(
        picture=found.id,
        kind=found.kind,
        width=found.width,
        height=found.height,
        preview=f"/media/pictures/{found.id}",
    )


@router.get("/media/pictures/{picture}", response_class=Response)
def preview(picture: Annotated[str, InPath(pattern=ID)], state: WithState) -> Response:
    """Send a small JPEG of what was sent."""
    return Response(
        state.pictures.preview(picture),
        media_type="image/jpeg",
        headers={"cache-control": "private, max-age=86400"},
    )


def _take(state: ServerState, data: bytes, *, is_clip: bool):  # noqa: ANN202 -- see Pictures.take
    """Take bytes in, in a thread."""
    return state.pictures.take(state.watch.view(), data, is_clip=is_clip)
