"""Describe input files as the file system does."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from moviola.core import FileCode


@dataclass(frozen=True, slots=True)
class InputFile:
    """Describe a regular file that is an input, as the file system did when it was found.

    Attributes:
        path: absolute path, the file's identity; may hold undecodable bytes (`os.fsencode` it).
        root: the folder it was found under; the parent of a file that was named directly.
        size: bytes.
        mtime_ns: time of the last change, nanoseconds.
        inode: number of the file on its device.
        device: number of the device.
        is_named: whether the caller named this very file, and not a folder above it.
    """

    path: Path
    root: Path
    size: int
    mtime_ns: int
    inode: int
    device: int
    is_named: bool = False

    def is_unchanged(self) -> bool:
        """Ask the file system whether it still describes the file in the same way."""
        try:
            found = self.path.stat()
        except OSError:
            return False
        return self.agrees_with(found)

    def agrees_with(self, found: os.stat_result) -> bool:
        """Compare with `found`: True where it describes the same state of the same file."""
        return (self.size, self.mtime_ns, self.inode, self.device) == (
            found.st_size,
            found.st_mtime_ns,
            found.st_ino,
            found.st_dev,
        )


@dataclass(frozen=True, slots=True)
class UnreadableEntry:
    """Describe something that was asked for and is no readable file.

    Attributes:
        path: absolute path of the entry.
        root: the folder it was found under.
        code: `unreadable`, or `vanished` where nothing is there.
        message: why, in words.
        is_folder: whether it is a folder, which is reported but is not an input itself.
    """

    path: Path
    root: Path
    code: FileCode
    message: str
    is_folder: bool = False


Entry = InputFile | UnreadableEntry


def missing_or_unreadable(error: OSError) -> FileCode:
    """Return the code of a file that cannot be read: `vanished` or `unreadable`."""
    gone = isinstance(error, (FileNotFoundError, NotADirectoryError))
    return FileCode.VANISHED if gone else FileCode.UNREADABLE
