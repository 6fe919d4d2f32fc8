"""Count what a library holds."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from moviola.core import FileCode
from moviola.library.readings import ChannelMark
from moviola.library.records import VideoRecord


@dataclass(frozen=True, slots=True)
class ChannelCoverage:
    """Count what a channel covers.

    Attributes:
        videos: how many videos it was read of, whole or in part.
        passages: how many passages it has.
        partial: of how many of these videos something was left out.
        failed: of how many videos it failed.
    """

    videos: int = 0
    passages: int = 0
    partial: int = 0
    failed: int = 0

    def with_mark(self, mark: ChannelMark) -> Self:
        """Count one more video."""
        return replace(
            self,
            videos=self.videos + mark.code.has_clips,
            passages=self.passages + mark.passages,
            partial=self.partial + (mark.code is FileCode.OK_PARTIAL),
            failed=self.failed + mark.code.is_failure,
        )


@dataclass(frozen=True, slots=True)
class LibraryStatus:
    """Hold the counts of what is in a library.

    Attributes:
        videos: how many contents of each code.
        clips: how many clips.
        names: how many paths.
        missing: how many contents have no file any more.
        bytes: size on disk.
        channels: what each channel covers, by name.
    """

    videos: Mapping[FileCode, int]
    clips: int
    names: int
    missing: int
    bytes: int
    channels: Mapping[str, ChannelCoverage] = field(default_factory=dict[str, ChannelCoverage])

    @classmethod
    def of(cls, records: Sequence[VideoRecord], folder: Path) -> Self:
        """Count over the committed records of the library in `folder`."""
        return cls(
            Counter(record.code for record in records),
            sum(record.clips for record in records),
            sum(len(record.names) for record in records),
            sum(record.is_missing for record in records),
            _size(folder),
            count_channels(records),
        )


def count_channels(records: Sequence[VideoRecord]) -> dict[str, ChannelCoverage]:
    """Count what each channel covers of the videos of `records`, by name."""
    channels: dict[str, ChannelCoverage] = {}
    for mark in (mark for record in records for mark in record.channels):
        counted = channels.get(mark.channel, ChannelCoverage())
        channels[mark.channel] = counted.with_mark(mark)
    return dict(sorted(channels.items()))


def _size(folder: Path) -> int:
    """Add up the bytes of all files below `folder`; those that backups share count once."""
    sizes: dict[tuple[int, int], int] = {}
    for path in folder.rglob("*"):
        with suppress(OSError):  # a writer tidied it away
            found = path.stat(follow_symlinks=False)
            if stat.S_ISREG(found.st_mode):
                sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())
