"""Slow work waits its turn, and is left where nobody waits for it any more."""

from __future__ import annotations

import threading

import anyio
import anyio.to_thread
import pytest

from moviola.serve.errors import ApiError
from moviola.serve.limiter import Limiter


def test_only_so_many_run_together_and_the_rest_is_refused():
    limiter = Limiter(together=2, waiting=1)
    most = running = 0
    lock, free, started = threading.Lock(), threading.Event(), threading.Semaphore(0)
    ended: list[str] = []

    def work() -> str:
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
        started.release()
        assert free.wait(30)
        with lock:
            running -= 1
        return "done"

    async def ask() -> None:
        try:
            ended.append(await limiter.run(work))
        except ApiError as error:
            ended.append(error.code)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(4):
                group.start_soon(ask)
            for _ in range(2):
                await anyio.to_thread.run_sync(started.acquire)
            await anyio.sleep(0.05)
            free.set()

    anyio.run(all_of_them)
    assert sorted(ended) == ["busy", "done", "done", "done"]
    assert most == 2


@pytest.mark.parametrize("gone", [True, False])
def test_what_nobody_waits_for_is_not_done(gone):
    limiter = Limiter(together=1, waiting=5)
    first, done = threading.Event(), []

    def slow() -> None:
        assert first.wait(30)

    async def has_left() -> bool:
        return gone

    async def ask() -> str:
        try:
            await limiter.run(lambda: done.append("made"), abandoned=has_left)
        except ApiError as error:
            return f"{error.status_code} {error.code}"
        return "answered"

    found: list[str] = []

    async def both() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(limiter.run, slow)
            await anyio.sleep(0.05)

            async def second() -> None:
                found.append(await ask())

            group.start_soon(second)
            await anyio.sleep(0.05)
            assert done == []  # it waits for its turn
            first.set()

    anyio.run(both)
    assert found == (["499 abandoned"] if gone else ["answered"])
    assert done == ([] if gone else ["made"])
