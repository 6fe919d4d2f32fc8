"""Check a worker's messages and turn them into values. Nothing in them is taken on trust."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import (
    ContainerTexts,
    Cue,
    FileCode,
    Frames,
    Span,
    TextTrack,
    VideoInfo,
    Waveform,
)
from moviola.core.json_text import decode_json
from moviola.video.texts import FileTexts
from moviola.video.worker.ipc import GarbageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.video.worker.ipc import Message

_LONGEST_TEXT = 1000
_MOST_UNITS = 100_000
_MOST_TEXT_BYTES = 128 << 20


@dataclass(frozen=True, slots=True)
class FramePart:
    """Hold a frame `(H, W, 3)` of a file, and the number by which its clips name it."""

    number: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ClipPart:
    """Hold a clip: its index in the segmenter's list, its span, and its pictures, sent before.

    Attributes:
        index: position in the segmenter's list.
        span: the clip, clamped to what the file holds.
        pictures: their numbers, one or more, in the order of time.
        oldest: no clip to come names a picture of a lower number than this.
        times: `(T,)` seconds, one of each.
        sound: what is heard, where it was asked for.
    """

    index: int
    span: Span
    pictures: tuple[int, ...]
    oldest: int
    times: NDArray[np.float64]
    sound: Waveform | None


@dataclass(frozen=True, slots=True)
class Phase:
    """Begin a phase of work that may take `seconds`; with the facts once they are known.

    `units` is in how many units the file is read.
    """

    seconds: float
    info: VideoInfo | None
    units: int = 1


@dataclass(frozen=True, slots=True)
class Done:
    """Mark the end of a task."""

    code: FileCode
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Say that the worker cannot even unpickle the task."""

    message: str


@dataclass(frozen=True, slots=True)
class Piece:
    """Hold some bytes of a file that was made; pieces follow each other."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PlayFacts:
    """Hold the facts of a file that a player needs.

    Attributes:
        container: name of the demuxer.
        codec: name of the video codec.
        pixels: how its pixels are stored, such as `yuv420p10le`.
        bits: of one sample.
        sound: name of the sound's codec, None where there is none.
        title: the container's title, `""` where it has none.
    """

    container: str
    codec: str
    pixels: str
    bits: int
    sound: str | None
    title: str


@dataclass(frozen=True, slots=True)
class PicturePart:
    """Hold a picture for a channel: the place of what asked for it, and the picture."""

    stream: int
    frames: Frames


@dataclass(frozen=True, slots=True)
class SoundPart:
    """Hold sound for a channel: the place of what asked for it, and the sound."""

    stream: int
    sound: Waveform


SidePart = PicturePart | SoundPart | FileTexts
Answer = (
    FramePart | ClipPart | Frames | Waveform | Piece | PlayFacts | SidePart | Phase | Done | Refused
)


def parse(message: Message) -> Answer:
    """Parse a message into its value.

    Raises:
        GarbageError: when a field is missing, of another type, or contradicts the body.
    """
    try:
        kind = message.head["kind"]
        if kind not in _PARSERS:
            raise GarbageError(f"unknown kind of message: {kind!r:.50}")
        return _PARSERS[kind](message)
    except (
        *(KeyError, TypeError, ValueError, OverflowError),
        AttributeError,  # of texts that are of another shape
    ) as error:
        raise GarbageError(f"a message does not add up: {error!r:.200}") from error


def _frame(message: Message) -> FramePart:
    height, width = (int(size) for size in message.head["shape"][:2])
    if min(height, width) < 1:
        raise GarbageError("a frame without pixels")
    return FramePart(int(message.head["number"]), message.body.reshape(height, width, 3))


def _clip(message: Message) -> ClipPart:
    """Parse a clip: the numbers of its pictures and their times, and its sound."""
    head = message.head
    numbers = tuple(int(number) for number in head["pictures"])
    times = np.asarray(head["times"], dtype=np.float64)
    if not numbers or times.shape != (len(numbers),):
        raise GarbageError("a clip without pictures")
    sound = _sound(head, message.body) if "sound" in head else None
    span = Span(float(head["start"]), float(head["end"]))
    return ClipPart(int(head["index"]), span, numbers, int(head["oldest"]), times, sound)


def _frames(head: dict[str, Any], body: NDArray[np.uint8]) -> Frames:
    count, height, width = (int(size) for size in head["shape"][:3])
    if min(count, height, width) < 1:
        raise GarbageError("frames without pixels")
    times = np.asarray(head["times"], dtype=np.float64)
    return Frames(body.reshape(count, height, width, 3), times)


def _sound(head: dict[str, Any], body: NDArray[np.uint8]) -> Waveform:
    channels, count = (int(length) for length in head["sound"])
    if channels < 1 or count < 0:
        raise GarbageError("sound without channels")
    samples = body.view(np.float32).reshape(channels, count)
    if not np.isfinite(samples).all():
        raise GarbageError("sound that is no number")
    return Waveform(samples, int(head["rate"]), float(head["heard_from"]))


def _piece(message: Message) -> Piece:
    return Piece(message.body.tobytes())


def _phase(message: Message) -> Phase:
    units = int(message.head.get("units", 1))
    if not 1 <= units <= _MOST_UNITS:
        raise GarbageError(f"a file of {units} units")
    return Phase(float(message.head["seconds"]), _info(message.head.get("info")), units)


def _done(message: Message) -> Done:
    return Done(FileCode(message.head["code"]), str(message.head["message"])[:_LONGEST_TEXT])


def _refused(message: Message) -> Refused:
    return Refused(str(message.head["message"])[:_LONGEST_TEXT])


def _play_facts(message: Message) -> PlayFacts:
    head = message.head
    sound = head["sound"]
    return PlayFacts(
        container=str(head["container"])[:_LONGEST_TEXT],
        codec=str(head["codec"])[:_LONGEST_TEXT],
        pixels=str(head["pixels"])[:_LONGEST_TEXT],
        bits=int(head["bits"]),
        sound=None if sound is None else str(sound)[:_LONGEST_TEXT],
        title=str(head["title"])[:_LONGEST_TEXT],
    )


def _info(facts: object) -> VideoInfo | None:
    if not isinstance(facts, dict):
        return None
    info = VideoInfo(
        duration=float(facts["duration"]),
        width=int(facts["width"]),
        height=int(facts["height"]),
        frames=int(facts["frames"]),
        codec=str(facts["codec"])[:_LONGEST_TEXT],
        container=str(facts["container"])[:_LONGEST_TEXT],
        has_sound=bool(facts["has_sound"]),
        created=None if facts["created"] is None else str(facts["created"])[:_LONGEST_TEXT],
    )
    Span(0.0, info.duration)  # a finite, positive duration
    return info


def _texts(message: Message) -> FileTexts:
    if message.body.size > _MOST_TEXT_BYTES:
        raise GarbageError("more text than is read of a file")
    parts = decode_json(message.body.tobytes())
    tags = {str(name)[:_LONGEST_TEXT]: str(value) for name, value in parts["tags"].items()}
    chapters = tuple(
        (Span(float(start), float(end)), str(title)) for start, end, title in parts["chapters"]
    )
    tracks = tuple(
        TextTrack(
            str(track["codec"])[:_LONGEST_TEXT],
            None if track["language"] is None else str(track["language"])[:_LONGEST_TEXT],
            str(track["title"]),
            tuple(
                Cue(Span(float(start), float(end)), str(text)) for start, end, text in track["cues"]
            ),
        )
        for track in parts["tracks"]
    )
    return FileTexts(ContainerTexts(tags, chapters), tracks, str(parts["left_out"])[:_LONGEST_TEXT])


_PARSERS: dict[str, Callable[[Message], Answer]] = {
    "frame": _frame,
    "clip": _clip,
    "frames": lambda message: _frames(message.head, message.body),
    "sound": lambda message: _sound(message.head, message.body),
    "piece": _piece,
    "facts": _play_facts,
    "picture": lambda message: PicturePart(
        int(message.head["stream"]), _frames(message.head, message.body)
    ),
    "heard": lambda message: SoundPart(
        int(message.head["stream"]), _sound(message.head, message.body)
    ),
    "texts": _texts,
    "phase": _phase,
    "done": _done,
    "refused": _refused,
}
