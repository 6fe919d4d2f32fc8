"""Videos to vectors in one stream: clips of several videos share a batch, videos come out whole."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from moviola.core import Encoder, Frames, Span
from moviola.video import ClipRead, DecodePool, ReadRequest, VideoDone

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Clips encoded at a time. More gains nothing on a CPU and holds more pixels in memory.
_BATCH = 16


@dataclass(slots=True)
class EncodedVideo:
    """One video's result: what reading it came to, and its clips' spans and rows.

    Attributes:
        done: code, message and facts of the file.
        spans: the clips that were read, in order.
        rows: one `(n_i, D)` float32 array a clip.
    """

    done: VideoDone
    spans: list[Span]
    rows: list[NDArray[np.float32]]


@dataclass(slots=True)
class _Unfinished:
    spans: list[Span] = field(default_factory=list[Span])
    rows: list[NDArray[np.float32]] = field(default_factory=list)
    done: VideoDone | None = None

    @property
    def is_complete(self) -> bool:
        return self.done is not None and len(self.rows) == len(self.spans)


class _Batch:
    """Clips waiting to be encoded together."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._frames: list[Frames] = []
        self._owners: list[_Unfinished] = []

    def add(self, owner: _Unfinished, frames: Frames) -> None:
        self._frames.append(frames)
        self._owners.append(owner)
        if len(self._frames) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        if self._frames:
            rows = self._encoder.encode_videos(self._frames)
            for owner, own in zip(self._owners, rows, strict=True):
                owner.rows.append(own)
            self._frames, self._owners = [], []


def encode_stream(
    pool: DecodePool,
    requests: Iterable[ReadRequest],
    encoder: Encoder,
    *,
    on_clip: Callable[[ClipRead], None] = lambda _: None,
) -> Iterator[EncodedVideo]:
    """Decode and encode videos; each comes out once all its clips have their vectors.

    Videos come out in the order in which they finish. A file that cannot be read comes out with
    its code and whatever clips were read before. `on_clip` sees every clip's frames.
    """
    unfinished: dict[int | str, _Unfinished] = {}
    batch = _Batch(encoder)
    for event in pool.read(requests):
        video = unfinished.setdefault(event.key, _Unfinished())
        if isinstance(event, ClipRead):
            video.spans.append(event.span)
            on_clip(event)
            batch.add(video, event.frames)
        else:
            video.done = event
        yield from _take_complete(unfinished)
    batch.flush()
    yield from _take_complete(unfinished)


def _take_complete(unfinished: dict[int | str, _Unfinished]) -> Iterator[EncodedVideo]:
    for key in [key for key, video in unfinished.items() if video.is_complete]:
        video = unfinished.pop(key)
        assert video.done is not None  # noqa: S101 -- is_complete says so
        yield EncodedVideo(video.done, video.spans, video.rows)
