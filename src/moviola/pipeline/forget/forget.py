"""Forget videos, bring them back, and delete what was forgotten for good."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moviola.library import Library
from moviola.library.forgetting import find_missing, find_named
from moviola.library.storage.migrating import backups
from moviola.pipeline.media.removing import drop_pictures

#: More names than this are forgotten only by those who say yes to it.
MANY = 20


@dataclass(frozen=True, slots=True)
class ForgetReport:
    """Say what was forgotten.

    Attributes:
        paths: the files that are shown no more.
        present: those of them that are still there, and come back when their folder is indexed.
        unmounted: folders that were left alone because they are not there themselves.
    """

    paths: tuple[Path, ...]
    present: tuple[Path, ...]
    unmounted: tuple[Path, ...] = ()


def forget(
    library: Library,
    paths: Sequence[Path] = (),
    *,
    missing: bool = False,
    agrees: Callable[[int], bool] = lambda count: count <= MANY,
) -> ForgetReport:
    """Hide videos from every search at once; a later writer that tidies deletes them.

    Args:
        library: an open library.
        paths: files, or folders with all that is below them.
        missing: also whatever is gone from folders that are there.
        agrees: asked with the number of names before anything is hidden.

    Raises:
        FileNotFoundError: when the library knows nothing at one of `paths`.
        PermissionError: when `agrees` says no.
        LibraryLockedError: when another process writes to the library.
    """
    library.refresh()
    records = library.videos()
    wanted = find_named(records, paths)
    unmounted: list[Path] = []
    if missing:
        gone, unmounted = find_missing(records)
        wanted = sorted({*wanted, *gone})
    if wanted and not agrees(len(wanted)):
        raise PermissionError(f"{len(wanted)} files would be forgotten")
    if wanted:
        with library.writer() as writer:
            wanted = writer.forget(wanted)
        drop_pictures(library.path, writer.removed)
    present = tuple(path for path in wanted if path.exists())
    return ForgetReport(tuple(wanted), present, tuple(unmounted))


def restore(library: Library, paths: Sequence[Path] = ()) -> tuple[Path, ...]:
    """Show again what was forgotten last, or what was forgotten at or below `paths`.

    Raises:
        LibraryLockedError: when another process writes to the library.
    """
    with library.writer() as writer:
        shown = writer.restore(writer.forgotten(paths) if paths else None)
    return tuple(sorted(shown))


@dataclass(frozen=True, slots=True)
class Collected:
    """Say what was deleted for good.

    Attributes:
        names: how many files were forgotten before.
        bytes: how much smaller the library is.
    """

    names: int
    bytes: int


def collect_garbage(library: Library) -> Collected:
    """Delete what was forgotten, old versions of the tables, and backups of earlier schemas.

    Raises:
        LibraryLockedError: when another process writes to the library.
        StorageError: when there is no room or no permission.
    """
    before = library.status().bytes
    with library.writer() as writer:
        names = writer.purge()
        writer.tidy()
        for backup in backups(library.path):
            shutil.rmtree(backup, ignore_errors=True)
    drop_pictures(library.path, writer.removed)
    return Collected(names, max(0, before - library.status().bytes))
