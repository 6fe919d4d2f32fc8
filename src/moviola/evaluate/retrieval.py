"""Measure `Scores` against `Qrels` in both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, get_args

import numpy as np

from moviola.core import Qrels, ScoreBlocks
from moviola.core.ranks import Ranks, default_tolerance, join_ranks, rank_block
from moviola.evaluate.bootstrap import Interval, interval, resample
from moviola.evaluate.measures import (
    DEFAULT_MEASURES,
    Combined,
    Measure,
    MeasureCard,
    parse_measure,
)
from moviola.evaluate.results import DirectionResult, RetrievalResult
from moviola.evaluate.ties import Ties

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A block that was just computed should still be in the processor's cache when it is counted, but
#: products of too few rows waste its arithmetic.
_BLOCK_BYTES = 16 << 20
_BLOCK_ROWS = 128


def evaluate(
    scores: ScoreBlocks,
    qrels: Qrels,
    *,
    ties: Ties = "expected",
    tolerance: float | None = None,
    measures: Sequence[Measure | Combined | str] = DEFAULT_MEASURES,
    resamples: int = 1000,
    seed: int = 0,
) -> RetrievalResult:
    """Measure retrieval in both directions.

    Texts that `qrels` does not name are no queries, but stay in the gallery of video-to-text, as
    videos that no text describes stay in that of text-to-video.

    Args:
        scores: texts times videos, larger is better; a matrix, or made block by block.
        qrels: text id to the ids of the videos it describes.
        ties: `"expected"` value over random orders of tied items, or `"optimistic"`, or
            `"pessimistic"`.
        tolerance: share of a row's largest absolute score within which two scores are tied; None
            for 5e-7 with float32 and 0 with float64. Give 0 for softmax-like scores.
        measures: what to measure, as values or names.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        ValueError: when an id of `qrels` is not among the scores, an id comes twice, nothing is
            relevant, or an option does not exist.
    """
    if ties not in get_args(Ties):
        raise ValueError(f"ties must be one of {', '.join(get_args(Ties))}, not {ties!r}")
    dtype = scores.dtype
    if dtype.name not in ("float32", "float64"):
        raise ValueError(f"scores must be float32 or float64, got {dtype}")
    if tolerance is None:
        tolerance = default_tolerance(dtype)
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"a tie tolerance is a share of at least 0, got {tolerance}")
    chosen = [parse_measure(each) if isinstance(each, str) else each for each in measures]

    def direction(scores: ScoreBlocks, qrels: Qrels, /) -> DirectionResult:
        queries, ranks = rank(scores, qrels, tolerance)
        return measure_ranks(
            queries,
            ranks,
            len(scores.gallery),
            chosen,
            ties=ties,
            resamples=resamples,
            seed=seed,
        )

    return RetrievalResult(
        t2v=direction(scores, qrels),
        v2t=direction(scores.transposed(), qrels.transposed()),
        ties=ties,
        tolerance=tolerance,
        notes=scores.notes,
    )


def evaluate_one_way(
    scores: ScoreBlocks,
    qrels: Qrels,
    *,
    measures: Sequence[Measure | Combined],
    resamples: int = 1000,
    seed: int = 0,
) -> DirectionResult:
    """Measure the queries against the gallery, as `evaluate` does, and not the other way round.

    Raises:
        ValueError: as `evaluate`.
    """
    queries, ranks = rank(scores, qrels, default_tolerance(scores.dtype))
    return measure_ranks(
        queries,
        ranks,
        len(scores.gallery),
        measures,
        ties="expected",
        resamples=resamples,
        seed=seed,
    )


def rank(scores: ScoreBlocks, qrels: Qrels, tolerance: float) -> tuple[tuple[str, ...], Ranks]:
    """Rank the relevant items of each query that has some, in order of the scores.

    Raises:
        ValueError: as `evaluate`.
    """
    rows, columns, offsets = _places(scores, qrels)
    step = max(_BLOCK_ROWS, _BLOCK_BYTES // max(1, len(scores.gallery) * scores.dtype.itemsize))
    blocks: list[Ranks] = []
    for begin in range(0, len(rows), step):
        end = min(begin + step, len(rows))
        block = scores.block(_span(rows[begin:end]))
        owned = offsets[begin : end + 1]
        blocks.append(rank_block(block, columns[owned[0] : owned[-1]], owned - owned[0], tolerance))
    places: list[int] = rows.tolist()
    return tuple(scores.queries[place] for place in places), join_ranks(blocks)


def measure_ranks(
    queries: tuple[str, ...],
    ranks: Ranks,
    n_gallery: int,
    measures: Sequence[Measure | Combined],
    *,
    ties: Ties,
    resamples: int,
    seed: int,
) -> DirectionResult:
    """Compute all measures of one direction, per query, in sum, and with intervals.

    Raises:
        ValueError: when a measure does not give one finite number a query.
        TypeError: when there is only the card of a measure.
    """
    parts = list(dict.fromkeys(part for measure in measures for part in measure.parts))
    columns = [part.column(_values(part, ranks, ties, len(queries))) for part in parts]

    def combined(measure: Measure | Combined, table: NDArray[np.float64]) -> NDArray[np.float64]:
        return measure.combine(table[[parts.index(part) for part in measure.parts]])

    found = np.array([column.aggregate for column in columns])
    intervals: dict[str, Interval] = {}
    if resamples:
        drawn = resample(columns, resamples=resamples, seed=seed)
        intervals = {str(measure): interval(combined(measure, drawn)) for measure in measures}
    return DirectionResult(
        queries=queries,
        n_gallery=n_gallery,
        ranks=ranks,
        measures=tuple(measures),
        per_query={str(part): column.values for part, column in zip(parts, columns, strict=True)},
        aggregates={str(measure): float(combined(measure, found)) for measure in measures},
        intervals=intervals,
        tied=int(np.count_nonzero(ranks.is_tied)),
    )


def _values(part: MeasureCard, ranks: Ranks, ties: Ties, count: int) -> NDArray[np.float64]:
    if not isinstance(part, Measure):
        raise TypeError(f"{part} is only the card of a measure; give the measure itself")
    values = np.asarray(part.of(ranks, ties), np.float64)
    if values.shape != (count,) or not np.isfinite(values).all():
        raise ValueError(
            f"the measure {part} must give one finite number for each of {count} queries; it gave "
            f"{values.shape if values.shape != (count,) else 'NaN or infinity'}"
        )
    return values


def _places(
    scores: ScoreBlocks, qrels: Qrels
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Find rows of the queries, columns of their relevant items, and whose columns are whose."""
    if not len(qrels):
        raise ValueError("nothing is relevant to anything: there is no query to ask")
    row_of, column_of = _index(scores.queries, "query"), _index(scores.gallery, "gallery item")
    _require_known(qrels, row_of, column_of)
    rows = [row for row, query in enumerate(scores.queries) if query in qrels.relevant]
    owned = [qrels.relevant[scores.queries[row]] for row in rows]
    # One id is by far the usual case, and needs no sorting.
    ordered = (ids if len(ids) == 1 else sorted(ids) for ids in owned)
    columns = np.array([column_of[item] for ids in ordered for item in ids], np.int64)
    sizes = np.fromiter(map(len, owned), np.int64, len(owned))
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return np.array(rows, np.int64), columns, offsets


def _require_known(qrels: Qrels, rows: Mapping[str, int], columns: Mapping[str, int]) -> None:
    items = frozenset[str]().union(*qrels.relevant.values())
    if qrels.relevant.keys() <= rows.keys() and items <= columns.keys():
        return
    for query, ids in qrels.relevant.items():
        if query not in rows:
            raise ValueError(f"{query!r} has relevant items but no row of scores")
        for item in sorted(ids - columns.keys()):
            raise ValueError(f"{item!r}, relevant to {query!r}, has no column of scores")


def _index(ids: Sequence[str], what: str) -> dict[str, int]:
    found = {identity: place for place, identity in enumerate(ids)}
    if len(found) != len(ids):
        twice = next(identity for place, identity in enumerate(ids) if found[identity] != place)
        raise ValueError(f"the {what} {twice!r} comes twice among the scores")
    return found


def _span(rows: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """Turn rows into a slice where they are neighbours, which needs no copy."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == len(rows) else rows
