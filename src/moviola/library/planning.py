"""Plan an index run: which inputs to decode, and what is known of the others."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from moviola.core import FileCode, VideoUnreadableError
from moviola.library.files import Entry, InputFile, UnreadableEntry, content_id
from moviola.library.records import NewVideo, VideoName, VideoRecord, is_content_id, path_id

# Failures that say more about the moment than about the file: always worth another look.
_PASSING = frozenset(
    {FileCode.CHANGED_WHILE_READING, FileCode.VANISHED, FileCode.UNREADABLE, FileCode.OUT_OF_MEMORY}
)


@dataclass(frozen=True, slots=True)
class FailedFile:
    """Name an input that cannot be used, and why."""

    path: Path
    code: FileCode
    message: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Put every input in exactly one place.

    Attributes:
        decode: new content, each to be decoded once; its further files are duplicates if that
            succeeds, and failures if it does not.
        unchanged: known content under a known name.
        moved: known content under a new name, whose old name is gone. Not decoded.
        duplicates: known content under one more name. Not decoded, both names kept.
        failed: not to be decoded: unreadable now, or failed before and the same since. They are
            reported again on every run, so that a run with failures never looks like one without;
            `retry` puts those that failed before into `decode`.
        folders: folders that could not be listed. They are no inputs, and nothing in them is
            taken for missing.
        missing: paths that are known but gone. Marked, and kept until they are collected.
    """

    decode: tuple[NewVideo, ...]
    unchanged: tuple[InputFile, ...]
    moved: tuple[InputFile, ...]
    duplicates: tuple[InputFile, ...]
    failed: tuple[FailedFile, ...]
    folders: tuple[UnreadableEntry, ...]
    missing: tuple[Path, ...]

    @property
    def skipped(self) -> int:
        """Count the inputs that need no decoding because their content is in the library."""
        return len(self.unchanged) + len(self.moved) + len(self.duplicates)

    @property
    def inputs(self) -> int:
        """Count all inputs."""
        return sum(len(video.files) for video in self.decode) + self.skipped + len(self.failed)


def make_plan(
    records: Mapping[str, VideoRecord],
    entries: Iterable[Entry],
    *,
    retry: bool = False,
    rehash: bool = False,
    progress: Callable[[Path], None] | None = None,
) -> tuple[Plan, dict[str, VideoRecord]]:
    """Compare inputs with what the library knows.

    A file with the path, size, time of change and inode of a known one is that one, unread. Any
    other file is read once for its content id.

    Args:
        records: the library's videos by id.
        entries: inputs, as `scan` finds them.
        retry: decode again what failed before.
        rehash: read every file, whatever its size and times say.
        progress: called with every path whose content is going to be read.

    Returns:
        The plan, and the records that it changes by id (names, marks, failures of files that
        cannot be read; a record that lost its last name goes).
    """
    planner = _Planner(records, retry=retry, rehash=rehash, progress=progress)
    found = list({entry.path: entry for entry in entries}.values())
    planner.present = {entry.path for entry in found}
    for entry in found:
        planner.place(entry)
    planner.find_missing(found)
    return planner.plan(), planner.changed


@dataclass(slots=True)
class _Planner:
    records: Mapping[str, VideoRecord]
    retry: bool
    rehash: bool
    progress: Callable[[Path], None] | None
    present: set[Path] = field(default_factory=set[Path])
    owners: dict[Path, str] = field(default_factory=dict[Path, str])
    changed: dict[str, VideoRecord] = field(default_factory=dict[str, VideoRecord])
    decode: dict[str, list[InputFile]] = field(default_factory=dict[str, list[InputFile]])
    unchanged: list[InputFile] = field(default_factory=list[InputFile])
    moved: list[InputFile] = field(default_factory=list[InputFile])
    duplicates: list[InputFile] = field(default_factory=list[InputFile])
    failed: list[FailedFile] = field(default_factory=list[FailedFile])
    folders: list[UnreadableEntry] = field(default_factory=list[UnreadableEntry])
    missing: list[Path] = field(default_factory=list[Path])

    def __post_init__(self) -> None:
        for record in self.records.values():
            if is_content_id(record.id):
                for name in record.names:
                    self.owners[name.path] = record.id

    def plan(self) -> Plan:
        return Plan(
            tuple(NewVideo(video, tuple(files)) for video, files in self.decode.items()),
            tuple(self.unchanged),
            tuple(self.moved),
            tuple(self.duplicates),
            tuple(self.failed),
            tuple(self.folders),
            tuple(self.missing),
        )

    def record(self, video: str) -> VideoRecord | None:
        return self.changed.get(video) or self.records.get(video)

    def place(self, entry: Entry) -> None:
        """Put one entry where it belongs."""
        if isinstance(entry, UnreadableEntry):
            self.fail(entry, entry.code, entry.message)
            return
        owner = self.record(self.owners.get(entry.path, ""))
        if owner is not None and not self.rehash and _is_same(entry, owner):
            self.place_known(entry, owner)
            return
        if self.progress is not None:
            self.progress(entry.path)
        try:
            video = content_id(entry)
        except VideoUnreadableError as error:
            self.fail(entry, error.code, str(error))
            return
        known = self.record(video)
        if known is None:
            self.decode.setdefault(video, []).append(entry)
            self.drop_note(entry.path)
        else:
            self.place_known(entry, known)

    def place_known(self, entry: InputFile, record: VideoRecord) -> None:
        """Put a file whose content the library has met where it belongs."""
        self.drop_note(entry.path)
        if record.code.is_failure and (self.retry or record.code in _PASSING):
            self.decode.setdefault(record.id, []).append(entry)
            return
        places = self.unchanged
        named = record
        if record.name_at(entry.path) is None:
            old = next((name.path for name in record.names if self.is_replaced(name.path)), None)
            places = self.duplicates if old is None else self.moved
            if old is not None:
                named = named.without_path(old)
            self.take_from_owner(entry.path)
        named = named.with_name(VideoName.of(entry))
        if named != record:
            self.changed[record.id] = named
            self.owners[entry.path] = record.id
        if record.code.is_failure:
            self.failed.append(FailedFile(entry.path, record.code, record.message))
        else:
            places.append(entry)

    def is_replaced(self, path: Path) -> bool:
        return path not in self.present and _is_gone(path)

    def take_from_owner(self, path: Path) -> None:
        """Take a name from the content that had it before."""
        old = self.record(self.owners.get(path, ""))
        if old is not None:
            self.changed[old.id] = old.without_path(path)

    def fail(self, entry: Entry, code: FileCode, message: str) -> None:
        """Note that a path cannot be read. What the library holds of it stays."""
        if isinstance(entry, UnreadableEntry) and entry.is_folder:
            self.folders.append(entry)
            return
        self.failed.append(FailedFile(entry.path, code, message))
        if not _is_gone(entry.path):
            note = VideoRecord(path_id(entry.path), (VideoName.of(entry),), code, message)
            if note != self.record(note.id):
                self.changed[note.id] = note

    def drop_note(self, path: Path) -> None:
        """Drop the note that a path could not be read."""
        note = self.record(path_id(path))
        if note is not None:
            self.changed[note.id] = note.without_path(path)

    def find_missing(self, found: Iterable[Entry]) -> None:
        """Mark known paths that are gone from folders that still hold inputs.

        A folder without any input is more likely unmounted than emptied: nothing is marked there.
        """
        inputs = [entry for entry in found if isinstance(entry, InputFile)]
        roots = {entry.root for entry in inputs}
        alive: dict[Path, bool] = {}
        for video in list(self.records):
            record = self.record(video)
            for name in record.names if record is not None else ():
                if name.path in self.present or not _is_below(name.path, roots):
                    continue
                if name.root not in alive:
                    alive[name.root] = any(_is_below(file.path, {name.root}) for file in inputs)
                if alive[name.root] and _is_gone(name.path):
                    self.lose(video, name)

    def lose(self, video: str, name: VideoName) -> None:
        """Mark a name as missing; a failure that is gone is none any more."""
        record = self.record(video)
        if record is None:
            return
        if record.code.is_failure:
            self.changed[video] = record.without_path(name.path)
            return
        self.missing.append(name.path)
        if not name.missing:
            gone = VideoName(name.path, name.root, name.mtime_ns, name.inode, missing=True)
            self.changed[video] = record.with_name(gone)


def _is_same(file: InputFile, record: VideoRecord) -> bool:
    name = record.name_at(file.path)
    return name is not None and (file.size, file.mtime_ns, file.inode) == (
        record.size,
        name.mtime_ns,
        name.inode,
    )


def _is_gone(path: Path) -> bool:
    """Test that nothing is there. A folder that cannot be searched proves nothing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _is_below(path: Path, folders: set[Path]) -> bool:
    text = os.fspath(path)
    return any(text.startswith(os.path.join(folder, "")) for folder in folders)  # noqa: PTH118
