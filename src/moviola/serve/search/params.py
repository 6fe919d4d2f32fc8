"""Check parameters that several routes take, and turn them into our nouns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Annotated, Literal

from fastapi import Query as QueryString
from pydantic import BaseModel, ConfigDict, Field

from moviola.library import VideoFilter
from moviola.retrieve.query import (
    LEAST_WITHIN,
    LONGEST_QUERY,
    MOST_STEPS,
    MOST_WITHIN,
    WEIGHT,
    WITHIN,
    Picture,
    Query,
)
from moviola.serve.errors import ApiError
from moviola.serve.folders import Folders

ID = r"^[0-9a-z-]{1,80}$"
Id = Annotated[str, Field(pattern=ID)]
Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,40}$")]
Words = Annotated[str, Field(max_length=LONGEST_QUERY)]
_LONGEST = 10_000_000.0  # seconds; beyond it is a slip of the finger


class Filters(BaseModel):
    """The videos to look at."""

    model_config = ConfigDict(extra="ignore")

    folder: Id | None = None
    shortest: Annotated[float, Field(ge=0, le=_LONGEST)] | None = None
    longest: Annotated[float, Field(ge=0, le=_LONGEST)] | None = None
    since: date | None = None
    until: date | None = None
    resolution: Annotated[int, Field(ge=1, le=100_000)] | None = None
    sound: bool | None = None
    missing: bool = False
    video: Annotated[list[Id], Field(max_length=1000)] = Field(default_factory=list)

    def as_filter(self, folders: Folders) -> VideoFilter:
        """Make the filter, its folder looked up among those of the library.

        Raises:
            ApiError: 404 where there is no such folder.
        """
        below = None
        if self.folder is not None:
            below = folders.paths.get(self.folder)
            if below is None:
                raise ApiError(404, "not_found", f"there is no folder {self.folder} any more")
        return VideoFilter(
            shortest=self.shortest,
            longest=self.longest,
            has_sound=self.sound,
            below=below,
            videos=frozenset(self.video) if self.video else None,
            missing=self.missing,
            since=self.since,
            until=self.until,
            least_lines=self.resolution,
        )


class QueryParams(BaseModel):
    """A query, as it is sent."""

    model_config = ConfigDict(extra="ignore")

    q: Words = ""
    then: Annotated[list[Words], Field(max_length=MOST_STEPS)] = Field(default_factory=list[str])
    within: Annotated[float, Field(ge=LEAST_WITHIN, le=MOST_WITHIN)] = WITHIN
    picture: Id | None = None
    weight: Annotated[float, Field(ge=0, le=1)] = WEIGHT
    clip: Id | None = None
    own: bool = False
    channel: Annotated[
        list[Channel], Field(max_length=20, description="Where to look; everywhere without one.")
    ] = Field(default_factory=list[str])

    def query(
        self,
        pictures: Sequence[Picture] = (),
        filters: VideoFilter | None = None,
        known: Collection[str] = (),
    ) -> Query:
        """Make the query; `pictures` are what the id `picture` stands for.

        Args:
            pictures: vectors to search with.
            filters: which videos to search.
            known: names of the library's own channels.

        Raises:
            ApiError: 422 where it is empty or too long, or asks a channel that is not there.
        """
        try:
            return Query.parse(
                self.q,
                then=self.then,
                within=self.within,
                pictures=pictures,
                like=self.clip,
                own=self.own,
                weight=self.weight,
                filters=filters,
                channels=self.channel or None,
                known=known,
            )
        except ValueError as error:
            raise ApiError(422, "invalid", f"q: {error}") from error


class Shown(BaseModel):
    """The part and the order of what is found."""

    model_config = ConfigDict(extra="ignore")

    group: Literal["video", "none"] = "video"
    duplicates: Literal["collapse", "show"] = "collapse"
    sort: Literal["score", "date", "name"] = "score"
    top: Annotated[int, Field(ge=1, le=1000)] = 60


class SearchParams(QueryParams, Filters, Shown):
    """The parameters of `/api/search`."""


class BrowseParams(Filters):
    """The parameters of `/api/videos`."""

    sort: Literal["date", "name"] = "date"
    top: Annotated[int, Field(ge=1, le=1000)] = 60
    offset: Annotated[int, Field(ge=0, le=100_000_000)] = 0


Searching = Annotated[SearchParams, QueryString()]
Browsing = Annotated[BrowseParams, QueryString()]
Asking = Annotated[QueryParams, QueryString()]
