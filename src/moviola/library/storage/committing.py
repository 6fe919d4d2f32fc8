"""Commit batches: clips and passages first, then the records that mark them as whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from moviola.library.records import VideoRecord, is_content_id
from moviola.library.storage.schema import KEY, video_records, video_rows
from moviola.library.storage.tables import Tables, faults
from moviola.library.storage.verifying import refuse_damage

if TYPE_CHECKING:
    import pyarrow as pa
    from lancedb.table import Table

# The ids of a video and the name of one of its channels.
Channel = tuple[str, str]


class Batch:
    """Hold what is committed and what is not yet, and commit it.

    A kill at any moment leaves whole videos or none, and of each whole channels or none: clips
    without a record, passages without a mark in one, and records without names are dropped when
    the library is next opened for writing.

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
        self._passages: dict[Channel, pa.Table] = {}
        self._marked: set[str] = set()
        self._channels: dict[str, set[str]] = {}
        self._recover()

    @property
    def clips(self) -> int:
        """Count the clips that are not committed yet."""
        return sum(rows.num_rows for rows in self._rows.values())

    @property
    def passages(self) -> int:
        """Count the passages that are not committed yet."""
        return sum(rows.num_rows for rows in self._passages.values())

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
            self.drop_passages(record.id)
        self._own(record)

    def set_rows(self, video: str, rows: pa.Table | None) -> None:
        """Take in the rows of a video's clips, or none."""
        self._rows.pop(video, None)
        if rows is not None:
            self._rows[video] = rows

    def set_passages(self, video: str, channel: str, rows: pa.Table) -> None:
        """Take in the rows of the passages of one channel of a video, in place of any others."""
        self._passages[video, channel] = rows

    def drop_passages(self, video: str) -> None:
        """Let go of the passages of a video that are not committed yet."""
        for key in [key for key in self._passages if key[0] == video]:
            del self._passages[key]

    def commit(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Make everything durable; return the ids of videos that are there, and that are gone.

        Raises:
            StorageError: when there is no room or no permission. Nothing committed before is
                lost, and this batch stays, to be committed again.
        """
        if not self._changed:
            return (), ()
        self._unmark([video for video in self._changed if self._stored[video]])
        self._unmark_channels()
        self._write_rows(self._tables.clips, self._rows.values())
        if self._tables.passages is not None:
            self._write_rows(self._tables.passages, self._passages.values())
        records = [self.records[video] for video in sorted(self._changed)]
        self._tables.upsert(self._tables.videos, video_rows(records, self._space))
        self._note(records)
        self._rows.clear()
        self._passages.clear()
        self._changed.clear()
        self._remove_passages(self._unmarked(records))
        gone = tuple(record.id for record in records if not record.names)
        self._remove(gone)
        self._tables.seal()
        return tuple(record.id for record in records if record.names), gone

    def _note(self, records: Sequence[VideoRecord]) -> None:
        """Note what the tables hold now that a batch is in them."""
        for record in records:
            self._marked.add(record.id)
            if record.id in self._rows:
                self._stored[record.id] = record.clips
        for (video, channel), rows in self._passages.items():
            if rows.num_rows:
                self._channels.setdefault(video, set()).add(channel)

    def _unmarked(self, records: Iterable[VideoRecord]) -> list[Channel]:
        """List the stored channels that the records of their videos do not mark."""
        return [
            (record.id, channel)
            for record in records
            for channel in self._channels.get(record.id, ())
            if record.mark_of(channel) is None
        ]

    def _write_rows(self, table: Table, rows: Iterable[pa.Table]) -> None:
        import pyarrow as pa

        if found := [part for part in rows if part.num_rows]:
            self._tables.upsert(table, pa.concat_tables(found))

    def _recover(self) -> None:
        refuse_damage(self._tables)
        self._tables.prepare_to_write()
        with faults(self._tables.folder):
            records = video_records(self._tables.read(self._tables.videos))
            owners = self._tables.read(self._tables.clips, ["video"]).column("video")
            self._stored = Counter(owners.to_pylist())
            self._channels = self._read_channels()
        self.records = {record.id: record for record in records}
        self._marked = set(self.records)
        whole = {record.id for record in records if record.names and record.code.has_clips}
        stray = [video for video in self._stored if video not in whole]
        nameless = [record.id for record in records if not record.names]
        self._remove([*stray, *nameless])
        unknown = self._channels.keys() - self.records.keys()
        self._remove_passages_of(unknown)
        self._remove_passages(self._unmarked(self.records.values()))
        self._tables.seal()
        for record in self.records.values():
            self._own(record)

    def _read_channels(self) -> dict[str, set[str]]:
        """Read which channels of which videos have passages."""
        found: dict[str, set[str]] = {}
        if self._tables.passages is not None:
            rows = self._tables.read(self._tables.passages, ["video", "channel"])
            pairs = rows.group_by(["video", "channel"]).aggregate([])
            for pair in pairs.to_pylist():
                found.setdefault(pair["video"], set()).add(pair["channel"])
        return found

    def _remove(self, videos: Sequence[str]) -> None:
        """Remove rows that no reader shows: clips first, so that none is left without a record."""
        # A kill between the two deletions leaves videos that are stray and nameless at once.
        videos = list(dict.fromkeys(videos))
        if not videos:
            return
        self._tables.delete(self._tables.clips, "video", videos)
        for video in videos:
            self._stored.pop(video, None)
        self._remove_passages_of(videos)
        nameless = [
            video for video in videos if video in self.records and not self.records[video].names
        ]
        if nameless:
            self._tables.delete(self._tables.videos, KEY, nameless)
        for video in nameless:
            del self.records[video]
        self._marked.difference_update(nameless)

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
                if wanted == self._tables.checksums(self._tables.clips, video=video):
                    del self._rows[video]
                else:
                    replaced.append(video)
        if replaced:
            self._tables.delete(self._tables.videos, KEY, replaced)
            self._tables.delete(self._tables.clips, "video", replaced)
            for video in replaced:
                self._stored.pop(video, None)
            self._marked.difference_update(replaced)

    def _unmark_channels(self) -> None:
        """Take back the marks and passages of channels whose passages are about to be replaced.

        Adding the very passages that are stored changes nothing, and keeps them.
        """
        table = self._tables.passages
        replaced: list[Channel] = []
        for key in [key for key in self._passages if key[1] in self._channels.get(key[0], ())]:
            wanted = set(self._passages[key].column("checksum").to_pylist())
            if table is not None and wanted == self._tables.checksums(
                table, video=key[0], channel=key[1]
            ):
                del self._passages[key]
            else:
                replaced.append(key)
        if not replaced:
            return
        videos = sorted({video for video, _ in replaced})
        # Where clips are replaced as well, the whole record was taken back before.
        there = [self.records[video] for video in videos if video in self._marked]
        unmarked = [
            replace(
                record,
                channels=tuple(
                    mark
                    for mark in record.channels
                    if (record.id, mark.channel) not in self._passages
                ),
            )
            for record in there
        ]
        if unmarked:
            self._tables.upsert(self._tables.videos, video_rows(unmarked, self._space))
        self._remove_passages(replaced)

    def _remove_passages_of(self, videos: Iterable[str]) -> None:
        """Remove all passages of some videos."""
        self._remove_passages(
            [(video, channel) for video in videos for channel in self._channels.get(video, ())]
        )

    def _remove_passages(self, keys: Iterable[Channel]) -> None:
        """Remove the passages of channels that no reader shows."""
        found: dict[str, list[str]] = {}
        for video, channel in keys:
            found.setdefault(channel, []).append(video)
        for channel, videos in found.items():
            if self._tables.passages is not None:
                self._tables.delete(self._tables.passages, "video", videos, channel=channel)
            for video in videos:
                self._channels[video].discard(channel)

    def _own(self, record: VideoRecord) -> None:
        if is_content_id(record.id):
            self.owners.update({name.path: record.id for name in record.names})
