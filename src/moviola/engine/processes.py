"""Keep worker processes on this machine going, and replace those that die."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

#: Workers in a row that end in failure without a shard being finished, before the rest is given up.
_GIVE_UP = 20


def run_processes(
    count: int,
    target: Callable[..., None],
    args: tuple[object, ...],
    remaining: Callable[[], int],
) -> bool:
    """Run `target(*args)` in `count` processes, and again in place of each that dies.

    Args:
        count: processes at a time.
        target: works until nothing is left, then returns.
        args: of it; they are pickled.
        remaining: counts what is left to do.

    Returns:
        Whether nothing was left: False where workers keep dying and nothing is finished.
    """
    # Never forked: the caller may hold threads and locks of libraries.
    context = multiprocessing.get_context("spawn")

    def begin() -> BaseProcess:
        process = context.Process(target=target, args=args)
        process.start()
        return process

    alive = [begin() for _ in range(count)]
    deaths, left = 0, remaining()
    try:
        while alive:
            time.sleep(0.05)
            for process in [each for each in alive if each.exitcode is not None]:
                alive.remove(process)
                if process.exitcode == 0:
                    continue
                now = remaining()
                deaths = 0 if now < left else deaths + 1
                left = now
                if left and deaths < _GIVE_UP:
                    alive.append(begin())
    finally:
        for process in alive:
            process.terminate()
        for process in alive:
            process.join()
    return remaining() == 0
