"""Read the text tracks of a container and the files of timed text beside it."""

from __future__ import annotations

import importlib.metadata
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from moviola.channels.subtitles.joining import join
from moviola.channels.subtitles.languages import language_tag
from moviola.channels.subtitles.sidecars import read_sidecar
from moviola.channels.subtitles.styling import plain
from moviola.core import ChannelTools, Cue, Passage, Span, Surrounding, VideoInfo

#: Counts up with what this code makes of the same cues.
REVISION = 1
_LIBRARIES = ("pysubs2", "charset-normalizer")


class SubtitlesChannel:
    """Read subtitles: of each track and file its lines without styling, each with its span."""

    name = "subtitles"
    surroundings: Sequence[Surrounding] = ("sidecars",)

    @property
    def version(self) -> str:
        """Return the revision of this code and the releases of what parses and decodes files."""
        releases = [f"{name}:{importlib.metadata.version(name)}" for name in _LIBRARIES]
        return " ".join([f"subtitles:{REVISION}", *releases])

    def passages(self, video: Path, info: VideoInfo, tools: ChannelTools) -> Iterator[Passage]:
        """Yield the lines of all tracks and files, by start.

        Raises:
            VideoUnreadableError: when the container cannot be read.
        """
        del video
        found: set[Passage] = set()
        late = 0
        for language, cues in _sources(tools):
            for cue in join(cues):
                if cue.span.start >= info.duration:
                    late += 1
                    continue
                span = Span(cue.span.start, min(cue.span.end, info.duration))
                found.add(Passage("", span, cue.text, self.name, language))
        if late:
            tools.note(f"cues after the end of the video left out: {late}")
        # The same line of two tracks is one, under the language that is known.
        lines: dict[tuple[Span, str], Passage] = {}
        for passage in sorted(found, key=lambda each: (each.span, each.text, each.language or "")):
            key = (passage.span, passage.text)
            if key not in lines or lines[key].language is None:
                lines[key] = passage
        yield from lines.values()


def _sources(tools: ChannelTools) -> Iterator[tuple[str | None, list[Cue]]]:
    """Yield the language and the cues, without styling, of each track and file."""
    for track in tools.text_tracks():
        yield language_tag(track.language), _unstyled(track.cues, track.codec)
    for file in tools.sidecars():
        try:
            cues, left_out = read_sidecar(file.name, file.data)
        except ValueError as error:
            tools.note(f"a file of subtitles was left out: {error}")
            continue
        if left_out:
            tools.note(left_out)
        suffix = file.name.rpartition(".")[2].lower()
        yield language_tag(file.language), _unstyled(cues, _CODECS.get(suffix, suffix))


_CODECS = {"srt": "subrip", "vtt": "webvtt", "ssa": "ass"}


def _unstyled(cues: Iterable[Cue], codec: str) -> list[Cue]:
    texts = [(cue.span, unicodedata.normalize("NFC", plain(cue.text, codec))) for cue in cues]
    return [Cue(span, text) for span, text in texts if text]
