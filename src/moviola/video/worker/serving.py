"""Carry out tasks on untrusted files, and send what they give. Runs in the worker."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from moviola.core import FileCode, FileIdentity, SoundSpec, Span, VideoUnreadableError
from moviola.video.decode.audio import ClipSound, SoundTrack
from moviola.video.decode.opening import (
    EXPECTED,
    check_file,
    check_unchanged,
    fault,
    open_container,
)
from moviola.video.decode.pixels.picture_files import read_picture
from moviola.video.decode.probing import Survey, play_facts, survey
from moviola.video.decode.reading import (
    Reading,
    clamp,
    fold_stills,
    frames_at,
    read_clips,
    read_side,
)
from moviola.video.decode.seeking import find_sound_zero, frames_near
from moviola.video.decode.side_streams import SideStreams
from moviola.video.decode.streams import Damage
from moviola.video.decode.transcode import transcode
from moviola.video.limits import Limits
from moviola.video.worker import ipc
from moviola.video.worker.confinement import limit_processor
from moviola.video.worker.sent_pictures import SentPicture, SentPictures
from moviola.video.worker.side import send_texts, side_streams
from moviola.video.worker.tasks import (
    ClipsTask,
    FactsTask,
    FramesTask,
    PictureTask,
    SideTask,
    SoundTask,
    StillsTask,
    Task,
    TranscodeTask,
)

if TYPE_CHECKING:
    from pathlib import Path

    from av.container import InputContainer
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

_PIECE_BYTES = 4 << 20
# Seconds that encoding a second may take: 8K on a slow machine.
_ENCODING_SHARE = 10.0
_SILENT = "sound that could not be decoded was left silent"


class Worker:
    """Carries out tasks one after another."""

    def __init__(self, limits: Limits, replies: BinaryIO) -> None:
        self._limits = limits
        self._replies = replies
        #: The file that was surveyed last, as it was then.
        self._known: tuple[tuple[Path, FileIdentity | None], Survey] | None = None

    def serve(self, task: Task) -> None:
        """Carry out one task and send exactly one final message.

        Raises:
            BrokenPipeError: when nobody listens any more.
        """
        try:
            before = check_file(task.path)
            wanted = (
                task.expected if isinstance(task, FactsTask | StillsTask | TranscodeTask) else None
            )
            EXPECTED.set(wanted or FileIdentity.of(before))
            if isinstance(task, PictureTask):
                code, message = self._picture(task)
            else:
                container = open_container(task.path, self._limits)
                self._allow(self._limits.scan_limit(_bytes_on_disk(before)))
                code, message = self._work(task, container)
            check_unchanged(task.path, before)
        except BrokenPipeError:
            raise
        except Exception as error:  # noqa: BLE001 - every failure of a file has a code
            told = fault(error, task.path)
            code, message = told.code, str(told)
        ipc.send(self._replies, {"kind": "done", "code": code, "message": message})

    def _allow(self, seconds: float, **facts: object) -> None:
        """Start a phase that may take `seconds`, by the pool's clock and by the processor's."""
        limit_processor(seconds)
        ipc.send(self._replies, {"kind": "phase", "seconds": seconds, **facts})

    def _work(self, task: Task, container: InputContainer) -> tuple[FileCode, str]:
        if isinstance(task, SoundTask):
            return self._sound(task, container)
        if isinstance(task, FactsTask):
            ipc.send(
                self._replies, {"kind": "facts", **play_facts(task.path, container, self._limits)}
            )
            return FileCode.OK, ""
        if isinstance(task, StillsTask | TranscodeTask):
            container.close()  # these open it as often as they must
            return self._stills(task) if isinstance(task, StillsTask) else self._transcode(task)
        if isinstance(task, ClipsTask | SideTask):
            return self._video(task, container)
        found = self._surveyed(task.path, container)
        if isinstance(task, FramesTask):
            pictures, times = frames_at(task.path, found, task.times, self._limits)
            self._send_pictures({"kind": "frames"}, pictures, times)
        return FileCode.OK, ""

    def _surveyed(self, path: Path, container: InputContainer) -> Survey:
        """Survey a file, and tell what the packets say. Uses up `container`."""
        known = self._known
        if known is not None and known[0] == (path, EXPECTED.get()):
            container.close()  # another unit of the same file
            found = known[1]
        else:
            found = survey(path, self._limits, opened=container)
            self._known = ((path, EXPECTED.get()), found)
        self._allow(self._limits.decode_limit(found.info), info=asdict(found.info))
        return found

    def _video(self, task: ClipsTask | SideTask, container: InputContainer) -> tuple[FileCode, str]:
        if task.side.texts:
            send_texts(task.path, container, self._limits, self._send)
        if isinstance(task, ClipsTask):
            return self._clips(task, self._surveyed(task.path, container))
        if task.side.packets:
            return self._side(task, self._surveyed(task.path, container))
        container.close()
        return FileCode.OK, ""

    def _clips(self, task: ClipsTask, found: Survey) -> tuple[FileCode, str]:
        if more := getattr(task.segmenter, "seconds_a_picture", 0.0) * found.info.frames:
            self._allow(self._limits.decode_limit(found.info) + more)
        spans = clamp(_segment(task, found), found.info.duration)
        # What is heard goes on where nothing moves.
        if task.sound is None and getattr(task.segmenter, "folds_stills", False):
            spans = fold_stills(spans, found.starts)
        kept = spans[: self._limits.max_clips]
        if not kept:
            raise VideoUnreadableError(
                f"it ends after {found.info.duration:.3f} s, before the wanted span",
                code=FileCode.TRUNCATED,
            )
        units = _units(task, found, kept)
        left_out = len(spans) - len(kept) if task.unit == 0 else 0
        kept = units[task.unit]
        self._allow(self._limits.decode_limit(found.info), units=len(units))

        with side_streams(task.path, found, task.side, self._limits, self._send) as (side, _):
            if task.sound is None:
                reading = self._read(task, found, kept, None, side)
                return _verdict(found, reading, left_out=left_out)
            container = open_container(task.path, self._limits)
            begin = min(span.start for _, span in kept)
            with SoundTrack(
                container, task.sound, zero=found.origin, begin=begin, limits=self._limits
            ) as track:
                sound = ClipSound(track, [span for _, span in kept])
                reading = self._read(task, found, kept, sound, side)
                return _verdict(found, reading, left_out=left_out, unheard=track.damage)

    def _side(self, task: SideTask, found: Survey) -> tuple[FileCode, str]:
        with side_streams(task.path, found, task.side, self._limits, self._send) as (side, tracks):
            damage = read_side(task.path, found, self._limits, side)
        notes = [found.fault] if found.fault else []
        if damage.packets:
            notes.append(f"packets that could not be decoded: {damage.packets}")
        if any(track.damage for track in tracks):
            notes.append(_SILENT)
        return (FileCode.OK_PARTIAL if notes else FileCode.OK), "; ".join(notes)

    def _send(self, head: dict[str, object], parts: Sequence[NDArray[Any]]) -> None:
        ipc.send(self._replies, head, parts)

    def _read(
        self,
        task: ClipsTask,
        found: Survey,
        spans: Sequence[tuple[int, Span]],
        sound: ClipSound | None,
        side: SideStreams,
    ) -> Reading:
        sent = SentPictures(self._replies)

        def emit(
            index: int, span: Span, pictures: Sequence[SentPicture], times: NDArray[np.float64]
        ) -> None:
            head: dict[str, object] = {
                "kind": "clip",
                "index": index,
                "start": span.start,
                "end": span.end,
                "pictures": [picture.number for picture in pictures],
                "oldest": sent.oldest(),
                "times": times.tolist(),
            }
            if sound is None or task.sound is None:
                ipc.send(self._replies, head)
                return
            samples = sound.of(span, times)
            ipc.send(self._replies, head | _sound_head(samples, task.sound, span), [samples])

        return read_clips(
            *(task.path, found, spans, task.sampler),
            limits=self._limits,
            emit=emit,
            side=side,
            held=task.held,
            start=min(span.start for _, span in spans) if task.unit else 0.0,
            send=sent.send,
        )

    def _sound(self, task: SoundTask, container: InputContainer) -> tuple[FileCode, str]:
        with SoundTrack(
            container,
            task.sound,
            zero=find_sound_zero(task.path, self._limits),
            begin=task.span.start,
            limits=self._limits,
        ) as track:
            track.require_room(task.span)
            samples = track.read(task.span)
        head = {"kind": "sound"} | _sound_head(samples, task.sound, task.span)
        ipc.send(self._replies, head, [samples])
        return FileCode.OK, ""

    def _stills(self, task: StillsTask) -> tuple[FileCode, str]:
        self._allow(self._limits.decode_seconds)
        pictures, times = frames_near(task.path, task.times, self._limits, longest=task.longest)
        self._send_pictures({"kind": "frames"}, pictures, times)
        return FileCode.OK, ""

    def _transcode(self, task: TranscodeTask) -> tuple[FileCode, str]:
        self._allow(self._limits.decode_seconds + _ENCODING_SHARE * task.span.duration)
        made = transcode(task.path, task.span, self._limits, lines=task.lines, swift=task.swift)
        data = np.frombuffer(made, np.uint8)
        for first in range(0, data.size, _PIECE_BYTES):
            ipc.send(self._replies, {"kind": "piece"}, [data[first : first + _PIECE_BYTES]])
        return FileCode.OK, ""

    def _picture(self, task: PictureTask) -> tuple[FileCode, str]:
        self._allow(self._limits.open_seconds)
        pixels = read_picture(task.path, most_pixels=task.most_pixels, longest=task.longest)
        self._send_pictures({"kind": "frames"}, [pixels], [0.0])
        return FileCode.OK, ""

    def _send_pictures(
        self, head: dict[str, object], pictures: Sequence[Picture], times: Sequence[float]
    ) -> None:
        shape = [len(pictures), *pictures[0].shape]
        ipc.send(self._replies, head | {"shape": shape, "times": list(times)}, pictures)


def _bytes_on_disk(status: os.stat_result) -> int:
    """Count the bytes that a file really has: holes are read without a disk."""
    blocks = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else min(status.st_size, blocks * 512)


def _segment(task: ClipsTask, found: Survey) -> Sequence[Span]:
    try:
        return task.segmenter.segment(task.path, found.info)
    except (VideoUnreadableError, MemoryError):
        raise
    except Exception as error:
        raise VideoUnreadableError(
            f"segmentation {task.segmenter.spec} failed: {error!r}", code=FileCode.CORRUPT
        ) from error


def _units(
    task: ClipsTask, found: Survey, spans: Sequence[tuple[int, Span]]
) -> list[Sequence[tuple[int, Span]]]:
    """Divide the clips of a long video by where they begin; one unit where that is not safe.

    What is damaged, heard, or decoded for channels too is read in one go.
    """
    whole = (
        not math.isfinite(task.unit_seconds)
        or task.sound is not None
        or bool(task.side.pictures or task.side.sounds)
        or not getattr(task.segmenter, "divides", False)
        or bool(found.fault)
        or found.in_order
        or found.jumps
    )
    if whole:
        return [spans]
    units: dict[int, list[tuple[int, Span]]] = {}
    for index, span in spans:
        units.setdefault(int(span.start // task.unit_seconds), []).append((index, span))
    return [units[number] for number in sorted(units)]


def _sound_head(samples: NDArray[np.float32], wanted: SoundSpec, span: Span) -> dict[str, object]:
    return {"sound": list(samples.shape), "rate": wanted.rate, "heard_from": span.start}


def _verdict(
    found: Survey, reading: Reading, *, left_out: int, unheard: Damage | None = None
) -> tuple[FileCode, str]:
    """Give a video that was read to its end its code, and say what there is to say."""
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
        notes.append(_SILENT)
    if not reading.delivered:
        code = FileCode.TRUNCATED if found.fault else FileCode.CORRUPT
        return code, "; ".join(notes) or "nothing of it can be decoded"
    return (FileCode.OK_PARTIAL if notes else FileCode.OK), "; ".join(notes)
