"""Take videos out of the library, and bring them back."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from moviola.library import Library
from moviola.pipeline.forget.forget import MANY, forget, restore
from moviola.serve.errors import ApiError
from moviola.serve.search.params import Id
from moviola.serve.state import ServedLibraries, ServerState, libraries_of, state_of

router = APIRouter(prefix="/api/forget", tags=["videos"])
WithState = Annotated[ServerState, Depends(state_of)]
WithLibraries = Annotated[ServedLibraries, Depends(libraries_of)]
_MOST_UNDOS = 50
_PATIENCE_SECONDS = 5.0


class ForgetRequest(BaseModel):
    """Videos to forget, by their ids."""

    model_config = ConfigDict(extra="forbid")

    videos: Annotated[list[Id], Field(max_length=1000)] = []
    missing: bool = Field(False, description="Also files that are gone from folders that are not.")
    agreed: bool = Field(False, description=f"Whether more than {MANY} files may go.")


class UndoRequest(BaseModel):
    """A word that `POST /api/forget` answered."""

    model_config = ConfigDict(extra="forbid")

    undo: Id


class ForgottenAnswer(BaseModel):
    """Files that are shown no more, counted."""

    files: int
    present: int = Field(description="Still there: they come back when their folder is indexed.")
    undo: str = Field(description="For `POST /api/forget/undo`.")


class RestoredAnswer(BaseModel):
    """Files that are shown again, counted."""

    files: int


@router.post("")
def forget_videos(asked: ForgetRequest, state: WithState) -> ForgottenAnswer:
    """Hide videos at once; a later run that tidies the library deletes what it knows of them."""
    if not asked.videos and not asked.missing:
        raise ApiError(422, "invalid", "videos: name what to forget, or ask for what is missing")
    state.watch.opened()
    paths = [name.path for video in asked.videos for name in state.record(video).names]
    before = state.watch.generation
    try:
        report = forget(
            Library.open(state.settings.library),
            paths,
            missing=asked.missing,
            agrees=lambda count: count <= MANY or asked.agreed,
        )
    except PermissionError as error:
        raise ApiError(409, "many", str(error)) from error
    except FileNotFoundError as error:
        raise ApiError(404, "not_found", "the library knows no such video any more") from error
    undo = f"u-{secrets.token_hex(8)}"
    if report.paths:
        state.forgetting[undo] = report.paths
        if len(state.forgetting) > _MOST_UNDOS:
            del state.forgetting[next(iter(state.forgetting))]
        state.watch.await_news(before, _PATIENCE_SECONDS)
    return ForgottenAnswer(files=len(report.paths), present=len(report.present), undo=undo)


@router.post("/undo")
def undo_forgetting(asked: UndoRequest, libraries: WithLibraries) -> RestoredAnswer:
    """Show again what one request forgot, unless it was deleted meanwhile."""
    # A library of which everything was forgotten is not the one that is shown.
    both = (libraries.own, libraries.demo)
    state = next((each for each in both if asked.undo in each.forgetting), None)
    if state is None:
        raise ApiError(
            404,
            "not_found",
            "nothing of that name was forgotten since the server started; moviola forget --undo "
            "brings back what was forgotten last",
        )
    before = state.watch.generation
    shown = restore(Library.open(state.settings.library), state.forgetting[asked.undo])
    state.forgetting.pop(asked.undo, None)
    if shown:
        state.watch.await_news(before, _PATIENCE_SECONDS)
    return RestoredAnswer(files=len(shown))
