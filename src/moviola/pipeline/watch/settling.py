"""Tell which files of folders have settled, from how they look at each glance.

By polling: that works on every disk, network drives included, where notices of changes do not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from moviola.library import InputFile, scan
from moviola.video import VIDEO_SUFFIXES

Look = tuple[int, int, int]
"""Size in bytes, time of change in nanoseconds, inode."""


@dataclass(frozen=True, slots=True)
class Glance:
    """Hold what one look at the folders found.

    Attributes:
        changed: whether something settled, or went, since it was last `taken`.
        growing: files that are not at rest, absolute.
    """

    changed: bool
    growing: frozenset[Path]


@dataclass(slots=True)
class Settling:
    """Remember how files looked, and since when they look so.

    A file has settled once its size, time and inode have been the same for `rest` seconds. One that
    was changed longer ago than that when it is first seen has settled at once.

    Attributes:
        paths: folders and files.
        rest: seconds.
        clock: seconds that never go back.
    """

    paths: Sequence[Path]
    rest: float
    clock: Callable[[], float] = time.monotonic
    _since: dict[Path, tuple[Look, float]] = field(
        default_factory=dict[Path, tuple[Look, float]], init=False
    )
    _taken: dict[Path, Look] = field(default_factory=dict[Path, Look], init=False)
    _settled: dict[Path, Look] = field(default_factory=dict[Path, Look], init=False)

    def glance(self) -> Glance:
        """Look at all files once; opens none of them."""
        now = self.clock()
        since: dict[Path, tuple[Look, float]] = {}
        for entry in scan(self.paths, VIDEO_SUFFIXES):
            if isinstance(entry, InputFile):
                look = (entry.size, entry.mtime_ns, entry.inode)
                before = self._since.get(entry.path)
                if before is not None and before[0] == look:
                    since[entry.path] = before
                else:
                    since[entry.path] = (look, now - (self._age(look) if before is None else 0.0))
        self._since = since
        self._settled = {
            path: look for path, (look, start) in since.items() if now - start >= self.rest
        }
        growing = frozenset(since.keys() - self._settled.keys())
        gone = self._taken.keys() - since.keys()
        news = any(self._taken.get(path) != look for path, look in self._settled.items())
        return Glance(news or bool(gone), growing)

    def take(self) -> None:
        """Count what settled at the last glance as dealt with."""
        growing = {
            path: look
            for path, look in self._taken.items()
            if path in self._since and path not in self._settled
        }
        self._taken = growing | self._settled

    def _age(self, look: Look) -> float:
        """Return the seconds since a file was changed, by the time that its disk gives."""
        return max(0.0, time.time() - look[1] / 1e9)
