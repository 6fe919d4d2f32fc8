"""Compare two results of `moviola evaluate --out` query by query."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core import DatasetError, display_path
from moviola.core.json_text import decode_json
from moviola.evaluate.comparing import Comparison, compare
from moviola.evaluate.measures import Combined, MeasureCard, card_from_json, parse_measures
from moviola.pipeline.evaluate.reporting import PER_QUERY, RESULTS, SCHEMA, VERSION

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIDES = ("t2v", "v2t")
#: What two results must agree in, and how it is called.
_ALIKE = {
    "protocol": "protocol",
    "relevance_sha256": "queries and relevance",
    "gallery": "number of videos in the gallery",
    "texts": "number of texts in the gallery",
    "tie_mode": "reading of ties",
    "measures": "measures",
}


@dataclass(frozen=True, slots=True)
class Report:
    """Hold one result as it was read.

    Attributes:
        place: the folder.
        head: what `results.json` says.
        queries: direction to the ids of its queries.
        values: direction to measure to `(Q,)` values.
        measures: what was measured.
    """

    place: Path
    head: dict[str, Any]
    queries: dict[str, list[str]]
    values: dict[str, dict[str, NDArray[np.float64]]]
    measures: tuple[MeasureCard | Combined, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold two results beside one another.

    Attributes:
        a: folder of the first.
        b: folder of the second.
        measures: what was compared.
        sides: direction to measure to comparison.
        queries: direction to the number of queries that both have.
        unlike: in what the two differ though they should not; empty unless it was forced.
        notes: what either says of itself.
    """

    a: str
    b: str
    measures: tuple[MeasureCard | Combined, ...]
    sides: dict[str, dict[str, Comparison]]
    queries: dict[str, int]
    unlike: tuple[str, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Write all of it as JSON values."""
        return {
            "a": self.a,
            "b": self.b,
            **{
                side: {name: asdict(found) for name, found in measures.items()}
                for side, measures in self.sides.items()
            },
            "measures": [measure.to_json() for measure in self.measures],
            "n_queries": self.queries,
            "unlike": list(self.unlike),
            "notes": list(self.notes),
        }


def compare_reports(a: Path, b: Path, *, force: bool = False) -> Compared:
    """Test all measures of two results in both directions, paired.

    Args:
        a: a folder that `moviola evaluate --out` wrote, or its `results.json`.
        b: likewise.
        force: compare unlike results all the same, on the queries that both have.

    Raises:
        FileNotFoundError: when a file is not there.
        DatasetError: when a file is not what it should be.
        ValueError: when the two were not measured alike, naming in what they differ.
    """
    first, second = read_report(a), read_report(b)
    unlike = _differences(first, second)
    if unlike and not force:
        raise ValueError(
            f"{display_path(a)} and {display_path(b)} were not measured alike: "
            f"{'; '.join(unlike)}; --force compares them all the same"
        )
    sides: dict[str, dict[str, Comparison]] = {}
    counts: dict[str, int] = {}
    for side in _SIDES:
        known = set(second.queries[side])
        shared = [query for query in first.queries[side] if query in known]
        if not shared:
            raise ValueError(f"the two results share no query of {side}")
        measures = [
            _chosen(report.values[side], report.queries[side], shared) for report in (first, second)
        ]
        sides[side] = compare(measures[0], measures[1], first.measures)
        counts[side] = len(shared)
    notes = dict.fromkeys([*first.head.get("notes", []), *second.head.get("notes", [])])
    return Compared(
        a=display_path(a),
        b=display_path(b),
        measures=first.measures,
        sides=sides,
        queries=counts,
        unlike=tuple(unlike),
        notes=tuple(notes),
    )


def read_report(place: Path) -> Report:
    """Read a result that `moviola evaluate --out` wrote.

    Raises:
        FileNotFoundError: when a file is not there.
        DatasetError: when a file is not what it should be.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = place.parent if place.name == RESULTS else place
    for name in (RESULTS, PER_QUERY):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                f"{display_path(folder)} has no {name}; make one with moviola evaluate … --out"
            )
    try:
        head = decode_json((folder / RESULTS).read_bytes())
    except ValueError as error:
        raise DatasetError(f"{display_path(folder / RESULTS)} is not JSON: {error}") from error
    if not isinstance(head, dict) or (head.get("schema"), head.get("version")) != (SCHEMA, VERSION):
        raise DatasetError(f"{display_path(folder / RESULTS)} is not {SCHEMA} of version {VERSION}")
    try:
        table = pq.read_table(folder / PER_QUERY)
        direction = np.array(table.column("direction").to_pylist())
        query = table.column("query").to_pylist()
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise DatasetError(f"{display_path(folder / PER_QUERY)} cannot be read: {error}") from error
    names = [name for name in table.column_names if name not in ("direction", "query")]
    rows = {side: np.flatnonzero(direction == side) for side in _SIDES}
    try:
        # Results that were written before measures described themselves name built-in ones only.
        cards = head.get("measures")
        measures = (
            parse_measures(names)
            if cards is None
            else tuple(card_from_json(card) for card in cards)
        )
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{display_path(folder / RESULTS)} does not describe its measures: {error}"
        ) from error
    return Report(
        place=folder,
        head=head,
        queries={side: [query[row] for row in rows[side]] for side in _SIDES},
        values={
            side: {
                name: table.column(name).to_numpy().astype(np.float64)[rows[side]] for name in names
            }
            for side in _SIDES
        },
        measures=measures,
    )


def _differences(a: Report, b: Report) -> list[str]:
    found: list[str] = []
    ours, theirs = _told(a), _told(b)
    for key, name in _ALIKE.items():
        if ours[key] != theirs[key]:
            shown = "" if key == "relevance_sha256" else f" ({ours[key]} and {theirs[key]})"
            found.append(f"another {name}{shown}")
    return found


def _told(report: Report) -> dict[str, Any]:
    head = report.head
    return {
        **{key: head.get(key) for key in ("protocol", "relevance_sha256", "gallery", "texts")},
        "tie_mode": head.get("ties", {}).get("mode"),
        "measures": ", ".join(map(str, report.measures)),
    }


def _chosen(
    values: dict[str, NDArray[np.float64]], queries: list[str], shared: list[str]
) -> dict[str, NDArray[np.float64]]:
    place = {query: row for row, query in enumerate(queries)}
    rows = np.array([place[query] for query in shared])
    return {name: column[rows] for name, column in values.items()}
