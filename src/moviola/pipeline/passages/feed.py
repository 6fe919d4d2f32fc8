"""Hand pictures or sound from the thread that decodes a video to the one that reads it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

from moviola.core import VideoUnreadableError

ItemT = TypeVar("ItemT")


class Feed(Generic[ItemT]):
    """A queue of at most so many bytes, with an end.

    Whoever reads holds `turn`, the lock of its channel, and lets go of it while it waits: so one
    channel reads several videos by turns, computes one at a time, and never waits for another.
    """

    def __init__(self, most_bytes: int, turn: threading.Lock) -> None:
        self._most = most_bytes
        self._turn = turn
        self._items: deque[tuple[ItemT, int]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self._ended = self._closed = self._taken = False
        self._error: VideoUnreadableError | None = None

    def put(self, item: ItemT, size: int) -> None:
        """Add an item of `size` bytes; wait for room while somebody may still read."""
        with self._changed:
            while self._items and self._bytes + size > self._most and not self._closed:
                self._changed.wait()
            if not self._closed:
                self._items.append((item, size))
                self._bytes += size
                self._changed.notify_all()

    def end(self, error: VideoUnreadableError | None = None) -> None:
        """Let the reader end after what is there; with `error`, where the file breaks off."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of what is there: nobody reads it any more."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._bytes = 0
            self._changed.notify_all()

    def read(self) -> Iterator[ItemT]:
        """Yield the items until the end; only once.

        Raises:
            RuntimeError: when they were read before.
            VideoUnreadableError: after the last one, when the file breaks off.
        """
        if self._taken:
            raise RuntimeError("pictures and sound of a video can be read only once")
        self._taken = True
        return self._read()

    def _read(self) -> Iterator[ItemT]:
        while (item := self._next()) is not None:
            yield item[0]
        if self._error is not None:
            raise self._error

    def _next(self) -> tuple[ItemT, int] | None:
        self._turn.release()
        try:
            with self._changed:
                while not (self._items or self._ended or self._closed):
                    self._changed.wait()
                if not self._items:
                    return None
                item = self._items.popleft()
                self._bytes -= item[1]
                self._changed.notify_all()
                return item
        finally:
            self._turn.acquire()
