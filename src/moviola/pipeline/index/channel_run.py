"""Read the channels of an index run: of new videos beside their encoding, of known ones alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from moviola.core import FileCode, VideoInfo, display_path
from moviola.library import ChannelReading, LibraryWriter, NewVideo, VideoName
from moviola.pipeline.index.report import ChannelCount
from moviola.pipeline.passages.adding import ChannelJob, VideoChannels, read_channels
from moviola.pipeline.passages.channels import ChannelSet
from moviola.pipeline.passages.reading import VideoReading
from moviola.pipeline.passages.table import PassageTable
from moviola.video import DecodePool


class ChannelRun:
    """Read channels for one index run, and count what became of them."""

    def __init__(self, channels: ChannelSet) -> None:
        self._channels = channels
        self._open: dict[str, VideoReading] = {}
        self._counts: Counter[tuple[str, str]] = Counter()

    def listen(self, video: NewVideo, pool: DecodePool) -> VideoReading | None:
        """Make the listener of the pass that encodes a new video; None where nothing is wanted."""
        job = self._job(video)
        if not job.channels:
            return None
        reading = VideoReading(
            job.path,
            job.channels,
            pool,
            names=job.around.names,
            sidecars=job.around.sidecars,
        )
        self._open[video.id] = reading
        return reading

    def finish(self, video: str, info: VideoInfo) -> list[ChannelReading]:
        """Return what the channels of a video read that was listened to."""
        reading = self._open.pop(video, None)
        if reading is None:
            return []
        try:
            return self._counted(reading.readings(video, info))
        finally:
            reading.close()

    def drop(self, video: str) -> None:
        """Let go of a video that could not be used."""
        if (reading := self._open.pop(video, None)) is not None:
            reading.close()

    def close(self) -> None:
        """Let go of whatever is still listened to."""
        for video in list(self._open):
            self.drop(video)

    def read_new(
        self, videos: Iterable[NewVideo], pool: DecodePool
    ) -> Iterator[tuple[NewVideo, VideoChannels]]:
        """Read new videos through their channels alone, where no model looks at them."""
        wanted: dict[str, NewVideo] = {}

        def job_of(video: NewVideo) -> ChannelJob:
            wanted[video.id] = video
            return self._job(video)

        for job, result in read_channels(map(job_of, videos), pool):
            if not result.code.is_failure:
                self._counted(result.readings)
            yield wanted.pop(job.video), result

    def add(
        self,
        jobs: Sequence[ChannelJob],
        pool: DecodePool,
        writer: LibraryWriter,
        on_done: Callable[[int], object],
    ) -> None:
        """Read channels of videos that the library holds, and add what they give."""
        for done, (job, result) in enumerate(read_channels(jobs, pool), start=1):
            writer.add_readings(job.video, self._counted(result.readings))
            on_done(done)
        writer.commit()

    def take_table(self, table: PassageTable, writer: LibraryWriter) -> list[str]:
        """Add the passages of a table; return sentences about videos that the library lacks."""
        readings, unknown = table.readings(writer.records())
        for video, reading in readings:
            writer.add_readings(video, self._counted([reading]))
        writer.commit()
        if not unknown:
            return []
        told = (
            f"{display_path(table.path)} names {len(unknown)} videos that the library does not "
            f"hold, such as {display_path(unknown[0])}"
        )
        return [told]

    def counts(self) -> tuple[ChannelCount, ...]:
        """Count what was read, by channel."""
        names = sorted({name for name, _ in self._counts})
        return tuple(
            ChannelCount(
                name,
                *(self._counts[name, what] for what in ("videos", "passages", "partial", "failed")),
            )
            for name in names
        )

    def _job(self, video: NewVideo) -> ChannelJob:
        around = self._channels.around(VideoName.of(file) for file in video.files)
        return ChannelJob(video.id, video.path, tuple(self._channels.wanted(around)), around)

    def _counted(self, readings: Iterable[ChannelReading]) -> list[ChannelReading]:
        kept = list(readings)
        for reading in kept:
            name = reading.channel
            self._counts[name, "videos"] += 1
            self._counts[name, "passages"] += len(reading.passages)
            self._counts[name, "partial"] += reading.code is FileCode.OK_PARTIAL
            self._counts[name, "failed"] += reading.code.is_failure
        return kept
