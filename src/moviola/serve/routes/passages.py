"""Answer requests for the passages of a video: what it says, shows in writing and is called."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Path as InPath
from pydantic import BaseModel, ConfigDict, Field

from moviola.core import display_path
from moviola.library import VideoRecord
from moviola.pipeline.passages.exporting import SUBTITLES, as_csv
from moviola.retrieve.parsing import group_of
from moviola.serve.presenters import present_passage
from moviola.serve.schemas import PassagesAnswer
from moviola.serve.search.params import ID, Channel, Words
from moviola.serve.state import ServerState, state_of
from moviola.serve.transcripts import Shown, choose, spread, turn_to

router = APIRouter(prefix="/api/videos/{video}/passages", tags=["passages"])
WithState = Annotated[ServerState, Depends(state_of)]
AnId = Annotated[str, InPath(pattern=ID)]

_TYPES = {
    "srt": "application/x-subrip; charset=utf-8",
    "vtt": "text/vtt; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
}


class ChosenPassages(BaseModel):
    """Choose passages of a video."""

    model_config = ConfigDict(extra="ignore")

    channel: Annotated[
        list[Channel], Field(max_length=20, description="Groups or channels; all without one.")
    ] = Field(default_factory=list[str])


class PassageParams(ChosenPassages):
    """Choose a part of the passages of a video."""

    q: Annotated[Words, Field(description="What all of them hold, wherever in a word.")] = ""
    offset: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    at: Annotated[
        float | None,
        Field(ge=0, le=1e8, allow_inf_nan=False, description="A second to be in the part."),
    ] = None
    top: Annotated[int, Field(ge=1, le=1000)] = 200
    spread: Annotated[bool, Field(description="From its whole length instead of in a row.")] = False


class PassageExportParams(ChosenPassages):
    """Choose passages of a video, and how they are written."""

    format: Literal["srt", "vtt", "csv"]
    raw_csv: bool = False


@router.get("")
def passages(
    video: AnId, params: Annotated[PassageParams, Query()], state: WithState
) -> PassagesAnswer:
    """List passages of a video by start, in parts; or some of all of it, for a drawing."""
    everything = state.transcripts.of(state.watch.opened(), state.record(video).id)
    found = choose(everything, params.channel, params.q)
    if params.spread:
        page = spread(found, params.top)
    else:
        page = turn_to(found, params.top, offset=params.offset, at=params.at)
    return PassagesAnswer(
        passages=[present_passage(passage, words) for passage, words in page.shown],
        offset=page.offset,
        found=page.found,
        groups=sorted({group_of(passage.channel) for passage in everything}),
    )


@router.get("/export", response_class=Response)
def export(
    video: AnId, params: Annotated[PassageExportParams, Query()], state: WithState
) -> Response:
    """Send the passages of a video as an attachment."""
    record = state.record(video)
    chosen = choose(state.transcripts.of(state.watch.opened(), record.id), params.channel, "")
    text = _written(chosen, params, state.presenter.path(record), record)
    name = f"{display_path(record.path.stem)}.{params.format}"
    encoded = quote(name.encode("utf-8", "replace"), safe="")
    return Response(
        text.encode("utf-8", "backslashreplace"),
        headers={
            "content-type": _TYPES[params.format],
            "content-disposition": f"attachment; filename*=utf-8''{encoded}",
        },
    )


def _written(
    chosen: list[Shown], params: PassageExportParams, path: str, record: VideoRecord
) -> str:
    """Write passages as `moviola passages` does."""
    found = [passage for passage, _ in chosen]
    if params.format == "csv":
        return as_csv(found, {record.id: path}, raw=params.raw_csv)
    return SUBTITLES[params.format](found)
