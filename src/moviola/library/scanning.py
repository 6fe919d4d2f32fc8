"""Find the input files that folders mean."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from moviola.core import FileCode, display_path
from moviola.library.files import Entry, InputFile, UnreadableEntry, missing_or_unreadable

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def scan(paths: Iterable[Path], suffixes: frozenset[str]) -> Iterator[Entry]:
    """Yield the inputs that `paths` mean, each once, in an order that depends on names only.

    Inside a folder an input is an entry with one of `suffixes` (such as `.mp4`, in any case), at
    any depth; entries and folders whose names begin with a dot are left out. Anything named
    directly is an input whatever its suffix. Symbolic links are followed last, and only to what
    was not reached otherwise, so that the real name wins and loops end. Named pipes, sockets,
    devices and dangling links with a video's suffix come out as `UnreadableEntry`; so do folders
    that cannot be listed. Nothing is opened, so nothing here can block on a pipe.
    """
    walk = _Walk(frozenset(suffix.lower() for suffix in suffixes))
    for path in paths:
        yield from walk.named(Path(os.path.abspath(path)))  # noqa: PTH100 (resolve follows links)
    yield from walk.linked()


@dataclass(slots=True)
class _Walk:
    """Remember what a scan has seen, by its real path, and the links that wait for the end."""

    suffixes: frozenset[str]
    folders: set[str] = field(default_factory=set[str])
    files: set[str] = field(default_factory=set[str])
    links: list[tuple[Path, Path]] = field(default_factory=list[tuple[Path, Path]])

    def named(self, path: Path) -> Iterator[Entry]:
        """Yield the inputs that `path` means when the caller named it."""
        try:
            found = path.stat()
        except OSError as error:
            yield _unreadable(path, path.parent, error)
            return
        if stat.S_ISDIR(found.st_mode):
            yield from self._folder(path, path)
        else:
            real = os.path.realpath(path)
            yield from self._file(path, path.parent, found, real, is_named=True)

    def linked(self) -> Iterator[Entry]:
        """Yield what only links reach, links in linked folders included."""
        for path, root in self.links:  # grows while it is read
            try:
                found = path.stat()
            except OSError as error:
                if self._is_wanted(path.name):
                    yield _unreadable(path, root, error)
                continue
            if stat.S_ISDIR(found.st_mode):
                yield from self._folder(path, root)
            elif self._is_wanted(path.name):
                yield from self._file(path, root, found, os.path.realpath(path))

    def _folder(self, top: Path, root: Path) -> Iterator[Entry]:
        waiting = [(top, os.path.realpath(top))]
        while waiting:
            path, real = waiting.pop()
            if real in self.folders:
                continue
            self.folders.add(real)
            try:
                with os.scandir(path) as listing:
                    entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
            except OSError as error:
                yield _unreadable(path, root, error, is_folder=True)
                continue
            below: list[tuple[Path, str]] = []
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                here = path / entry.name
                if entry.is_symlink():
                    self.links.append((here, root))
                elif entry.is_dir(follow_symlinks=False):
                    below.append((here, os.path.join(real, entry.name)))  # noqa: PTH118 (plain text)
                elif self._is_wanted(entry.name):
                    yield from self._entry(entry, here, root, real)
            waiting.extend(reversed(below))

    def _entry(self, entry: os.DirEntry[str], path: Path, root: Path, real: str) -> Iterator[Entry]:
        try:
            # Not DirEntry.stat, whose inode and device are zero on Windows.
            found = path.lstat() if os.name == "nt" else entry.stat(follow_symlinks=False)
        except OSError as error:
            yield _unreadable(path, root, error)
            return
        yield from self._file(path, root, found, os.path.join(real, entry.name))  # noqa: PTH118

    def _file(
        self, path: Path, root: Path, found: os.stat_result, real: str, *, is_named: bool = False
    ) -> Iterator[Entry]:
        if real in self.files:
            return
        self.files.add(real)
        if stat.S_ISREG(found.st_mode):
            yield InputFile(
                path,
                root,
                found.st_size,
                found.st_mtime_ns,
                found.st_ino,
                found.st_dev,
                is_named,
            )
        else:
            kind = _KINDS.get(stat.S_IFMT(found.st_mode), "no regular file")
            message = f"{display_path(path)} is {kind}, not a video file"
            yield UnreadableEntry(path, root, FileCode.UNREADABLE, message)

    def _is_wanted(self, name: str) -> bool:
        return os.path.splitext(name)[1].lower() in self.suffixes  # noqa: PTH122 (plain text)


def _unreadable(
    path: Path, root: Path, error: OSError, *, is_folder: bool = False
) -> UnreadableEntry:
    message = f"{display_path(path)} cannot be read: {error.strerror}"
    return UnreadableEntry(path, root, missing_or_unreadable(error), message, is_folder)
