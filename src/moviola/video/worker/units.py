"""Read long videos in units side by side, and join what becomes of them."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from moviola.core import FileCode, VideoInfo
from moviola.video.worker.messages import ReadRequest, VideoDone

UNIT_SECONDS = 600.0
_MILD = (FileCode.CORRUPT, FileCode.TRUNCATED)
"""Codes of a unit of which nothing could be decoded, where others could."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Tell how a task ended, and how many parts of it were delivered."""

    code: FileCode
    message: str
    info: VideoInfo | None
    parts: int


@dataclass(frozen=True, slots=True)
class Unit:
    """Name one unit of a video: its number, and what joins it with the others."""

    video: DividedVideo
    number: int

    @property
    def request(self) -> ReadRequest:
        """Return what is wanted of the video."""
        return self.video.request


@dataclass(slots=True)
class DividedVideo:
    """Join the units of one video; the first of them tells how many there are."""

    request: ReadRequest
    _open: int = 1
    _divided: bool = False
    _clips: int = 0
    _ended: dict[int, Outcome] = field(default_factory=dict[int, Outcome])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def divide(self, count: int) -> list[Unit]:
        """List the units besides the first, once."""
        with self._lock:
            if self._divided or count < 2:
                return []
            self._divided = True
            self._open += count - 1
        return [Unit(self, number) for number in range(1, count)]

    def end(self, number: int, outcome: Outcome, clips: int) -> VideoDone | None:
        """Note how a unit ended; tell of the video with the last of them."""
        with self._lock:
            self._ended[number] = outcome
            self._clips += clips
            self._open -= 1
            if self._open:
                return None
        joined = _joined([self._ended[each] for each in sorted(self._ended)], self._clips)
        return VideoDone(self.request.key, joined.code, joined.message, joined.info, self._clips)


def _joined(outcomes: list[Outcome], clips: int) -> Outcome:
    """Join how units ended: one that failed outright fails the video, an empty one does not."""
    info = next((each.info for each in outcomes if each.info is not None), None)
    failed = [each for each in outcomes if each.code.is_failure]
    outright = [each for each in failed if each.code not in _MILD]
    if outright or (failed and not clips):
        worst = (outright or failed)[0]
        return Outcome(worst.code, worst.message, worst.info or info, clips)
    notes = "; ".join(dict.fromkeys(each.message for each in outcomes if each.message))
    whole = all(each.code is FileCode.OK for each in outcomes)
    return Outcome(FileCode.OK if whole else FileCode.OK_PARTIAL, notes, info, clips)
