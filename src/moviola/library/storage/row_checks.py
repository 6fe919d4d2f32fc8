"""Check rows by the checksums that they carry, and by what they promise."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from moviola.library.records import VideoRecord
from moviola.library.storage.row_column import ROWS, rows_of
from moviola.library.storage.schema import KEY, clip_checksum, damaged_rows, plain_rows, vectors_of

if TYPE_CHECKING:
    import pyarrow as pa


class DamageWarning(UserWarning):
    """Warn that a library is damaged, and that what is damaged was left out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Describe something that is not as it was written.

    Attributes:
        what: one sentence.
        video: the id of the video concerned; `moviola repair` encodes it again. None where the
            damage concerns the library as a whole.
        path: the video's file, or the damaged file of the library, within it; None for neither.
        is_derived: whether it is made again from the rest of the library.
    """

    what: str
    video: str | None = None
    path: Path | None = None
    is_derived: bool = False

    def of(self, records: Mapping[str, VideoRecord]) -> Self:
        """Name the file of the video, where its record is known."""
        record = records.get(self.video or "")
        if self.path is not None or record is None or not record.names:
            return self
        return replace(self, path=record.path)


def check_videos(table: pa.Table) -> tuple[pa.Table, list[Problem]]:
    """Split rows of `videos` into those that are sound, and problems of the others."""
    damaged = damaged_rows(table)
    problems = [
        Problem(f"the record of video {row[KEY]} is damaged", row[KEY], _first_path(row))
        for row in damaged.values()
    ]
    return _without(table, damaged), problems


def check_clips(table: pa.Table) -> tuple[pa.Table, list[Problem]]:
    """Split rows of `clips` into those that are sound, and problems of the others."""
    wide = [name for name in ("vector", ROWS) if name in table.column_names]
    rows = plain_rows(table.drop_columns(wide))
    vectors, several = vectors_of(table), rows_of(table)
    broken = set(np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist())
    problems: dict[int, Problem] = {}
    for place, (row, vector) in enumerate(zip(rows, vectors, strict=True)):
        clip, video = row[KEY], row["video"]
        own = None if several is None else several.of(place)
        checksum = clip_checksum(clip, video, row["start"], row["end"], vector, rows=own)
        if checksum != row["checksum"]:
            problems[place] = Problem(f"clip {clip} of video {video} is damaged", video)
        elif place in broken or (own is not None and not np.isfinite(own).all()):
            what = f"clip {clip} of video {video} has a vector that is not finite"
            problems[place] = Problem(what, video)
    _add_doubled(problems, rows, "clip")
    return _without(table, problems), list(problems.values())


def check_passages(table: pa.Table) -> tuple[pa.Table, list[Problem]]:
    """Split rows of `passages` into those that are sound, and problems of the others."""
    problems = {
        place: Problem(f"passage {row[KEY]} of video {row['video']} is damaged", row["video"])
        for place, row in damaged_rows(table).items()
    }
    _add_doubled(problems, plain_rows(table.select([KEY, "video"])), "passage")
    return _without(table, problems), list(problems.values())


def _add_doubled(
    problems: dict[int, Problem], rows: Sequence[Mapping[str, Any]], kind: str
) -> None:
    """Add a problem for the last of the rows that have one id."""
    last = {row[KEY]: place for place, row in enumerate(rows)}
    for key, count in Counter(row[KEY] for row in rows).items():
        if count > 1:
            what = f"{kind} {key} is stored {count} times"
            problems.setdefault(last[key], Problem(what, rows[last[key]]["video"]))


def _without(table: pa.Table, places: Mapping[int, Any]) -> pa.Table:
    if not places:
        return table
    kept = np.ones(table.num_rows, np.bool_)
    kept[list(places)] = False
    return table.take(np.flatnonzero(kept))


def _first_path(row: Mapping[str, Any]) -> Path | None:
    names = row["names"] or ()
    return Path(os.fsdecode(names[0]["path"])) if names else None
