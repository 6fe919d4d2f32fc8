"""Find the files of timed text beside a video, and open them without following links away."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from moviola.core import Sidecar, display_path

SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
#: A file of more bytes is left out: an hour of speech is about a hundred thousand.
MOST_BYTES = 8 << 20
_MOST_FILES = 64
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe in the file's place would block for ever
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


@dataclass(frozen=True, slots=True)
class FoundSidecar:
    """A file beside a video, as its folder lists it.

    Attributes:
        path: where it is.
        language: what stands between the video's name and the suffix, None for nothing.
        state: size and time of change, by which news of it are told.
    """

    path: Path
    language: str | None
    state: tuple[int, int]


class SidecarFinder:
    """Find files of timed text; each folder is listed once."""

    def __init__(self) -> None:
        self._folders: dict[Path, list[tuple[str, tuple[int, int]]]] = {}

    def find(self, video: Path) -> list[FoundSidecar]:
        """Find `NAME.srt`, `NAME.LANG.srt` and their like beside the video NAME, by name."""
        stem = video.stem
        found: list[FoundSidecar] = []
        for name, state in self._listed(video.parent):
            base, _ = os.path.splitext(name)  # noqa: PTH122 - a name, no path
            rest = base.removeprefix(stem) if base.startswith(stem) else None
            if rest == "" or (rest is not None and rest.startswith(".")):
                found.append(FoundSidecar(video.parent / name, rest[1:] or None, state))
        return found[:_MOST_FILES]

    def _listed(self, folder: Path) -> list[tuple[str, tuple[int, int]]]:
        if folder not in self._folders:
            self._folders[folder] = sorted(_list(folder))
        return self._folders[folder]


def _list(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    try:
        with os.scandir(folder) as listing:
            for entry in listing:
                if not entry.name.startswith(".") and entry.name.lower().endswith(SUFFIXES):
                    found = entry.stat(follow_symlinks=False)
                    # Links are told apart from files here, and refused where they are opened.
                    yield entry.name, (found.st_size, found.st_mtime_ns)
    except OSError:
        return


def read_sidecars(found: Sequence[FoundSidecar]) -> tuple[list[Sidecar], list[str]]:
    """Read files of timed text; return them, and sentences about those that were left out."""
    files: list[Sidecar] = []
    notes: list[str] = []
    for each in found:
        name = display_path(each.path.name)
        try:
            data = _read(each.path)
        except OSError as error:
            notes.append(f"{name} cannot be read: {error.strerror or error}")
            continue
        if len(data) > MOST_BYTES:
            notes.append(f"{name} is larger than {MOST_BYTES >> 20} MB of text")
        else:
            files.append(Sidecar(each.path.name, each.language, data))
    return files, notes


def _read(path: Path) -> bytes:
    """Read a regular file through its folder, at most a byte more than the limit.

    Raises:
        OSError: when it is a link, no regular file, or cannot be read.
    """
    if os.open in os.supports_dir_fd and hasattr(os, "O_DIRECTORY"):
        # Links above are as the video's own: what was listed is the folder that is opened.
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            descriptor = os.open(path.name, _FLAGS, dir_fd=folder)
        finally:
            os.close(folder)
    else:
        descriptor = os.open(path, _FLAGS)
    with os.fdopen(descriptor, "rb") as stream:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no regular file")
        return stream.read(MOST_BYTES + 1)
