"""Limit slow work: a few threads of its own, and a queue that may be full."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from moviola.serve.errors import ApiError

T = TypeVar("T")


class Limiter:
    """Run slow things few at a time, so that they never take the threads that searches need."""

    def __init__(self, together: int, waiting: int) -> None:
        """Let `together` run at once, and `waiting` more wait."""
        self._together = together
        self._most = together + waiting
        self._inside = 0
        self._limiter: anyio.CapacityLimiter | None = None

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` in a thread, and return what it returns.

        Raises:
            ApiError: 429 where too many wait.
        """
        if self._inside >= self._most:
            raise ApiError(
                429,
                "busy",
                "too much is being made at once; try again in a moment",
                {"retry-after": "2"},
            )
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(self._together)
        self._inside += 1
        try:
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._inside -= 1
