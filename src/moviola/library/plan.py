"""Hold the plan of an index run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from moviola.core import FileCode
from moviola.library.files import InputFile, UnreadableEntry
from moviola.library.records import NewVideo


@dataclass(frozen=True, slots=True)
class FailedFile:
    """Name an input that cannot be used, and why."""

    path: Path
    code: FileCode
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Put every input in exactly one place.

    Attributes:
        decode: new content, each to be decoded once; its further files are duplicates if that
            succeeds, and failures if it does not.
        unchanged: known content under a known name.
        moved: known content under a new name, whose old name is gone. Not decoded.
        duplicates: known content under one more name. Not decoded, both names kept.
        failed: tried in this run and unreadable. Not to be decoded.
        failed_before: failed in an earlier run and the same since. Left alone, unless `retry` puts
            them into `decode`; what may have been the moment's fault is tried once more.
        folders: folders that could not be listed. They are no inputs, and nothing in them is
            taken for missing.
        missing: paths that are known but gone. Marked, and kept until they are forgotten.
    """

    decode: tuple[NewVideo, ...]
    unchanged: tuple[InputFile, ...]
    moved: tuple[InputFile, ...]
    duplicates: tuple[InputFile, ...]
    failed: tuple[FailedFile, ...]
    failed_before: tuple[FailedFile, ...]
    folders: tuple[UnreadableEntry, ...]
    missing: tuple[Path, ...]

    @property
    def skipped(self) -> int:
        """Count the inputs that need no work because the library knows what became of them."""
        known = (self.unchanged, self.moved, self.duplicates, self.failed_before)
        return sum(map(len, known))

    @property
    def inputs(self) -> int:
        """Count all inputs."""
        return sum(len(video.files) for video in self.decode) + self.skipped + len(self.failed)
