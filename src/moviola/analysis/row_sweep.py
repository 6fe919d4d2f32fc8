"""Sweep rows: what quality each row count, code and number of stages has, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from statistics import median
from typing import Any

import numpy as np

from moviola.core import Clip, Embeddings, Qrels, ScoreBlocks, Text
from moviola.core.pooling import pool
from moviola.core.row_codes import CodeName
from moviola.core.token_pooling import TokenPooling
from moviola.evaluate.measures import parse_measures
from moviola.evaluate.retrieval import evaluate_one_way
from moviola.score import RowScoring, score_rows
from moviola.score.staged import StagedBlocks

#: Row counts of the paper that compares ways of keeping few (arXiv 2602.21202).
ROW_COUNTS = (5, 32, 128)
_CODES: tuple[CodeName | None, ...] = (None, "int8", "binary")
#: Queries that are timed one at a time.
_TIMED = 50


@dataclass(frozen=True, slots=True)
class RowCost:
    """Hold the quality and the cost of one way of keeping and scoring rows.

    Attributes:
        pooling: of the clips' rows, `none` for all of them.
        rows: mean number of rows a clip.
        code: `float32`, `int8` or `binary`.
        stages: 1 for MaxSim over all clips, 2 where mean vectors choose first.
        r1: text-to-video R@1 in percent.
        low: lower end of its 95 % bootstrap interval.
        high: its upper end.
        bytes_a_clip: of what is held in memory and gone through.
        ms_a_query: median milliseconds of one query asked alone.
    """

    pooling: str
    rows: float
    code: str
    stages: int
    r1: float
    low: float
    high: float
    bytes_a_clip: float
    ms_a_query: float


@dataclass(frozen=True, slots=True)
class RowSweep:
    """Hold the ways that were tried, and what their numbers rest on.

    Attributes:
        costs: one for every way.
        queries: texts that were asked.
        clips: of the gallery.
        k: clips that mean vectors choose, with two stages.
        rescore: clips that are scored exactly in the end, where codes are used.
    """

    costs: tuple[RowCost, ...]
    queries: int
    clips: int
    k: int
    rescore: int

    @property
    def notes(self) -> list[str]:
        """Return sentences on how to read the numbers."""
        return list(_notes(self))

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return asdict(self) | {"notes": self.notes}


def sweep_rows(
    texts: Embeddings[Text],
    stores: Sequence[Embeddings[Clip]],
    qrels: Qrels,
    *,
    counts: Sequence[int] = ROW_COUNTS,
    k: int = 100,
    rescore: int = 100,
    seed: int = 0,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> RowSweep:
    """Measure every row count with every code, in one stage and in two.

    Args:
        texts: any number of rows a text; they are never pooled or coded.
        stores: the same clips, unpooled; or pooled while they were encoded, which are taken as
            they are.
        qrels: text id to the ids of the clips it describes.
        counts: rows that hierarchical pooling leaves of an unpooled clip; counts that leave all
            rows of all clips are left out.
        k: clips that mean vectors choose, with two stages.
        rescore: clips that are scored exactly in the end, where codes are used.
        seed: of the bootstrap.
        on_progress: told how many ways of how many are finished.

    Raises:
        SpaceMismatchError: when texts and clips live in two spaces.
        ValueError: when nothing is relevant, a count is below 1, or a row has no direction.
    """
    ways = list(_ways(k, rescore))
    names = [(clips, name) for clips in stores for name in _poolings(clips, counts)]
    costs: list[RowCost] = []
    for clips, name in names:
        pooled = clips if name == clips.readout.pooling else pool(clips, name)
        for scoring in ways:
            costs.append(_cost(texts, pooled, qrels, scoring, seed=seed))
            on_progress(len(costs), len(names) * len(ways))
    return RowSweep(tuple(costs), len(qrels), len(stores[0]) if stores else 0, k, rescore)


def _ways(k: int, rescore: int) -> Iterator[RowScoring]:
    for code, name in product(_CODES, ("maxsim", "two-stage")):
        yield RowScoring(name, code, k, min(rescore, k) if name == "two-stage" else rescore)


def _poolings(clips: Embeddings[Clip], counts: Sequence[int]) -> list[str]:
    """List the poolings that are tried on some clips, from one row to all."""
    own = clips.readout.pooling
    if clips.is_pooled or own != "none":
        return [own]
    most = int(np.diff(clips.offsets).max())
    few = [TokenPooling("hierarchical", count).name for count in sorted(set(counts))]
    for name in few:
        TokenPooling.parse(name)  # refuses a count below 1
    kept = [name for name, count in zip(few, sorted(set(counts)), strict=True) if count < most]
    return ["mean", *kept, "none"]


def _cost(
    texts: Embeddings[Text],
    clips: Embeddings[Clip],
    qrels: Qrels,
    scoring: RowScoring,
    *,
    seed: int,
) -> RowCost:
    blocks = score_rows(texts, clips, scoring)
    found = evaluate_one_way(blocks, qrels, measures=parse_measures(["R@1"]), seed=seed)
    low, high = found.intervals["R@1"]
    return RowCost(
        clips.readout.pooling,
        int(clips.offsets[-1]) / len(clips),
        scoring.codes or "float32",
        2 if scoring.name == "two-stage" else 1,
        *(found["R@1"], low, high),
        _bytes(blocks, clips) / len(clips),
        _milliseconds(blocks),
    )


def _bytes(blocks: ScoreBlocks, clips: Embeddings[Clip]) -> int:
    if isinstance(blocks, StagedBlocks):
        return blocks.sides[1].nbytes
    return int(clips.offsets[-1]) * clips.space.dimension * 4


def _milliseconds(blocks: ScoreBlocks) -> float:
    """Time queries asked one at a time; the first, which warms caches, does not count."""
    count = min(_TIMED, len(blocks.queries))
    blocks.block(slice(0, 1))
    taken: list[float] = []
    for query in range(count):
        began = time.perf_counter()
        blocks.block(slice(query, query + 1))
        taken.append(time.perf_counter() - began)
    return 1000 * median(taken)


def _notes(sweep: RowSweep) -> Iterator[str]:
    yield (
        f"R@1: text-to-video, {sweep.queries:,} texts among {sweep.clips:,} clips, with its 95 % "
        f"interval; bytes are those gone through for a query, ms those of one query alone."
    )
    if sweep.k >= sweep.clips:
        yield f"Two stages let all clips go on: k = {sweep.k:,} of {sweep.clips:,}; give less."
    else:
        yield f"Two stages: mean vectors choose {sweep.k:,} clips, MaxSim orders them."
    yield (
        f"Codes: the best {sweep.rescore:,} clips are scored again by their exact rows, which stay "
        f"on disk."
    )
    best = max(sweep.costs, key=lambda cost: cost.r1, default=None)
    if best is not None:
        cheapest = min(
            (cost for cost in sweep.costs if cost.r1 >= best.low),
            key=lambda cost: cost.bytes_a_clip,
        )
        yield (
            f"Least bytes within the interval of the best R@1 ({best.r1:.1f}): {cheapest.pooling}, "
            f"{cheapest.code}, {cheapest.stages} stage{'s' if cheapest.stages > 1 else ''}, "
            f"{cheapest.bytes_a_clip:,.0f} bytes a clip."
        )
