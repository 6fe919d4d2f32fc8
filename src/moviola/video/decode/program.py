"""The program that a decoding worker runs: takes requests, sends messages, trusts no file."""

from __future__ import annotations

import contextlib
import os
import pickle
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, BinaryIO

import av.logging
import numpy as np

from moviola.core import FileCode, SoundSpec, Span, VideoUnreadableError
from moviola.video.decode.audio import ClipSound, SoundTrack
from moviola.video.decode.opening import check_file, check_unchanged, fault, open_container
from moviola.video.decode.pictures import read_picture
from moviola.video.decode.probing import Damage, Survey, clock_zero, play_facts, survey
from moviola.video.decode.reading import Reading, clamp, frames_at, read_clips
from moviola.video.decode.seeking import frames_near
from moviola.video.decode.transcode import film
from moviola.video.limits import IN_FORCE, Limits
from moviola.video.worker import ipc as wire

if TYPE_CHECKING:
    from av.container import InputContainer
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

from moviola.video.worker.tasks import (
    ClipsTask,
    FactsTask,
    FilmTask,
    FramesTask,
    GlimpseTask,
    PictureTask,
    SoundTask,
    Task,
)

try:
    import resource
except ImportError:  # Windows: the pool's clock is the only limit there
    resource = None


_PIECE_BYTES = 4 << 20
# Seconds that encoding a second may take: 8K on a slow machine.
_ENCODING_SHARE = 10.0


def main() -> None:
    """Serve requests until the other side goes away."""
    requests, answers = _take_channels()
    av.logging.set_level(None)
    try:
        limits: Limits = pickle.load(requests)  # noqa: S301 - our own parent sends it
        _limit_memory(limits)
        IN_FORCE.set(limits)
        worker = Worker(limits, answers)
        wire.send(answers, {"kind": "ready"})
        while True:
            try:
                task: Task = pickle.load(requests)  # noqa: S301 - as above
            except (AttributeError, ImportError, TypeError) as error:
                wire.send(answers, {"kind": "refused", "message": str(error)})
                os._exit(0)  # what is left in the pipe cannot be made sense of
            worker.serve(task)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        # The pool has closed or gone; a half-written answer interests nobody.
        os._exit(0)


class Worker:
    """Carries out tasks one after another."""

    def __init__(self, limits: Limits, answers: BinaryIO) -> None:
        self._limits = limits
        self._answers = answers

    def serve(self, task: Task) -> None:
        """Do one task and send exactly one final message.

        Raises:
            BrokenPipeError: when nobody listens any more.
        """
        try:
            before = check_file(task.path)
            if isinstance(task, PictureTask):
                code, message = self._picture(task)
            else:
                container = open_container(task.path, self._limits)
                self._allow(self._limits.scan_limit(before.st_size))
                code, message = self._work(task, container)
            check_unchanged(task.path, before)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - every failure of a file has a code
            told = fault(error, task.path)
            code, message = told.code, str(told)
        wire.send(self._answers, {"kind": "done", "code": code, "message": message})

    def _allow(self, seconds: float, **facts: object) -> None:
        """Start a phase that may take `seconds`, by the pool's clock and by the processor's."""
        _limit_processor(seconds)
        wire.send(self._answers, {"kind": "phase", "seconds": seconds, **facts})

    def _work(self, task: Task, container: InputContainer) -> tuple[FileCode, str]:
        if isinstance(task, SoundTask):
            return self._sound(task, container)
        if isinstance(task, FactsTask):
            wire.send(
                self._answers, {"kind": "facts", **play_facts(task.path, container, self._limits)}
            )
            return FileCode.OK, ""
        if isinstance(task, GlimpseTask | FilmTask):
            container.close()  # these open it as often as they must
            return self._glimpse(task) if isinstance(task, GlimpseTask) else self._film(task)
        found = survey(task.path, self._limits, opened=container)
        self._allow(self._limits.decode_limit(found.info), info=asdict(found.info))
        if isinstance(task, ClipsTask):
            return self._clips(task, found)
        if isinstance(task, FramesTask):
            pictures, times = frames_at(task.path, found, task.times, self._limits)
            self._send_pictures({"kind": "frames"}, pictures, times)
        return FileCode.OK, ""

    def _clips(self, task: ClipsTask, found: Survey) -> tuple[FileCode, str]:
        spans = clamp(_segment(task, found), found.info.duration)
        kept = spans[: self._limits.max_clips]
        if not kept:
            raise VideoUnreadableError(
                f"it ends after {found.info.duration:.3f} s, before the wanted span",
                code=FileCode.TRUNCATED,
            )
        self._allow(self._limits.decode_limit(found.info))

        left_out = len(spans) - len(kept)
        if task.sound is None:
            return _verdict(found, self._read(task, found, kept, None), left_out=left_out)
        container = open_container(task.path, self._limits)
        begin = min(span.start for _, span in kept)
        with SoundTrack(
            container, task.sound, zero=found.origin, begin=begin, limits=self._limits
        ) as track:
            sound = ClipSound(track, [span for _, span in kept])
            reading = self._read(task, found, kept, sound)
            return _verdict(found, reading, left_out=left_out, unheard=track.damage)

    def _read(
        self,
        task: ClipsTask,
        found: Survey,
        spans: Sequence[tuple[int, Span]],
        sound: ClipSound | None,
    ) -> Reading:
        def emit(
            index: int, span: Span, pictures: Sequence[Picture], times: NDArray[np.float64]
        ) -> None:
            head = {"kind": "clip", "index": index, "start": span.start, "end": span.end}
            if sound is None or task.sound is None:
                self._send_pictures(head, pictures, times.tolist())
                return
            samples = sound.of(span, times)
            head |= _sound_head(samples, task.sound, span)
            self._send_pictures(head, pictures, times.tolist(), samples)

        return read_clips(task.path, found, spans, task.sampler, limits=self._limits, emit=emit)

    def _sound(self, task: SoundTask, container: InputContainer) -> tuple[FileCode, str]:
        with SoundTrack(
            container,
            task.sound,
            zero=clock_zero(container),
            begin=task.span.start,
            limits=self._limits,
        ) as track:
            track.require_room(task.span)
            samples = track.read(task.span)
        head = {"kind": "sound"} | _sound_head(samples, task.sound, task.span)
        wire.send(self._answers, head, [samples])
        return FileCode.OK, ""

    def _glimpse(self, task: GlimpseTask) -> tuple[FileCode, str]:
        self._allow(self._limits.decode_seconds)
        pictures, times = frames_near(task.path, task.times, self._limits, longest=task.longest)
        self._send_pictures({"kind": "frames"}, pictures, times)
        return FileCode.OK, ""

    def _film(self, task: FilmTask) -> tuple[FileCode, str]:
        self._allow(self._limits.decode_seconds + _ENCODING_SHARE * task.span.duration)
        made = film(task.path, task.span, self._limits, lines=task.lines, swift=task.swift)
        data = np.frombuffer(made, np.uint8)
        for first in range(0, data.size, _PIECE_BYTES):
            wire.send(self._answers, {"kind": "piece"}, [data[first : first + _PIECE_BYTES]])
        return FileCode.OK, ""

    def _picture(self, task: PictureTask) -> tuple[FileCode, str]:
        self._allow(self._limits.open_seconds)
        pixels = read_picture(task.path, most_pixels=task.most_pixels, longest=task.longest)
        self._send_pictures({"kind": "frames"}, [pixels], [0.0])
        return FileCode.OK, ""

    def _send_pictures(
        self,
        head: dict[str, object],
        pictures: Sequence[Picture],
        times: Sequence[float],
        samples: NDArray[np.float32] | None = None,
    ) -> None:
        """Send pictures, after the sound that belongs to them."""
        shape = [len(pictures), *pictures[0].shape]
        parts = pictures if samples is None else [samples, *pictures]
        wire.send(self._answers, head | {"shape": shape, "times": list(times)}, parts)


def _segment(task: ClipsTask, found: Survey) -> Sequence[Span]:
    try:
        return task.segmenter.segment(task.path, found.info)
    except (VideoUnreadableError, MemoryError):
        raise
    except Exception as error:
        raise VideoUnreadableError(
            f"segmentation {task.segmenter.spec} failed: {error!r}", code=FileCode.CORRUPT
        ) from error


def _sound_head(samples: NDArray[np.float32], wanted: SoundSpec, span: Span) -> dict[str, object]:
    return {"sound": list(samples.shape), "rate": wanted.rate, "heard_from": span.start}


def _verdict(
    found: Survey, reading: Reading, *, left_out: int, unheard: Damage | None = None
) -> tuple[FileCode, str]:
    """The code of a video that was read to its end, and what to say about it."""
    notes: list[str] = []
    if found.fault:
        notes.append(found.fault)
    if reading.damage.packets:
        notes.append(f"packets that could not be decoded: {reading.damage.packets}")
    if reading.dropped:
        notes.append(f"clips dropped because nothing in them can be decoded: {reading.dropped}")
    if reading.clamped:
        notes.append("the last clip was shortened to what can be decoded")
    if left_out:
        notes.append(f"clips left out beyond the limit: {left_out}")
    if unheard:
        notes.append("sound that could not be decoded was left silent")
    if not reading.delivered:
        code = FileCode.TRUNCATED if found.fault else FileCode.CORRUPT
        return code, "; ".join(notes) or "nothing of it can be decoded"
    return (FileCode.OK_PARTIAL if notes else FileCode.OK), "; ".join(notes)


def _take_channels() -> tuple[BinaryIO, BinaryIO]:
    """Private ends of the pipes, so that nothing else in this process reads or writes them."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    if sys.platform == "linux":
        _widen(answers)
    return requests, answers  # pyright: ignore[reportReturnType] - raw writes are what is wanted


def _widen(pipe: BinaryIO) -> None:
    """Let a frame or so wait in the pipe, so that both sides switch less often."""
    import fcntl

    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)


def _limit_memory(limits: Limits) -> None:
    if resource is None:
        return
    with contextlib.suppress(ValueError, OSError):  # a tighter limit is in force already
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = limits.memory_bytes if hard < 0 else min(limits.memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _limit_processor(seconds: float) -> None:
    """End this process by SIGXCPU should it compute for `seconds` more, pool or no pool."""
    if resource is None:
        return
    usage = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(usage.ru_utime + usage.ru_stime + seconds) + 5
    with contextlib.suppress(ValueError, OSError):
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main()
