"""Make what LanceDB wrote survive a power cut: it renames files into place, but never syncs."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from moviola.library.storage.card import sync_folder

# Files of tables end with these bytes, by their suffixes; others have no end that could be told.
_ENDINGS = {".lance": b"LANC", ".manifest": b"LANC", ".arrow": b"ARROW1"}


class NewFiles:
    """Watch the files of one folder tree that have not been synced yet."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known = set(self._found())

    def sync(self) -> None:
        """Make every file that has appeared since the last time durable, and its name too.

        LanceDB 0.40 reports nothing where the disk refuses the last bytes of a file, so the ends
        of the files are looked at as well.

        Raises:
            OSError: when the system cannot, or a file is not whole.
        """
        found = self._found()
        fresh = [key for key in found if key not in self._known]
        for path, _ in fresh:
            handle = os.open(path, os.O_RDWR)
            try:
                os.fsync(handle)
                _require_end(handle, path)
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


def _require_end(handle: int, path: str) -> None:
    """Refuse a file that does not end as its kind does."""
    ending = _ENDINGS.get(os.path.splitext(path)[1], b"")  # noqa: PTH122 - a path is a str here
    size = os.fstat(handle).st_size
    os.lseek(handle, max(0, size - len(ending)), os.SEEK_SET)
    if os.read(handle, len(ending)) != ending:
        raise OSError(errno.EIO, "Input/output error: the end of a file did not reach it", path)
