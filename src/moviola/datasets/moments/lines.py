"""Read queries of one's own: JSON lines of `query_id`, `query`, `video`, `start` and `end`."""

from __future__ import annotations

from pathlib import Path

from moviola.core import DatasetError
from moviola.core.moment_queries import MomentQuery
from moviola.datasets.annotations.tables import Row, read_rows

COLUMNS = ("query_id", "video", "start", "end")


def load(path: Path) -> tuple[MomentQuery, ...]:
    """Read the queries of a file; lines of one `query_id` are several true moments of one query.

    Raises:
        DatasetError: naming the line that is wrong, or names another video than an earlier one.
    """
    found: dict[str, MomentQuery] = {}
    for row in read_rows(path, COLUMNS):
        query = _query(row)
        before = found.get(query.id)
        if before is not None:
            if before.video != query.video:
                raise DatasetError(
                    f"{row.place}: query {query.id!r} lies in {query.video!r} here, and in "
                    f"{before.video!r} above; a query has one video"
                )
            query = MomentQuery(query.id, before.text, query.video, (*before.spans, *query.spans))
        found[query.id] = query
    return tuple(found.values())


def _query(row: Row) -> MomentQuery:
    span = row.span()
    if span is None:
        raise DatasetError(f"{row.place}: a true moment needs start and end, in seconds")
    return MomentQuery(
        id=row.name("query_id"),
        text=str(row.values.get("query") or ""),
        video=row.name("video"),
        spans=((span.start, span.end),),
    )
