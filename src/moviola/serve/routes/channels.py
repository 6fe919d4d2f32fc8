"""Answer requests about channels: what they cover, and what it takes to read one more."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from moviola.core import MissingExtraError, MoviolaError
from moviola.library import ChannelCoverage, LibraryCard, count_channels
from moviola.pipeline.passages.adding import estimate, find_outdated
from moviola.pipeline.passages.channels import choose_channels
from moviola.plugins.channels import channel_names, load_channel
from moviola.retrieve.parsing import group_of
from moviola.serve.errors import ApiError
from moviola.serve.schemas import ChannelAnswer, ChannelsAnswer, EstimateAnswer
from moviola.serve.search.params import Channel
from moviola.serve.state import ServerState, state_of

router = APIRouter(prefix="/api/channels", tags=["channels"])
WithState = Annotated[ServerState, Depends(state_of)]
SomeChannels = Annotated[list[Channel], Field(min_length=1, max_length=20)]


@router.get("")
def channels(state: WithState) -> ChannelsAnswer:
    """List the channels that are installed or were read."""
    library = state.watch.opened()
    known = {each.name: each for each in LibraryCard.read(library.path).channels}
    counted = count_channels(library.videos())
    names = sorted({*known, *counted, *channel_names()})
    found: list[ChannelAnswer] = []
    for name in names:
        counts = counted.get(name, ChannelCoverage())
        missing = _missing(name) if name not in counted else ""
        is_off = name in known and not known[name].version
        usual = "off" if is_off else "read" if name in known else "offered"
        found.append(
            ChannelAnswer(
                name=name,
                group=group_of(name),
                state="not_installed" if missing else usual,
                message=missing,
                videos=counts.videos,
                passages=counts.passages,
                partial=counts.partial,
                failed=counts.failed,
            )
        )
    return ChannelsAnswer(channels=found)


@router.get("/estimate")
async def estimate_cost(
    channel: Annotated[SomeChannels, Query()], state: WithState
) -> EstimateAnswer:
    """Estimate what it takes to read channels of the videos that are there."""
    check_installed(channel)
    return await state.slow_work.run(partial(_estimated, state, channel))


def check_installed(names: list[str]) -> None:
    """Refuse what is not the name of an installed channel: code is never named by a request.

    Raises:
        ApiError: 422 where there is no such channel, or what it needs is not installed.
    """
    if not names:
        raise ApiError(422, "invalid", "channels: name the channels to read")
    for name in names:
        if name not in channel_names():
            there = f"there is no channel {name}; there are {', '.join(channel_names())}"
            raise ApiError(422, "invalid", f"channel: {there}")
        if message := _missing(name):
            raise ApiError(422, "not_installed", message)


def _estimated(state: ServerState, names: list[str]) -> EstimateAnswer:
    """Estimate as the command line does, in a thread."""
    library = state.watch.opened()
    chosen = choose_channels(LibraryCard.read(library.path), names)
    found = estimate(find_outdated(library.videos(), chosen))
    return EstimateAnswer(
        channels=list(found.channels),
        videos=found.videos,
        film=found.film,
        seconds=found.seconds,
        bytes=found.bytes,
    )


def _missing(name: str) -> str:
    """Say what an installed channel lacks, nothing where it can be read."""
    if name not in channel_names():
        return ""
    try:
        load_channel(name)
    except MissingExtraError as error:
        return str(error)
    except (MoviolaError, TypeError) as error:
        return f"the channel {name!r} cannot be loaded: {error}"
    return ""
