"""Index videos as one unit of work: decode, encode and read channels, without any library."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Clip, Encoder, FileCode, Segmenter, Span, VideoInfo, clip_id, wanted_sound
from moviola.library import ChannelReading, LibraryWriter, NewVideo, VideoRecord
from moviola.pipeline.encode.batches import EncodedVideo
from moviola.pipeline.encode.stages import StageSeconds
from moviola.pipeline.encode.streaming import encode_stream
from moviola.pipeline.index.channel_run import ChannelRun
from moviola.pipeline.index.clip_rows import pool_clips
from moviola.video import DecodePool, Previews, ReadRequest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class IndexedVideo:
    """Hold all that a library takes in of one video.

    Attributes:
        record: its names, code and facts.
        spans: its clips, seconds; none where it could not be used.
        vectors: `(n, D)` float32, one of each clip.
        rows: `(n_i, D)` of each clip, in a library that keeps rows; else empty.
        readings: what its channels read.
    """

    record: VideoRecord
    spans: Sequence[Span]
    vectors: Rows
    rows: Sequence[Rows] = ()
    readings: Sequence[ChannelReading] = ()

    @classmethod
    def failure(cls, record: VideoRecord) -> IndexedVideo:
        """Make what is kept of a video that could not be used: its record alone."""
        return cls(record, (), np.zeros((0, 1), np.float32))


@dataclass(frozen=True, slots=True)
class UnitTools:
    """Hold what indexing videos takes, whatever becomes of the results.

    Attributes:
        pool: decoding processes.
        encoder: None where no model looks at the videos.
        segmenter: how videos are cut.
        channels: reads the channels.
        rows: pooling of the rows that clips keep; `""` for none.
        seconds: where the time went is added to it.
    """

    pool: DecodePool
    encoder: Encoder | None
    segmenter: Segmenter
    channels: ChannelRun
    rows: str
    seconds: StageSeconds


def index_videos(
    videos: Iterable[NewVideo],
    tools: UnitTools,
    previews: Callable[[NewVideo], Previews | None] = lambda _: None,
) -> Generator[IndexedVideo]:
    """Decode, encode and read videos; yield each when it is finished, usable or not.

    Videos are taken one after another, as decoders become free, and come out in the order in which
    they finish.

    Raises:
        ValueError: when the encoder gives several rows a clip and none are kept.
    """
    if tools.encoder is None:
        for video, result in tools.channels.read_new(videos, tools.pool):
            yield _read(video, result.code, result.message, result.info, result.readings)
        return
    wanted: dict[str, NewVideo] = {}
    sampler, sound = tools.encoder.sampler, wanted_sound(tools.encoder)

    def request(video: NewVideo) -> ReadRequest:
        wanted[video.id] = video
        return ReadRequest(
            *(video.id, video.path, tools.segmenter, sampler, sound),
            previews=previews(video),
            side=tools.channels.listen(video, tools.pool),
        )

    try:
        stream = encode_stream(
            tools.pool, map(request, videos), tools.encoder, seconds=tools.seconds
        )
        for result in stream:
            yield _encoded(wanted.pop(str(result.done.key)), result, tools)
    finally:
        tools.channels.close()


def add_video(writer: LibraryWriter, found: IndexedVideo) -> VideoRecord:
    """Add an indexed video to a library, or that it could not be used; return it as stored.

    Raises:
        StorageError: when a batch could not be committed.
    """
    record = found.record
    if record.code.is_failure:
        return writer.fail(record)
    clips = [Clip(clip_id(record.id, span), record.path, span) for span in found.spans]
    return writer.add(record, clips, found.vectors, found.readings, rows=found.rows)


def _read(
    video: NewVideo,
    code: FileCode,
    message: str,
    info: VideoInfo | None,
    readings: Sequence[ChannelReading],
) -> IndexedVideo:
    code, message = _settled(video, code, message)
    if code.is_failure or info is None:
        return IndexedVideo.failure(video.failure(code, message, info))
    record = replace(video.record(info, code), message=message)
    return IndexedVideo(record, (), np.zeros((0, 1), np.float32), (), readings)


def _encoded(video: NewVideo, result: EncodedVideo[Rows], tools: UnitTools) -> IndexedVideo:
    info = result.done.info
    code, message = _settled(video, result.done.code, result.done.message)
    if code.is_failure or info is None:
        tools.channels.drop(video.id)
        return IndexedVideo.failure(video.failure(code, message, info))
    record = replace(video.record(info, code), message=message)
    readings = tools.channels.finish(video.id, info)
    if tools.rows:
        vectors, kept = pool_clips(result.rows, tools.rows)
        return IndexedVideo(record, result.spans, vectors, kept, readings)
    if any(len(rows) != 1 for rows in result.rows):
        raise ValueError(
            "a library holds one row a clip, and this encoder gives several; choose a pooling, "
            "or keep them with --rows in a new library"
        )
    return IndexedVideo(record, result.spans, np.concatenate(result.rows), (), readings)


def _settled(video: NewVideo, code: FileCode, message: str) -> tuple[FileCode, str]:
    """Return the code of a file that was read, and why: another one where it changed meanwhile."""
    if code.has_clips and not video.files[0].is_unchanged():
        return (
            FileCode.CHANGED_WHILE_READING,
            "the file changed while it was read; index again when it is at rest",
        )
    return code, message
