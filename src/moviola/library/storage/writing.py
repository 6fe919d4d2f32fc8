"""Write to a library: plan, add, forget, tidy."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, FileCode, StorageError, display_path
from moviola.library.absence import is_below
from moviola.library.files import Entry
from moviola.library.plan import Plan
from moviola.library.planning import make_plan
from moviola.library.readings import ChannelReading
from moviola.library.records import VideoName, VideoRecord
from moviola.library.storage.card import LibraryCard
from moviola.library.storage.checking import check_fit, check_rows, find_fault
from moviola.library.storage.committing import Batch
from moviola.library.storage.passage_rows import passage_rows
from moviola.library.storage.schema import clip_rows, clips_schema
from moviola.library.storage.tables import Tables, faults
from moviola.library.storage.whole_digests import WholeDigests

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH_CLIPS = 256
BATCH_PASSAGES = 20_000
BATCH_SECONDS = 5.0
_TIDY_EVERY = 200
_TIDY_AT_CLOSE = 16


class LibraryWriter:
    """Add videos to a library, and take them out. Made by `Library.writer`, which holds the lock.

    Nothing is acknowledged before it is committed; a batch is committed by itself after 256 clips,
    20,000 passages or 5 seconds.

    Attributes:
        removed: ids of the videos that were removed for good; what was derived of them may go.
    """

    def __init__(
        self,
        card: LibraryCard,
        tables: Tables,
        on_commit: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self.removed: list[str] = []
        self._card = card
        self._tables = tables
        self._on_commit = on_commit
        self._clips_schema = clips_schema(
            card.space.dimension, card.vector_type, rows=bool(card.rows)
        )
        self._batch = Batch(tables, card.space.digest)
        self._digests = WholeDigests(tables.folder)
        self._since: float | None = None
        self._commits = 0
        # What this very writer forgets can still be brought back after it.
        self._forgotten_before = self._last_forgotten()

    def plan(
        self,
        entries: Iterable[Entry],
        *,
        retry: bool = False,
        rehash: bool = False,
        progress: Callable[[Path], None] | None = None,
    ) -> Plan:
        """Plan which inputs must be decoded; bring what is known of the others up to date.

        New names, marks of missing files and unreadable inputs are committed before it returns.

        Args:
            entries: inputs, as `scan` finds them.
            retry: decode again what failed before.
            rehash: read every file whole, whatever its size and times say.
            progress: called with every path whose content is going to be read.

        Raises:
            StorageError: when the library cannot be written.
        """
        self.commit()
        plan, changed = make_plan(
            self._batch.records,
            entries,
            retry=retry,
            rehash=self._digests.note if rehash else None,
            progress=progress,
        )
        for record in changed.values():
            self._batch.replace(record)
        self.commit()
        return plan

    def note_digest(self, video: str, digest: str) -> None:
        """Note the digest of all bytes of a large file, for a later whole reading."""
        self._digests.note(video, digest)

    def add(
        self,
        record: VideoRecord,
        clips: Sequence[Clip],
        vectors: NDArray[np.floating],
        readings: Iterable[ChannelReading] = (),
        *,
        rows: Sequence[NDArray[np.floating]] = (),
    ) -> VideoRecord:
        """Add one video: its clips, in any order, their vectors `(n, D)`, and channels of it.

        `rows` are the `(n_i, D)` rows of each clip, in a library that keeps them, and stand under
        the same conditions as the vectors.

        Vectors must be finite, and of unit norm (within 1e-3) where the metric is cosine;
        otherwise the video is recorded as failed with `bad_embedding` and no clip of it is stored.

        Returns:
            The record as it will be stored; its `code` says whether the vectors were taken.

        Raises:
            ValueError: when record, clips and vectors do not fit together.
            StorageError: when a batch could not be committed. It stays with the writer, and
                `commit` can be called again after space was freed.
        """
        if record.code.is_failure:
            raise ValueError(f"a video with code {record.code} has no clips; use fail()")
        if not self._card.has_vectors and not clips:
            return self._add_unseen(record, readings)
        check_fit(record, clips, vectors, self._card.space.dimension)
        check_rows(record, clips, rows, self._card)
        together = np.concatenate([vectors, *rows])
        fault = find_fault(together, self._card.space.metric)
        if fault:
            message = f"{display_path(record.path)}: the encoder's vectors {fault}"
            return self.fail(replace(record, code=FileCode.BAD_EMBEDDING, message=message))
        record = replace(record, clips=len(clips), attempts=0)
        stored = clip_rows(record.id, clips, vectors, self._clips_schema, rows)
        self._batch.set_rows(record.id, stored)
        record = self._with_readings(record, readings)
        self._stage(record)
        return record

    def add_readings(self, video: str, readings: Iterable[ChannelReading]) -> VideoRecord:
        """Add what channels read of a video that is here; passages of before are replaced.

        Returns:
            The record as it will be stored.

        Raises:
            KeyError: when the video is not here, or could not be used.
            ValueError: when passages do not belong to the video and their channel.
            StorageError: when a batch could not be committed.
        """
        record = self._batch.records.get(video)
        if record is None or record.code.is_failure:
            raise KeyError(f"the library holds no video {video} that channels could be read of")
        record = self._with_readings(record, readings)
        self._stage(record)
        return record

    def _add_unseen(self, record: VideoRecord, readings: Iterable[ChannelReading]) -> VideoRecord:
        """Add a video of which there are no vectors."""
        record = self._with_readings(replace(record, clips=0, attempts=0), readings)
        self._stage(record)
        return record

    def records(self) -> list[VideoRecord]:
        """Return the records of all videos, uncommitted changes included."""
        return list(self._batch.records.values())

    def records_at(self, paths: Iterable[Path]) -> list[VideoRecord]:
        """Return the records of the contents that have these names, each once."""
        owners = dict.fromkeys(self._batch.owners.get(path, "") for path in paths)
        return [self._batch.records[video] for video in owners if video]

    def record(self, video: str) -> VideoRecord | None:
        """Return the record of a video, uncommitted changes included; None where there is none."""
        return self._batch.records.get(video)

    def fail(self, record: VideoRecord) -> VideoRecord:
        """Record that a video could not be used: its code and message.

        Returns:
            The record as it will be stored, with the number of times that it failed like this.

        Raises:
            ValueError: when its code is no failure.
            StorageError: when a batch could not be committed.
        """
        if not record.code.is_failure:
            raise ValueError(f"code {record.code} is no failure; use add()")
        self._batch.set_rows(record.id, None)
        self._batch.drop_passages(record.id)
        before = self._batch.records.get(record.id)
        again = before.attempts if before is not None and before.code is record.code else 0
        record = replace(record, clips=0, attempts=again + 1)
        self._stage(record)
        return record

    def commit(self) -> tuple[str, ...]:
        """Make everything so far durable and visible; return the ids of the videos concerned.

        Raises:
            StorageError: when there is no room or no permission; nothing committed before is
                lost, and this batch stays with the writer.
        """
        done, gone = self._batch.commit()
        if not done and not gone:
            return ()
        self._since = None
        self.removed.extend(gone)
        self._commits += 1
        if self._on_commit is not None and done:
            self._on_commit(done)
        if self._commits % _TIDY_EVERY == 0:
            self._tidy()
        return done

    def forget(self, paths: Collection[Path]) -> list[Path]:
        """Mark names as forgotten: hidden at once, deleted when a later writer tidies.

        Returns:
            The paths that the library knew and showed until now.
        """
        now = max(time.time_ns(), self._last_forgotten() + 1)  # clocks may go back
        return self._mark(paths, lambda mark: mark or now)

    def restore(self, paths: Collection[Path] | None = None) -> list[Path]:
        """Show names again that were forgotten and are not deleted yet; None means the last ones.

        Returns:
            The paths that are shown again.
        """
        if paths is not None:
            return self._mark(paths, lambda _: 0)
        last = self._last_forgotten()
        names = [name for record in self._batch.records.values() for name in record.names]
        found = {name.path for name in names if last and name.forgotten == last}
        return self._mark(found, lambda mark: 0 if mark == last else mark)

    def forgotten(self, below: Sequence[Path]) -> list[Path]:
        """List the names that are forgotten but not deleted yet, at or below some paths."""
        names = (name for record in self._batch.records.values() for name in record.names)
        return [
            name.path
            for name in names
            if name.forgotten and (name.path in below or is_below(name.path, below))
        ]

    def purge(self) -> int:
        """Delete for good what was forgotten before this writer began; count the names."""
        lost = 0
        for record in list(self._batch.records.values()):
            kept = tuple(
                name for name in record.names if not 0 < name.forgotten <= self._forgotten_before
            )
            if len(kept) < len(record.names):
                lost += len(record.names) - len(kept)
                self._batch.replace(replace(record, names=kept))
        self.commit()
        return lost

    def move_root(self, before: Path, now: Path) -> int:
        """Name every video below the folder `before` below `now` instead; count the names."""
        moved = 0
        for record in list(self._batch.records.values()):
            names = tuple(_moved(name, before, now) for name in record.names)
            moved += sum(new.path != old.path for new, old in zip(names, record.names, strict=True))
            if names != record.names:
                self._batch.replace(replace(record, names=names))
        self.commit()
        return moved

    def tidy(self) -> None:
        """Delete what was forgotten before this writer began, and give the room back.

        Raises:
            StorageError: when there is no room or no permission.
        """
        self.purge()
        self._tables.tidy()

    def close(self) -> None:
        """Commit, and tidy up where many small files have gathered."""
        self.commit()
        self._digests.save(set(self._batch.records))
        with faults(self._tables.folder):
            versions = max(len(table.list_versions()) for table in self._tables.all())
        if versions > _TIDY_AT_CLOSE:
            self._tidy()

    def _tidy(self) -> None:
        # Tidying needs room of its own. Everything is committed, so the lack of it is no failure.
        with suppress(StorageError):
            self.tidy()

    def _last_forgotten(self) -> int:
        records = self._batch.records.values()
        return max((name.forgotten for record in records for name in record.names), default=0)

    def _mark(self, paths: Collection[Path], new_mark: Callable[[int], int]) -> list[Path]:
        wanted, changed = set(paths), list[Path]()
        for record in list(self._batch.records.values()):
            if wanted.isdisjoint(name.path for name in record.names):
                continue
            names = tuple(
                replace(name, forgotten=new_mark(name.forgotten)) if name.path in wanted else name
                for name in record.names
            )
            pairs = zip(names, record.names, strict=True)
            changed.extend(new.path for new, old in pairs if new.forgotten != old.forgotten)
            if names != record.names:
                self._batch.replace(replace(record, names=names))
        self.commit()
        return changed

    def _stage(self, record: VideoRecord) -> None:
        """Put a record into the batch; its paths leave the contents they had before."""
        known = self._batch.records.get(record.id)
        if known is not None:
            names = known
            for name in record.names:
                names = names.with_name(name)
            record = replace(record, names=names.names)
        for name in record.names:
            owner = self._batch.owners.get(name.path)
            if owner is not None and owner != record.id:
                self._batch.replace(self._batch.records[owner].without_path(name.path))
        self._batch.replace(record)
        if self._since is None:
            self._since = time.monotonic()
        is_full = self._batch.clips >= BATCH_CLIPS or self._batch.passages >= BATCH_PASSAGES
        if is_full or time.monotonic() - self._since >= BATCH_SECONDS:
            self.commit()

    def _with_readings(
        self, record: VideoRecord, readings: Iterable[ChannelReading]
    ) -> VideoRecord:
        """Take in the passages of channels; return the record with their marks and older ones."""
        known = self._batch.records.get(record.id)
        marks = {mark.channel: mark for mark in known.channels} if known is not None else {}
        for reading in readings:
            rows = passage_rows(reading.for_video(record.id).passages)
            self._batch.set_passages(record.id, reading.channel, rows)
            marks[reading.channel] = reading.mark(rows.num_rows)
        return record.with_marks(marks.values())


def _moved(name: VideoName, before: Path, now: Path) -> VideoName:
    """Move a name from one folder to another, where it lies below it."""
    if not name.path.is_relative_to(before):
        return name
    root = name.root
    if root.is_relative_to(before):
        root = now / root.relative_to(before)
    elif before.is_relative_to(root):
        root = now  # a part of what was indexed is elsewhere now
    return replace(name, path=now / name.path.relative_to(before), root=root)
