"""Read what a video is called: its file and folders, and the tags and chapters of its container."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from moviola.core import (
    ChannelTools,
    Passage,
    Span,
    Surrounding,
    VideoInfo,
    display_path,
)

#: Counts up with what this code makes of the same names.
REVISION = 1
#: Tags that people or programs write for people; the others are about the file.
TAGS = (
    *("title", "description", "synopsis", "comment", "keywords", "subtitle", "summary"),
    *("artist", "author", "composer", "album", "show", "episode_id", "genre", "location"),
)


class NamesChannel:
    """Read names: each name, tag and chapter is a passage; a chapter has its own span."""

    name = "names"
    version = f"names:{REVISION}"
    surroundings: Sequence[Surrounding] = ("names",)

    def passages(self, video: Path, info: VideoInfo, tools: ChannelTools) -> Iterator[Passage]:
        """Yield the names, by start; those of the whole video first.

        Raises:
            VideoUnreadableError: when the container cannot be read.
        """
        whole = Span(0.0, info.duration)
        told = tools.container_texts()
        texts = [
            *_path_texts(tools.names or (Path(video.name),)),
            *(told.tags[tag] for tag in TAGS if tag in told.tags),
        ]
        found = [(whole, text) for text in dict.fromkeys(map(_cleaned, texts))]
        found += [
            (Span(span.start, min(span.end, info.duration)), _cleaned(title))
            for span, title in sorted(told.chapters, key=lambda chapter: chapter[0])
            if span.start < info.duration
        ]
        for span, text in found:
            if text:
                yield Passage("", span, text, self.name)


def load() -> NamesChannel:
    """Load the channel `names`."""
    return NamesChannel()


def _path_texts(names: Sequence[Path]) -> Iterator[str]:
    """Yield the name of each file without its suffix, then those of the folders above it."""
    for name in names:
        yield display_path(Path(name.stem))
        yield from (display_path(Path(part)) for part in name.parent.parts)


def _cleaned(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split()))
