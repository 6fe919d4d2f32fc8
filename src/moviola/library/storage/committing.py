"""Commit batches of videos: clips first, and the records that mark them as whole after them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.library.records import VideoRecord, is_content_id
from moviola.library.storage.schema import KEY, video_records, video_rows
from moviola.library.storage.tables import Tables, faults

if TYPE_CHECKING:
    import pyarrow as pa


class Batch:
    """Hold what is committed and what is not yet, and commit it.

    A kill at any moment leaves whole videos or none: clips without a record, and records without
    names, are dropped when the library is next opened for writing.

    Attributes:
        records: the videos by id, uncommitted changes included.
        owners: the id of the content that each path has.
    """

    def __init__(self, tables: Tables, space: str) -> None:
        """Read what is committed; drop what an interrupted writer left half done.

        Args:
            tables: the library's tables; nobody else may write to them.
            space: digest of the library's space.
        """
        self.records: dict[str, VideoRecord] = {}
        self.owners: dict[Path, str] = {}
        self._tables = tables
        self._space = space
        self._rows: dict[str, pa.Table] = {}
        self._changed: set[str] = set()
        self._stored: Counter[str] = Counter()
        self._recover()

    @property
    def clips(self) -> int:
        """Count the clips that are not committed yet."""
        return sum(rows.num_rows for rows in self._rows.values())

    def replace(self, record: VideoRecord) -> None:
        """Take in a record in place of the one of its id; one without names is to go."""
        before = self.records.get(record.id)
        for name in before.names if before is not None else ():
            if self.owners.get(name.path) == record.id:
                del self.owners[name.path]
        self.records[record.id] = record
        self._changed.add(record.id)
        if not record.names:
            self._rows.pop(record.id, None)
        self._own(record)

    def set_rows(self, video: str, rows: pa.Table | None) -> None:
        """Take in the rows of a video's clips, or none."""
        self._rows.pop(video, None)
        if rows is not None:
            self._rows[video] = rows

    def commit(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Make everything durable; return the ids of videos that are there, and that are gone.

        Raises:
            StorageError: when there is no room or no permission. Nothing committed before is
                lost, and this batch stays, to be committed again.
        """
        if not self._changed:
            return (), ()
        self._unmark([video for video in self._changed if self._stored[video]])
        if self._rows:
            import pyarrow as pa

            self._tables.upsert(self._tables.clips, pa.concat_tables(self._rows.values()))
        records = [self.records[video] for video in sorted(self._changed)]
        self._tables.upsert(self._tables.videos, video_rows(records, self._space))
        for record in records:
            if record.id in self._rows:
                self._stored[record.id] = record.clips
        self._rows.clear()
        self._changed.clear()
        gone = tuple(record.id for record in records if not record.names)
        self._remove(gone)
        return tuple(record.id for record in records if record.names), gone

    def _recover(self) -> None:
        self._tables.refresh()
        self._tables.prepare_to_write()
        with faults(self._tables.folder):
            records = video_records(self._tables.read(self._tables.videos))
            owners = self._tables.read(self._tables.clips, ["video"]).column("video")
            self._stored = Counter(owners.to_pylist())
        self.records = {record.id: record for record in records}
        whole = {record.id for record in records if record.names and record.code.has_clips}
        stray = [video for video in self._stored if video not in whole]
        nameless = [record.id for record in records if not record.names]
        self._remove([*stray, *nameless])
        for record in self.records.values():
            self._own(record)

    def _remove(self, videos: Sequence[str]) -> None:
        """Remove rows that no reader shows: clips first, so that none is left without a record."""
        # A kill between the two deletions leaves videos that are stray and nameless at once.
        videos = list(dict.fromkeys(videos))
        if not videos:
            return
        self._tables.delete(self._tables.clips, "video", videos)
        for video in videos:
            self._stored.pop(video, None)
        nameless = [
            video for video in videos if video in self.records and not self.records[video].names
        ]
        if nameless:
            self._tables.delete(self._tables.videos, KEY, nameless)
        for video in nameless:
            del self.records[video]

    def _unmark(self, videos: Sequence[str]) -> None:
        """Take back the records and clips of contents whose clips are about to be replaced.

        Adding the very clips that are stored changes nothing, and keeps them.
        """
        replaced: list[str] = []
        for video in videos:
            if not self.records[video].code.has_clips:
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

    def _own(self, record: VideoRecord) -> None:
        if is_content_id(record.id):
            self.owners.update({name.path: record.id for name in record.names})
