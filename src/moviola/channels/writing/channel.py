"""Read what is written in the pictures of a video, one picture a second at most."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.channels.writing.changes import Changes, changes, small_grey
from moviola.channels.writing.joining import Joiner, shared
from moviola.channels.writing.reading import Line, LineReader, box_of
from moviola.channels.writing.rows import in_rows
from moviola.core import Box, ChannelTools, Passage, PictureSpec, VideoInfo, VideoUnreadableError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Counts up with what this code makes of the same pictures.
REVISION = 1
#: Boxes that share this much are of one line, found twice.
SAME_PLACE = 0.6


class WritingChannel:
    """Read signs, titles and burnt-in clocks, with PP-OCR on ONNX Runtime.

    Args:
        threads: processor threads that recognition uses.
    """

    name = "writing"
    pictures = PictureSpec(every=1.0, longest=1920)

    def __init__(self, threads: int = 1) -> None:
        self._threads = threads
        self._reader: LineReader | None = None

    @property
    def version(self) -> str:
        """Return the revision of this code and the release of rapidocr, whose wheel has models."""
        return f"writing:{REVISION} rapidocr:{importlib.metadata.version('rapidocr')}"

    def passages(self, video: Path, info: VideoInfo, tools: ChannelTools) -> Iterator[Passage]:
        """Yield the lines that stand in the pictures, each with its span and box, by start.

        A line spans from the first picture that shows it to the first that does not.

        Raises:
            VideoUnreadableError: when the file breaks off, after what was read before.
            WeightsUnavailableError: when the wheel of rapidocr does not hold its models.
        """
        del video
        joiner = Joiner(self.name)
        last, broken = -1.0, None
        try:
            for shown, lines in self._lines(tools):
                joiner.see(shown, lines)
                last = shown
        except VideoUnreadableError as error:
            broken = error
        yield from joiner.passages(max(info.duration, last + 1e-3))
        if broken is not None:
            raise broken

    def _lines(self, tools: ChannelTools) -> Iterator[tuple[float, list[Line]]]:
        """Yield the lines of each picture, which is looked at only where it changed."""
        before: NDArray[np.float32] | None = None
        lines: list[Line] = []
        last = -1.0
        for frames in tools.frames():
            for picture, shown in zip(frames.pixels, frames.times.tolist(), strict=True):
                if shown <= last:
                    continue
                now = small_grey(picture)
                changed = changes(before, now)
                if changed:
                    lines, before = self._read(picture, lines, changed), now
                else:
                    lines = [replace(line, fresh=False) for line in lines]
                height, width = picture.shape[:2]
                yield shown, in_rows(lines, width / height)
                last = shown

    def _read(self, picture: NDArray[np.uint8], known: list[Line], changed: Changes) -> list[Line]:
        """Read the lines of a picture; those that did not change are taken over."""
        if self._reader is None:
            self._reader = LineReader(self._threads)
        height, width = picture.shape[:2]
        found = [
            (corners, box_of(corners, height, width)) for corners in self._reader.find(picture)
        ]
        kept: list[Line] = []
        new: list[tuple[NDArray[np.float32], Box]] = []
        for corners, box in found:
            old = next((line for line in known if _unchanged(line, box, changed)), None)
            if old is None:
                new.append((corners, box))
            else:
                kept.append(replace(old, fresh=False))
        read = self._reader.read(picture, [corners for corners, _ in new])
        return kept + [
            Line(text, confidence, box)
            for (_, box), (text, confidence) in zip(new, read, strict=True)
            if text
        ]


def _unchanged(line: Line, box: Box, changed: Changes) -> bool:
    same_place = min(shared(line.box, box), shared(box, line.box)) >= SAME_PLACE
    return same_place and not changed.touch(line.box) and not changed.touch(box)
