"""Gather what waits to be encoded together, bounded in bytes and in number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from moviola.core import Frames, FrameTower, Span
from moviola.pipeline.encode.stages import StageSeconds
from moviola.video import ClipNamed, ClipRead, PictureRead, VideoDone

if TYPE_CHECKING:
    from numpy.typing import NDArray

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")
RowsT = TypeVar("RowsT")

#: Clips encoded at a time. More gains nothing on a CPU and holds more pixels in memory.
_BATCH = 16
#: Single frames encoded at a time, likewise.
_FRAMES = 128
#: The part of a batch that is worth encoding while the model has nothing else to do.
_WORTH_WHILE = 4
#: Bytes of frames that wait to be encoded together; what is larger goes alone.
_BATCH_BYTES = 64 << 20


@dataclass(slots=True)
class EncodedVideo(Generic[RowsT]):
    """Hold one video's result: how its reading ended, and its clips' spans and rows.

    Attributes:
        done: code, message and facts of the file.
        spans: the clips that were read, in the segmenter's order.
        rows: what the tower made of each clip, `(n_i, D)` float32 of an encoder.
    """

    done: VideoDone
    spans: list[Span]
    rows: list[RowsT]


@dataclass(slots=True)
class Unfinished(Generic[RowsT]):
    """Hold what is known of a video that is not finished.

    Attributes:
        clips: index and span of each, in the order in which they came.
        rows: of the first of them.
        done: how its reading ended.
    """

    clips: list[tuple[int, Span]] = field(default_factory=list[tuple[int, Span]])
    rows: list[RowsT] = field(default_factory=list)
    done: VideoDone | None = None

    def take(self) -> EncodedVideo[RowsT] | None:
        """Return the video once it is complete, its clips in the segmenter's order."""
        if self.done is None or len(self.rows) < len(self.clips):
            return None
        order = sorted(range(len(self.clips)), key=lambda place: self.clips[place][0])
        return EncodedVideo(
            self.done,
            [self.clips[place][1] for place in order],
            [self.rows[place] for place in order],
        )


class Batch(Generic[ItemT, ResultT]):
    """Encode items together, and give each its result; half as many once memory runs out.

    Args:
        encode: one result for each of the items.
        most: items at a time.
        seconds: where the time in the model is added.
    """

    def __init__(
        self,
        encode: Callable[[Sequence[ItemT]], Sequence[ResultT]],
        most: int,
        seconds: StageSeconds,
    ) -> None:
        self._encode = encode
        self._most = most
        self._seconds = seconds
        self._items: list[ItemT] = []
        self._takers: list[Callable[[ResultT], None]] = []
        self._bytes = 0

    def add(self, item: ItemT, size: int, take: Callable[[ResultT], None]) -> None:
        """Add an item of `size` bytes whose result goes to `take`, soon or with the next ones."""
        if self._bytes + size > _BATCH_BYTES:
            self.flush()
        self._items.append(item)
        self._takers.append(take)
        self._bytes += size
        if len(self._items) >= self._most:
            self.flush()

    def flush(self) -> None:
        """Encode what waits.

        Raises:
            MemoryError: when even a single item does not fit.
        """
        if not self._items:
            return
        from moviola.encode.runtime.batching import run_batched

        with self._seconds.spent_on("model"):
            results = run_batched(self._encode, self._items, self._most, on_halved=self._halve)
        for take, result in zip(self._takers, results, strict=True):
            take(result)
        self._items, self._takers, self._bytes = [], [], 0

    def idle(self) -> None:
        """Encode what waits while nothing else is to be done, unless it is only a little.

        A model loses by batches that are too small, and more by waiting for full ones.
        """
        if len(self._items) * _WORTH_WHILE >= self._most:
            self.flush()

    def _halve(self, size: int) -> None:
        self._most = size


class ClipReceiver(Generic[RowsT]):
    """Take clips with their frames, for a tower that sees the frames of a clip together."""

    def __init__(
        self, encode: Callable[[Sequence[Frames]], Sequence[RowsT]], seconds: StageSeconds
    ) -> None:
        self._batch = Batch[Frames, RowsT](encode, _BATCH, seconds)
        self._videos: dict[int | str, Unfinished[RowsT]] = {}

    def take(self, event: ClipRead | VideoDone) -> None:
        """Take what was read next."""
        video = self._videos.setdefault(event.key, Unfinished[RowsT]())
        if isinstance(event, VideoDone):
            video.done = event
        else:
            video.clips.append((event.index, event.span))
            self._batch.add(event.frames, event.frames.pixels.nbytes, video.rows.append)

    def complete(self) -> Iterator[EncodedVideo[RowsT]]:
        """Hand out the videos that are complete."""
        for key, video in list(self._videos.items()):
            if (encoded := video.take()) is not None:
                del self._videos[key]
                yield encoded

    def idle(self) -> None:
        """Encode what waits if it is worth while."""
        self._batch.idle()

    def flush(self) -> None:
        """Encode what waits."""
        self._batch.flush()


@dataclass(slots=True)
class _Seen(Generic[RowsT]):
    """Hold the rows of a video's pictures, and which of them its clips show.

    Attributes:
        rows: `(D,)` of each picture by its number.
        same: the number of the picture that a picture repeats, or its own.
        latest: the picture that came last and repeats no other.
        clips: index, span and pictures of each clip.
        done: how its reading ended.
    """

    rows: dict[int, NDArray[np.float32]] = field(default_factory=dict)
    same: dict[int, int] = field(default_factory=dict[int, int])
    latest: PictureRead | None = None
    clips: list[ClipNamed] = field(default_factory=list[ClipNamed])
    done: VideoDone | None = None


class FrameReceiver(Generic[RowsT]):
    """Take pictures and the clips that show them, for a tower that sees frames one by one.

    A picture is encoded once, and one that repeats the picture before it not at all.
    """

    def __init__(self, tower: FrameTower[RowsT], seconds: StageSeconds) -> None:
        self._tower = tower
        self._seconds = seconds
        self._batch: Batch[NDArray[np.uint8], NDArray[np.float32]] = Batch(
            lambda frames: list(tower.encode_frames(frames)), _FRAMES, seconds
        )
        self._videos: dict[int | str, _Seen[RowsT]] = {}

    def take(self, event: PictureRead | ClipNamed | VideoDone) -> None:
        """Take what was read next."""
        video = self._videos.setdefault(event.key, _Seen[RowsT]())
        match event:
            case VideoDone():
                video.done = event
            case ClipNamed():
                video.clips.append(event)
            case PictureRead():
                self._take_picture(video, event)

    def _take_picture(self, video: _Seen[RowsT], event: PictureRead) -> None:
        latest = video.latest
        if latest is not None and np.array_equal(latest.pixels, event.pixels):
            video.same[event.number] = latest.number
            return
        video.latest, video.same[event.number] = event, event.number

        def keep(row: NDArray[np.float32]) -> None:
            video.rows[event.number] = row

        self._batch.add(event.pixels, event.pixels.nbytes, keep)

    def complete(self) -> Iterator[EncodedVideo[RowsT]]:
        """Hand out the videos that are complete."""
        for key, video in list(self._videos.items()):
            if video.done is not None and len(video.rows) == len(set(video.same.values())):
                del self._videos[key]
                yield self._encoded(video, video.done)

    def _encoded(self, video: _Seen[RowsT], done: VideoDone) -> EncodedVideo[RowsT]:
        clips = sorted(video.clips, key=lambda clip: clip.index)
        rows = [
            np.stack([video.rows[video.same[number]] for number in clip.pictures]) for clip in clips
        ]
        with self._seconds.spent_on("model"):
            pooled = list(self._tower.pool_frames(rows)) if rows else []
        return EncodedVideo(done, [clip.span for clip in clips], pooled)

    def idle(self) -> None:
        """Encode what waits if it is worth while."""
        self._batch.idle()

    def flush(self) -> None:
        """Encode what waits."""
        self._batch.flush()
