"""Gather the passages of a video of a library, or of all its videos."""

from __future__ import annotations

import os
from pathlib import Path

from moviola.core import Passage, display_path
from moviola.library import Library, VideoRecord
from moviola.library.storage.card import CARD_NAME
from moviola.pipeline.search.search import open_library


def passages(
    video: Path | str | None = None,
    *,
    library: Library | Path | str | None = None,
    channel: str | None = None,
) -> list[Passage]:
    """List what a video says, shows in writing and is called, by start.

    Args:
        video: a file of the library, or a video's id; None means all, one after another.
        library: an open library, or its folder; None means the one in the user's data folder.
        channel: only what this channel found, such as `subtitles`.

    Raises:
        FileNotFoundError: when there is no library, or no such video in it.
        ValueError: when no such channel was read.
    """
    opened = library if isinstance(library, Library) else open_library(library)
    if channel is not None and channel not in opened.channel_names:
        names = ", ".join(opened.channel_names) or "none yet"
        raise ValueError(
            f"no channel {channel!r} was read into this library; its channels are {names}. Read "
            f"it with: moviola index --channel {channel}"
        )
    return opened.passages(None if video is None else find_video(opened, video).id, channel)


def find_video(library: Library, video: Path | str) -> VideoRecord:
    """Find the record of a video by the path of a file or by its id.

    Raises:
        FileNotFoundError: when the library holds no such video.
    """
    path = Path(os.path.abspath(Path(video).expanduser()))  # noqa: PTH100 - links stay links
    for record in library.videos():
        if record.id == str(video) or record.name_at(path) is not None:
            return record
    raise FileNotFoundError(
        f"the library {display_path(library.path)} holds no video {display_path(path)}; "
        "moviola status lists its folders"
    )


def is_library(path: Path) -> bool:
    """Test whether a folder is a library, rather than a video or a folder of videos."""
    return (path / CARD_NAME).is_file()
