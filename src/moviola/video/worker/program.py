"""Run a decoding worker: take requests, send messages, trust no file."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from typing import TYPE_CHECKING, BinaryIO

import av.logging

from moviola.video.limits import IN_FORCE
from moviola.video.worker import ipc
from moviola.video.worker.confinement import confine, limit_memory
from moviola.video.worker.serving import Worker

if TYPE_CHECKING:
    from moviola.video.limits import Limits
    from moviola.video.worker.tasks import Task


def main() -> None:
    """Serve requests until the other side goes away."""
    requests, replies = _take_channels()
    av.logging.set_level(None)
    try:
        limits: Limits = pickle.load(requests)  # noqa: S301 - our own parent sends it
        limit_memory(limits)
        holds = confine()
        IN_FORCE.set(limits)
        worker = Worker(limits, replies)
        ipc.send(replies, {"kind": "ready", "holds": holds})
        while True:
            try:
                task: Task = pickle.load(requests)  # noqa: S301 - as above
            except (AttributeError, ImportError, TypeError) as error:
                ipc.send(replies, {"kind": "refused", "message": str(error)})
                os._exit(0)  # what is left in the pipe cannot be made sense of
            worker.serve(task)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        # The pool has closed or gone; a half-written answer interests nobody.
        os._exit(0)


def _take_channels() -> tuple[BinaryIO, BinaryIO]:
    """Private ends of the pipes, so that nothing else in this process reads or writes them."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    if sys.platform == "linux":
        _widen(replies)
    return requests, replies  # pyright: ignore[reportReturnType] - raw writes are what is wanted


def _widen(pipe: BinaryIO) -> None:
    """Let a frame or so wait in the pipe, so that both sides switch less often."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


if __name__ == "__main__":
    main()
