"""Write pictures, sound and subtitles of the world as a film."""

# PyAV leaves types of its streams open.
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from moviola.synthetic.shapes.sound import RATE, tone
from moviola.synthetic.shapes.world import Take

if TYPE_CHECKING:
    from av.container import OutputContainer
    from av.subtitles.stream import SubtitleStream
    from numpy.typing import NDArray

FRAME_RATE = 12
QUALITY = 23
"""Constant rate factor of H.264; 23 is what most people's software uses."""
AUDIO_FRAME = 1024
MILLISECOND = Fraction(1, 1000)
HEADER = b"[V4+ Styles]\nFormat: Name\nStyle: Default\n\n[Events]\n"
"""FFmpeg opens no encoder of subtitles without a header, though none encodes anything here."""

Cue = tuple[float, float, str]


def write_film(
    path: Path,
    takes: Sequence[Take],
    frames: Iterable[NDArray[np.uint8]],
    size: int,
    cues: Sequence[Cue] = (),
) -> None:
    """Write the sound of takes with frames `(size, size, 3)` and subtitles as an MP4 file.

    Args:
        path: the file.
        takes: whose sound it has.
        frames: the pictures, `FRAME_RATE` a second.
        size: side of the pictures.
        cues: start and end in seconds and text of each subtitle; without any, there is no track.
    """
    sound = np.concatenate([tone(take.sound, take.seconds) for take in takes])
    # `bitexact` leaves out what would differ between two runs: the writing library and the date.
    with av.open(
        str(path), "w", format="mp4", options={"fflags": "+bitexact", "movflags": "faststart"}
    ) as file:
        pictures = file.add_stream("libx264", rate=FRAME_RATE)
        pictures.width = pictures.height = size
        pictures.pix_fmt = "yuv420p"
        # One thread: the bytes must not depend on the number of cores.
        pictures.options = {
            "crf": str(QUALITY),
            "preset": "veryfast",
            "threads": "1",
            "flags": "+bitexact",
        }
        audio = file.add_stream("aac", rate=RATE, layout="mono")
        audio.options = {"flags": "+bitexact"}
        titles = _add_titles(file) if cues else None
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
            file.mux(pictures.encode(frame))
        file.mux(pictures.encode(None))
        for start in range(0, len(sound), AUDIO_FRAME):
            part = av.AudioFrame.from_ndarray(
                sound[None, start : start + AUDIO_FRAME], format="fltp", layout="mono"
            )
            part.sample_rate, part.pts, part.time_base = RATE, start, Fraction(1, RATE)
            file.mux(audio.encode(part))
        file.mux(audio.encode(None))
        if titles is not None:
            file.mux([_title(titles, cue) for cue in cues])


def _add_titles(file: OutputContainer) -> SubtitleStream:
    titles = cast("SubtitleStream", file.add_stream("mov_text"))
    titles.codec_context.subtitle_header = HEADER
    titles.time_base = MILLISECOND
    titles.metadata["language"] = "eng"
    return titles


def _title(titles: SubtitleStream, cue: Cue) -> av.Packet:
    start, end, text = cue
    data = text.encode()
    # A sample of mov_text is its length in two bytes, and the text.
    packet = av.Packet(len(data).to_bytes(2, "big") + data)
    packet.stream, packet.time_base = titles, MILLISECOND
    packet.pts = packet.dts = round(1000 * start)
    packet.duration = round(1000 * (end - start))
    return packet
