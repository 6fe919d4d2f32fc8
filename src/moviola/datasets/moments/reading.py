"""Read queries with true moments from a file, whichever data set it is of."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from moviola.core import DatasetError, display_path
from moviola.core.json_text import decode_json
from moviola.core.moment_queries import MomentQuery
from moviola.datasets.annotations.files import read_lines, read_text
from moviola.datasets.moments import (
    activitynet,
    charades_sta,
    didemo,
    lines,
    qvhighlights,
    tvr,
)

_BY_COLUMNS = ((tvr.COLUMNS, tvr), (qvhighlights.COLUMNS, qvhighlights), (lines.COLUMNS, lines))


def read_moment_queries(path: Path) -> tuple[MomentQuery, ...]:
    """Read the queries of TVR, QVHighlights, Charades-STA, ActivityNet, DiDeMo, or one's own lines.

    Raises:
        FileNotFoundError: when there is no such file.
        DatasetError: when it is of none of them, naming the place that is wrong; or when a query
            comes twice, or there is none.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {display_path(path)}")
    queries = _load(path)
    if not queries:
        raise DatasetError(f"{display_path(path)} holds no queries")
    seen: set[str] = set()
    for query in queries:
        if query.id in seen:
            raise DatasetError(f"{display_path(path)}: query {query.id!r} comes a second time")
        seen.add(query.id)
    return queries


def _load(path: Path) -> tuple[MomentQuery, ...]:
    if path.suffix.lower() == ".json":
        begins = read_text(path).lstrip()[:1]
        return didemo.load(path) if begins == "[" else activitynet.load(path)
    first = next(read_lines(path), None)
    if first is None:
        return ()
    if charades_sta.LINE.fullmatch(first[1].strip()):
        return charades_sta.load(path)
    columns = _columns(path, first[1])
    for needed, reader in _BY_COLUMNS:
        if columns.issuperset(needed):
            return reader.load(path)
    raise DatasetError(
        f"{display_path(path)} holds none of the known layouts of true moments; write JSON lines "
        f"with {', '.join(lines.COLUMNS)}"
    )


def _columns(path: Path, line: str) -> frozenset[str]:
    if path.suffix.lower() != ".jsonl":
        return frozenset()
    try:
        value: Any = decode_json(line)
    except ValueError as error:
        raise DatasetError(f"{display_path(path)}, line 1 is not JSON: {error}") from None
    return frozenset(cast("dict[str, Any]", value)) if isinstance(value, dict) else frozenset()
