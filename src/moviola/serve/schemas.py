"""Declare what the API answers, as types: the OpenAPI document is made of them."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class ErrorDetail(BaseModel):
    """A fault: a word from a closed list, and one sentence."""

    code: str
    message: str
    file_code: str | None = None


class ErrorAnswer(BaseModel):
    """The answer of every status from 400 up."""

    error: ErrorDetail


class SessionAnswer(BaseModel):
    """Facts that a page needs to make changes."""

    token: str
    version: str
    max_upload: int
    max_text: int


class StepAnswer(BaseModel):
    """One step of a moment that is one thing after another, in seconds."""

    start: float
    end: float
    peak: float
    score: float


class MatchedWordAnswer(BaseModel):
    """Words of a passage that were asked for, by their characters and, where known, seconds."""

    text: str
    first: int
    last: int
    start: float | None
    end: float | None


class ReasonAnswer(BaseModel):
    """Evidence for a moment: a passage of a channel, or its pictures (`seen`)."""

    channel: str
    group: str = Field(description="Where to look for it: seen, said, written, named or a channel.")
    text: str
    start: float
    end: float
    words: list[MatchedWordAnswer]


class MomentAnswer(BaseModel):
    """A moment of a video, in seconds from its first moment."""

    id: str = Field(description="Id of its best clip, or of its part of a video without clips.")
    video: str
    name: str
    folder: str
    start: float
    end: float
    peak: float
    score: float | None
    band: Literal["strong", "likely", "unsure"] | None
    probability: float | None
    missing: bool
    duration: float | None
    width: int | None
    height: int | None
    sound: bool | None
    date: str
    codec: str | None
    playable: bool | None
    others: int
    duplicates: list[str]
    steps: list[StepAnswer] | None
    why: list[ReasonAnswer] = Field(description="What it was found by, the strongest first.")


class TermAnswer(BaseModel):
    """Words with quotes, a channel or an open end."""

    text: str
    channel: str | None


class QueryAnswer(BaseModel):
    """A query as it was understood."""

    text: str
    without: list[str] = Field(serialization_alias="not")
    then: list[str]
    within: float | None
    picture: str | None
    weight: float | None
    clip: str | None
    channels: list[str] | None
    terms: list[TermAnswer]


class TookAnswer(BaseModel):
    """Milliseconds spent."""

    score_ms: float
    rank_ms: float


class SearchAnswer(BaseModel):
    """Moments, best first."""

    query: QueryAnswer
    moments: list[MomentAnswer]
    unsure_from: int | None
    absent: bool = Field(description="Whether the library was measured to hold nothing of it.")
    found: int
    more: bool
    took: TookAnswer
    generation: str


class VideosAnswer(BaseModel):
    """Videos to browse, each as a moment without a score."""

    videos: list[MomentAnswer]
    found: int


class NameAnswer(BaseModel):
    """One file of a video."""

    name: str
    folder: str
    missing: bool


class VideoAnswer(BaseModel):
    """Facts about a video."""

    id: str
    name: str
    folder: str
    names: list[NameAnswer]
    title: str | None
    duration: float | None
    width: int | None
    height: int | None
    frames: int | None
    codec: str | None
    container: str | None
    sound: bool | None
    date: str
    size: int
    clips: int
    code: str
    message: str
    missing: bool
    media: str
    playable: bool | None


class PeakAnswer(BaseModel):
    """A marked peak of a similarity curve."""

    start: float
    end: float
    peak: float
    score: float
    band: Literal["strong", "likely", "unsure"] | None
    probability: float | None
    why: list[ReasonAnswer]


class CurveAnswer(BaseModel):
    """The scores of every window of a video, in the order of time."""

    starts: list[float]
    ends: list[float]
    scores: list[float]
    low: float
    high: float
    moments: list[PeakAnswer]
    duration: float


class PassageAnswer(BaseModel):
    """A stretch of a video that carries text, in seconds, with what of it was searched for."""

    channel: str
    group: str
    text: str
    start: float
    end: float
    language: str | None
    confidence: float | None
    words: list[MatchedWordAnswer]


class PassagesAnswer(BaseModel):
    """Passages of a video, by start; `offset` counts those before the first of them."""

    passages: list[PassageAnswer]
    offset: int
    found: int
    groups: list[str] = Field(description="All that the video has passages of.")


class FolderAnswer(BaseModel):
    """A folder that holds videos, below one that was indexed."""

    id: str
    name: str
    path: str
    depth: int
    parent: str | None
    videos: int


class FoldersAnswer(BaseModel):
    """Folders, parents before what is in them."""

    folders: list[FolderAnswer]


class ProblemAnswer(BaseModel):
    """A fault that keeps the library from being searched."""

    code: str
    message: str


class CoverageAnswer(BaseModel):
    """Counts of what can be asked by one name: `seen`, `said`, `written`, `named` or a channel."""

    name: str
    channels: list[str]
    videos: int
    passages: int


class LibraryAnswer(BaseModel):
    """Counts of what the library holds."""

    name: str
    videos: int
    clips: int
    failed: int
    missing: int
    seconds: float
    covers: list[CoverageAnswer] = Field(description="Where there is something to look in.")


class ModelAnswer(BaseModel):
    """The model that the library was indexed with."""

    name: str
    segment: str
    pictures: bool
    calibrated: bool
    note: str | None


class IndexingAnswer(BaseModel):
    """The progress of an index run."""

    state: Literal["idle", "running", "elsewhere", "stopped", "failed", "done"]
    what: Literal["", "demo", "update", "retry", "channels"] = ""
    done: int = 0
    total: int = 0
    clips: int = 0
    failed: int = 0
    rate: float | None = None
    eta: tuple[float, float] | None = None
    message: str = ""


class StatusAnswer(BaseModel):
    """The state of everything."""

    state: Literal["loading", "first_run", "ready", "mismatch", "damaged"]
    problem: ProblemAnswer | None
    generation: str
    library: LibraryAnswer
    model: ModelAnswer | None
    indexing: IndexingAnswer
    demo: bool = Field(description="Whether the demo's library can be made.")
    is_demo: bool = Field(description="Whether the demo's library is shown.")
    folders_known: int


class ChannelAnswer(BaseModel):
    """A channel that is installed or was read, with what it covers."""

    name: str
    group: str
    state: Literal["read", "off", "offered", "not_installed"]
    message: str = Field(description="What is missing where it is not installed.")
    videos: int
    passages: int
    partial: int
    failed: int


class ChannelsAnswer(BaseModel):
    """Channels by name."""

    channels: list[ChannelAnswer]


class EstimateAnswer(BaseModel):
    """The cost of reading channels of the videos that are there, about."""

    channels: list[str]
    videos: int
    film: float = Field(description="Seconds that they last.")
    seconds: float = Field(description="Of computing on one core.")
    bytes: int = Field(description="That the library grows by.")


class FailureAnswer(BaseModel):
    """A file that could not be used."""

    video: str
    name: str
    folder: str
    code: str
    message: str
    size: int
    codec: str | None


class FailuresAnswer(BaseModel):
    """Files that could not be used, ordered by path."""

    failures: list[FailureAnswer]


class ExamplesAnswer(BaseModel):
    """Sentences to try."""

    examples: list[str]


class PlaybackAnswer(BaseModel):
    """A way to play a part of a video; times in seconds of the original."""

    mode: Literal["direct", "preview", "none"]
    url: str | None = None
    offset: float = 0.0
    until: float = 0.0
    type: str | None = None
    codec: str
    message: str = ""


class PictureAnswer(BaseModel):
    """A picture or clip that was taken in."""

    picture: str
    kind: Literal["image", "clip"]
    width: int
    height: int
    preview: str


class FavouriteAnswer(BaseModel):
    """A judgement on a moment."""

    id: str
    query: str
    relevant: bool
    start: float
    end: float
    moment: MomentAnswer | None
    saved: str


class FavouritesAnswer(BaseModel):
    """Judgements, newest first."""

    favourites: list[FavouriteAnswer]
