"""Exact search in memory: every committed vector, one matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.bands import Band, Calibrated, Outstanding, Yardstick
from moviola.library.moments import merge_windows
from moviola.library.records import VideoRecord
from moviola.library.schema import vectors_of

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Moment:
    """A stretch of a video that answers a query.

    Attributes:
        video: the video's id in the library.
        path: where its file is, or was.
        start: seconds.
        end: seconds.
        peak: the best place to look, seconds.
        score: of the best clip in it.
        band: what the score means.
        probability: of being right, where the encoder ships a calibration.
        missing: whether the file was gone when its folder was last indexed.
    """

    video: str
    path: Path
    start: float
    end: float
    peak: float
    score: float
    band: Band
    probability: float | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class VideoFilter:
    """Which videos to search; None does not filter. Values are compared, never parsed.

    Attributes:
        shortest: least duration, seconds.
        longest: greatest duration, seconds.
        has_sound: whether there is a sound track.
        codecs: names of video codecs, such as `h264`.
        below: only files under this absolute folder.
        videos: only these ids.
        missing: False leaves out videos whose files are gone.
    """

    shortest: float | None = None
    longest: float | None = None
    has_sound: bool | None = None
    codecs: frozenset[str] | None = None
    below: Path | None = None
    videos: frozenset[str] | None = None
    missing: bool = True

    def admits(self, record: VideoRecord) -> bool:
        """Whether a video passes. A fact that is unknown passes no filter on it."""
        info, names = record.info, record.names
        below = self.below
        checks = (
            self.shortest is None or (info is not None and info.duration >= self.shortest),
            self.longest is None or (info is not None and info.duration <= self.longest),
            self.has_sound is None or (info is not None and info.has_sound == self.has_sound),
            self.codecs is None or (info is not None and info.codec in self.codecs),
            below is None or any(name.path.is_relative_to(below) for name in names),
            self.videos is None or record.id in self.videos,
            self.missing or not record.is_missing,
        )
        return all(checks)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One committed state of a library, in memory.

    Attributes:
        records: the V videos that have clips, ordered by id.
        offsets: `(V + 1,)` video v owns clips `offsets[v]:offsets[v + 1]`.
        spans: `(n, 2)` starts and ends in seconds, ordered within each video.
        matrix: `(n, D)` float32 vectors.
    """

    records: Sequence[VideoRecord]
    offsets: NDArray[np.int64]
    spans: NDArray[np.float64]
    matrix: NDArray[np.float32]

    @classmethod
    def of(cls, records: Sequence[VideoRecord], clips: pa.Table, *, unit: bool) -> Snapshot:
        """Clips whose videos are committed, in order; `unit` undoes the rounding of norms."""
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
        return cls(
            [known[ids[place]] for place in shown],
            np.concatenate([[0], np.cumsum(counts[shown])]).astype(np.int64),
            np.stack([starts, clips.column("end").to_numpy()], axis=1)[order],
            matrix,
        )

    def search(
        self,
        query: NDArray[np.float32],
        *,
        top: int,
        per_video: int | None,
        calibration: tuple[float, float] | None,
        filters: VideoFilter | None,
    ) -> list[Moment]:
        """The best `top` moments for one query `(D,)`, best first."""
        if not self.records or top < 1:
            return []
        scores = self.matrix @ query
        best = np.maximum.reduceat(scores, self.offsets[:-1])
        yardstick = self._yardstick(scores, int(best.argmax()), calibration)
        background = float(np.median(scores)) if len(self.records) > 1 else None
        found: list[tuple[int, Moment]] = []
        admitted = 0
        # A video beyond the first `top` cannot hold any of the `top` best moments.
        for place in np.argsort(-best, kind="stable"):
            if filters is not None and not filters.admits(self.records[place]):
                continue
            moments = self._moments(int(place), scores, background, yardstick)
            found.extend((int(place), moment) for moment in moments[:per_video])
            admitted += 1
            if admitted == top:
                break
        found.sort(key=lambda pair: (-pair[1].score, pair[0], pair[1].start))
        return [moment for _, moment in found[:top]]

    def _moments(
        self,
        place: int,
        scores: NDArray[np.float32],
        background: float | None,
        yardstick: Yardstick,
    ) -> list[Moment]:
        record = self.records[place]
        own = slice(self.offsets[place], self.offsets[place + 1])
        return [
            Moment(
                record.id,
                record.path,
                stretch.start,
                stretch.end,
                stretch.peak,
                stretch.score,
                yardstick.band(stretch.score),
                yardstick.probability(stretch.score),
                record.is_missing,
            )
            for stretch in merge_windows(scores[own], self.spans[own], background=background)
        ]

    def _yardstick(
        self, scores: NDArray[np.float32], best: int, calibration: tuple[float, float] | None
    ) -> Yardstick:
        if calibration is not None:
            return Calibrated(*calibration)
        first, last = self.offsets[best], self.offsets[best + 1]
        return Outstanding.of(np.concatenate([scores[:first], scores[last:]]))
