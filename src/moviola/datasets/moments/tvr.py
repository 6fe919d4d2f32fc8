"""Read TVR's annotations, and data sets in its layout: DiDeMo's four annotators stand there too.

JSON lines with `desc_id`, `desc`, `vid_name`, `ts` and `type` (Lei et al., "TVR", ECCV 2020). `ts`
is one `[start, end]` in seconds, or a list of at least four of them, of which two must agree.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

from moviola.core.moment_queries import MomentQuery
from moviola.datasets.annotations.tables import Row, read_rows
from moviola.datasets.moments.spans import span_of, spans_of

COLUMNS = ("desc_id", "vid_name", "ts")


def load(path: Path) -> tuple[MomentQuery, ...]:
    """Read the queries of a file in TVR's layout.

    Raises:
        DatasetError: naming the line that is wrong.
    """
    return tuple(_query(row) for row in read_rows(path, COLUMNS))


def _query(row: Row) -> MomentQuery:
    given = cast("list[object]", row.values["ts"])
    nested = isinstance(row.values["ts"], list) and any(isinstance(each, list) for each in given)
    spans = spans_of(given, row.place) if nested else (span_of(given, row.place),)
    return MomentQuery(
        id=row.name("desc_id"),
        text=str(row.values.get("desc") or ""),
        video=row.name("vid_name"),
        spans=spans,
        agreeing=2 if len(spans) >= 4 else 1,
        kind=str(row.values.get("type") or ""),
    )
