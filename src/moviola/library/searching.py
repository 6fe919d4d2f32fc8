"""Exact search in memory: every committed vector, one matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.library.bands import Band, Calibrated, Outstanding, Yardstick
from moviola.library.filters import VideoFilter
from moviola.library.moments import Stretch, merge_videos
from moviola.library.quantiles import quantiles
from moviola.library.records import VideoRecord
from moviola.library.schema import KEY, vectors_of
from moviola.library.sequences import best_chains

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
        clip: id of the best clip in it.
        others: how many further moments of the video a limit per video left out.
        steps: of a moment that is one thing after another, its parts in order.
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
    clip: str = ""
    others: int = 0
    steps: tuple[Stretch, ...] = ()


# Masks of filters are cheap to keep and not to make: people type while filters stay.
_FILTERS_KEPT = 32


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One committed state of a library, in memory.

    Attributes:
        records: the V videos that have clips, ordered by id.
        offsets: `(V + 1,)` video v owns clips `offsets[v]:offsets[v + 1]`.
        spans: `(n, 2)` starts and ends in seconds, ordered within each video.
        matrix: `(n, D)` float32 vectors.
        clips: `(n,)` ids of the clips, as bytes.
    """

    records: Sequence[VideoRecord]
    offsets: NDArray[np.int64]
    spans: NDArray[np.float64]
    matrix: NDArray[np.float32]
    clips: NDArray[np.bytes_]
    _by_id: NDArray[np.int64] = field(repr=False)
    _admitted: dict[VideoFilter, NDArray[np.bool_]] = field(default_factory=dict, repr=False)

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
        names = np.asarray(clips.column(KEY).to_pylist(), np.bytes_)[order]
        return cls(
            [known[ids[place]] for place in shown],
            np.concatenate([[0], np.cumsum(counts[shown])]).astype(np.int64),
            np.stack([starts, clips.column("end").to_numpy()], axis=1)[order],
            matrix,
            names,
            np.argsort(names, kind="stable"),
        )

    def video(self, place: int) -> slice:
        """The clips of the video at `place`."""
        return slice(int(self.offsets[place]), int(self.offsets[place + 1]))

    def place_of(self, video: str) -> int | None:
        """Where the video `video` stands, None where it has no clips here."""
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
        """Where the clip `clip` stands, None where there is none of that id."""
        row = int(self.rows_of([clip])[0])
        return None if row < 0 else row

    def rows_of(self, clips: Sequence[str]) -> NDArray[np.int64]:
        """Where clips stand, -1 for those that are not here."""
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
        """The place of the video that owns the clip at `row`."""
        return int(np.searchsorted(self.offsets, row, side="right")) - 1

    def admitted(self, filters: VideoFilter | None) -> NDArray[np.bool_]:
        """`(V,)` which videos pass `filters`."""
        if filters is None:
            return np.ones(len(self.records), np.bool_)
        found = self._admitted.get(filters)
        if found is None:
            found = np.fromiter(map(filters.admits, self.records), np.bool_, len(self.records))
            if len(self._admitted) >= _FILTERS_KEPT:
                self._admitted.clear()
            self._admitted[filters] = found
        return found

    def rank(
        self,
        scores: NDArray[np.floating],
        *,
        top: int,
        per_video: int | None,
        calibration: tuple[float, float] | None = None,
        filters: VideoFilter | None = None,
    ) -> list[Moment]:
        """The best `top` moments for one query.

        Args:
            scores: `(n,)` of every clip, larger is better.
            top: at most this many moments.
            per_video: at most this many of one video; None for no limit.
            calibration: slope and intercept, where the scores are what it was fitted on.
            filters: which videos to search. Bands do not depend on it.

        Returns:
            Moments, best first; ties in the order of videos and times.
        """
        if not self.records or top < 1:
            return []
        best = np.maximum.reduceat(scores, self.offsets[:-1])
        yardstick = self._yardstick(scores, int(best.argmax()), calibration)
        background = quantiles(scores, [0.5])[0] if len(self.records) > 1 else None
        # A video beyond the first `top` cannot hold any of the `top` best moments.
        places = self._best_first(best, top, filters)
        if not places.size:
            return []
        counts = np.diff(self.offsets)[places]
        offsets = np.append(0, np.cumsum(counts))
        rows = np.arange(offsets[-1]) + np.repeat(self.offsets[places] - offsets[:-1], counts)
        found = merge_videos(
            scores[rows], self.spans[rows], offsets, background=background, most=per_video
        )
        order = np.lexsort((found.starts, places[found.videos], -found.scores))[:top]
        columns = (
            places[found.videos],
            found.starts,
            found.ends,
            found.peaks,
            found.scores,
            rows[found.windows],
            found.others,
        )
        return [
            self._moment(place, Stretch(*stretch), row, yardstick, others=others)
            for place, *stretch, row, others in zip(
                *(column[order].tolist() for column in columns), strict=True
            )
        ]

    def rank_sequences(
        self,
        scores: NDArray[np.floating],
        *,
        within: float,
        top: int,
        filters: VideoFilter | None = None,
    ) -> list[Moment]:
        """The best chain of clips in each of the best `top` videos, one clip a step, in order.

        Args:
            scores: `(k, n)` of every clip for every step.
            within: seconds from the start of one step to the start of the next, at most.
            top: at most this many moments, one a video.
            filters: which videos to search.
        """
        if not self.records or top < 1:
            return []
        totals, chains = best_chains(scores, self.spans, self.offsets, within=within)
        best = np.maximum.reduceat(totals, self.offsets[:-1])
        if not np.isfinite(best).any():
            return []
        # Chains that end in neighbouring clips share most of their steps: one a video is counted.
        rest = np.delete(best, best.argmax())
        yardstick = Outstanding.of(rest[np.isfinite(rest)])
        found: list[Moment] = []
        for place in self._best_first(best, top, filters).tolist():
            if not np.isfinite(best[place]):
                break
            own = self.video(place)
            rows = chains[:, own.start + totals[own].argmax()].tolist()
            steps = tuple(
                Stretch(
                    float(self.spans[row, 0]),
                    float(self.spans[row, 1]),
                    float(self.spans[row].mean()),
                    float(scores[step, row]),
                )
                for step, row in enumerate(rows)
            )
            whole = Stretch(steps[0].start, steps[-1].end, steps[0].peak, float(best[place]))
            found.append(self._moment(place, whole, rows[0], yardstick, steps=steps))
        return found

    def _best_first(
        self, best: NDArray[np.floating], top: int, filters: VideoFilter | None
    ) -> NDArray[np.int64]:
        order = np.argsort(-best, kind="stable")
        return order[self.admitted(filters)[order]][:top]

    def _moment(
        self,
        place: int,
        stretch: Stretch,
        row: int,
        yardstick: Yardstick,
        *,
        others: int = 0,
        steps: tuple[Stretch, ...] = (),
    ) -> Moment:
        record = self.records[place]
        return Moment(
            record.id,
            record.path,
            stretch.start,
            stretch.end,
            stretch.peak,
            stretch.score,
            yardstick.band(stretch.score),
            yardstick.probability(stretch.score),
            record.is_missing,
            bytes(self.clips[row]).decode(),
            others,
            steps,
        )

    def _yardstick(
        self,
        scores: NDArray[np.floating],
        best: int,
        calibration: tuple[float, float] | None,
    ) -> Yardstick:
        if calibration is not None:
            return Calibrated(*calibration)
        first, last = self.offsets[best], self.offsets[best + 1]
        return Outstanding.of(np.concatenate([scores[:first], scores[last:]]))
