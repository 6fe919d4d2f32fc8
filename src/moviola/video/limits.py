"""Bound what a file may cost before it is given up."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from moviola.core import VideoInfo

GIB = 1 << 30
MIB = 1 << 20

# What a core decodes in a second without effort: 720p at 30 frames a second.
_EASY_PIXELS_A_SECOND = 1280 * 720 * 30


@dataclass(frozen=True, slots=True)
class Limits:
    """Hold the limits of one decoding worker and of one file.

    Attributes:
        memory_bytes: address space of a worker (POSIX; elsewhere there is no such limit).
        max_pixels: largest coded picture that is decoded; 8K by default.
        open_seconds: wall-clock seconds to open a file and recognise its streams.
        decode_seconds: wall-clock seconds to decode a file, at the least.
        decode_share: seconds of decoding allowed for each second of 720p30; larger pictures get
            proportionally more, see `decode_limit`.
        decode_at_most: wall-clock seconds after which any file is given up.
        max_clips: clips taken of one video; the rest is left out, with a message.
        frame_pixels: larger frames are reduced to about this many pixels before they leave the
            worker.
        clip_frame_pixels: the same for frames of clips, which wait in memory for an encoder: more
            than any encoder sees of a frame.
        clip_bytes: frames of a clip that would take more are reduced further; a clip whose sound
            would take more is refused.
        max_cues: cues taken of the text tracks of one file, and of one file of subtitles.
        cue_characters: longer cues are cut.
        text_bytes: text taken of the tracks of one file; a file of subtitles that is larger is
            refused.
        extra_codecs: names of FFmpeg decoders allowed beyond the built-in list.
    """

    memory_bytes: int = 4 * GIB
    max_pixels: int = 33_177_600
    open_seconds: float = 20.0
    decode_seconds: float = 60.0
    decode_share: float = 0.5
    decode_at_most: float = 6 * 3600.0
    max_clips: int = 20_000
    frame_pixels: int = 4 * MIB
    clip_frame_pixels: int = MIB
    clip_bytes: int = 256 * MIB
    max_cues: int = 50_000
    cue_characters: int = 4096
    text_bytes: int = 8 * MIB
    extra_codecs: tuple[str, ...] = ()

    @property
    def message_bytes(self) -> int:
        """Count the most bytes of one message: frames, their sound, and what rounding may add."""
        return 2 * self.clip_bytes + 64 * MIB

    def scan_limit(self, size: int) -> float:
        """Allow seconds to read the packets of a file of `size` bytes from a slow disk."""
        return min(self.decode_seconds + size / (10 * MIB), self.decode_at_most)

    def decode_limit(self, info: VideoInfo) -> float:
        """Allow seconds to decode a video: `max(decode_seconds, decode_share * duration)`.

        The duration counts no more than a second a frame, so that one claimed by a lone timestamp
        buys nothing, and more where the pictures are larger or the rate higher than 720p30.
        """
        easy = info.frames * info.width * info.height / _EASY_PIXELS_A_SECOND
        work = max(min(info.duration, float(info.frames)), easy)
        return min(max(self.decode_seconds, self.decode_share * work), self.decode_at_most)


# Inside a worker: the limits it was started with, for segmenters that decode by themselves.
IN_FORCE: ContextVar[Limits] = ContextVar("IN_FORCE")
