"""Start, ask, watch and end one decoding process, from the pool's side."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from moviola.core import FileCode
from moviola.video.worker import ipc

if TYPE_CHECKING:
    from moviola.video.limits import Limits
    from moviola.video.worker.tasks import Task

_START_SECONDS = 60.0

_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[1:]; from moviola.video.worker.program import main; main()"
)


def worker_command() -> list[str]:
    """Compose a worker's command line: this interpreter, isolated, with this import path.

    A fresh program rather than `multiprocessing`: the caller's `__main__` is not imported again,
    so that scripts need no guard, and nothing that the caller has loaded weighs on the worker.
    """
    return [sys.executable, "-I", "-c", _PROGRAM, *(os.path.abspath(p) for p in sys.path)]  # noqa: PTH100


def _environment() -> dict[str, str]:
    """Choose the variables that a worker gets: none of the caller's that is not needed to run.

    Secrets live there. Names of files are read by the locale, and Windows starts nothing without
    its root.
    """
    needed = ("LC_ALL", "LC_CTYPE", "LANG", "SYSTEMROOT")
    kept = {name: os.environ[name] for name in needed if name in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class WorkerDiedError(Exception):
    """Say that the process ended, or had to be ended; `code` and the text say why."""

    def __init__(self, message: str, code: FileCode) -> None:
        super().__init__(message)
        self.code = code


class WorkerStartError(RuntimeError):
    """Say that workers do not start: the installation is at fault, not a file."""


class WorkerProcess:
    """Run one worker. Used by one thread at a time; `kill` may come from any."""

    def __init__(self, limits: Limits, command: Sequence[str]) -> None:
        self.limits = limits
        self._overdue = False
        self._seconds = _START_SECONDS
        self._deadline: float | None = None
        # Ctrl-C is the pool's business: workers stand outside the terminal's process group.
        windows = sys.platform == "win32"
        self._process = subprocess.Popen(  # noqa: S603 - our own program, no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=_environment(),
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP if windows else 0,
            start_new_session=not windows,
        )
        self._ready = False
        #: Whether it has done a task before.
        self.was_used = False
        #: What is kept from the process, in its own words; known once it was asked something.
        self.confinement: tuple[str, ...] = ()

    @property
    def pid(self) -> int:
        """Give the process id."""
        return self._process.pid

    def ask(self, task: Task) -> None:
        """Send a task, and the limits before the first one.

        Raises:
            WorkerDiedError: when the process is not there to take it.
            WorkerStartError: when it never was.
            PicklingError, TypeError, AttributeError: when the task cannot be pickled.
        """
        data = pickle.dumps(task)
        if not self._ready:
            self.greet()
        self._write(data)
        self.allow(self.limits.open_seconds)

    def greet(self) -> None:
        """Send the limits, and wait until the process is ready.

        Raises:
            WorkerStartError: when it does not start.
        """
        self.allow(_START_SECONDS)
        try:
            self._write(pickle.dumps(self.limits))
            head = self.receive().head
            if head.get("kind") != "ready":
                raise self._death("it does not speak the protocol")
            self.confinement = tuple(str(what)[:100] for what in head.get("holds", ()))
        except WorkerDiedError as death:
            raise WorkerStartError(
                f"decoding workers do not start: {death} (status {self._process.returncode})"
            ) from death
        self._ready = True

    def allow(self, seconds: float) -> None:
        """Give the process `seconds` from now for what is asked; time not waited for is free."""
        self._seconds = min(seconds, self.limits.decode_at_most)

    def receive(self) -> ipc.Message:
        """Receive the next message.

        Raises:
            WorkerDiedError: when the process ends, is overdue, or sends garbage.
        """
        stream = self._process.stdout
        if stream is None:
            raise self._death("it has no output")
        began = time.monotonic()
        self._deadline = began + self._seconds
        try:
            return ipc.receive(stream, most=self.limits.message_bytes)
        except (ipc.ClosedError, OSError, ValueError):
            raise self._death("the decoder ended") from None
        except ipc.GarbageError as error:
            raise self._death(f"the decoder sent garbage ({error})") from None
        finally:
            self._deadline = None
            self._seconds -= time.monotonic() - began

    def kill_if_overdue(self, now: float) -> None:
        """End the process when what is waited for should have come before `now`."""
        deadline = self._deadline
        if deadline is not None and now > deadline:
            self._overdue = True
            self._process.kill()

    def kill(self) -> None:
        """End the process at once and take it off the process table."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        stream = self._process.stdin
        try:
            while view and stream is not None:
                view = view[stream.write(view) or 0 :]
        except (OSError, ValueError):
            raise self._death("the decoder ended") from None

    def _death(self, what: str) -> WorkerDiedError:
        """Collect the process, and say why it is gone."""
        ended_by_itself = True
        try:
            # A process that closed its end is about to exit; its status tells why.
            self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            ended_by_itself = False
        self.kill()
        status = self._process.returncode
        if self._overdue:
            return WorkerDiedError("decoding took too long", FileCode.TIMEOUT)
        if ended_by_itself and sys.platform != "win32":
            if status == -signal.SIGXCPU:
                return WorkerDiedError("decoding took too long", FileCode.TIMEOUT)
            if status == -signal.SIGKILL:
                return WorkerDiedError(
                    "the system ended the decoder, most likely for want of memory",
                    FileCode.OUT_OF_MEMORY,
                )
            if status < 0:
                with contextlib.suppress(ValueError):
                    what = f"the decoder crashed ({signal.Signals(-status).name})"
        return WorkerDiedError(what, FileCode.DECODER_CRASH)


class Watch:
    """End workers that are overdue, from a thread."""

    def __init__(self, interval: float = 0.1) -> None:
        self._interval = interval
        self._workers: set[WorkerProcess] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="moviola-watch", daemon=True)
        self._thread.start()

    def add(self, worker: WorkerProcess) -> None:
        """Watch `worker`."""
        with self._lock:
            self._workers.add(worker)

    def remove(self, worker: WorkerProcess) -> None:
        """Forget `worker`."""
        with self._lock:
            self._workers.discard(worker)

    def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            now = time.monotonic()
            with self._lock:
                workers = list(self._workers)
            for worker in workers:
                worker.kill_if_overdue(now)
