"""Describe what a library knows about one video."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

from moviola.core import FileCode, VideoInfo
from moviola.library.files import Entry, InputFile
from moviola.library.readings import ChannelMark

_CLOCKLESS = 1970


@dataclass(frozen=True, slots=True)
class VideoName:
    """Hold one name of a video's content, and the state its file was in when last looked at.

    Attributes:
        path: absolute path.
        root: the folder it was found under; the path itself where the very file was named.
        mtime_ns: time of the last change, nanoseconds.
        inode: number of the file on its device.
        missing: whether the file was gone when its folder was last indexed.
        forgotten: when it was forgotten, nanoseconds since 1970; 0 where it was not. Such names
            are shown to nobody, and deleted when a writer tidies.
    """

    path: Path
    root: Path
    mtime_ns: int
    inode: int
    missing: bool = False
    forgotten: int = 0

    @classmethod
    def of(cls, entry: Entry) -> Self:
        """Make the name of an input."""
        if isinstance(entry, InputFile):
            root = entry.path if entry.is_named else entry.root
            return cls(entry.path, root, entry.mtime_ns, entry.inode)
        return cls(entry.path, entry.root, 0, 0)

    @property
    def folder(self) -> Path:
        """Return the folder it was found under; the parent of a file that was named directly."""
        return self.path.parent if self.root == self.path else self.root


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """Hold a row of the table `videos`: one content, under all its names.

    Attributes:
        id: the content id, or an id made of the path where the content could not be read.
        names: every path with this content, the first indexed first. Searched once.
        code: what became of the file.
        message: why it failed, `""` otherwise.
        size: bytes of the file.
        info: what probing found; None where the file failed before that.
        clips: how many clips it has in the library.
        attempts: how many times in a row it failed with this code.
        channels: which channels were read, by name, and what became of them.
    """

    id: str
    names: tuple[VideoName, ...]
    code: FileCode
    message: str = ""
    size: int = 0
    info: VideoInfo | None = None
    clips: int = 0
    attempts: int = 0
    channels: tuple[ChannelMark, ...] = ()

    @property
    def path(self) -> Path:
        """Return the path to show and open: the first that is not missing."""
        return next((name.path for name in self.names if not name.missing), self.names[0].path)

    @property
    def is_missing(self) -> bool:
        """Test whether none of its files was there when they were last looked for."""
        return all(name.missing for name in self.names)

    @property
    def date(self) -> date:
        """Return the day it was made (UTC): the container's, else that of its oldest change."""
        if self.info is not None and self.info.created is not None:
            with suppress(ValueError, OverflowError):  # what a container says may be nonsense
                made = datetime.fromisoformat(self.info.created)
                # Cameras without a clock say 1904 or 1970.
                if made.year > _CLOCKLESS:
                    return (made if made.tzinfo is None else made.astimezone(UTC)).date()
        seconds = min(name.mtime_ns for name in self.names) / 1e9
        with suppress(ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(seconds, UTC).date()
        return date.min if seconds < 0 else date.max

    def name_at(self, path: Path) -> VideoName | None:
        """Return the name with this path, None where it has none."""
        return next((name for name in self.names if name.path == path), None)

    def mark_of(self, channel: str) -> ChannelMark | None:
        """Return the mark of a channel, None where it was not read."""
        return next((mark for mark in self.channels if mark.channel == channel), None)

    def with_marks(self, marks: Iterable[ChannelMark]) -> Self:
        """Return the same content with these channels read, beside those that were before."""
        named = {mark.channel: mark for mark in (*self.channels, *marks)}
        return replace(self, channels=tuple(named[name] for name in sorted(named)))

    def with_name(self, name: VideoName) -> Self:
        """Return the same content under one more name, or with news of a name it has."""
        if self.name_at(name.path) is None:
            return replace(self, names=(*self.names, name))
        return replace(
            self, names=tuple(name if old.path == name.path else old for old in self.names)
        )

    def shown(self) -> Self:
        """Return the same content without the names that were forgotten."""
        if not any(name.forgotten for name in self.names):
            return self
        return replace(self, names=tuple(name for name in self.names if not name.forgotten))

    def without_path(self, path: Path) -> Self:
        """Return the same content without this name."""
        return replace(self, names=tuple(name for name in self.names if name.path != path))


@dataclass(frozen=True, slots=True)
class NewVideo:
    """Hold content that the library does not know yet, to be decoded once.

    Attributes:
        id: the content id; clip ids are made of it.
        files: every input with this content; the first is the one to decode.
    """

    id: str
    files: tuple[InputFile, ...]

    @property
    def path(self) -> Path:
        """Return the file to decode."""
        return self.files[0].path

    def record(self, info: VideoInfo, code: FileCode = FileCode.OK) -> VideoRecord:
        """Make the record of a video that was decoded, wholly or in part."""
        return VideoRecord(
            self.id,
            tuple(VideoName.of(file) for file in self.files),
            code,
            size=self.files[0].size,
            info=info,
        )

    def failure(self, code: FileCode, message: str, info: VideoInfo | None = None) -> VideoRecord:
        """Make the record of a video that could not be used."""
        return VideoRecord(
            self.id,
            tuple(VideoName.of(file) for file in self.files),
            code,
            message,
            size=self.files[0].size,
            info=info,
        )


def path_id(path: Path) -> str:
    """Make the id of a file whose content cannot be read: `path-` and 32 hexadecimal digits."""
    return "path-" + hashlib.blake2b(os.fsencode(path), digest_size=16).hexdigest()


def is_content_id(video: str) -> bool:
    """Test whether `video` names a content rather than a path."""
    return not video.startswith("path-")
