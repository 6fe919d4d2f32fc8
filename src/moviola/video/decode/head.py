"""Look at the first packets of a file: which stream is the film, and where zero is.

Runs in the worker.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import av.error
from av.stream import Discard

from moviola.video.decode.clock import shown_at, zero_of
from moviola.video.decode.opening import open_container
from moviola.video.decode.streams import STILLS, Damage, candidates, decode, packets, select

if TYPE_CHECKING:
    from fractions import Fraction
    from pathlib import Path

    from av.container import InputContainer

    from moviola.video.limits import Limits

# Far more than any codec reorders, so that the earliest picture is among them.
_PACKETS = 64
_MOST_PACKETS = 512
_MOST_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Head:
    """Hold what the first packets of a file say.

    Attributes:
        streams: indices of the streams that may be shown, the film first.
        zeros: of each of them, the seconds of the file's own clock that count as zero.
    """

    streams: tuple[int, ...]
    zeros: dict[int, float]

    @property
    def film(self) -> int:
        """Index of the stream that is shown."""
        return self.streams[0]

    @property
    def zero(self) -> float:
        """Seconds of the file's own clock where a player's clock shows zero."""
        return self.zeros[self.film]


def read_head(path: Path, limits: Limits, *, opened: InputContainer | None = None) -> Head:
    """Read the head of the file at `path`. Uses up and closes `opened`.

    A stream of a single picture is a cover or a slate where another has several; a stream of which
    no picture can be decoded comes after those of which one can. Among equals the one that the
    file marks as default comes first.

    Raises:
        VideoUnreadableError: when no stream may be shown.
    """
    with closing(opened or open_container(path, limits)) as container:
        usable = candidates(path, container, limits)
        counted = _count(container, usable)
        best = max(counted.numbers.values())
        few = {index for index in usable if counted.numbers[index] < min(best, 2)}
    if len(usable) > 1:
        usable.sort(key=lambda index: (index in few, not _decodes(path, index, limits)))
    sounds = counted.sounds
    films = [stream for index, stream in counted.videos.items() if index not in few]
    zeros = {
        index: zero_of(counted.firsts.get(index), [counted.videos[index], *films, *sounds])
        for index in usable
    }
    return Head(tuple(usable), zeros)


@dataclass(frozen=True, slots=True)
class _Starting:
    """Hold when a stream begins, by the headers."""

    start_time: int | None
    time_base: Fraction | None


@dataclass(frozen=True, slots=True)
class _Counted:
    """Packets of the head: how many of each stream, the earliest time, what headers say."""

    numbers: dict[int, int]
    firsts: dict[int, float]
    videos: dict[int, _Starting]
    sounds: list[_Starting]


def _decodes(path: Path, index: int, limits: Limits) -> bool:
    """Tell whether one of the first pictures of stream `index` can be decoded."""
    with closing(open_container(path, limits)) as container:
        stream = select(container, index, limits)
        head = islice(packets(container, stream, Damage()), _PACKETS)
        return any(decode(stream, packet, Damage()) for packet in head)


def _count(container: InputContainer, usable: list[int]) -> _Counted:
    counted = _Counted(
        dict.fromkeys(usable, 0),
        {},
        {
            video.index: _Starting(video.start_time, video.time_base)
            for video in container.streams.video
            if video.index in usable
        },
        [
            _Starting(audio.start_time, audio.time_base)
            for audio in container.streams.audio
            if audio.codec_context is not None and not audio.disposition & STILLS
        ],
    )
    for stream in container.streams:
        if stream.index not in usable:
            stream.discard = Discard.all
    size = total = 0
    try:
        for packet in container.demux([container.streams[index] for index in usable]):
            if not packet.size:
                continue
            index = packet.stream.index
            start = shown_at(container, packet)
            if start is not None and packet.time_base and not packet.is_discard:
                time = float(start * packet.time_base)
                counted.firsts[index] = min(time, counted.firsts.get(index, time))
                counted.numbers[index] += 1
            size, total = size + packet.size, total + 1
            if counted.numbers[index] >= _PACKETS or total >= _MOST_PACKETS or size >= _MOST_BYTES:
                break
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        pass  # what breaks off is told by whoever reads it all
    return counted
