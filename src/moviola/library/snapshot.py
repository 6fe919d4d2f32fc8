"""Hold one committed state of a library in memory: every vector, span and record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.filters import VideoFilter
from moviola.library.records import VideoRecord
from moviola.library.storage.row_column import ClipRows, rows_of
from moviola.library.storage.schema import KEY, vectors_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


# Masks of filters are cheap to keep and not to make: people type while filters stay.
_FILTERS_KEPT = 32


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Snapshot:
    """Hold one committed state of a library in memory.

    Attributes:
        records: the V videos that have clips, ordered by id.
        offsets: `(V + 1,)` video v owns clips `offsets[v]:offsets[v + 1]`.
        spans: `(n, 2)` starts and ends in seconds, ordered within each video.
        matrix: `(n, D)` float32 vectors.
        clips: `(n,)` ids of the clips, as bytes.
        sharpness: the library card's, by which windows are joined to moments.
        rows: unit rows of the clips, where the library keeps several of each; else None.
    """

    records: Sequence[VideoRecord]
    offsets: NDArray[np.int64]
    spans: NDArray[np.float64]
    matrix: NDArray[np.float32]
    clips: NDArray[np.bytes_]
    sharpness: float
    _by_id: NDArray[np.int64] = field(repr=False)
    rows: ClipRows | None = None
    _admitted: dict[VideoFilter, NDArray[np.bool_]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        records: Sequence[VideoRecord],
        clips: pa.Table,
        *,
        unit: bool,
        sharpness: float = 0.0,
    ) -> Snapshot:
        """Gather committed videos with their clips, in order; `unit` undoes rounding of norms."""
        known = {record.id: record for record in records if record.names and record.code.has_clips}
        ids = sorted(known)
        places = {video: place for place, video in enumerate(ids)}
        column = clips.column("video").combine_chunks().dictionary_encode()
        lookup = np.array([places.get(v, -1) for v in column.dictionary.to_pylist()], np.int64)
        owners = lookup[column.indices.to_numpy()] if len(column) else np.zeros(0, np.int64)
        starts = clips.column("start").to_numpy()
        order = np.lexsort((starts, owners))
        order = order[np.searchsorted(owners[order], 0) :]  # clips without a marker come first
        counts = np.bincount(owners[order], minlength=len(ids))
        shown = np.flatnonzero(counts)
        matrix = vectors_of(clips)[order].astype(np.float32)
        if unit:
            matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
        several = rows_of(clips)
        names = np.asarray(clips.column(KEY).to_pylist(), np.bytes_)[order]
        return cls(
            [known[ids[place]] for place in shown],
            np.concatenate([[0], np.cumsum(counts[shown])]).astype(np.int64),
            np.stack([starts, clips.column("end").to_numpy()], axis=1)[order],
            matrix,
            names,
            sharpness,
            np.argsort(names, kind="stable"),
            None if several is None else several.take(order).unit(),
        )

    def video(self, place: int) -> slice:
        """Return the rows of the clips of the video at `place`."""
        return slice(int(self.offsets[place]), int(self.offsets[place + 1]))

    def place_of(self, video: str) -> int | None:
        """Find the place of the video `video`, None where it has no clips here."""
        low, high = 0, len(self.records)
        while low < high:
            middle = (low + high) // 2
            if self.records[middle].id < video:
                low = middle + 1
            else:
                high = middle
        found = low < len(self.records) and self.records[low].id == video
        return low if found else None

    def row_of(self, clip: str) -> int | None:
        """Find the row of the clip `clip`, None where there is none of that id."""
        row = int(self.rows_of([clip])[0])
        return None if row < 0 else row

    def rows_of(self, clips: Sequence[str]) -> NDArray[np.int64]:
        """Find the rows `(n,)` of n clips, -1 for those that are not here."""
        # No id has a character beyond ASCII, nor a zero byte, which NumPy would drop from its end.
        usual = (clip.isascii() and clip.isprintable() for clip in clips)
        wanted = np.array(
            [clip.encode() if ok else b"" for clip, ok in zip(clips, usual, strict=True)], np.bytes_
        )
        if not self.clips.size:
            return np.full(wanted.size, -1)
        at = np.searchsorted(self.clips, wanted, sorter=self._by_id)
        rows = self._by_id[np.minimum(at, self.clips.size - 1)]
        return np.where(self.clips[rows] == wanted, rows, -1)

    def owner_of(self, row: int) -> int:
        """Find the place of the video that owns the clip at `row`."""
        return int(np.searchsorted(self.offsets, row, side="right")) - 1

    def admitted(self, filters: VideoFilter | None) -> NDArray[np.bool_]:
        """Mask the videos that pass `filters`, `(V,)`; None passes all whose files are there."""
        filters = filters or VideoFilter()
        found = self._admitted.get(filters)
        if found is None:
            found = np.fromiter(map(filters.admits, self.records), np.bool_, len(self.records))
            if len(self._admitted) >= _FILTERS_KEPT:
                self._admitted.clear()
            self._admitted[filters] = found
        return found
