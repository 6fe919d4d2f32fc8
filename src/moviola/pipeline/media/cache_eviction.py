"""Caches that do not grow without end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def trim(folder: Path, most: int) -> None:
    """Delete what was used longest ago, until the files below `folder` have at most `most` bytes.

    Use is told by the time of change, which whoever reads a file has to renew. Files that others
    delete meanwhile are no fault.
    """
    found: list[tuple[float, int, Path]] = []
    for path in _files(folder):
        with suppress(OSError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= most:
            return
        path.unlink(missing_ok=True)
        total -= size


def _files(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from (path for path in folder.rglob("*") if path.is_file())
