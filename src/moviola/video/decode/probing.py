"""Survey what a file holds, from its packets and its first picture. Runs in the worker.

A picture is shown from its presentation time to the next one's; see `clock` for where zero is.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import FileCode, VideoInfo, VideoUnreadableError
from moviola.video.decode.clock import (
    LONGEST_GAP,
    comes_in_order,
    continuous,
    longest_gap,
    shown_at,
)
from moviola.video.decode.containers import AUDIO_CODECS
from moviola.video.decode.head import read_head
from moviola.video.decode.isobmff import outline
from moviola.video.decode.opening import fault, open_container
from moviola.video.decode.pixels.painting import Coded, Turn, square_size
from moviola.video.decode.streams import Damage, candidates, decode, packets, select
from moviola.video.limits import Limits

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream
    from numpy.typing import NDArray

_DEFAULT_INTERVAL = 1 / 25


@dataclass(frozen=True, slots=True)
class Survey:
    """Hold everything that reading needs to know about one video stream.

    Attributes:
        info: the facts to tell.
        stream: index of the stream in its file.
        origin: seconds of the file's own clock that count as zero.
        starts: `(n,)` presentation times in seconds from zero, ascending.
        width: pixels of a stored picture with square pixels, before it is turned.
        height: the same for its height.
        usual: the shape of a stored picture as it is coded.
        turn: how the picture is made upright.
        in_order: whether the n-th frame to come out is the one of `starts[n]`, because the
            container (AVI) tells when packets are decoded, but not when frames are shown.
        jumps: whether the clock breaks, so that only a part is shown.
        fault: why the file is known to be incomplete, `""` where it is not.
    """

    info: VideoInfo
    stream: int
    origin: float
    starts: NDArray[np.float64]
    width: int
    height: int
    usual: Coded
    turn: Turn
    in_order: bool
    jumps: bool
    fault: str


def survey(path: Path, limits: Limits, *, opened: InputContainer) -> Survey:
    """Find the stream a player would show, and its times. Uses up and closes `opened`.

    A stream that yields no picture is passed over where another does; see `read_head`.

    Raises:
        VideoUnreadableError: when no stream can be shown.
    """
    head = read_head(path, limits, opened=opened)
    failures: list[VideoUnreadableError] = []
    for index in head.streams:
        with closing(open_container(path, limits)) as container:
            found = _survey_stream(path, limits, container, index, head.zeros[index])
            if isinstance(found, Survey):
                return found
            failures.append(found)
    raise failures[0]


def play_facts(
    path: Path, container: InputContainer, limits: Limits
) -> dict[str, str | int | None]:
    """Gather the facts for a player from the headers alone. Uses up and closes `container`.

    Raises:
        VideoUnreadableError: when there is no video stream.
    """
    with closing(container):
        context = container.streams[candidates(path, container, limits)[0]].codec_context
        shape = getattr(context, "format", None)
        sounds = [audio for audio in container.streams.audio if audio.codec_context is not None]
        return {
            "container": container.format.name,
            "codec": context.codec.canonical_name,
            "pixels": shape.name if shape is not None else "unknown",
            "bits": max((part.bits for part in shape.components), default=0) if shape else 0,
            "sound": sounds[0].codec_context.codec.canonical_name if sounds else None,
            "title": container.metadata.get("title", "")[:1000],
        }


def _survey_stream(
    path: Path, limits: Limits, container: InputContainer, index: int, zero: float
) -> Survey | VideoUnreadableError:
    """Survey one stream, or tell why it cannot be shown."""
    try:
        stream = select(container, index, limits)
        _check_size(stream, limits)
        damage = Damage()
        table, frame = _scan(container, stream, damage)
        if frame is None:
            _check_declared_size(path, limits, index)
            return _undecodable(path, stream, table)
        found = _Scanned(table, frame, damage, zero)
        return _compose(path, limits, container, stream, found)
    except Exception as error:  # noqa: BLE001 - hostile bytes raise far more than FFmpegError
        return fault(error, path)


def _check_size(stream: VideoStream, limits: Limits) -> None:
    width, height = stream.codec_context.width, stream.codec_context.height
    if width * height > limits.max_pixels:
        raise VideoUnreadableError(
            f"its pictures of {width}x{height} exceed the limit of {limits.max_pixels} pixels",
            code=FileCode.TOO_LARGE,
        )


def _check_declared_size(path: Path, limits: Limits, index: int) -> None:
    """Look for a size beyond the limit in the headers: a decoder that refuses it forgets it."""
    with closing(open_container(path, limits, decoders=False)) as container:
        for stream in container.streams.video:
            if stream.index == index and stream.codec_context is not None:
                _check_size(stream, limits)


@dataclass(slots=True)
class _Table:
    """Hold the times of packets, in ticks of the stream."""

    starts: list[int]
    ends: dict[int, int]
    encrypted: bool = False


def _scan(
    container: InputContainer, stream: VideoStream, damage: Damage
) -> tuple[_Table, VideoFrame | None]:
    """Read every packet, but decode only up to the first picture."""
    table = _Table([], {})
    frame: VideoFrame | None = None
    lost = Damage()
    for packet in packets(container, stream, damage):
        if packet.size:
            _note(table, packet, shown_at(container, packet))
        if frame is None:
            frame = next(iter(decode(stream, packet, lost)), None)
    return table, frame


def _note(table: _Table, packet: Packet[VideoStream], start: int | None) -> None:
    if packet.has_sidedata("encryption_info"):
        table.encrypted = True
    # Packets marked so lie outside the edit list: they are decoded, but never shown.
    if start is None or packet.is_discard:
        return
    table.starts.append(start)
    if packet.duration:
        table.ends[start] = start + packet.duration


def _undecodable(path: Path, stream: VideoStream, table: _Table) -> VideoUnreadableError:
    found = outline(path)
    if table.encrypted or found.encrypted or "enc_key_id" in stream.metadata:
        return VideoUnreadableError("the video is encrypted", code=FileCode.UNSUPPORTED_CODEC)
    if found.promised > path.stat().st_size:
        return VideoUnreadableError(
            "the file is cut off before its first picture", code=FileCode.TRUNCATED
        )
    if not table.starts:
        return VideoUnreadableError("its video track is empty", code=FileCode.NO_VIDEO)
    return VideoUnreadableError("none of its pictures can be decoded", code=FileCode.CORRUPT)


@dataclass(frozen=True, slots=True)
class _Scanned:
    """Hold what a scan found."""

    table: _Table
    frame: VideoFrame
    damage: Damage
    zero: float


def _compose(
    path: Path, limits: Limits, container: InputContainer, stream: VideoStream, scanned: _Scanned
) -> Survey:
    table, frame = scanned.table, scanned.frame
    tick = float(stream.time_base or 1)
    ticks = np.unique(np.asarray(table.starts or [frame.pts or 0], dtype=np.int64))
    seconds = (ticks * tick).astype(np.float64)
    interval = _usual_interval(stream, seconds)
    longest = longest_gap(container)
    starts = continuous(seconds, longest)
    # Where the part that is kept is not the first one, the clock begins anew with it.
    zero = scanned.zero
    origin = zero if starts[0] - zero <= longest else float(starts[0])
    last = round(starts[-1] / tick)
    end = _last_end(table, last, tick, interval, longest)
    turn = Turn.of(frame)
    width, height = square_size(frame.width, frame.height, stream.sample_aspect_ratio)
    info = VideoInfo(
        duration=end - origin,
        width=height if turn.transpose else width,
        height=width if turn.transpose else height,
        frames=len(table.starts),
        codec=stream.codec_context.codec.canonical_name,
        container=container.format.name,
        has_sound=any(_is_audible(audio, limits) for audio in container.streams.audio),
        created=_created(container),
    )
    return Survey(
        info=info,
        stream=stream.index,
        origin=origin,
        starts=starts - origin,
        width=width,
        height=height,
        usual=Coded.of(frame),
        turn=turn,
        in_order=comes_in_order(container),
        jumps=ticks.size > starts.size,
        fault=_incomplete(path, stream, table, ticks.size > starts.size, scanned.damage),
    )


def _usual_interval(stream: VideoStream, starts: NDArray[np.float64]) -> float:
    """Guess the seconds between two pictures where nothing else says so."""
    if starts.size > 1:
        return min(float(np.median(np.diff(starts))), LONGEST_GAP)
    rate = stream.average_rate or stream.guessed_rate
    if rate and 0.01 <= rate <= 1000:
        return float(1 / rate)
    return _DEFAULT_INTERVAL


def _last_end(table: _Table, last: int, tick: float, interval: float, longest: float) -> float:
    end = table.ends.get(last)
    length = (end - last) * tick if end is not None else interval
    if not 0 < length <= longest:
        length = interval
    return last * tick + length


def _is_audible(stream: object, limits: Limits) -> bool:
    context = getattr(stream, "codec_context", None)
    return context is not None and context.name in {*AUDIO_CODECS, *limits.extra_codecs}


def _created(container: InputContainer) -> str | None:
    text = container.metadata.get("creation_time", "")[:64]
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return None
    return text


def _incomplete(path: Path, stream: VideoStream, table: _Table, jumps: bool, damage: Damage) -> str:
    """Explain why the file is known not to be whole, `""` where nothing says so."""
    if damage.cut_short:
        return "the file breaks off"
    if jumps:
        return "its timestamps jump by hours; the part before or after was left out"
    expected = len(stream.index_entries) if outline(path).iso else 0
    size = path.stat().st_size
    if expected > len(table.starts) and any(
        entry.pos + entry.size > size for entry in stream.index_entries
    ):
        return "the file is cut off"
    promised = outline(path).promised
    if not outline(path).iso and promised > size:
        return "the file is cut off"
    return ""
