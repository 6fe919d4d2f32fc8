"""Name parts of videos: by the clips of a library, or by their times where it has none."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from moviola.core import Span
from moviola.core.moments import Moment

if TYPE_CHECKING:
    from moviola.library import Library, Snapshot, VideoRecord

# Milliseconds of the start and of the end, behind the id of a video.
_TIMED = re.compile(r"(?P<video>.+)-(?P<start>\d{1,10})-(?P<end>\d{1,10})")
# Seconds of a video that stand for all of it where it has no clips.
_OPENING = 6.0


def part_id(video: str, span: Span) -> str:
    """Name a part of a video that has no clips, to the millisecond."""
    start = round(1000 * span.start)
    return f"{video}-{start}-{max(round(1000 * span.end), start + 1)}"


def id_of(moment: Moment) -> str:
    """Name a moment by its best clip, or by its times where it has none."""
    return moment.clip or part_id(moment.video, Span(moment.start, moment.end))


def find_part(library: Library, name: str) -> tuple[VideoRecord, Span] | None:
    """Find the part of a video that an id names, None where there is none any more.

    Raises:
        StoreCorruptError: when the tables are damaged.
    """
    if library.card.has_vectors:
        snapshot = library.snapshot()
        row = snapshot.row_of(name)
        if row is None:
            return None
        start, end = (float(second) for second in snapshot.spans[row])
        return snapshot.records[snapshot.owner_of(row)], Span(start, end)
    found = _TIMED.fullmatch(name)
    record = None if found is None else library.record(found["video"])
    if found is None or record is None or record.info is None or not record.code.has_clips:
        return None
    start, end = int(found["start"]) / 1000, int(found["end"]) / 1000
    if not start < end or start >= record.info.duration:
        return None
    return record, Span(start, end)


def opening(snapshot: Snapshot, record: VideoRecord) -> tuple[str, VideoRecord, Span]:
    """Name the part that stands for a video: its first clip, or its first seconds."""
    place = snapshot.place_of(record.id)
    if place is not None:
        row = int(snapshot.offsets[place])
        start, end = (float(second) for second in snapshot.spans[row])
        return bytes(snapshot.clips[row]).decode(), record, Span(start, end)
    length = record.info.duration if record.info else _OPENING
    span = Span(0.0, max(0.001, min(_OPENING, length)))
    return part_id(record.id, span), record, span
