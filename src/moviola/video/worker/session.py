"""Read many videos: threads that talk to workers, and the queue they fill."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from moviola.video.worker.messages import (
    ClipNamed,
    ClipRead,
    PictureRead,
    ReadRequest,
    VideoDone,
)
from moviola.video.worker.units import DividedVideo, Unit

Item = PictureRead | ClipNamed | ClipRead | VideoDone
ItemT = TypeVar("ItemT")

WAITING_BYTES = 64 << 20
"""Bytes of frames that wait for the consumer, beside what each worker has in hand."""
_WAITING = 4096
_TICK_SECONDS = 0.2


class Session:
    """Hand requests to up to `width` threads, and yield what they put."""

    def __init__(self, read_one: Callable[[Unit, Session], None], width: int) -> None:
        self._read_one = read_one
        self._width = width
        self._units: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._items = Backlog[Item | BaseException](WAITING_BYTES)
        self._threads: list[threading.Thread] = []

    def run(self, requests: Iterator[ReadRequest], on_idle: Callable[[], None]) -> Iterator[Item]:
        """Yield replies to `requests`, which are taken in the caller's thread as needed.

        `on_idle` is called whenever none is there, before one is waited for.
        """
        open_requests = 0
        more = True
        while True:
            while more and open_requests < self._width:
                request = next(requests, None)
                if request is None:
                    more = False
                    break
                self.submit(Unit(DividedVideo(request), 0))
                open_requests += 1
            if not open_requests:
                return
            if self._items.is_empty():
                on_idle()
            item = self._items.get()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, VideoDone):
                open_requests -= 1
            yield item

    def put(self, item: Item) -> None:
        """Wait until the consumer has room; nothing happens when it has gone."""
        self._items.put(item, _bytes_of(item))

    def is_stopped(self) -> bool:
        """Tell whether the consumer has gone."""
        return self._items.is_closed

    def stop(self) -> None:
        """Let the threads end after what they have in hand."""
        self._items.close()
        with self._starting:
            for _ in self._threads:
                self._units.put(None)

    def submit(self, unit: Unit) -> None:
        """Have a unit read by the next thread that is free; from any thread."""
        with self._starting:
            if self.is_stopped():
                return
            self._units.put(unit)
            if len(self._threads) < self._width:
                thread = threading.Thread(target=self._serve, name="moviola-read", daemon=True)
                self._threads.append(thread)
                thread.start()

    def _serve(self) -> None:
        while (unit := self._units.get()) is not None and not self.is_stopped():
            try:
                self._read_one(unit, self)
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                self._items.put(error, 0)
                return


class Backlog(Generic[ItemT]):
    """Queue items between threads; whoever puts more than `most` bytes waits for room.

    An item larger than that waits alone.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._items: deque[tuple[ItemT, int]] = deque()
        self._bytes = 0
        self._changed = threading.Condition()
        self.is_closed = False

    def put(self, item: ItemT, size: int) -> None:
        """Add an item of `size` bytes once there is room; nothing happens once it is closed."""
        with self._changed:
            while self._items and (self._bytes + size > self._most or len(self._items) >= _WAITING):
                if self.is_closed:
                    return
                self._changed.wait(_TICK_SECONDS)
            if not self.is_closed:
                self._items.append((item, size))
                self._bytes += size
                self._changed.notify_all()

    def is_empty(self) -> bool:
        """Tell whether nothing waits."""
        with self._changed:
            return not self._items

    def get(self) -> ItemT:
        """Take the first item, waiting for one."""
        with self._changed:
            # In ticks, because a wait without an end cannot be interrupted on every system.
            while not self._items:
                self._changed.wait(_TICK_SECONDS)
            item, size = self._items.popleft()
            self._bytes -= size
            self._changed.notify_all()
            return item

    def close(self) -> None:
        """Let nobody wait for room any more."""
        with self._changed:
            self.is_closed = True
            self._items.clear()
            self._changed.notify_all()


def _bytes_of(item: Item) -> int:
    """Count the bytes of an item's pixels and sound."""
    match item:
        case PictureRead():
            return item.pixels.nbytes
        case ClipRead():
            sound = item.frames.sound
            return item.frames.pixels.nbytes + (0 if sound is None else sound.samples.nbytes)
        case _:
            return 0
