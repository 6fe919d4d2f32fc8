"""Read subtitles: text tracks of a container, and files of timed text beside a video."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moviola.channels.subtitles.channel import SubtitlesChannel


def load() -> SubtitlesChannel:
    """Load the channel `subtitles`."""
    from moviola.channels.subtitles.channel import SubtitlesChannel

    return SubtitlesChannel()
