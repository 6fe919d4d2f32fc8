"""Lay out the tables of videos and clips on disk: their columns, and what is in their rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from moviola.core import Clip, FileCode, VideoInfo
from moviola.library.readings import ChannelMark
from moviola.library.records import VideoName, VideoRecord
from moviola.library.storage.row_column import ROWS, rows_column, rows_field, rows_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

CLIPS = "clips"
VIDEOS = "videos"
KEY = "id"
DIGEST_BYTES = 16
_ADDED = frozenset({"forgotten", "attempts", "channels"})


def clips_schema(
    dimension: int, vector_type: Literal["float16", "float32"], *, rows: bool = False
) -> pa.Schema:
    """List the columns of `clips`: one row a clip; `rows` where each keeps several vectors."""
    import pyarrow as pa

    number = pa.float16() if vector_type == "float16" else pa.float32()
    return pa.schema(
        [
            pa.field(KEY, pa.string(), nullable=False),
            pa.field("video", pa.string(), nullable=False),
            pa.field("start", pa.float64(), nullable=False),
            pa.field("end", pa.float64(), nullable=False),
            pa.field("vector", pa.list_(number, dimension), nullable=False),
            pa.field("checksum", pa.binary(DIGEST_BYTES), nullable=False),
            *([rows_field(number, dimension)] if rows else []),
        ]
    )


def videos_schema() -> pa.Schema:
    """List the columns of `videos`: one row a content, written after its clips, as their marker."""
    import pyarrow as pa

    name = pa.struct(
        [
            pa.field("path", pa.binary(), nullable=False),
            pa.field("root", pa.binary(), nullable=False),
            pa.field("mtime_ns", pa.int64(), nullable=False),
            pa.field("inode", pa.uint64(), nullable=False),
            pa.field("missing", pa.bool_(), nullable=False),
        ]
    )
    return pa.schema(
        [
            pa.field(KEY, pa.string(), nullable=False),
            pa.field("names", pa.list_(name), nullable=False),
            pa.field("code", pa.string(), nullable=False),
            pa.field("message", pa.string(), nullable=False),
            pa.field("size", pa.int64(), nullable=False),
            pa.field("clips", pa.int64(), nullable=False),
            pa.field("duration", pa.float64()),
            pa.field("width", pa.int32()),
            pa.field("height", pa.int32()),
            pa.field("frames", pa.int64()),
            pa.field("codec", pa.string()),
            pa.field("container", pa.string()),
            pa.field("has_sound", pa.bool_()),
            pa.field("created", pa.string()),
            pa.field("space", pa.string(), nullable=False),
            pa.field("generation", pa.int32(), nullable=False),
            pa.field("checksum", pa.binary(DIGEST_BYTES), nullable=False),
            *videos_fields_of_2(),
            *videos_fields_of_3(),
        ]
    )


def videos_fields_of_2() -> list[pa.Field]:
    """List the columns of `videos` that came with schema 2.

    Both are null where there is nothing to say: `forgotten`, one time a name, and `attempts`.
    """
    import pyarrow as pa

    return [pa.field("forgotten", pa.list_(pa.int64())), pa.field("attempts", pa.int32())]


def videos_fields_of_3() -> list[pa.Field]:
    """List the column of `videos` that came with schema 3: the channels that were read, or null."""
    import pyarrow as pa

    mark = pa.struct(
        [
            pa.field("channel", pa.string(), nullable=False),
            pa.field("version", pa.string(), nullable=False),
            pa.field("code", pa.string(), nullable=False),
            pa.field("message", pa.string(), nullable=False),
            pa.field("passages", pa.int64(), nullable=False),
        ]
    )
    return [pa.field("channels", pa.list_(mark))]


def clip_rows(
    video: str,
    clips: Sequence[Clip],
    vectors: NDArray[np.floating],
    schema: pa.Schema,
    rows: Sequence[NDArray[np.floating]] = (),
) -> pa.Table:
    """Make rows of `clips` of the `(n, D)` vectors of one video's n clips, in stored precision.

    `rows` are the `(n_i, D)` rows of each clip, where the schema has a place for them.
    """
    import numpy as np
    import pyarrow as pa

    kind = schema.field("vector").type
    stored = np.ascontiguousarray(vectors, kind.value_type.to_pandas_dtype())
    several = {ROWS: rows_column(rows, schema.field(ROWS))} if rows else {}
    kept = rows_of(pa.table(several)) if rows else None
    checksums = [
        clip_checksum(
            *(clip.id, video, clip.span.start, clip.span.end, row),
            rows=None if kept is None else kept.of(place),
        )
        for place, (clip, row) in enumerate(zip(clips, stored, strict=True))
    ]
    return pa.table(
        {
            KEY: [clip.id for clip in clips],
            "video": [video] * len(clips),
            "start": [clip.span.start for clip in clips],
            "end": [clip.span.end for clip in clips],
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(stored.reshape(-1)), type=kind),
            "checksum": pa.array(checksums, pa.binary(DIGEST_BYTES)),
            **several,
        },
        schema=schema,
    )


def clip_checksum(
    clip: str,
    video: str,
    start: float,
    end: float,
    vector: NDArray[np.floating],
    *,
    rows: NDArray[np.floating] | None = None,
) -> bytes:
    """Digest a row of `clips`: the bytes of its vector and rows, and what they belong to."""
    key = f"{clip}:{video}:{float(start)!r}:{float(end)!r}:".encode()
    content = vector.tobytes() + (b"" if rows is None else rows.tobytes())
    return hashlib.blake2b(key + content, digest_size=DIGEST_BYTES).digest()


def vectors_of(table: pa.Table) -> NDArray[np.floating]:
    """Return the vectors `(n, D)` of rows of `clips`, in the stored precision."""
    column = table.column("vector").combine_chunks()
    width = column.type.list_size
    # `flatten` and not `values`: the latter ignores where a slice begins.
    return column.flatten().to_numpy(zero_copy_only=False).reshape(-1, width)


def video_rows(records: Iterable[VideoRecord], space: str) -> pa.Table:
    """Make rows of `videos`; `space` is the digest of the library's space."""
    import pyarrow as pa

    rows = [_row(record, space) for record in records]
    return pa.Table.from_pylist(rows, schema=videos_schema())


def video_records(table: pa.Table) -> list[VideoRecord]:
    """Read the records of rows of `videos`, in their order.

    Raises:
        ValueError: when a row is not of the kind that was written.
    """
    try:
        return [_record(row) for row in table.to_pylist()]
    except TypeError as error:
        raise ValueError(f"a row of videos cannot be understood: {error}") from error


def damaged_rows(table: pa.Table) -> dict[int, dict[str, Any]]:
    """Find the rows of `videos` or `passages` that are not what was written, by their places."""
    rows = enumerate(plain_rows(table))
    return {place: row for place, row in rows if row.pop("checksum") != row_digest(row)}


def plain_rows(table: pa.Table) -> list[dict[str, Any]]:
    """Make dicts of rows; bytes that are no text, as in damaged ones, become the sign for it."""
    try:
        return table.to_pylist()
    except ValueError:
        return [
            {name: _plain_value(table.slice(place, 1).column(name)) for name in table.column_names}
            for place in range(table.num_rows)
        ]


def _plain_value(column: pa.ChunkedArray) -> Any:
    import pyarrow as pa

    try:
        return column.to_pylist()[0]
    except ValueError:
        if column.type != pa.string():
            return None
        return column.cast(pa.binary()).to_pylist()[0].decode(errors="replace")


def _row(record: VideoRecord, space: str) -> dict[str, Any]:
    info = record.info
    row: dict[str, Any] = {
        KEY: record.id,
        "names": [
            {
                "path": os.fsencode(name.path),
                "root": os.fsencode(name.root),
                "mtime_ns": name.mtime_ns,
                "inode": name.inode,
                "missing": name.missing,
            }
            for name in record.names
        ],
        "code": record.code.value,
        "message": record.message.encode(errors="backslashreplace").decode(),
        "size": record.size,
        "clips": record.clips,
        "duration": float(info.duration) if info else None,
        "width": info.width if info else None,
        "height": info.height if info else None,
        "frames": info.frames if info else None,
        "codec": info.codec if info else None,
        "container": info.container if info else None,
        "has_sound": info.has_sound if info else None,
        "created": info.created if info else None,
        "space": space,
        "generation": 1,
        "forgotten": marks if any(marks := [name.forgotten for name in record.names]) else None,
        "attempts": record.attempts or None,
        "channels": [_mark_row(mark) for mark in record.channels] or None,
    }
    return row | {"checksum": row_digest(row)}


def _mark_row(mark: ChannelMark) -> dict[str, Any]:
    return {
        "channel": mark.channel,
        "version": mark.version,
        "code": mark.code.value,
        "message": mark.message.encode(errors="backslashreplace").decode(),
        "passages": mark.passages,
    }


def row_digest(row: dict[str, Any]) -> bytes:
    """Digest all columns of a row but its checksum."""
    # Columns that a later schema added count where they say something: older rows stay whole.
    told = {name: row[name] for name in row if name not in _ADDED or row[name] is not None}
    text = repr([(name, told[name]) for name in sorted(told)])
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


def _record(row: dict[str, Any]) -> VideoRecord:
    marks: list[int] = row.get("forgotten") or [0] * len(row["names"])  # schema 1 has none
    names = tuple(
        VideoName(
            Path(os.fsdecode(name["path"])),
            Path(os.fsdecode(name["root"])),
            name["mtime_ns"],
            name["inode"],
            name["missing"],
            forgotten,
        )
        for name, forgotten in zip(row["names"], marks, strict=True)
    )
    info = None
    if row["duration"] is not None:
        info = VideoInfo(
            row["duration"],
            row["width"],
            row["height"],
            row["frames"],
            row["codec"],
            row["container"],
            row["has_sound"],
            row["created"],
        )
    return VideoRecord(
        row[KEY],
        names,
        FileCode(row["code"]),
        row["message"],
        row["size"],
        info,
        row["clips"],
        row.get("attempts") or 0,
        tuple(
            ChannelMark(**{**mark, "code": FileCode(mark["code"])})
            for mark in row.get("channels") or ()
        ),
    )
