"""Send each picture of a file once, and know which are still waited for. Runs in the worker."""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING, BinaryIO

from moviola.video.worker import ipc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class SentPicture:
    """Stand for a picture that was sent, as long as a clip is waiting for it."""

    __slots__ = ("__weakref__", "number")

    def __init__(self, number: int) -> None:
        self.number = number


class SentPictures:
    """Send each picture of a file once, under a number, and know which are still waited for."""

    def __init__(self, replies: BinaryIO) -> None:
        self._replies = replies
        self._count = 0
        self._waiting: deque[weakref.ref[SentPicture]] = deque()

    def send(self, picture: NDArray[np.uint8]) -> SentPicture:
        """Send a picture `(H, W, 3)`."""
        self._count += 1
        head = {"kind": "frame", "number": self._count, "shape": list(picture.shape)}
        ipc.send(self._replies, head, [picture])
        sent = SentPicture(self._count)
        self._waiting.append(weakref.ref(sent))
        return sent

    def oldest(self) -> int:
        """Return the lowest number that a clip still waits for, or the next one."""
        while self._waiting:
            first = self._waiting[0]()
            if first is not None:
                return first.number
            self._waiting.popleft()
        return self._count + 1
