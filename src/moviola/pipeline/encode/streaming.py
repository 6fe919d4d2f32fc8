"""Encode videos in one stream: clips of several videos share a batch, videos come out whole.

Frames are reduced to the model's size as they are decoded, and wait in a queue that is bounded in
bytes, so that decoders work while the model does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from moviola.core import Frames, own_frame_tower, own_shrink
from moviola.pipeline.encode.batches import ClipReceiver, EncodedVideo, FrameReceiver
from moviola.pipeline.encode.stages import StageSeconds
from moviola.video import DecodePool, ReadRequest

RowsT = TypeVar("RowsT")
RowsT_co = TypeVar("RowsT_co", covariant=True)
EventT = TypeVar("EventT")
EventT_contra = TypeVar("EventT_contra", contravariant=True)


class VideoTower(Protocol[RowsT_co]):
    """Turn clips into rows: an encoder, or one that is read in many ways at once."""

    def encode_videos(self, clips: Sequence[Frames]) -> Sequence[RowsT_co]:
        """Encode every clip to its rows."""
        ...


def encode_stream(
    pool: DecodePool,
    requests: Iterable[ReadRequest],
    encoder: VideoTower[RowsT],
    *,
    seconds: StageSeconds | None = None,
) -> Iterator[EncodedVideo[RowsT]]:
    """Decode and encode videos; each comes out once all its clips have their vectors.

    Videos come out in the order in which they finish. A file that cannot be read comes out with
    its code and whatever clips were read before. An encoder that sees frames one by one encodes
    each once, however many clips show it. Where the time went is added to `seconds`.
    """
    seconds = seconds or StageSeconds()
    shrink = own_shrink(encoder)
    wanted = (replace(request, shrink=shrink) for request in requests)
    tower = own_frame_tower(encoder)
    if tower is None:
        clips = ClipReceiver[RowsT](encoder.encode_videos, seconds)
        yield from _received(pool.read(wanted, on_idle=clips.idle), clips, seconds)
    else:
        frames = FrameReceiver[RowsT](tower, seconds)
        yield from _received(pool.read_pictures(wanted, on_idle=frames.idle), frames, seconds)
    seconds.decode, seconds.decoders = pool.busy_seconds, pool.workers


class _Receiver(Protocol[EventT_contra, RowsT]):
    """Take events, and give videos."""

    def take(self, event: EventT_contra) -> None: ...

    def complete(self) -> Iterator[EncodedVideo[RowsT]]: ...

    def flush(self) -> None: ...


def _received(
    events: Iterator[EventT], receiver: _Receiver[EventT, RowsT], seconds: StageSeconds
) -> Iterator[EncodedVideo[RowsT]]:
    for event in _waited(events, seconds):
        receiver.take(event)
        yield from receiver.complete()
    receiver.flush()
    yield from receiver.complete()


def _waited(items: Iterator[EventT], seconds: StageSeconds) -> Iterator[EventT]:
    """Yield items, and count the time until each of them comes, but for that in the model."""
    while True:
        model = seconds.model
        with seconds.spent_on("wait"):
            item = next(items, None)
        seconds.wait -= seconds.model - model
        if item is None:
            return
        yield item
