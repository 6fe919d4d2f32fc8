"""Open the files of indexed videos safely: what is opened is what was indexed, or nothing."""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from moviola.core import FileIdentity, MoviolaError, display_path
from moviola.library import VideoName, VideoRecord, has_content

_KEPT = 10_000
_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)  # a pipe in the file's place would block for ever
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)


class FileGoneError(MoviolaError):
    """No file of a video is where it was."""


class FileReplacedError(MoviolaError):
    """Another file, or other content, stands where a video was."""


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """An open file that is the one that was indexed.

    Attributes:
        path: its real place, links resolved.
        descriptor: open for reading; closed by whoever opened it.
        identity: what it was when it was opened.
    """

    path: Path
    descriptor: int
    identity: FileIdentity

    def head(self, count: int) -> bytes:
        """Read its first `count` bytes."""
        os.lseek(self.descriptor, 0, os.SEEK_SET)
        return os.read(self.descriptor, count)

    def require_unchanged(self) -> None:
        """Refuse a file that is no longer in the state in which it was opened.

        Raises:
            FileReplacedError: where it was written to meanwhile.
        """
        if FileIdentity.of(os.fstat(self.descriptor)) != self.identity:
            raise FileReplacedError(
                f"the file {display_path(self.path.name)} changed while it was read; "
                "index its folder again when it is at rest"
            )


class FileOpener:
    """Open files of videos by what was indexed, and remember what was verified.

    A file is taken for the indexed one while size, time of change and inode agree. Where only
    device or inode differ, as after a move or a restore, its content is hashed, and its new
    identity holds from then on.
    """

    def __init__(self) -> None:
        self._verified: OrderedDict[tuple[str, Path], FileIdentity] = OrderedDict()
        self._lock = Lock()

    @contextmanager
    def opened(self, record: VideoRecord) -> Iterator[OpenedFile]:
        """Open the first file of a video that is still what was indexed, for a `with` block.

        Raises:
            FileGoneError: where none of its files is there.
            FileReplacedError: where there is one, but not the one that was indexed.
        """
        descriptor, path, identity = self._open_any(record)
        try:
            yield OpenedFile(path, descriptor, identity)
        finally:
            os.close(descriptor)

    def _open_any(self, record: VideoRecord) -> tuple[int, Path, FileIdentity]:
        replaced = False
        for name in record.names:
            try:
                descriptor, path = _open_below(name)
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:  # a link, a folder that may not be entered, a name that is hidden
                replaced = True
                continue
            try:
                identity = self._verify(record, name, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            if identity is not None:
                return descriptor, path, identity
            os.close(descriptor)
            replaced = True
        shown = display_path(record.path.name)
        if replaced:
            raise FileReplacedError(
                f"the file {shown} is not the one that was indexed any more; index its folder again"
            )
        raise FileGoneError(
            f"the file {shown} is not where it was; index its folder again when it is back"
        )

    def _verify(self, record: VideoRecord, name: VideoName, descriptor: int) -> FileIdentity | None:
        """Give the identity of an open file where its content is the indexed one, else None."""
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size != record.size:
            return None
        identity, key = FileIdentity.of(found), (record.id, name.path)
        with self._lock:
            known = self._verified.get(key)
        if identity == known:
            return identity
        # The device is not recorded: until this process has seen the file, any mount may hold it.
        usual = (found.st_ino, found.st_mtime_ns) == (name.inode, name.mtime_ns)
        if not (usual and known is None):
            with open(descriptor, "rb", closefd=False) as stream:
                if not has_content(stream, found.st_size, record.id):
                    return None
            os.lseek(descriptor, 0, os.SEEK_SET)
            if FileIdentity.of(os.fstat(descriptor)) != identity:
                return None
        with self._lock:
            self._verified[key] = identity
            if len(self._verified) > _KEPT:
                self._verified.popitem(last=False)
        return identity


def _open_below(name: VideoName) -> tuple[int, Path]:
    """Open the real file behind a name without following a link on the way.

    Links are resolved first, then every step is opened from the one before it, so that a link
    that appears in between is refused instead of followed. A file below the indexed folder has
    no hidden step on its way.

    Raises:
        OSError: when it is not there, or a link or a hidden name stands on the way.
    """
    real = Path(os.path.realpath(name.path, strict=True))
    root = Path(os.path.realpath(name.root, strict=True))
    below = real.is_relative_to(root) and real != root
    hidden = real.relative_to(root).parts if below else (real.name,)
    if any(part.startswith(".") for part in hidden):
        raise PermissionError(f"{display_path(real)} is hidden")
    if os.open not in os.supports_dir_fd or not hasattr(os, "O_DIRECTORY"):
        return os.open(real, _FLAGS), real
    folder = os.open(real.anchor, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in real.parts[1:-1]:
            step = os.open(part, _FLAGS | os.O_DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = step
        return os.open(real.name, _FLAGS, dir_fd=folder), real
    finally:
        os.close(folder)
