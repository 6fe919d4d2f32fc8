"""Facts about a video file, as its packets tell them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What probing a file found. Times come from packets, not from the container's claims.

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
