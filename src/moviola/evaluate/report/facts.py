"""Count what the pictures of a report show, from scores and relevance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Qrels, Scores
from moviola.core.ranks import Ranks
from moviola.evaluate.bootstrap import Column, Interval, interval, resample
from moviola.evaluate.results import DirectionResult
from moviola.evaluate.ties import Ties, first_relevant_rank, hit_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

_BINS = 48
_BLOCK = 1024
#: Cutoff of the k-occurrence: in how many lists of this length a video stands.
LIST = 10
_FAILURES = 10
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Curve:
    """Hold R@K in percent of one direction at cutoffs `(C,)`, with 95 % bounds `(C,)` each."""

    cutoffs: NDArray[np.int64]
    values: Values
    low: Values
    high: Values


@dataclass(frozen=True, slots=True)
class Histogram:
    """Hold scores of relevant and other pairs: `edges (B + 1,)`, shares in percent `(B,)`."""

    edges: Values
    positives: Values
    negatives: Values
    mean_positive: float
    mean_negative: float


@dataclass(frozen=True, slots=True)
class Hubs:
    """Hold how often videos stand in the lists of ten.

    Attributes:
        counts: `(G,)` in how many lists each video stands.
        skew: skewness of the counts; 0 when all are alike.
        never: share of videos that stand in none.
        largest: id of the video that stands in most.
    """

    counts: NDArray[np.int64]
    skew: float
    never: float
    largest: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Hold one video of a list: its id, its score, and whether it is relevant."""

    clip: str
    score: float
    relevant: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """Hold a text whose video did not come first: where it came, and what came instead."""

    text: str
    rank: float
    truth: Listed
    top: Sequence[Listed]


@dataclass(frozen=True, slots=True)
class Group:
    """Hold R@1 in percent of some texts, how many they are, and the 95 % interval."""

    name: str
    count: int
    value: float
    interval: Interval


@dataclass(frozen=True, slots=True)
class Facts:
    """Hold all that a report shows beside the table. Empty where only a run was given."""

    curves: Mapping[str, Curve]
    histogram: Histogram | None = None
    hubs: Hubs | None = None
    failures: Sequence[Failure] = field(default=())
    groups: Sequence[Group] = field(default=())


def recall_curve(ranks: Ranks, gallery: int, ties: Ties) -> Curve:
    """Count R@K over the whole gallery, densest at its beginning.

    The bounds are the normal ones of a mean over queries: they are drawn, not tabulated.
    """
    cutoffs = np.unique(np.geomspace(1, max(gallery, 1), 80).round().astype(np.int64))
    cutoffs = np.union1d(cutoffs, np.arange(1, min(gallery, 50) + 1)).astype(np.int64)
    hits = np.array([hit_within(ranks, int(cutoff), ties) for cutoff in cutoffs])
    values = hits.mean(axis=1)
    spread = 1.96 * hits.std(axis=1) / np.sqrt(hits.shape[1])
    low, high = np.clip(values - spread, 0, 1), np.clip(values + spread, 0, 1)
    return Curve(cutoffs, 100 * values, 100 * low, 100 * high)


def histogram(scores: Scores, qrels: Qrels) -> Histogram:
    """Count scores of relevant pairs and of the others in the same bins."""
    rows, columns = relevant_cells(scores, qrels)
    positive = scores.matrix[rows, columns].astype(np.float64)
    low, high = float(scores.matrix.min()), float(scores.matrix.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _BINS + 1)
    every = np.zeros(_BINS, np.int64)
    total = 0.0
    for first in range(0, len(scores.queries), _BLOCK):
        block = scores.matrix[first : first + _BLOCK]
        every += np.histogram(block, edges)[0]
        total += float(block.sum(dtype=np.float64))
    right = np.histogram(positive, edges)[0]
    others = scores.matrix.size - len(positive)
    return Histogram(
        edges=edges,
        positives=100 * right / len(positive),
        negatives=100 * (every - right) / max(others, 1),
        mean_positive=float(positive.mean()),
        mean_negative=(total - float(positive.sum())) / max(others, 1),
    )


def hubs(scores: Scores) -> Hubs:
    """Count how unevenly videos are retrieved.

    Radovanovic, Nanopoulos and Ivanovic, "Hubs in Space", 2010: N_k, and its skewness.
    """
    counts = np.zeros(len(scores.gallery), np.int64)
    depth = min(LIST, len(scores.gallery))
    for first in range(0, len(scores.queries), _BLOCK):
        best = top_columns(scores.matrix[first : first + _BLOCK], depth)
        counts += np.bincount(best.ravel(), minlength=len(counts))
    spread = float(counts.std())
    centred = counts - counts.mean()
    return Hubs(
        counts=counts,
        skew=float((centred**3).mean() / spread**3) if spread else 0.0,
        never=float((counts == 0).mean()),
        largest=scores.gallery[int(counts.argmax())],
    )


def failures(scores: Scores, qrels: Qrels, t2v: DirectionResult, ties: Ties) -> list[Failure]:
    """List the texts whose videos came last, the worst first."""
    ranks = first_relevant_rank(t2v.ranks, ties)
    row_of = {query: row for row, query in enumerate(scores.queries)}
    found: list[Failure] = []
    for place in np.argsort(-ranks, kind="stable")[:_FAILURES]:
        if ranks[place] <= 1:
            break
        text = t2v.queries[int(place)]
        row = scores.matrix[row_of[text]]
        relevant = qrels.relevant[text]
        best = top_columns(row[None], min(_LISTED, len(row)))[0]
        column_of = [column for column, name in enumerate(scores.gallery) if name in relevant]
        own = max(column_of, key=lambda column: float(row[column]))
        found.append(
            Failure(
                text=text,
                rank=float(ranks[place]),
                truth=Listed(scores.gallery[own], float(row[own]), relevant=True),
                top=[
                    Listed(scores.gallery[i], float(row[i]), scores.gallery[i] in relevant)
                    for i in (int(column) for column in best)
                ],
            )
        )
    return found


def first_places(name: str, hits: Values, *, seed: int) -> Group:
    """Sum up `(Q,)` chances of a relevant item to come first."""
    column = Column(hits, scale=100.0)
    drawn = resample([column], resamples=1000, seed=seed)
    return Group(name, len(hits), column.aggregate, interval(drawn[0]))


def by_group(
    t2v: DirectionResult, groups: Mapping[str, frozenset[str]], ties: Ties, *, seed: int
) -> list[Group]:
    """Measure R@1 of each category that has texts, the best first."""
    hits = hit_within(t2v.ranks, 1, ties)
    found: list[Group] = []
    for name, members in groups.items():
        chosen = np.array([query in members for query in t2v.queries])
        if chosen.any():
            found.append(first_places(name, hits[chosen], seed=seed))
    return sorted(found, key=lambda group: (-group.value, group.name))


def relevant_cells(scores: Scores, qrels: Qrels) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find rows and columns of all relevant pairs."""
    row_of = {query: row for row, query in enumerate(scores.queries)}
    column_of = {item: column for column, item in enumerate(scores.gallery)}
    cells = np.array(
        [(row_of[query], column_of[item]) for query, ids in qrels.relevant.items() for item in ids],
        np.int64,
    )
    return cells[:, 0], cells[:, 1]


def top_columns(block: NDArray[np.float32 | np.float64], depth: int) -> NDArray[np.int64]:
    """Find `(Q, depth)` columns of the largest scores of each row, best first, ties by column."""
    width = block.shape[1]
    chosen: NDArray[np.int64] = np.tile(np.arange(width, dtype=np.int64), (len(block), 1))
    if depth < width:
        chosen = np.sort(np.argpartition(-block, depth - 1, axis=1)[:, :depth], axis=1)
    order = np.argsort(-np.take_along_axis(block, chosen, axis=1), axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1).astype(np.int64)
