"""Read channels of videos that a library holds already, without encoding anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from moviola.core import Channel, FileCode, VideoInfo
from moviola.library import ChannelReading, VideoRecord, is_gone
from moviola.pipeline.passages.channels import Around, ChannelSet
from moviola.pipeline.passages.reading import (
    VideoReading,
    WantedChannel,
    wanted_hearing,
    wanted_pictures,
)
from moviola.video import DecodePool

_TICK_SECONDS = 0.2
# CPU seconds that a second of 720p film takes: to decode it, and for a channel that does not say.
_DECODING = 0.05
_LOOKING = 0.35
_HEARING = 0.5
_OPENING = 0.05  # a video, whatever is read
_BYTES = 60  # a second of film and channel, in the library


@dataclass(frozen=True, slots=True)
class ChannelJob:
    """Ask for channels of one video.

    Attributes:
        video: its id.
        path: a file of it.
        channels: those to read.
        around: what lies around its files.
        info: the facts of the file; None where they are to be found out.
    """

    video: str
    path: Path
    channels: tuple[WantedChannel, ...]
    around: Around
    info: VideoInfo | None = None


@dataclass(frozen=True, slots=True)
class VideoChannels:
    """Hold what a pass over a video for its channels gave.

    Attributes:
        code: what became of the file; where it is a failure, so is every channel.
        message: why.
        info: its facts, None where it could not be opened.
        readings: what the channels read.
    """

    code: FileCode
    message: str
    info: VideoInfo | None
    readings: list[ChannelReading]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Say what reading channels of videos that are there is going to cost, about.

    Attributes:
        channels: their names.
        videos: how many videos are read.
        film: seconds that they last together.
        seconds: of computing on one core.
        bytes: that the library grows by.
    """

    channels: tuple[str, ...]
    videos: int
    film: float
    seconds: float
    bytes: int


def find_outdated(
    records: Iterable[VideoRecord], channels: ChannelSet, *, retry: bool = False
) -> list[ChannelJob]:
    """Find the videos that channels are still to be read of, of those whose files are there."""
    found: list[ChannelJob] = []
    for record in records:
        if not record.code.has_clips or record.info is None:
            continue
        path = next((name.path for name in record.names if not is_gone(name.path)), None)
        if path is None:
            continue
        around = channels.around(record.names)
        if wanted := channels.wanted(around, record, retry=retry):
            found.append(ChannelJob(record.id, path, tuple(wanted), around, record.info))
    return found


def estimate(jobs: Sequence[ChannelJob]) -> Estimate:
    """Estimate what it takes to read them."""
    names = sorted({each.channel.name for job in jobs for each in job.channels})
    seconds, film, size = _OPENING * len(jobs), 0.0, 0.0
    for job in jobs:
        length = job.info.duration if job.info is not None else 0.0
        film += length
        size += _BYTES * length * len(job.channels)
        seconds += length * sum(_cost(each.channel) for each in job.channels)
        if any(wanted_pictures(each.channel) for each in job.channels):
            seconds += length * _DECODING
    return Estimate(tuple(names), len(jobs), film, seconds, round(size))


def describe_estimate(found: Estimate) -> str:
    """Say in a sentence what reading channels is going to cost."""
    return (
        f"reading {', '.join(found.channels)} of {found.videos} videos that are there "
        f"({_told_time(found.film)} of film): about {_told_time(found.seconds)} on one core and "
        f"{max(1, round(found.bytes / 1e6))} MB; press Ctrl-C to leave it for later"
    )


def _told_time(seconds: float) -> str:
    for unit, length in (("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1, round(seconds))} s"


def _cost(channel: Channel) -> float:
    looking = _LOOKING if wanted_pictures(channel) is not None else 0.0
    return looking + (_HEARING if wanted_hearing(channel) is not None else 0.0)


def read_channels(
    jobs: Iterable[ChannelJob], pool: DecodePool
) -> Iterator[tuple[ChannelJob, VideoChannels]]:
    """Read the channels of videos, several at a time; each video comes out when it is done."""
    waiting = iter(jobs)
    with ThreadPoolExecutor(pool.workers, thread_name_prefix="moviola-channels") as threads:
        running: dict[Future[VideoChannels], ChannelJob] = {}
        try:
            while True:
                while len(running) < pool.workers and (job := next(waiting, None)) is not None:
                    running[threads.submit(_read, job, pool)] = job
                if not running:
                    return
                done, _ = wait(running, timeout=_TICK_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    yield running.pop(future), future.result()
        finally:
            if running:  # interrupted: what is under way ends with its worker
                pool.close()


def _read(job: ChannelJob, pool: DecodePool) -> VideoChannels:
    reading = VideoReading(
        job.path,
        job.channels,
        pool,
        names=job.around.names,
        sidecars=job.around.sidecars,
        facts=job.info is None,
    )
    try:
        pool.read_side(job.path, reading)
        code, message = reading.result
        info = reading.info or job.info
        if code.is_failure or info is None:
            failed = [
                ChannelReading(each.channel.name, each.version, (), code, message)
                for each in job.channels
            ]
            return VideoChannels(code, message, info, failed)
        return VideoChannels(code, message, info, reading.readings(job.video, info))
    finally:
        reading.close()
