"""Measure moments found in a corpus of videos, as TVR defines it: VCMR, SVMR and VR.

Lei, Yu, Berg and Bansal, "TVR: A Large-Scale Dataset for Video-Subtitle Moment Retrieval", 2020,
section 3, and its evaluation code: of at most 100 moments of a query in their order, is any of the
first K in the right video (VR), and does it overlap the true moment by at least the threshold
(VCMR; SVMR looks at those of the right video alone)? Times and thresholds are compared in float32,
as there, so that an overlap that equals the threshold counts alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from moviola.core.moment_queries import FoundMoment, MomentQuery
from moviola.evaluate.bootstrap import Column, Interval, interval, resample

if TYPE_CHECKING:
    from numpy.typing import NDArray

Task = Literal["VCMR", "SVMR", "VR"]
TASKS: tuple[Task, ...] = get_args(Task)
CUTOFFS = (1, 5, 10, 100)
THRESHOLDS = (0.5, 0.7)
#: How many moments of a query count.
DEPTH = 100
#: The rank of what was not found.
NEVER = 0


@dataclass(frozen=True, slots=True)
class CorpusMomentResult:
    """Hold where the first right moment of every query stands, and what follows from it.

    Attributes:
        queries: the Q queries.
        ranks: task to criterion (`0.5` and `0.7`, or `""` for the video alone) to the `(Q,)` ranks
            of the first right moment, from 1; 0 where none of the first hundred is right.
        aggregates: task to `0.5-r1` (or `r1`) to percent, in two digits as TVR's code rounds them.
        intervals: likewise, the 95 % bootstrap intervals; empty where none was asked for.
        by_kind: task to `v-0.5-r1` (or `v-r1`) to percent, where queries are of several kinds.
    """

    queries: tuple[MomentQuery, ...]
    ranks: Mapping[Task, Mapping[str, NDArray[np.int64]]]
    aggregates: Mapping[Task, Mapping[str, float]]
    intervals: Mapping[Task, Mapping[str, Interval]]
    by_kind: Mapping[Task, Mapping[str, float]]

    def to_json(self) -> dict[str, Any]:
        """Write the numbers as TVR's code names them: `VCMR`, …, and `VCMR_by_type`."""
        told: dict[str, Any] = {task: dict(values) for task, values in self.aggregates.items()}
        ratio = " ".join(
            f"{kind} {_percent(np.array(members))}" for kind, members in _kinds(self.queries)
        )
        for task, values in self.by_kind.items():
            told[f"{task}_by_type"] = {**values, "desc_type_ratio": ratio}
        return told

    def rows(self) -> Iterator[dict[str, Any]]:
        """Write one row a query: `query`, `kind`, and a rank for each task and criterion."""
        columns = {
            "_".join(filter(None, (task, criterion))): found
            for task, criteria in self.ranks.items()
            for criterion, found in criteria.items()
        }
        for place, query in enumerate(self.queries):
            ranks = {name: int(found[place]) for name, found in columns.items()}
            yield {"query": query.id, "kind": query.kind, **ranks}


def evaluate_corpus_moments(
    found: Mapping[Task, Mapping[str, Sequence[FoundMoment]]],
    queries: Sequence[MomentQuery],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> CorpusMomentResult:
    """Measure R@1, 5, 10 and 100 of every task at IoU 0.5 and 0.7.

    A query without moments found nothing. Where annotators must agree, as two of DiDeMo's four,
    a moment is right that overlaps the spans of that many of them by the threshold.

    Args:
        found: task to query id to its moments, the best first.
        queries: all the queries there are.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        ValueError: when there is no query, one comes twice, or moments were found for another.
    """
    known = {query.id for query in queries}
    if not queries or len(known) != len(queries):
        raise ValueError("there is no query" if not queries else "a query comes twice")
    for task, moments in found.items():
        if strangers := sorted(moments.keys() - known):
            raise ValueError(f"{strangers[0]!r} has moments for {task} but no truth")
    ranks: dict[Task, dict[str, NDArray[np.int64]]] = {
        task: _ranks(task, moments, queries) for task, moments in found.items()
    }
    intervals: dict[Task, dict[str, Interval]] = {}
    by_kind: dict[Task, dict[str, float]] = {}
    kinds = _kinds(queries)
    hits: dict[Task, dict[str, NDArray[np.bool_]]] = {
        task: _hits(criteria) for task, criteria in ranks.items()
    }
    if kinds:
        for task, values in hits.items():
            by_kind[task] = {
                f"{kind}-{name}": _percent(hit[members])
                for kind, members in kinds
                for name, hit in values.items()
            }
    if resamples:
        for task, values in hits.items():
            columns = [Column(each.astype(np.float64), scale=100.0) for each in values.values()]
            drawn = resample(columns, resamples=resamples, seed=seed)
            intervals[task] = {name: interval(row) for name, row in zip(values, drawn, strict=True)}
    aggregates: dict[Task, dict[str, float]] = {
        task: {name: _percent(hit) for name, hit in values.items()} for task, values in hits.items()
    }
    return CorpusMomentResult(
        queries=tuple(queries),
        ranks=ranks,
        aggregates=aggregates,
        intervals=intervals,
        by_kind=by_kind,
    )


def _ranks(
    task: Task, found: Mapping[str, Sequence[FoundMoment]], queries: Sequence[MomentQuery]
) -> dict[str, NDArray[np.int64]]:
    criteria = ("",) if task == "VR" else tuple(f"{limit:g}" for limit in THRESHOLDS)
    ranks = {name: np.full(len(queries), NEVER, np.int64) for name in criteria}
    for place, query in enumerate(queries):
        moments = found.get(query.id, ())[:DEPTH]
        inside = np.array([moment.video == query.video for moment in moments], dtype=bool)
        if not inside.any():
            continue
        if task == "VR":
            ranks[""][place] = 1 + int(inside.argmax())
            continue
        times = np.array([(moment.start, moment.end) for moment in moments], np.float32)
        overlaps = np.stack([_iou(times, span) for span in query.spans])
        for name, limit in zip(criteria, THRESHOLDS, strict=True):
            right = (overlaps >= np.float32(limit)).sum(axis=0) >= query.agreeing
            right = right[inside] if task == "SVMR" else right & inside
            if right.any():
                ranks[name][place] = 1 + int(right.argmax())
    return ranks


def _iou(times: NDArray[np.float32], span: tuple[float, float]) -> NDArray[np.float32]:
    """Compute `(N,)` overlaps of `(N, 2)` moments with a span: over what both reach across."""
    start, end = np.array(span, np.float32)
    shared = np.maximum(
        np.float32(0), np.minimum(times[:, 1], end) - np.maximum(times[:, 0], start)
    )
    across = np.maximum(times[:, 1], end) - np.minimum(times[:, 0], start)
    return np.divide(shared, across, out=np.zeros_like(shared), where=across != 0)


def _hits(criteria: Mapping[str, NDArray[np.int64]]) -> dict[str, NDArray[np.bool_]]:
    """Tell for `0.5-r1` and its like which queries have a right moment among the first K."""
    return {
        f"{name}-r{cutoff}" if name else f"r{cutoff}": (ranks != NEVER) & (ranks <= cutoff)
        for name, ranks in criteria.items()
        for cutoff in CUTOFFS
    }


def _kinds(queries: Sequence[MomentQuery]) -> list[tuple[str, NDArray[np.bool_]]]:
    """List the kinds of queries, in TVR's order, and which queries are of each."""
    order = {"v": 0, "t": 1, "vt": 2}
    names = sorted(
        {query.kind for query in queries if query.kind}, key=lambda k: (order.get(k, 3), k)
    )
    return [(name, np.array([query.kind == name for query in queries])) for name in names]


def _percent(hit: NDArray[np.bool_]) -> float:
    # NumPy's rounding, as in TVR's code: of some halves Python's gives another last digit.
    return float(np.round(np.mean(hit) * 100, 2))
