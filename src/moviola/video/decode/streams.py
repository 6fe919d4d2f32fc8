"""Choose the stream of a file to show, and decode its packets. Runs in the worker."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import av.error
from av.stream import Discard, Disposition

from moviola.core import FileCode, VideoUnreadableError
from moviola.video.decode.containers import VIDEO_CODECS
from moviola.video.decode.isobmff import outline
from moviola.video.decode.opening import codec_options
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_MOST_CANDIDATES = 16
# Of packets without a key frame among them.
_MOST_HELD_BYTES = 256 << 20
STILLS = Disposition.attached_pic | Disposition.timed_thumbnails


@dataclass(slots=True)
class Damage:
    """Count what went wrong while a file was read on regardless."""

    packets: int = 0
    cut_short: bool = False

    def __bool__(self) -> bool:
        return self.packets > 0 or self.cut_short


def select(container: InputContainer, index: int, limits: Limits) -> VideoStream:
    """Make stream `index` ready to decode; packets of the others are not read."""
    for other in container.streams:
        if other.index != index:
            other.discard = Discard.all
    stream = container.streams[index]
    stream.codec_context.options = codec_options(limits)
    stream.codec_context.thread_count = 1  # the pool decodes videos side by side
    return stream  # pyright: ignore[reportReturnType]


def packets(
    container: InputContainer, stream: VideoStream, damage: Damage
) -> Iterator[Packet[VideoStream]]:
    """Yield packets of `stream`, then an empty one that flushes the decoder, whatever happens."""
    try:
        yield from container.demux(stream)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        damage.cut_short = True


def packets_from(
    container: InputContainer, stream: VideoStream, damage: Damage, start: float
) -> Iterator[Packet[VideoStream]]:
    """Yield packets from a key frame before `start` (seconds of the file's own clock) on.

    The file is read from its beginning, so that times are told as they are when all is decoded:
    what comes before is read, but need not be decoded.
    """
    # Two groups: pictures ahead of a key frame in time may need the group before it.
    groups: deque[list[Packet[VideoStream]]] = deque([[]], maxlen=2)
    held = 0
    coming = packets(container, stream, damage)
    for packet in coming:
        time = packet.pts if packet.dts is None else packet.dts
        arrived = time is not None and packet.time_base and time * packet.time_base >= start
        if arrived or not packet.size or held > _MOST_HELD_BYTES:
            yield from chain(*groups, (packet,), coming)
            return
        if packet.is_keyframe:
            groups.append([])
            held = sum(each.size for each in groups[0])
        groups[-1].append(packet)
        held += packet.size
    yield from chain(*groups)


def decode(
    stream: VideoStream, packet: Packet[VideoStream] | None, damage: Damage
) -> list[VideoFrame]:
    """Decode the frames that `packet` completes; none, noted in `damage`, where that fails."""
    try:
        frames = stream.codec_context.decode(packet)
    except (av.error.MemoryError, MemoryError):
        raise
    except av.error.EOFError:
        return []
    except (av.error.FFmpegError, ValueError, IndexError):
        damage.packets += 1
        return []
    for frame in frames:
        # A frame does not know the shape of its pixels, which may change within a stream.
        frame.opaque = stream.codec_context.sample_aspect_ratio
    return frames


def candidates(path: Path, container: InputContainer, limits: Limits) -> list[int]:
    """List the streams that may be shown, at least one, by index, the best first.

    Raises:
        VideoUnreadableError: when there is none.
    """
    videos = [stream for stream in container.streams.video if not stream.disposition & STILLS]
    if not videos:
        if outline(path).promised > path.stat().st_size:
            raise VideoUnreadableError(
                "the file is cut off before it tells of a video track", code=FileCode.TRUNCATED
            )
        raise VideoUnreadableError("it has no video track", code=FileCode.NO_VIDEO)
    allowed = {*VIDEO_CODECS, *limits.extra_codecs}
    usable = [
        stream
        for stream in videos
        if stream.codec_context is not None and stream.codec_context.name in allowed
    ]
    if not usable:
        raise _no_decoder(path, videos[0])
    usable.sort(key=lambda stream: not stream.disposition & Disposition.default)
    return [stream.index for stream in usable[:_MOST_CANDIDATES]]


def _no_decoder(path: Path, stream: VideoStream) -> VideoUnreadableError:
    """Explain that no decoder is used for `stream`: it is not allowed, not known, or cut off."""
    if stream.codec_context is not None:
        name = stream.codec_context.name
        return VideoUnreadableError(
            f"its video codec ({name}) is not among those that are decoded; allow it by "
            f"`--allow-codec {name}` of `moviola index`, where you trust the file",
            code=FileCode.UNSUPPORTED_CODEC,
        )
    if outline(path).promised > path.stat().st_size:
        return VideoUnreadableError(
            "the file is cut off before it tells its video codec", code=FileCode.TRUNCATED
        )
    return VideoUnreadableError("its video codec is not known", code=FileCode.UNSUPPORTED_CODEC)
