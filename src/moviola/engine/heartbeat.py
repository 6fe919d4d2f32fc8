"""Renew a lease from a thread, and end a process that has stopped to make progress."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from moviola.core import StorageError
from moviola.engine.leases import Ending, Lease

#: Seconds without any progress after which a worker takes itself for hung.
PATIENCE_SECONDS = 3600.0
#: How a worker leaves that took itself for hung.
HUNG_EXIT = 75


def _leave() -> None:
    # The main thread hangs: nothing gentler would ever end it.
    os._exit(HUNG_EXIT)


class Heartbeat:
    """Keep a lease alive while a block works, and note in it what is being worked on.

    Args:
        lease: to be renewed.
        every: seconds between two signs of life.
        patience: seconds without progress after which the process ends itself.
        leave: ends the process.
    """

    def __init__(
        self,
        lease: Lease,
        *,
        every: float,
        patience: float = PATIENCE_SECONDS,
        leave: Callable[[], None] = _leave,
    ) -> None:
        self._lease = lease
        self._every = every
        self._patience = patience
        self._leave = leave
        self._open: dict[str, None] = {}
        self._done = 0
        self._ending: Ending = "released"
        self._moved = time.monotonic()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        with suppress(StorageError):  # it runs out by itself
            self._renew(self._ending)

    def begin(self, video: str) -> None:
        """Note that a video is being worked on, before anything can happen to it."""
        self._open[video] = None
        self._moved = time.monotonic()
        self._renew()

    def finish(self, video: str) -> None:
        """Note that a video is finished."""
        self._open.pop(video, None)
        self._done += 1
        self._moved = time.monotonic()

    def complete(self) -> None:
        """Note that the whole shard is done."""
        self._ending = "done"

    def _run(self) -> None:
        while not self._stop.wait(min(self._every, self._patience / 4)):
            is_hung = time.monotonic() - self._moved > self._patience
            with suppress(StorageError):  # the next one may succeed
                self._renew("hung" if is_hung else "")
            if is_hung:
                self._leave()
                return

    def _renew(self, ended: Ending = "") -> None:
        with self._lock:
            self._lease.renew(list(self._open), self._done, ended)
