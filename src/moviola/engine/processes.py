"""Keep worker processes on this machine going, and replace those that die."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess

#: Workers in a row that end in failure without having begun anything, before the rest is given up.
_GIVE_UP = 20


def run_processes(
    count: int,
    target: Callable[..., None],
    args: tuple[object, ...],
    begun: Callable[[], int],
) -> None:
    """Run `target(*args)` in `count` processes, and again in place of each that dies.

    Args:
        count: processes at a time.
        target: works until nothing is left, then returns.
        args: of it; they are pickled.
        begun: counts what workers have begun so far; where they keep dying before they begin
            anything, as for want of a model, they are given up.
    """
    # Never forked: the caller may hold threads and locks of libraries.
    context = multiprocessing.get_context("spawn")

    def begin() -> BaseProcess:
        process = context.Process(target=target, args=args)
        process.start()
        return process

    alive = [begin() for _ in range(count)]
    deaths, before = 0, begun()
    try:
        while alive:
            time.sleep(0.05)
            for process in [each for each in alive if each.exitcode is not None]:
                alive.remove(process)
                if process.exitcode == 0:
                    continue
                now = begun()
                deaths, before = (0 if now > before else deaths + 1), now
                if deaths < _GIVE_UP:
                    alive.append(begin())
    finally:
        for process in alive:
            process.terminate()
        for process in alive:
            process.join()
