"""Read DiDeMo's annotations: at least four annotators a query, of whom two must agree.

A JSON list of `annotation_id`, `description`, `video` and `times`, pairs of the first and the last
segment of five seconds (Hendricks et al., "Localizing Moments in Video with Natural Language", ICCV
2017); two that agree, as in TVR's evaluation code.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from moviola.core import DatasetError
from moviola.core.moment_queries import MomentQuery
from moviola.datasets.annotations.files import read_json
from moviola.datasets.annotations.tables import Row, object_rows
from moviola.datasets.moments.spans import spans_of

#: How long a segment is, in seconds.
SEGMENT_SECONDS = 5.0
#: How many annotators must agree.
AGREEING = 2


def load(path: Path) -> tuple[MomentQuery, ...]:
    """Read the queries of a file of DiDeMo's.

    Raises:
        DatasetError: naming the entry that is wrong.
    """
    return tuple(_query(row) for row in object_rows(read_json(path), path.name))


def _query(row: Row) -> MomentQuery:
    segments = spans_of(row.values.get("times"), row.place)
    if any(first != int(first) or last != int(last) or first < 0 for first, last in segments):
        raise DatasetError(f"{row.place}: 'times' are pairs of segments, counted from 0")
    spans = tuple(
        (first * SEGMENT_SECONDS, (last + 1) * SEGMENT_SECONDS) for first, last in segments
    )
    return MomentQuery(
        id=row.name("annotation_id"),
        text=str(cast("object", row.values.get("description")) or "").strip(),
        video=row.name("video"),
        spans=spans,
        agreeing=min(AGREEING, len(spans)),
    )
