"""Count what a library holds."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from moviola.core import FileCode
from moviola.library.records import VideoRecord


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """Hold the counts of what is in a library.

    Attributes:
        videos: how many contents of each code.
        clips: how many clips.
        names: how many paths.
        missing: how many contents have no file any more.
        bytes: size on disk.
    """

    videos: Mapping[FileCode, int]
    clips: int
    names: int
    missing: int
    bytes: int

    @classmethod
    def of(cls, records: Sequence[VideoRecord], folder: Path) -> Self:
        """Count over the committed records of the library in `folder`."""
        return cls(
            Counter(record.code for record in records),
            sum(record.clips for record in records),
            sum(len(record.names) for record in records),
            sum(record.is_missing for record in records),
            _size(folder),
        )


def _size(folder: Path) -> int:
    """Add up the bytes of all files below `folder`; those that backups share count once."""
    sizes: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # a writer tidied it away
            found = path.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())
