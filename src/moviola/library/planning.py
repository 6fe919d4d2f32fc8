"""Plan an index run: which inputs to decode, and what is known of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from moviola.core import FileCode, VideoUnreadableError
from moviola.library.absence import is_below, is_gone
from moviola.library.files import Entry, InputFile, UnreadableEntry
from moviola.library.identity import WHOLE_BYTES, content_id, is_sampled, whole_id
from moviola.library.plan import FailedFile, Plan
from moviola.library.records import NewVideo, VideoName, VideoRecord, is_content_id, path_id

# Failures that may say more about the moment than about the file: worth another look, once.
_PASSING = frozenset(
    {
        *(FileCode.CHANGED_WHILE_READING, FileCode.VANISHED, FileCode.UNREADABLE),
        *(FileCode.OUT_OF_MEMORY, FileCode.TIMEOUT, FileCode.DECODER_CRASH),
    }
)
_ENOUGH = 2

#: From a content id and the digest of all bytes to whether that is the one that was known, if any.
Compare = Callable[[str, str], bool]


def make_plan(
    records: Mapping[str, VideoRecord],
    entries: Iterable[Entry],
    *,
    retry: bool = False,
    rehash: Compare | None = None,
    progress: Callable[[Path], None] | None = None,
) -> tuple[Plan, dict[str, VideoRecord]]:
    """Compare inputs with what the library knows.

    A file with the path, size, time of change and inode of a known one is that one, unread. Any
    other file is read once for its content id; large ones in part, see `content_id`.

    Args:
        records: the library's videos by id.
        entries: inputs, as `scan` finds them.
        retry: decode again what failed before.
        rehash: given, every file is read whole, whatever its size and times say; it compares the
            digest of a large one with the known one of its content id.
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
    rehash: Compare | None
    progress: Callable[[Path], None] | None
    present: set[Path] = field(default_factory=set[Path])
    owners: dict[Path, str] = field(default_factory=dict[Path, str])
    changed: dict[str, VideoRecord] = field(default_factory=dict[str, VideoRecord])
    decode: dict[str, list[InputFile]] = field(default_factory=dict[str, list[InputFile]])
    unchanged: list[InputFile] = field(default_factory=list[InputFile])
    moved: list[InputFile] = field(default_factory=list[InputFile])
    duplicates: list[InputFile] = field(default_factory=list[InputFile])
    failed: list[FailedFile] = field(default_factory=list[FailedFile])
    failed_before: list[FailedFile] = field(default_factory=list[FailedFile])
    whole_sizes: set[int] = field(default_factory=set[int])
    folders: list[UnreadableEntry] = field(default_factory=list[UnreadableEntry])
    missing: list[Path] = field(default_factory=list[Path])

    def __post_init__(self) -> None:
        for record in self.records.values():
            if is_content_id(record.id):
                for name in record.names:
                    self.owners[name.path] = record.id
                if record.size > WHOLE_BYTES and not is_sampled(record.id):
                    self.whole_sizes.add(record.size)

    def plan(self) -> Plan:
        return Plan(
            tuple(NewVideo(video, tuple(files)) for video, files in self.decode.items()),
            tuple(self.unchanged),
            tuple(self.moved),
            tuple(self.duplicates),
            tuple(self.failed),
            tuple(self.failed_before),
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
        if owner is not None and self.rehash is None and _is_same(entry, owner):
            self.place_known(entry, owner)
            return
        note = self.record(path_id(entry.path))
        if note is not None and not self.retry and _is_settled(entry, note):
            self.failed_before.append(FailedFile(entry.path, note.code, note.message))
            return
        if self.progress is not None:
            self.progress(entry.path)
        try:
            video = self.identify(entry)
        except VideoUnreadableError as error:
            self.fail(entry, error.code, str(error), is_read=not _is_denied(error))
            return
        known = self.record(video)
        if known is None:
            self.decode.setdefault(video, []).append(entry)
            self.drop_note(entry.path)
        else:
            self.place_known(entry, known)

    def identify(self, file: InputFile) -> str:
        """Return the content id of `file`, in whichever way the library names that content.

        Libraries name large files by all their bytes if they met them before blocks of a file
        were enough. Only a file of the very size of such a one is read whole.
        """
        if file.size in self.whole_sizes:
            video = whole_id(file)
            if self.record(video) is not None:
                return video
        video = content_id(file)
        if self.rehash is not None and is_sampled(video):
            whole = whole_id(file)
            if not self.rehash(video, whole):
                return whole  # other bytes between the blocks: another content
        return video

    def place_known(self, entry: InputFile, record: VideoRecord) -> None:
        """Put a file whose content the library has met where it belongs."""
        self.drop_note(entry.path)
        if record.code.is_failure and (self.retry or _may_pass(record)):
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
        named = named.with_name(_named_again(entry, record))
        if named != record:
            self.changed[record.id] = named
            self.owners[entry.path] = record.id
        if record.code.is_failure:
            failures = self.failed_before if places is self.unchanged else self.failed
            failures.append(FailedFile(entry.path, record.code, record.message))
        else:
            places.append(entry)

    def is_replaced(self, path: Path) -> bool:
        """Test whether a name that is gone makes room for the one that was found."""
        return path not in self.present and is_gone(path)

    def take_from_owner(self, path: Path) -> None:
        """Take a name from the content that had it before."""
        old = self.record(self.owners.get(path, ""))
        if old is not None:
            self.changed[old.id] = old.without_path(path)

    def fail(self, entry: Entry, code: FileCode, message: str, *, is_read: bool = True) -> None:
        """Note that a path cannot be read. What the library holds of it stays."""
        if isinstance(entry, UnreadableEntry) and entry.is_folder:
            self.folders.append(entry)
            return
        failure = FailedFile(entry.path, code, message)
        if is_gone(entry.path):
            self.failed.append(failure)
            return
        name = VideoName.of(entry)
        if not is_read:  # whatever its times say, it is another file once it can be opened
            name = replace(name, mtime_ns=0, inode=0)
        size = entry.size if isinstance(entry, InputFile) else 0
        before = self.record(path_id(entry.path))
        again = before is not None and (before.code, before.message) == (code, message)
        attempts = 1 + (before.attempts if before is not None and again else 0)
        note = VideoRecord(path_id(entry.path), (name,), code, message, size, attempts=attempts)
        is_old = again and (not is_read or isinstance(entry, UnreadableEntry))
        (self.failed_before if is_old else self.failed).append(failure)
        if before is None or attempts <= _ENOUGH or note.names != before.names:
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
                if name.path in self.present or not is_below(name.path, roots):
                    continue
                folder = name.folder
                if folder not in alive:
                    alive[folder] = any(is_below(file.path, [folder]) for file in inputs)
                if alive[folder] and is_gone(name.path):
                    self.lose(video, name)

    def lose(self, video: str, name: VideoName) -> None:
        """Mark a name as missing; a failure that is gone is none any more."""
        record = self.record(video)
        if record is None:
            return
        if record.code.is_failure:
            self.changed[video] = record.without_path(name.path)
            return
        if not name.forgotten:
            self.missing.append(name.path)
        if not name.missing:
            self.changed[video] = record.with_name(replace(name, missing=True))


def _is_same(file: InputFile, record: VideoRecord) -> bool:
    name = record.name_at(file.path)
    return name is not None and (file.size, file.mtime_ns, file.inode) == (
        record.size,
        name.mtime_ns,
        name.inode,
    )


def _may_pass(record: VideoRecord) -> bool:
    """Test whether a failure is worth another look: not where it failed the same way twice."""
    return record.code in _PASSING and record.attempts < _ENOUGH


def _is_settled(file: InputFile, note: VideoRecord) -> bool:
    """Test whether a file that could not be read need not be tried again."""
    is_forgotten = any(name.forgotten for name in note.names)
    return not _may_pass(note) and not is_forgotten and _is_same(file, note)


def _is_denied(error: VideoUnreadableError) -> bool:
    return isinstance(error.__cause__, PermissionError)


def _named_again(file: InputFile, record: VideoRecord) -> VideoName:
    """Name a file as it is now; what was found under a folder stays with that folder."""
    name, before = VideoName.of(file), record.name_at(file.path)
    if before is None or before.root == before.path:
        return name
    folder = name.folder
    if folder == before.root or is_below(folder, [before.root]):
        return replace(name, root=before.root)
    return name
