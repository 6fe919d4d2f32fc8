"""Write the indexed videos of one unit as one file, and read them back with their checksum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from moviola.core import Passage, Span, StoreCorruptError
from moviola.core.json_text import decode_json
from moviola.library import ChannelReading, NewVideo, VideoRecord
from moviola.library.storage.passage_rows import passage_rows, read_passages
from moviola.library.storage.schema import video_records, video_rows
from moviola.pipeline.index.unit import IndexedVideo

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

_MAGIC = b"MOVIOLA-UNIT-1\n"
_SHA256 = 32


def unit_name(
    videos: Iterable[NewVideo],
    *,
    segment: str,
    space: str,
    readouts: Sequence[str],
    rows: str,
    channels: Mapping[str, Sequence[str]],
) -> str:
    """Name the file of a unit: 32 hexadecimal digits of all that its content depends on.

    Args:
        videos: of the unit, in any order; only their content counts.
        segment: the policy that cuts spans.
        space: digest of the space.
        readouts: digests of how videos and texts are read.
        rows: pooling of the rows that clips keep.
        channels: digests of the channels' versions, by video.
    """
    contents = sorted((video.id, sorted(channels.get(video.id, ()))) for video in videos)
    parts = [contents, segment, space, list(readouts), rows]
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def pack_unit(videos: Sequence[IndexedVideo], space: str, precision: str) -> bytes:
    """Pack videos into the bytes of a file: their SHA-256, then one safetensors file.

    Args:
        videos: of one unit; they are ordered by id, so that equal units are equal bytes.
        space: digest of the space.
        precision: that the model computed in, `""` where no model did.
    """
    videos = sorted(videos, key=lambda found: found.record.id)
    seen = [found for found in videos if found.spans]
    spans = [(span.start, span.end) for found in seen for span in found.spans]
    kept = [rows for found in seen for rows in found.rows]
    records = [
        found.record.with_marks(reading.mark(len(reading.passages)) for reading in found.readings)
        for found in videos
    ]
    passages = [
        passage for found in videos for reading in found.readings for passage in reading.passages
    ]
    arrays: dict[str, NDArray[Any]] = {
        "videos": _to_bytes(video_rows(records, space)),
        "passages": _to_bytes(passage_rows(passages)),
        "clips": np.array([len(found.spans) for found in videos], np.int64),
        "spans": np.array(spans, np.float64).reshape(-1, 2),
        "vectors": _stacked([found.vectors for found in seen]),
        "row_counts": np.array([len(rows) for rows in kept], np.int64),
        "rows": _stacked(kept),
    }
    # One entry: the order of several would differ from one time to the next.
    facts = json.dumps({"precision": precision, "space": space})
    body = save(arrays, metadata={"facts": facts})
    return _MAGIC + hashlib.sha256(body).digest() + body


def unpack_unit(data: bytes, space: str) -> tuple[list[IndexedVideo], str]:
    """Unpack the videos of a unit's file, and the precision that its model computed in.

    Raises:
        StoreCorruptError: when the bytes are not what was written, or of another space.
    """
    start = len(_MAGIC) + _SHA256
    body = data[start:]
    if data[:start] != _MAGIC + hashlib.sha256(body).digest():
        raise StoreCorruptError("the file of a unit is not what was written; let it be made again")
    try:
        size = int.from_bytes(body[:8], "little")
        facts = decode_json(decode_json(body[8 : 8 + size])["__metadata__"]["facts"])
        videos = list(_videos(load(body)))
    except (SafetensorError, ValueError, KeyError) as error:
        raise StoreCorruptError(f"the file of a unit cannot be read: {error}") from error
    if facts["space"] != space:
        raise StoreCorruptError("the file of a unit is of another space; let it be made again")
    return videos, facts["precision"]


def _videos(arrays: dict[str, NDArray[Any]]) -> Iterator[IndexedVideo]:
    passages: dict[tuple[str, str], list[Passage]] = {}
    for passage in read_passages(_to_table(arrays["passages"])):
        passages.setdefault((passage.video, passage.channel), []).append(passage)
    ends = np.cumsum(arrays["row_counts"])
    clip = 0
    records = video_records(_to_table(arrays["videos"]))
    for record, count in zip(records, arrays["clips"].tolist(), strict=True):
        if not count:
            nothing = np.zeros((0, 1), np.float32)
            yield IndexedVideo(record, (), nothing, (), _readings(record, passages))
            continue
        last = clip + count
        kept = [
            arrays["rows"][end - rows : end]
            for end, rows in zip(ends[clip:last], arrays["row_counts"][clip:last], strict=True)
        ]
        spans = [Span(start, end) for start, end in arrays["spans"][clip:last].tolist()]
        vectors = arrays["vectors"][clip:last]
        yield IndexedVideo(record, spans, vectors, kept, _readings(record, passages))
        clip = last


def _readings(
    record: VideoRecord, passages: Mapping[tuple[str, str], Sequence[Passage]]
) -> list[ChannelReading]:
    return [
        ChannelReading(
            mark.channel,
            mark.version,
            tuple(passages.get((record.id, mark.channel), ())),
            mark.code,
            mark.message,
        )
        for mark in record.channels
    ]


def _stacked(parts: Sequence[NDArray[np.floating]]) -> NDArray[np.float32]:
    if not parts:
        return np.zeros((0, 1), np.float32)
    return np.ascontiguousarray(np.concatenate(parts), np.float32)


def _to_bytes(table: pa.Table) -> NDArray[np.uint8]:
    import pyarrow as pa

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return np.frombuffer(sink.getvalue(), np.uint8)


def _to_table(data: NDArray[np.uint8]) -> pa.Table:
    import pyarrow as pa

    with pa.ipc.open_stream(pa.py_buffer(data.tobytes())) as reader:
        return reader.read_all()
