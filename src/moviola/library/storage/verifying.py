"""Recompute every checksum of a library, and compare what its tables promise each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import MoviolaError
from moviola.library.storage.passage_rows import damaged_passages
from moviola.library.storage.schema import (
    KEY,
    clip_checksum,
    damaged_rows,
    vectors_of,
    video_records,
)
from moviola.library.storage.tables import Tables

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Problem:
    """Describe something that is not as it was written.

    Attributes:
        what: one sentence.
        video: the id of the video concerned; forgetting and indexing it again repairs it. None
            where the damage concerns the library as a whole.
    """

    what: str
    video: str | None = None


def find_problems(tables: Tables) -> list[Problem]:
    """List everything wrong with the latest committed state; nothing when it is sound.

    Clips and passages that no record mentions are no problem: a killed writer may leave them,
    nobody sees them, and the next writer drops them.
    """
    try:
        tables.refresh()
        videos = tables.read(tables.videos)
        clips = tables.read(tables.clips)
        problems = [*_in_videos(videos), *_in_clips(clips), *_between(videos, clips)]
        if tables.passages is None:
            return problems
        passages = tables.read(tables.passages)
        return [*problems, *_in_passages(passages), *_channels(videos, passages)]
    except MoviolaError as error:
        return [Problem(str(error))]
    except (ValueError, OverflowError, TypeError) as error:  # bytes that are no text, no code
        return [Problem(f"a row cannot be understood: {error}")]


def _in_videos(videos: pa.Table) -> Iterator[Problem]:
    for video in damaged_rows(videos):
        yield Problem(f"the record of video {video} is damaged", video)


def _in_clips(clips: pa.Table) -> Iterator[Problem]:
    ids = clips.column("id").to_pylist()
    owners = clips.column("video").to_pylist()
    starts = clips.column("start").to_pylist()
    ends = clips.column("end").to_pylist()
    checksums = clips.column("checksum").to_pylist()
    rows = zip(ids, owners, starts, ends, vectors_of(clips), checksums, strict=True)
    for clip, video, start, end, vector, checksum in rows:
        if clip_checksum(clip, video, start, end, vector) != checksum:
            yield Problem(f"clip {clip} of video {video} is damaged", video)
        elif not np.isfinite(vector).all():
            yield Problem(f"clip {clip} of video {video} has a vector that is not finite", video)
    for clip, count in Counter(ids).items():
        if count > 1:
            yield Problem(f"clip {clip} is stored {count} times")


def _in_passages(passages: pa.Table) -> Iterator[Problem]:
    for passage, video in damaged_passages(passages):
        yield Problem(f"passage {passage} of video {video} is damaged", video)
    for passage, count in Counter(passages.column(KEY).to_pylist()).items():
        if count > 1:
            yield Problem(f"passage {passage} is stored {count} times")


def _channels(videos: pa.Table, passages: pa.Table) -> Iterator[Problem]:
    owners = passages.column("video").to_pylist()
    stored = Counter(zip(owners, passages.column("channel").to_pylist(), strict=True))
    for record in video_records(videos):
        for mark in record.channels if record.names else ():
            found = stored[record.id, mark.channel]
            if mark.passages != found:
                yield Problem(
                    f"channel {mark.channel} of video {record.id} has {found} passages, its "
                    f"record promises {mark.passages}",
                    record.id,
                )


def _between(videos: pa.Table, clips: pa.Table) -> Iterator[Problem]:
    stored = Counter(clips.column("video").to_pylist())
    records = {record.id: record for record in video_records(videos)}
    for video, record in records.items():
        if record.names and record.clips != stored[video]:
            yield Problem(
                f"video {video} has {stored[video]} clips, its record promises {record.clips}",
                video,
            )
