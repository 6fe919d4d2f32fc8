"""List the containers and codecs that are opened: the allowed, not the bad."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# FFmpeg's own names. Playlists (hls, dash, concat, sdp), picture sequences and picture pipes are
# left out on purpose: they open other files, or make a video of a photograph.
DEMUXERS: tuple[str, ...] = (
    "mov",
    "mp4",
    "m4a",
    "3gp",
    "3g2",
    "mj2",
    "matroska",
    "webm",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "flv",
    "asf",
    "ogg",
    "gif",
)

# Decoders that cameras, phones, editors and the web need, each of them widely fuzzed. The others of
# FFmpeg's several hundred are rare, and rarely looked at.
VIDEO_CODECS: tuple[str, ...] = (
    "av1",
    "dnxhd",
    "ffv1",
    "flv",
    "gif",
    "h263",
    "h264",
    "hevc",
    "libdav1d",
    "mjpeg",
    "mpeg1video",
    "mpeg2video",
    "mpeg4",
    "prores",
    "theora",
    "vc1",
    "vp8",
    "vp9",
    "vvc",
    "wmv3",
)

AUDIO_CODECS: tuple[str, ...] = (
    "aac",
    "aac_latm",
    "ac3",
    "alac",
    "amrnb",
    "amrwb",
    "eac3",
    "flac",
    "mp2",
    "mp2float",
    "mp3",
    "mp3float",
    "opus",
    "pcm_alaw",
    "pcm_f32be",
    "pcm_f32le",
    "pcm_mulaw",
    "pcm_s16be",
    "pcm_s16le",
    "pcm_s24be",
    "pcm_s24le",
    "pcm_s32be",
    "pcm_s32le",
    "pcm_s8",
    "pcm_u8",
    "vorbis",
    "wmapro",
    "wmav1",
    "wmav2",
)


def require_decoders(names: Iterable[str]) -> None:
    """Refuse names that are no decoder of FFmpeg, such as misspelt ones.

    Raises:
        ValueError: naming the first.
    """
    from av.codec.codec import Codec, UnknownCodecError

    for name in names:
        try:
            Codec(name, "r")
        except (UnknownCodecError, ValueError):
            raise ValueError(
                f"FFmpeg has no decoder {name!r}; the message of a file that needs one names it"
            ) from None
