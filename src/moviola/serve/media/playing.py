"""Judge whether a browser can play a file as it is, and say why it cannot."""

from __future__ import annotations

from dataclasses import dataclass

from moviola.library import VideoRecord
from moviola.video import PlayFacts

# The fixed table of what is ever served as a video. By demuxer; Matroska's plays as WebM only.
_MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
_MATROSKA = "matroska,webm"
_TYPES = {_MP4: "video/mp4", "ogg": "video/ogg"}
_WEBM = "video/webm"
# What Chromium, Firefox and Safari all decode without help of the system.
_PICTURES = {_MP4: {"h264", "av1"}, _MATROSKA: {"vp8", "vp9", "av1"}}
_SOUNDS = {_MP4: {"aac", "mp3", "flac", "opus"}, _MATROSKA: {"opus", "vorbis"}}
_PIXELS = {"yuv420p", "yuvj420p"}
_FIRST_BOXES = {b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"styp", b"uuid"}
_WEBM_MAGIC, _OGG_MAGIC = bytes.fromhex("1a45dfa3"), b"OggS"


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold the facts that decide whether a browser plays a file.

    Attributes:
        direct: whether every current browser plays the file as it is.
        codec: what it cannot play in words, such as `hevc (10 bit)`; else the codec.
        title: the container's title, None where it has none.
    """

    direct: bool
    codec: str
    title: str | None = None


def judge(record: VideoRecord, found: PlayFacts) -> Facts:
    """Judge whether the file of `record`, in which `found` was found, plays as it is."""
    deep = found.bits > 8
    known = found.codec in _PICTURES.get(found.container, ()) and media_type(record) is not None
    pictures = known and found.pixels in _PIXELS
    sound = found.sound is None or found.sound in _SOUNDS.get(found.container, ())
    words = f"{found.codec} ({found.bits} bit)" if deep else found.codec
    if not deep and known and not pictures:
        words = f"{found.codec} ({found.pixels})"
    if pictures and not sound:
        words = f"{found.sound} sound"
    elif not known and found.codec in {"h264", "av1", "vp8", "vp9"}:
        suffix = record.path.suffix.lower().lstrip(".")
        words = f"{words} in {suffix or found.container}"
    return Facts(pictures and sound, words, found.title or None)


def media_type(record: VideoRecord) -> str | None:
    """Return the MIME type to serve a file with, None where browsers play no such container."""
    if record.info is None:
        return None
    if record.info.container == _MATROSKA:
        return _WEBM if record.path.suffix.lower() == ".webm" else None
    return _TYPES.get(record.info.container)


def begins_like(kind: str, head: bytes) -> bool:
    """Tell whether the first 12 bytes of a file are those of the container of a MIME type."""
    if kind == "video/mp4":  # ISO 14496-12: the type of the first box
        return head[4:8] in _FIRST_BOXES
    return head.startswith(_WEBM_MAGIC if kind == _WEBM else _OGG_MAGIC)
