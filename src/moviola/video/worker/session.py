"""Read many videos: threads that talk to workers, and the queue they fill."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator

from moviola.video.worker.messages import ClipRead, ReadRequest, VideoDone

Item = ClipRead | VideoDone

# Clips that wait for the consumer, beside the one that each worker has in hand.
_WAITING = 2
_TICK_SECONDS = 0.2


class Session:
    """Hand requests to up to `width` threads, and yield what they put."""

    def __init__(self, read_one: Callable[[ReadRequest, Session], None], width: int) -> None:
        self._read_one = read_one
        self._width = width
        self._requests: queue.SimpleQueue[ReadRequest | None] = queue.SimpleQueue()
        self._items: queue.Queue[Item | BaseException] = queue.Queue(_WAITING)
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []

    def run(self, requests: Iterator[ReadRequest]) -> Iterator[Item]:
        """Yield replies to `requests`, which are taken in the caller's thread as needed."""
        open_requests = 0
        more = True
        while True:
            while more and open_requests < self._width:
                request = next(requests, None)
                if request is None:
                    more = False
                    break
                self._submit(request)
                open_requests += 1
            if not open_requests:
                return
            item = self._get()
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, VideoDone):
                open_requests -= 1
            yield item

    def put(self, item: Item) -> None:
        """Wait until the consumer has room; nothing happens when it has gone."""
        self._put(item)

    def is_stopped(self) -> bool:
        """Tell whether the consumer has gone."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """Let the threads end after what they have in hand."""
        self._stopped.set()
        for _ in self._threads:
            self._requests.put(None)

    def _submit(self, request: ReadRequest) -> None:
        self._requests.put(request)
        if len(self._threads) < self._width:
            thread = threading.Thread(target=self._serve, name="moviola-read", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None and not self._stopped.is_set():
            try:
                self._read_one(request, self)
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                self._put(error)
                return

    def _put(self, item: Item | BaseException) -> None:
        while not self._stopped.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put(item, timeout=_TICK_SECONDS)
                return

    def _get(self) -> Item | BaseException:
        # In ticks, because a wait without an end cannot be interrupted on every system.
        while True:
            with contextlib.suppress(queue.Empty):
                return self._items.get(timeout=_TICK_SECONDS)
