"""Put one task to a worker, and take its replies until the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from moviola.core import FileCode, Frames, Waveform
from moviola.video.worker.ipc import GarbageError
from moviola.video.worker.process import WorkerDiedError
from moviola.video.worker.replies import (
    ClipPart,
    Done,
    FramePart,
    Phase,
    Piece,
    PlayFacts,
    Refused,
    SidePart,
    parse,
)

if TYPE_CHECKING:
    from moviola.core import VideoInfo
    from moviola.video.worker.process import WorkerProcess
    from moviola.video.worker.tasks import Task

Part = FramePart | ClipPart | Frames | Waveform | Piece | PlayFacts | SidePart


def converse(
    worker: WorkerProcess,
    task: Task,
    take: Callable[[Part, int], None],
    on_info: Callable[[VideoInfo], None] = lambda _: None,
    on_units: Callable[[int], None] = lambda _: None,
) -> tuple[Done, VideoInfo | None]:
    """Put `task` to `worker`, and `take` each part with its position until the last reply.

    `on_info` is told what the packets say, once, as soon as that is known, and `on_units` in how
    many units a long file is to be read.
    """
    worker.ask(task)
    info: VideoInfo | None = None
    position = 0
    while True:
        try:
            reply = parse(worker.receive())
        except GarbageError as error:
            raise WorkerDiedError(
                f"the decoder sent garbage ({error})", FileCode.DECODER_CRASH
            ) from None
        match reply:
            case Done():
                return reply, info
            case Phase():
                worker.allow(reply.seconds)
                on_units(reply.units)
                if info is None and reply.info is not None:
                    on_info(reply.info)
                info = reply.info or info
            case Refused():
                raise TypeError(
                    f"a decoding worker cannot load the segmenter or sampler: {reply.message}; "
                    "define it in a module that can be imported, not in a script"
                )
            case _:
                take(reply, position)
                position += 1
