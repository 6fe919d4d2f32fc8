"""Limit slow work: a few threads of its own, and a queue that may be full."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
        self._turns: anyio.CapacityLimiter | None = None
        self._threads: anyio.CapacityLimiter | None = None

    async def run(
        self, work: Callable[[], T], *, abandoned: Callable[[], Awaitable[bool]] | None = None
    ) -> T:
        """Run `work` in a thread, and return what it returns.

        Args:
            work: what is slow.
            abandoned: asked when its turn has come; where nobody waits for it any more, it is not
                done.

        Raises:
            ApiError: 429 where too many wait, 499 where it was abandoned.
        """
        if self._inside >= self._most:
            raise ApiError(
                429,
                "busy",
                "too much is being made at once; try again in a moment",
                {"retry-after": "2"},
            )
        if self._turns is None or self._threads is None:
            self._turns = anyio.CapacityLimiter(self._together)
            self._threads = anyio.CapacityLimiter(self._together)
        self._inside += 1
        try:
            async with self._turns:
                if abandoned is not None and await abandoned():
                    raise ApiError(499, "abandoned", "nobody waits for this any more")
                return await anyio.to_thread.run_sync(work, limiter=self._threads)
        finally:
            self._inside -= 1
