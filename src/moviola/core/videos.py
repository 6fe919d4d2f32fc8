"""Facts about a video file, as its packets tell them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

#: An entry of a folder is an input when its suffix, lower case, is one of these. What the bytes
#: are is decided by the demuxer later.
VIDEO_SUFFIXES: frozenset[str] = frozenset(
    {
        ".3g2",
        ".3gp",
        ".asf",
        ".avi",
        ".f4v",
        ".flv",
        ".gif",
        ".m1v",
        ".m2t",
        ".m2ts",
        ".m2v",
        ".m4v",
        ".mj2",
        ".mkv",
        ".mod",
        ".mov",
        ".mp4",
        ".mpe",
        ".mpeg",
        ".mpg",
        ".mts",
        ".ogm",
        ".ogv",
        ".qt",
        ".tod",
        ".ts",
        ".vob",
        ".webm",
        ".wmv",
    }
)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """The facts that probing a file found. Times come from packets, not from its claims.

    Attributes:
        duration: seconds from the first moment to the end of the last frame.
        width: displayed width in pixels, after rotation.
        height: displayed height in pixels, after rotation.
        frames: number of video packets that carry a frame.
        codec: name of the video codec, such as `h264`.
        container: name of the demuxer, such as `mov,mp4,m4a,3gp,3g2,mj2`.
        has_sound: whether there is an audio stream that can be decoded.
        created: creation time as the container states it (ISO 8601), or None.
    """

    duration: float
    width: int
    height: int
    frames: int
    codec: str
    container: str
    has_sound: bool
    created: str | None = None


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """Name one state of one file: device, inode, size in bytes, time of change in nanoseconds."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        """Read the identity out of a file's status."""
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
