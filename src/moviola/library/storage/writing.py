"""Write batches of whole videos: clips first, and the commit marker after them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.core import Clip, FileCode, StorageError, display_path
from moviola.library.files import Entry
from moviola.library.planning import Plan, make_plan
from moviola.library.records import VideoRecord, is_content_id
from moviola.library.storage.card import LibraryCard
from moviola.library.storage.checking import check_fit, find_fault
from moviola.library.storage.schema import KEY, clip_rows, clips_schema, video_records, video_rows
from moviola.library.storage.tables import Tables, faults

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

BATCH_CLIPS = 256
BATCH_SECONDS = 5.0
_TIDY_EVERY = 200
_TIDY_AT_CLOSE = 16


class LibraryWriter:
    """Add videos to a library. Made by `Library.writer`, which holds the lock.

    Nothing is acknowledged before it is committed; a batch is committed by itself after 256 clips
    or 5 seconds. A kill at any moment leaves whole videos or none: clips without a marker are
    dropped when the library is next opened for writing.
    """

    def __init__(
        self,
        card: LibraryCard,
        tables: Tables,
        on_commit: Callable[[Sequence[str]], None] | None = None,
    ) -> None:
        self._card = card
        self._tables = tables
        self._on_commit = on_commit
        self._clips_schema = clips_schema(card.space.dimension, card.vector_type)
        self._records: dict[str, VideoRecord] = {}
        self._owners: dict[Path, str] = {}
        self._rows: dict[str, pa.Table] = {}
        self._changed: set[str] = set()
        self._stored: Counter[str] = Counter()
        self._since: float | None = None
        self._commits = 0
        self._recover()

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
            rehash: read every file, whatever its size and times say.
            progress: called with every path whose content is going to be read.

        Raises:
            StorageError: when the library cannot be written.
        """
        self.commit()
        plan, changed = make_plan(
            self._records, entries, retry=retry, rehash=rehash, progress=progress
        )
        for record in changed.values():
            self._replace(record)
        self.commit()
        return plan

    def add(
        self, record: VideoRecord, clips: Sequence[Clip], vectors: NDArray[np.floating]
    ) -> VideoRecord:
        """Add one video: its clips, in any order, and their vectors `(n, D)`.

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
        check_fit(record, clips, vectors, self._card.space.dimension)
        fault = find_fault(vectors, self._card.space.metric)
        if fault:
            message = f"{display_path(record.path)}: the encoder's vectors {fault}"
            failed = replace(record, code=FileCode.BAD_EMBEDDING, message=message, clips=0)
            self.fail(failed)
            return failed
        record = replace(record, clips=len(clips))
        self._rows[record.id] = clip_rows(record.id, clips, vectors, self._clips_schema)
        self._stage(record)
        return record

    def fail(self, record: VideoRecord) -> None:
        """Record that a video could not be used: its code and message.

        Raises:
            ValueError: when its code is no failure.
            StorageError: when a batch could not be committed.
        """
        if not record.code.is_failure:
            raise ValueError(f"code {record.code} is no failure; use add()")
        self._rows.pop(record.id, None)
        self._stage(replace(record, clips=0))

    def commit(self) -> tuple[str, ...]:
        """Make everything so far durable and visible; return the ids of the videos concerned.

        Raises:
            StorageError: when there is no room or no permission; nothing committed before is
                lost, and this batch stays with the writer.
        """
        if not self._changed:
            return ()
        self._unmark([video for video in self._changed if self._stored[video]])
        if self._rows:
            import pyarrow as pa

            rows = pa.concat_tables(self._rows.values())
            self._tables.upsert(self._tables.clips, rows)
        records = [self._records[video] for video in sorted(self._changed)]
        space = self._card.space.digest
        self._tables.upsert(self._tables.videos, video_rows(records, space))
        for record in records:
            if record.id in self._rows:
                self._stored[record.id] = record.clips
        self._rows.clear()
        self._changed.clear()
        self._since = None
        self._remove([record.id for record in records if not record.names])
        done = tuple(record.id for record in records if record.names)
        self._commits += 1
        if self._on_commit is not None and done:
            self._on_commit(done)
        if self._commits % _TIDY_EVERY == 0:
            self._tidy()
        return done

    def collect(self) -> int:
        """Forget names whose files are missing, and videos that have no other; count the names."""
        lost = 0
        for record in list(self._records.values()):
            kept = tuple(name for name in record.names if not name.missing)
            if len(kept) < len(record.names):
                lost += len(record.names) - len(kept)
                self._replace(replace(record, names=kept))
        self.commit()
        return lost

    def forget(self, videos: Iterable[str]) -> None:
        """Remove videos with all their clips, such as damaged ones, so that they can be redone."""
        for video in videos:
            if video in self._records:
                self._replace(replace(self._records[video], names=()))
        self.commit()

    def close(self) -> None:
        """Commit, and tidy up where many small files have gathered."""
        self.commit()
        with faults(self._tables.folder):
            versions = max(
                len(table.list_versions()) for table in (self._tables.clips, self._tables.videos)
            )
        if versions > _TIDY_AT_CLOSE:
            self._tidy()

    def _tidy(self) -> None:
        # Tidying needs room of its own. Everything is committed, so the lack of it is no failure.
        with suppress(StorageError):
            self._tables.tidy()

    def _recover(self) -> None:
        """Read what is committed, and drop what an interrupted writer left half done."""
        self._tables.refresh()
        self._tables.prepare_to_write()
        with faults(self._tables.folder):
            records = video_records(self._tables.read(self._tables.videos))
            owners = self._tables.read(self._tables.clips, ["video"]).column("video")
            self._stored = Counter(owners.to_pylist())
        self._records = {record.id: record for record in records}
        whole = {record.id for record in records if record.names and record.code.has_clips}
        stray = [video for video in self._stored if video not in whole]
        nameless = [record.id for record in records if not record.names]
        self._remove([*stray, *nameless])
        for record in self._records.values():
            self._own(record)

    def _remove(self, videos: Sequence[str]) -> None:
        """Remove rows that no reader shows: clips first, so that none is left without a record."""
        if not videos:
            return
        self._tables.delete(self._tables.clips, "video", videos)
        nameless = [
            video for video in videos if video in self._records and not self._records[video].names
        ]
        if nameless:
            self._tables.delete(self._tables.videos, KEY, nameless)
        for video in videos:
            self._stored.pop(video, None)
        for video in nameless:
            del self._records[video]

    def _unmark(self, videos: Sequence[str]) -> None:
        """Take back the marker and clips of contents whose clips are about to be replaced.

        Adding the very clips that are stored changes nothing, and keeps them.
        """
        replaced: list[str] = []
        for video in videos:
            if not self._records[video].code.has_clips:
                replaced.append(video)
            elif video in self._rows:
                wanted = set(self._rows[video].column("checksum").to_pylist())
                if wanted == self._tables.checksums(video):
                    del self._rows[video]
                else:
                    replaced.append(video)
        if replaced:
            self._tables.delete(self._tables.videos, KEY, replaced)
            self._tables.delete(self._tables.clips, "video", replaced)
            for video in replaced:
                self._stored.pop(video, None)

    def _stage(self, record: VideoRecord) -> None:
        """Put a record into the batch; its paths leave the contents they had before."""
        known = self._records.get(record.id)
        if known is not None:
            names = known
            for name in record.names:
                names = names.with_name(name)
            record = replace(record, names=names.names)
        for name in record.names:
            owner = self._owners.get(name.path)
            if owner is not None and owner != record.id:
                self._replace(self._records[owner].without_path(name.path))
        self._replace(record)
        if self._since is None:
            self._since = time.monotonic()
        clips = sum(rows.num_rows for rows in self._rows.values())
        if clips >= BATCH_CLIPS or time.monotonic() - self._since >= BATCH_SECONDS:
            self.commit()

    def _replace(self, record: VideoRecord) -> None:
        before = self._records.get(record.id)
        for name in before.names if before is not None else ():
            if self._owners.get(name.path) == record.id:
                del self._owners[name.path]
        self._records[record.id] = record
        self._changed.add(record.id)
        if not record.names:
            self._rows.pop(record.id, None)
        self._own(record)

    def _own(self, record: VideoRecord) -> None:
        if is_content_id(record.id):
            self._owners.update({name.path: record.id for name in record.names})
