"""Read what a container holds as text: tracks, tags, chapters. Runs in the worker.

Packets of text tracks are taken as they lie in the file; no decoder of FFmpeg's sees them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import av.error
from av.stream import Discard

from moviola.core import ContainerTexts, Cue, Span, TextTrack, VideoUnreadableError
from moviola.video.decode.clock import seconds_of
from moviola.video.decode.head import read_head
from moviola.video.decode.opening import open_container
from moviola.video.texts import FileTexts

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

    from moviola.video.limits import Limits

#: Codecs of text tracks that are read; pictures of text (DVD, DVB, Blu-ray) are not.
TEXT_CODECS = frozenset({"subrip", "mov_text", "webvtt", "ass"})
_MOST_TRACKS = 64
_MOST_CHAPTERS = 2000
_MOST_TAGS = 64
_LONGEST_TAG = 4096
# A cue without a length of its own stands until the next one, and no longer than this.
_LONGEST_UNTOLD = 5.0
_FIELDS_BEFORE_TEXT = 8  # of a packet of ASS in Matroska: order, layer, style, ..., effect


def read_texts(path: Path, container: InputContainer, limits: Limits) -> FileTexts:
    """Read tags and chapters from the headers, and the text tracks where there are any.

    `container` stays as it was; the tracks are read from one opened anew.

    Raises:
        VideoUnreadableError: when the file cannot be opened again.
    """
    tags, chapters = _tags(container.metadata), list(_chapters(container))
    wanted = _text_streams(container)
    if not wanted and not chapters:
        return FileTexts(ContainerTexts(tags))
    zero = _zero(path, limits)
    told = ContainerTexts(tags, tuple(_shifted(chapters, zero)))
    if not wanted:
        return FileTexts(told)
    reader = _TrackReader(zero, limits)
    with closing(open_container(path, limits)) as opened:
        reader.read(opened)
    tracks = reader.tracks()
    return FileTexts(told, tracks, reader.complaint())


def _text_streams(container: InputContainer) -> list[Stream]:
    found = [stream for stream in container.streams if _codec(stream) in TEXT_CODECS]
    return found[:_MOST_TRACKS]


def _codec(stream: Stream) -> str:
    context = stream.codec_context if stream.type == "subtitle" else None
    return context.codec.canonical_name if context is not None else ""


def _zero(path: Path, limits: Limits) -> float:
    try:
        return read_head(path, limits).zero
    except VideoUnreadableError:  # no picture can be shown: the file's own clock is all there is
        return 0.0


def _tags(metadata: Mapping[str, str]) -> dict[str, str]:
    told = {name.lower()[:100]: _clean(value)[:_LONGEST_TAG] for name, value in metadata.items()}
    return dict([pair for pair in told.items() if pair[1].strip()][:_MOST_TAGS])


def _chapters(container: InputContainer) -> Iterator[tuple[float, float, str]]:
    """Yield start, end and title of chapters, in seconds of the file's own clock."""
    for chapter in container.chapters()[:_MOST_CHAPTERS]:
        title = _clean(chapter["metadata"].get("title", ""))[:_LONGEST_TAG]
        base = chapter["time_base"]
        if title.strip() and base:
            yield float(chapter["start"] * base), float(chapter["end"] * base), title


def _shifted(chapters: list[tuple[float, float, str]], zero: float) -> Iterator[tuple[Span, str]]:
    for start, end, title in chapters:
        first, last = max(0.0, _from_zero(start, zero)), _from_zero(end, zero)
        if math.isfinite(last) and last > first:
            yield Span(first, last), title


@dataclass(slots=True)
class _Track:
    """Cues of a track so far, each with its start, its end (inf where untold) and its text."""

    codec: str
    metadata: Mapping[str, str]
    cues: list[tuple[float, float, str]] = field(default_factory=list)


class _TrackReader:
    """Read the packets of all text tracks of a file in one pass over it."""

    def __init__(self, zero: float, limits: Limits) -> None:
        self._zero = zero
        self._limits = limits
        self._tracks: dict[int, _Track] = {}
        self._cues = self._bytes = 0
        self._cut = self._untimed = 0
        self._full = self._broken = False

    def read(self, container: InputContainer) -> None:
        """Read packets until the file or the room for them ends."""
        streams = _text_streams(container)
        # What is needed of a stream is copied: it is gone with its container.
        self._tracks = {s.index: _Track(_codec(s), dict(s.metadata)) for s in streams}
        for stream in container.streams:
            if stream.index not in self._tracks:
                stream.discard = Discard.all
        try:
            for packet in container.demux(streams):
                if packet.size and not self._take(packet):
                    return
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            self._broken = True

    def tracks(self) -> tuple[TextTrack, ...]:
        """Return what was read, in the order of the file."""
        return tuple(self._finished(track) for track in self._tracks.values())

    def complaint(self) -> str:
        """Tell in a sentence what is missing, `""` where nothing is."""
        notes = [
            (self._cut, f"cues cut to {self._limits.cue_characters} characters: {self._cut}"),
            (self._untimed, f"cues without usable times left out: {self._untimed}"),
            (self._full, "cues beyond the limits on one file's text were left out"),
            (self._broken, "the file breaks off"),
        ]
        return "; ".join(note for found, note in notes if found)

    def _take(self, packet: Packet[Stream]) -> bool:
        """Keep the text of a packet; False where no more is to be read."""
        limits = self._limits
        if self._cues >= limits.max_cues or self._bytes >= limits.text_bytes:
            self._full = True
            return False
        track = self._tracks[packet.stream.index]
        start = seconds_of(packet)
        data = memoryview(packet)[: 4 * limits.cue_characters + 1]
        text = _text_of(track.codec, bytes(data))
        if not text.strip():
            return True
        if start is None or start - self._zero < -_LONGEST_UNTOLD:
            self._untimed += 1
            return True
        if len(text) > limits.cue_characters or packet.size > len(data):
            self._cut += 1
            text = text[: limits.cue_characters]
        length = float((packet.duration or 0) * (packet.time_base or 0))
        end = start + length if length > 0 else math.inf
        track.cues.append((_from_zero(start, self._zero), _from_zero(end, self._zero), text))
        self._cues += 1
        self._bytes += len(text)
        return True

    def _finished(self, track: _Track) -> TextTrack:
        track.cues.sort(key=lambda cue: cue[0])
        following = [*(start for start, _, _ in track.cues), math.inf][1:]
        cues: list[Cue] = []
        for (start, end, text), after in zip(track.cues, following, strict=True):
            last = end if math.isfinite(end) else min(after, start + _LONGEST_UNTOLD)
            first = max(start, 0.0)
            if last > first:
                cues.append(Cue(Span(first, last), text))
            else:
                self._untimed += 1
        language = track.metadata.get("language", "")[:35]
        title = _clean(track.metadata.get("title", ""))[:_LONGEST_TAG]
        told = language if language and language != "und" else None
        return TextTrack(track.codec, told, title, tuple(cues))


def _text_of(codec: str, data: bytes) -> str:
    """Read the text of a packet, without what its codec puts around it."""
    if codec == "mov_text":
        return _clean(_mov_text(data))
    text = data.decode("utf-8", "replace")
    if codec == "ass":
        text = text.split(",", _FIELDS_BEFORE_TEXT)[-1]
    return _clean(text)


def _mov_text(data: bytes) -> str:
    """Read a sample of 3GPP timed text (TS 26.245, 5.17): its length, its text, then styles."""
    text = data[2 : 2 + int.from_bytes(data[:2])]
    if text[:2] in (b"\xfe\xff", b"\xff\xfe"):
        return text.decode("utf-16", "replace")
    return text.decode("utf-8", "replace")


def _from_zero(time: float, zero: float) -> float:
    """Return seconds after `zero`, to the microsecond: ticks are no finer, differences are."""
    return round(time - zero, 6)


def _clean(text: str) -> str:
    """Replace what is no character: zero bytes and lone surrogates."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
