"""Messages of a worker, checked and turned into values. Nothing in them is taken on trust."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import FileCode, Frames, Span, VideoInfo, Waveform
from moviola.video.wire import GarbageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.video.wire import Message

_LONGEST_TEXT = 1000


@dataclass(frozen=True, slots=True)
class ClipPart:
    """A clip: its index in the segmenter's list, its span, its frames."""

    index: int
    span: Span
    frames: Frames


@dataclass(frozen=True, slots=True)
class Phase:
    """A new phase of work that may take `seconds`; the facts once they are known."""

    seconds: float
    info: VideoInfo | None


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a task."""

    code: FileCode
    message: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The worker cannot even unpickle the task."""

    message: str


Answer = ClipPart | Frames | Waveform | Phase | Done | Refused


def parse(message: Message) -> Answer:
    """The value of a message.

    Raises:
        GarbageError: when a field is missing, of another type, or contradicts the body.
    """
    head = message.head
    try:
        match head["kind"]:
            case "clip":
                span = Span(float(head["start"]), float(head["end"]))
                return ClipPart(int(head["index"]), span, _clip_frames(message))
            case "frames":
                return _frames(message.head, message.body)
            case "sound":
                return _sound(message.head, message.body)
            case "phase":
                return Phase(float(head["seconds"]), _info(head.get("info")))
            case "done":
                return Done(FileCode(head["code"]), str(head["message"])[:_LONGEST_TEXT])
            case "refused":
                return Refused(str(head["message"])[:_LONGEST_TEXT])
            case kind:
                raise GarbageError(f"unknown kind of message: {kind!r:.50}")
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise GarbageError(f"a message does not add up: {error!r:.200}") from error


def _clip_frames(message: Message) -> Frames:
    """Frames, after their sound where the head tells of some."""
    if "sound" not in message.head:
        return _frames(message.head, message.body)
    size = 4 * math.prod(int(length) for length in message.head["sound"])
    if not 0 <= size <= message.body.size:
        raise GarbageError("a clip with more sound than bytes")
    sound = _sound(message.head, message.body[:size])
    return _frames(message.head, message.body[size:], sound)


def _frames(head: dict[str, Any], body: NDArray[np.uint8], sound: Waveform | None = None) -> Frames:
    count, height, width = (int(size) for size in head["shape"][:3])
    if min(count, height, width) < 1:
        raise GarbageError("a clip without pixels")
    times = np.asarray(head["times"], dtype=np.float64)
    return Frames(body.reshape(count, height, width, 3), times, sound)


def _sound(head: dict[str, Any], body: NDArray[np.uint8]) -> Waveform:
    channels, count = (int(length) for length in head["sound"])
    if channels < 1 or count < 0:
        raise GarbageError("sound without channels")
    samples = body.view(np.float32).reshape(channels, count)
    if not np.isfinite(samples).all():
        raise GarbageError("sound that is no number")
    return Waveform(samples, int(head["rate"]), float(head["heard_from"]))


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
