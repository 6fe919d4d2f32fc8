"""Whether a browser can play a file as it is."""

from __future__ import annotations

from dataclasses import dataclass

from moviola.library import VideoRecord

# The fixed table of what is ever served as a video. By demuxer; Matroska's plays as WebM only.
_TYPES = {"mov,mp4,m4a,3gp,3g2,mj2": "video/mp4", "ogg": "video/ogg"}
_WEBM = "video/webm"


@dataclass(frozen=True, slots=True)
class Facts:
    """What decides whether a browser plays a file.

    Attributes:
        direct: whether every current browser plays the file as it is.
        codec: the codec in words, such as `hevc (10 bit)`.
        title: the container's title, None where it has none.
    """

    direct: bool
    codec: str
    title: str | None = None


def media_type(record: VideoRecord) -> str | None:
    """The MIME type to serve a video's file with, None where browsers play no such container."""
    if record.info is None:
        return None
    if record.info.container == "matroska,webm":
        return _WEBM if record.path.suffix.lower() == ".webm" else None
    return _TYPES.get(record.info.container)
