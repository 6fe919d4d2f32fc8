"""Send and receive messages of a JSON head and raw bytes between the pool and a worker.

A worker that decodes hostile bytes may have been taken over by them. So nothing that it sends is
unpickled or believed: the reader checks magic, lengths and shapes, and treats the rest as garbage.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from moviola.core.json_text import decode_json

if TYPE_CHECKING:
    from numpy.typing import NDArray

_HEAD = struct.Struct("<4sIQ")
_MAGIC = b"mvl1"
_LONGEST_HEAD = 16 << 20


class GarbageError(Exception):
    """Say that the other side does not speak the protocol."""


class ClosedError(Exception):
    """Say that the other side has gone."""


@dataclass(frozen=True, slots=True)
class Message:
    """Hold one message: its JSON head and the bytes that follow."""

    head: dict[str, Any]
    body: NDArray[np.uint8]


def send(stream: IO[bytes], head: dict[str, Any], parts: Sequence[NDArray[Any]] = ()) -> None:
    """Write one message; the arrays of `parts` follow each other, and are not copied.

    Raises:
        OSError: when the other side has gone.
    """
    text = json.dumps(head).encode()
    size = sum(part.nbytes for part in parts)
    _write(stream, memoryview(_HEAD.pack(_MAGIC, len(text), size) + text))
    for part in parts:
        _write(stream, np.ascontiguousarray(part).reshape(-1).view(np.uint8).data)


def receive(stream: IO[bytes], *, most: int) -> Message:
    """Read one message with a body of at most `most` bytes.

    Raises:
        ClosedError: when the stream ends, even inside a message.
        GarbageError: when the bytes are no message.
    """
    magic, length, size = _HEAD.unpack(_read(stream, _HEAD.size).data)
    if magic != _MAGIC or length > _LONGEST_HEAD or size > most:
        raise GarbageError("not a message")
    try:
        head = decode_json(bytes(_read(stream, length)))
    except ValueError as error:
        raise GarbageError("the head of a message is not JSON") from error
    if not isinstance(head, dict):
        raise GarbageError("the head of a message is not an object")
    return Message(head, _read(stream, size))


def _write(stream: IO[bytes], data: memoryview) -> None:
    while data:
        data = data[stream.write(data) or 0 :]


def _read(stream: IO[bytes], size: int) -> NDArray[np.uint8]:
    data = np.empty(size, dtype=np.uint8)
    view = data.data
    while view:
        count = stream.readinto(view)  # pyright: ignore[reportAttributeAccessIssue]
        if not count:
            raise ClosedError
        view = view[count:]
    return data
