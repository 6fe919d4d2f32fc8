"""Tell files that are gone from files that cannot be looked at."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from moviola.library.records import VideoName, VideoRecord


def is_gone(path: Path) -> bool:
    """Test that nothing is there. A folder that cannot be searched proves nothing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def has_no_file(record: VideoRecord) -> bool:
    """Look whether a video has no file now, whatever the last index run found."""
    return record.is_missing or all(is_gone(name.path) for name in record.names)


def is_below(path: Path, folders: Iterable[Path]) -> bool:
    """Test whether `path` lies below one of `folders`, by their names alone."""
    text = os.fspath(path)
    return any(text.startswith(os.path.join(folder, "")) for folder in folders)  # noqa: PTH118


def find_absent(names: Iterable[VideoName]) -> tuple[list[VideoName], list[Path]]:
    """Find the names whose files are gone for good.

    A folder in which not one known file is left is more likely unmounted than emptied: what is
    missing there is not taken for gone.

    Returns:
        The names, and the folders that were left alone.
    """
    gone: dict[Path, list[VideoName]] = {}
    alive: set[Path] = set()
    for name in names:
        if is_gone(name.path):
            gone.setdefault(name.folder, []).append(name)
        else:
            alive.add(name.folder)
    absent = [name for folder, lost in gone.items() if folder in alive for name in lost]
    return absent, sorted(folder for folder in gone if folder not in alive)
