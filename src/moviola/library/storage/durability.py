"""Make what LanceDB wrote survive a power cut: it renames files into place, but never syncs."""

from __future__ import annotations

import os
from pathlib import Path

from moviola.library.storage.card import sync_folder


class NewFiles:
    """Watch the files of one folder tree that have not been synced yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = set(self._found())

    def sync(self) -> None:
        """Make every file that has appeared since the last time durable, and its name too.

        Raises:
            OSError: when the system cannot.
        """
        found = self._found()
        fresh = [key for key in found if key not in self._known]
        for path, _ in fresh:
            handle = os.open(path, os.O_RDWR)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        for folder in sorted({Path(path).parent for path, _ in fresh}):
            sync_folder(folder)
        self._known = set(found)

    def _found(self) -> list[tuple[str, int]]:
        """List files by path and inode: a file that was replaced is a new one."""
        found: list[tuple[str, int]] = []
        waiting = [os.fspath(self._folder)]
        while waiting:
            folder = waiting.pop()
            if not os.path.isdir(folder):  # noqa: PTH112 - a table that is still to be made
                continue
            with os.scandir(folder) as listing:
                for entry in listing:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        found.append((entry.path, entry.inode()))
        return found
