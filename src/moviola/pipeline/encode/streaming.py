"""Encode videos in one stream: clips of several videos share a batch, videos come out whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from moviola.core import Frames, Span
from moviola.video import ClipRead, DecodePool, ReadRequest, VideoDone

RowsT = TypeVar("RowsT")
RowsT_co = TypeVar("RowsT_co", covariant=True)

#: Clips encoded at a time. More gains nothing on a CPU and holds more pixels in memory.
_BATCH = 16
#: Bytes of frames that wait to be encoded together; a clip that is larger goes alone.
_BATCH_BYTES = 128 << 20


class VideoTower(Protocol[RowsT_co]):
    """Turn clips into rows: an encoder, or one that is read in many ways at once."""

    def encode_videos(self, clips: Sequence[Frames]) -> Sequence[RowsT_co]:
        """Encode every clip to its rows."""
        ...


@dataclass(slots=True)
class EncodedVideo(Generic[RowsT]):
    """Hold one video's result: how its reading ended, and its clips' spans and rows.

    Attributes:
        done: code, message and facts of the file.
        spans: the clips that were read, in order.
        rows: what the tower made of each clip, `(n_i, D)` float32 of an encoder.
    """

    done: VideoDone
    spans: list[Span]
    rows: list[RowsT]


@dataclass(slots=True)
class _Unfinished(Generic[RowsT]):
    spans: list[Span] = field(default_factory=list[Span])
    rows: list[RowsT] = field(default_factory=list)
    done: VideoDone | None = None

    @property
    def is_complete(self) -> bool:
        return self.done is not None and len(self.rows) == len(self.spans)


class _Batch(Generic[RowsT]):
    """Gather clips that wait to be encoded together."""

    def __init__(self, encoder: VideoTower[RowsT]) -> None:
        self._encoder = encoder
        self._frames: list[Frames] = []
        self._owners: list[_Unfinished[RowsT]] = []
        self._bytes = 0

    def add(self, owner: _Unfinished[RowsT], frames: Frames) -> None:
        if self._bytes + frames.pixels.nbytes > _BATCH_BYTES:
            self.flush()
        self._frames.append(frames)
        self._owners.append(owner)
        self._bytes += frames.pixels.nbytes
        if len(self._frames) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if self._frames:
            rows = self._encoder.encode_videos(self._frames)
            for owner, own in zip(self._owners, rows, strict=True):
                owner.rows.append(own)
            self._frames, self._owners, self._bytes = [], [], 0


def encode_stream(
    pool: DecodePool,
    requests: Iterable[ReadRequest],
    encoder: VideoTower[RowsT],
    *,
    on_clip: Callable[[ClipRead], None] = lambda _: None,
) -> Iterator[EncodedVideo[RowsT]]:
    """Decode and encode videos; each comes out once all its clips have their vectors.

    Videos come out in the order in which they finish. A file that cannot be read comes out with
    its code and whatever clips were read before. `on_clip` sees every clip's frames.
    """
    unfinished: dict[int | str, _Unfinished[RowsT]] = {}
    batch = _Batch[RowsT](encoder)
    for event in pool.read(requests):
        video = unfinished.setdefault(event.key, _Unfinished[RowsT]())
        if isinstance(event, ClipRead):
            video.spans.append(event.span)
            on_clip(event)
            batch.add(video, event.frames)
        else:
            video.done = event
        yield from _take_complete(unfinished)
    batch.flush()
    yield from _take_complete(unfinished)


def _take_complete(
    unfinished: dict[int | str, _Unfinished[RowsT]],
) -> Iterator[EncodedVideo[RowsT]]:
    for key in [key for key, video in unfinished.items() if video.is_complete]:
        video = unfinished.pop(key)
        assert video.done is not None  # noqa: S101 -- is_complete says so
        yield EncodedVideo(video.done, video.spans, video.rows)
