"""Start and follow index runs in processes of their own, which tell each step in a line.

A run in this process would take the interpreter from the searches; and a run that is killed loses
nothing, so a process can be ended at any time.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from moviola.core.json_text import decode_json
from moviola.serve.errors import ApiError
from moviola.serve.schemas import IndexingAnswer

What = Literal["demo", "update", "retry", "channels"]

_WINDOW_SECONDS = 60.0
_FEWEST = 3


class IndexRun:
    """Start, follow and stop the one index run that may be under way."""

    def __init__(self, library: Path) -> None:
        self._library = library
        self._process: subprocess.Popen[str] | None = None
        self._listener: threading.Thread | None = None
        self._answer = IndexingAnswer(state="idle")
        self._steps: deque[tuple[float, int]] = deque()
        self._lock = threading.Lock()
        self._stopping = False

    def start(self, what: What, paths: Sequence[Path], channels: Sequence[str] = ()) -> None:
        """Begin a run over `paths`; for the demo, they are where its videos are made.

        `channels` are names of those to read from now on, beside those that are read.

        Raises:
            ApiError: 409 where one is under way, here or in another process.
        """
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                raise ApiError(409, "indexing", "an index run is under way; stop it first")
            if self.is_locked():
                raise ApiError(
                    409,
                    "locked",
                    "another process is writing to the library; wait until it is done",
                )
            self._stopping = False
            self._steps.clear()
            self._answer = IndexingAnswer(state="running", what=what)
            asked = {
                "what": what,
                "library": str(self._library),
                "paths": [str(path) for path in paths],
                "channels": list(channels),
            }
            self._process = subprocess.Popen(
                [sys.executable, "-m", "moviola.serve.indexing.process"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=sys.platform != "win32",
            )
            self._listener = threading.Thread(
                target=self._listen, args=(self._process, json.dumps(asked)), daemon=True
            )
            self._listener.start()

    def stop(self) -> None:
        """End the run, as Ctrl-C would: what is committed stays."""
        with self._lock:
            process = self._process
            self._stopping = True
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """End the run with the server."""
        self.stop()
        if self._process is None or self._listener is None:
            return
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._listener.join(timeout=10)

    def answer(self) -> IndexingAnswer:
        """Tell how far the run is."""
        with self._lock:
            found = self._answer.model_copy()
            running = found.state == "running"
            if running:
                found.rate, found.eta = self._forecast(found)
        if not running and self.is_locked():
            return IndexingAnswer(
                state="elsewhere", message="another process is indexing into this library"
            )
        return found

    def is_locked(self) -> bool:
        """Tell whether some process writes to the library."""
        place = self._library / "writer.lock"
        if not place.exists():
            return False
        lock = FileLock(place, timeout=0, thread_local=False)
        try:
            with lock:
                return False
        except Timeout:
            return True
        except OSError:
            return False

    def _listen(self, process: subprocess.Popen[str], asked: str) -> None:
        """Send the process what is asked, and take in what it tells until it ends."""
        if process.stdin is None or process.stdout is None:
            return
        with suppress(OSError), process.stdin as pipe:  # where it ended at once, its status tells
            pipe.write(asked)
        said = ""
        with process.stdout as lines:
            for line in lines:
                said = self._take(line) or said
        code = process.wait()
        with self._lock:
            ended = self._answer.model_copy()
            ended.message = said
            ended.state = "stopped" if self._stopping else "done" if code in (0, 3) else "failed"
            if ended.state == "failed" and not said:
                ended.message = f"the index run ended with status {code}"
            self._answer = ended

    def _take(self, line: str) -> str:
        """Take note of a step; return the sentence, where it is one instead."""
        try:
            step = decode_json(line)
        except ValueError:
            return ""
        if "message" in step:
            return str(step["message"])
        with self._lock:
            self._steps.append((time.monotonic(), int(step["done"])))
            for name in ("done", "total", "clips", "failed"):
                setattr(self._answer, name, int(step[name]))
            self._answer.message = str(step.get("note", ""))
        return ""

    def _forecast(self, now: IndexingAnswer) -> tuple[float | None, tuple[float, float] | None]:
        """Estimate the videos a second, and the least and most seconds that are left."""
        latest = time.monotonic()
        while len(self._steps) > _FEWEST and self._steps[0][0] < latest - _WINDOW_SECONDS:
            self._steps.popleft()
        if len(self._steps) < _FEWEST:
            return None, None
        (began, first), (last, done) = self._steps[0], self._steps[-1]
        if done <= first or last <= began:
            return None, None
        rate = (done - first) / (last - began)
        left = (now.total - done) / rate
        # The spread of a sum of unlike videos: a standard error or two, as for counted events.
        share = min(0.9, 2 / (done - first) ** 0.5)
        return round(rate, 3), (round(left * (1 - share), 1), round(left * (1 + share), 1))
