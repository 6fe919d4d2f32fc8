"""Find the names in a library that somebody wants to forget."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from moviola.core import display_path
from moviola.library.absence import find_absent, is_below, is_gone
from moviola.library.records import VideoName, VideoRecord


def find_named(records: Iterable[VideoRecord], paths: Sequence[Path]) -> list[Path]:
    """Find the names at `paths`, or below them where they are folders, in the order of names.

    Raises:
        FileNotFoundError: when the library knows nothing at one of them.
    """
    known = [name.path for record in records for name in record.names]
    found: set[Path] = set()
    for path in paths:
        here = [name for name in known if name == path or is_below(name, [path])]
        if not here:
            raise FileNotFoundError(
                f"the library knows no file at {display_path(path)}; `moviola status` lists its "
                "folders"
            )
        found.update(here)
    return sorted(found)


def find_missing(records: Iterable[VideoRecord]) -> tuple[list[Path], list[Path]]:
    """Find the names whose files are gone, marked before or not.

    Returns:
        The paths, and the folders that are not there themselves: what is missing in them is more
        likely on a disk that is not connected, and is left alone.
    """
    names = [name for record in records for name in record.names]
    absent, unmounted = find_absent(names)
    marked = [name for name in names if name.missing and _is_lost(name)]
    return sorted({name.path for name in (*absent, *marked)}), unmounted


def _is_lost(name: VideoName) -> bool:
    return is_gone(name.path) and name.folder.is_dir()
