"""Decode videos side by side in worker processes, whatever the files hold."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self

from moviola.core import (
    FileCode,
    Frames,
    SoundSpec,
    Span,
    VideoInfo,
    VideoUnreadableError,
    Waveform,
)
from moviola.video.limits import Limits
from moviola.video.texts import FileTexts
from moviola.video.worker.assembly import Assembly
from moviola.video.worker.conversation import Part, converse
from moviola.video.worker.messages import (
    ClipNamed,
    ClipRead,
    PictureRead,
    ReadRequest,
    SideListener,
    VideoDone,
)
from moviola.video.worker.process import (
    Watch,
    WorkerDiedError,
    WorkerProcess,
    worker_command,
)
from moviola.video.worker.replies import PicturePart, SoundPart
from moviola.video.worker.session import Item, Session
from moviola.video.worker.tasks import (
    ClipsTask,
    FramesTask,
    InfoTask,
    SideTask,
    SideWants,
    SoundTask,
    Task,
)
from moviola.video.worker.units import UNIT_SECONDS, Outcome, Unit

_ATTEMPTS = 2


class PoolClosedError(RuntimeError):
    """Say that the pool was closed while it was used."""


class DecodePool:
    """Decode videos side by side in worker processes.

    A file that crashes, hangs or floods its worker costs only itself: the worker is replaced, the
    file tried once more in a fresh one, then given a code. Use it as a context manager; leaving it
    ends all workers.
    """

    def __init__(self, workers: int | None = None, limits: Limits | None = None) -> None:
        if workers is not None and workers < 1:
            raise ValueError(f"a pool needs at least one worker, got {workers}")
        self.limits = limits or Limits()
        self.workers = workers or min(_processors(), 8)
        self._command: Sequence[str] = worker_command()
        self._idle: list[WorkerProcess] = []
        self._busy: set[WorkerProcess] = set()
        self._lock = threading.Lock()
        self._watch: Watch | None = Watch()
        #: Seconds that workers spent on videos, all of them together; waiting for room is not.
        self.busy_seconds = 0.0
        #: Seconds of a long video that one worker reads while others read on.
        self.unit_seconds = UNIT_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def allow_codecs(self, codecs: Sequence[str]) -> None:
        """Allow decoders beyond the built-in list from the next task on."""
        with self._lock:
            if set(codecs) <= set(self.limits.extra_codecs):
                return
            allowed = tuple(sorted({*self.limits.extra_codecs, *codecs}))
            self.limits = replace(self.limits, extra_codecs=allowed)
            stale, self._idle = self._idle, []
            if self._watch is not None:
                for worker in stale:
                    self._watch.remove(worker)
        for worker in stale:
            worker.kill()

    def close(self) -> None:
        """End all workers, at once. A reading that is under way ends too."""
        with self._lock:
            watch, self._watch = self._watch, None
            workers = [*self._idle, *self._busy]
            self._idle.clear()
        if watch is not None:
            watch.close()
        for worker in workers:
            worker.kill()

    def read(
        self, requests: Iterable[ReadRequest], *, on_idle: Callable[[], None] = lambda: None
    ) -> Iterator[ClipRead | VideoDone]:
        """Read videos, several at a time; clips of different videos interleave.

        Lazy at both ends: a request is taken when a worker is free for it, and a consumer that
        is slow makes the workers wait. Every request is answered by its clips, each once, and
        then one `VideoDone`. `on_idle` is called before a reply is waited for.

        Raises:
            RuntimeError: when workers cannot be started, or the pool is closed.
            TypeError: when a segmenter or sampler cannot be sent to a worker.
        """
        for item in self._run(requests, on_idle, singly=False):
            if isinstance(item, ClipRead | VideoDone):
                yield item

    def read_pictures(
        self, requests: Iterable[ReadRequest], *, on_idle: Callable[[], None] = lambda: None
    ) -> Iterator[PictureRead | ClipNamed | VideoDone]:
        """Read videos as `read` does, each picture once and before the clips that name it."""
        for item in self._run(requests, on_idle, singly=True):
            if not isinstance(item, ClipRead):
                yield item

    def _run(
        self, requests: Iterable[ReadRequest], on_idle: Callable[[], None], *, singly: bool
    ) -> Iterator[Item]:
        session = Session(
            lambda unit, session: self._read_one(unit, session, singly=singly), self.workers
        )
        try:
            yield from session.run(iter(requests), on_idle)
        finally:
            session.stop()

    def probe(self, path: Path) -> VideoInfo:
        """Tell what the file holds.

        Raises:
            VideoUnreadableError: with the file's code.
        """
        outcome = self.carry_out(InfoTask(_absolute(path)), lambda _: None)
        if outcome.info is None or outcome.code.is_failure:
            raise VideoUnreadableError(outcome.message, code=outcome.code)
        return outcome.info

    def read_frames_at(self, path: Path, times: Sequence[float]) -> Frames:
        """Read the upright frames shown at `times` (seconds, ascending), one each.

        Times outside the video give its first or last frame.

        Raises:
            ValueError: when there are no times, or they descend.
            VideoUnreadableError: with the file's code.
        """
        if not times or any(b < a for a, b in pairwise(times)):
            raise ValueError("give the times of frames in ascending order, at least one")
        found: list[Part] = []
        outcome = self.carry_out(
            FramesTask(_absolute(path), tuple(map(float, times))), found.append
        )
        if outcome.code.is_failure or not found or not isinstance(found[0], Frames):
            raise VideoUnreadableError(outcome.message, code=outcome.code)
        return found[0]

    def read_waveform(
        self, path: Path, span: Span, *, rate: int = 16_000, channels: int = 1
    ) -> Waveform:
        """Read the sound of `span`, `channels` times `round(span.duration * rate)` samples.

        It runs on the clock of the pictures; what the track does not cover is silent. A file
        without sound gives no samples at all.

        Raises:
            ValueError: when `rate` is not positive, or `channels` neither 1 nor 2.
            VideoUnreadableError: with the file's code.
        """
        task = SoundTask(_absolute(path), span, SoundSpec(rate, channels))
        found: list[Part] = []
        outcome = self.carry_out(task, found.append)
        if outcome.code.is_failure or not found or not isinstance(found[0], Waveform):
            raise VideoUnreadableError(outcome.message, code=outcome.code)
        return found[0]

    def read_side(self, path: Path, side: SideListener) -> None:
        """Read what channels want of one video, and no clips, into `side`.

        What becomes of the file is told by its `end`.

        Raises:
            RuntimeError: when workers cannot be started, or the pool is closed.
        """

        def deliver(part: Part) -> None:
            if isinstance(part, PicturePart | SoundPart | FileTexts):
                side.take(part)

        task = SideTask(_absolute(path), side.wants)
        outcome = self.carry_out(task, deliver, on_info=side.begin)
        side.end(outcome.code, outcome.message)

    def carry_out(
        self,
        task: Task,
        deliver: Callable[[Part], None],
        *,
        cancelled: Callable[[], bool] = lambda: False,
        on_info: Callable[[VideoInfo], None] = lambda _: None,
        on_units: Callable[[int], None] = lambda _: None,
    ) -> Outcome:
        """Have a worker do `task`, giving its parts to `deliver`; a second one when it dies.

        Parts that the first worker delivered are not delivered again. `on_info` is told what the
        packets say, by each worker.

        Raises:
            RuntimeError: when workers cannot be started, or the pool is closed.
            TypeError: when the task cannot be sent to a worker.
        """
        delivered = 0

        def once(part: Part, position: int) -> None:
            nonlocal delivered
            if position == delivered:
                deliver(part)
                delivered += 1

        death = WorkerDiedError("cancelled", FileCode.DECODER_CRASH)
        for attempt in range(_ATTEMPTS):
            if cancelled():
                break
            worker = self._lease(fresh=attempt > 0)
            healthy = False
            try:
                done, info = converse(worker, task, once, on_info, on_units)
                # Memory that was once full may be in pieces: such a worker is not used again.
                healthy = done.code is not FileCode.OUT_OF_MEMORY
                if not healthy and worker.was_used and attempt == 0:
                    continue  # what filled it may have been an earlier file
                return Outcome(done.code, done.message, info, delivered)
            except WorkerDiedError as error:
                death = error
            finally:
                self._give_back(worker, healthy=healthy)
        return Outcome(death.code, str(death), None, delivered)

    def _read_one(self, unit: Unit, session: Session, *, singly: bool) -> None:
        """Read one unit of a video into the queue of `session`; the others follow the first."""
        waited = 0.0
        request = unit.request
        # What channels decode is read in one unit, and texts are read with the first.
        side = request.side if unit.number == 0 else None

        def put(item: Item) -> None:
            nonlocal waited
            began = time.monotonic()
            session.put(item)
            waited += time.monotonic() - began

        def divide(count: int) -> None:
            if unit.number == 0:
                for other in unit.video.divide(count):
                    session.submit(other)

        task = ClipsTask(
            *(_absolute(request.path), request.segmenter, request.sampler, request.sound),
            side=SideWants() if side is None else side.wants,
            held=not singly and request.shrink is None,
            unit=unit.number,
            unit_seconds=self.unit_seconds if self.workers > 1 else math.inf,
        )
        assembly = Assembly(request, put, singly=singly, unit=unit.number)
        began = time.monotonic()
        outcome = self.carry_out(
            task,
            assembly.take,
            cancelled=session.is_stopped,
            on_info=lambda info: None if side is None else side.begin(info),
            on_units=divide,
        )
        with self._lock:
            self.busy_seconds += time.monotonic() - began - waited
        if side is not None:
            side.end(outcome.code, outcome.message)
        if (done := unit.video.end(unit.number, outcome, assembly.clips)) is not None:
            session.put(done)

    def _lease(self, *, fresh: bool) -> WorkerProcess:
        with self._lock:
            if self._watch is None:
                raise PoolClosedError("the pool of decoders is closed")
            worker = self._idle.pop() if self._idle and not fresh else None
            if worker is None:
                worker = WorkerProcess(self.limits, self._command)
                self._watch.add(worker)
            self._busy.add(worker)
            return worker

    def _give_back(self, worker: WorkerProcess, *, healthy: bool) -> None:
        with self._lock:
            self._busy.discard(worker)
            current = worker.limits is self.limits
            worker.was_used = True
            if healthy and current and self._watch and len(self._idle) < self.workers:
                self._idle.append(worker)
                return
            if self._watch is not None:
                self._watch.remove(worker)
        worker.kill()


def _absolute(path: Path) -> Path:
    """Make `path` absolute: a worker that started earlier may have another working directory."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
