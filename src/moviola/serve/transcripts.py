"""Read passages of single videos, and choose those of them that are shown."""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from moviola.core import Passage
from moviola.core.moments import MatchedWord
from moviola.library import Library
from moviola.retrieve.parsing import group_of
from moviola.retrieve.words.finding import find_in

# Videos whose passages are kept: the page asks for them in parts.
_KEPT = 4
# Passages before the one that is asked for by its time, so that a page shows where it stands.
_BEFORE = 40

Shown = tuple[Passage, tuple[MatchedWord, ...]]
"""A passage, and what of its text was searched for."""


class Transcripts:
    """Keep the passages of the few videos that were asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], list[Passage]] = OrderedDict()
        self._lock = Lock()

    def of(self, library: Library, video: str) -> list[Passage]:
        """List the passages of a video by start.

        Raises:
            StoreCorruptError: when the tables are damaged.
        """
        key = (library.generation, video)
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        found = library.passages(video)
        if not library.generation:  # nothing was shown yet, so nothing says when this changes
            return found
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the passages of a video.

    Attributes:
        shown: those of the part, by start.
        offset: how many come before.
        found: how many there are in all.
    """

    shown: list[Shown]
    offset: int
    found: int


def choose(passages: Sequence[Passage], groups: Sequence[str], words: str) -> list[Shown]:
    """Choose passages of these groups or channels, of all without any, that hold all `words`."""
    asked = [
        passage
        for passage in passages
        if not groups or passage.channel in groups or group_of(passage.channel) in groups
    ]
    found = ((passage, find_in(passage.text, words)) for passage in asked)
    return [(passage, matched) for passage, matched in found if matched is not None]


def turn_to(found: Sequence[Shown], top: int, *, offset: int = 0, at: float | None = None) -> Page:
    """Take at most `top` passages from `offset` on, or from a little before the second `at`."""
    if at is not None:
        starts = [passage.span.start for passage, _ in found]
        offset = max(0, min(bisect_right(starts, at) - 1 - _BEFORE, len(found) - top))
    return Page(list(found[offset : offset + top]), offset, len(found))


def spread(found: Sequence[Shown], top: int) -> Page:
    """Take at most `top` passages from the whole length of a video, each the first of its part."""
    if len(found) <= top:
        return Page(list(found), 0, len(found))
    first, last = found[0][0].span.start, found[-1][0].span.start
    step = max((last - first) / top, 1e-9)
    parts: dict[int, Shown] = {}
    for each in found:
        parts.setdefault(min(int((each[0].span.start - first) / step), top - 1), each)
    return Page(list(parts.values()), 0, len(found))
