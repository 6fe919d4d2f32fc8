"""Measure ranked lists that need not hold the whole gallery."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.core import Qrels
from moviola.core.ranks import UNRANKED, Ranks, rank_block
from moviola.evaluate.measures import DEFAULT_MEASURES, Combined, Measure
from moviola.evaluate.results import DirectionResult, RetrievalResult
from moviola.evaluate.retrieval import measure_ranks
from moviola.evaluate.ties import Ties

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Run = Mapping[str, Mapping[str, float]]


def evaluate_run(
    run: Run,
    qrels: Qrels,
    *,
    ties: Ties = "expected",
    tolerance: float = 0.0,
    measures: Sequence[Measure | Combined] = DEFAULT_MEASURES,
    resamples: int = 1000,
    seed: int = 0,
) -> RetrievalResult:
    """Measure a run in both directions, as trec_eval defines the measures.

    A relevant item that the run does not hold adds nothing to MRR and mAP, as in trec_eval; to
    MdR and MnR it counts as the last of the gallery. A query of the qrels that the run does not
    hold found nothing (trec_eval's option `-c`). The gallery is every item that either names.

    Args:
        run: text id to video id to score, larger is better.
        qrels: text id to the ids of the videos it describes.
        ties: as `evaluate` takes them.
        tolerance: share of a query's largest absolute score within which two scores are tied.
        measures: what to measure.
        resamples: of the bootstrap; 0 for no intervals.
        seed: of the bootstrap.

    Raises:
        ValueError: when run and qrels have no query in common, or the tolerance is no share.
    """
    if not (np.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"a tie tolerance is a share of at least 0, got {tolerance}")
    if not run.keys() & qrels.relevant.keys():
        raise ValueError(
            f"run and relevance have no query in common: the run has {next(iter(run), None)!r} "
            f"and others, the relevance {next(iter(qrels.relevant), None)!r}"
        )

    def direction(run: Run, qrels: Qrels, gallery: int) -> DirectionResult:
        queries = tuple(qrels.relevant)
        ranks = replace(rank_run(run, qrels, tolerance), last=gallery)
        return measure_ranks(
            queries, ranks, gallery, measures, ties=ties, resamples=resamples, seed=seed
        )

    turned = transposed_run(run)
    videos = turned.keys() | qrels.transposed().relevant.keys()
    texts = run.keys() | qrels.relevant.keys()
    return RetrievalResult(
        t2v=direction(run, qrels, len(videos)),
        v2t=direction(turned, qrels.transposed(), len(texts)),
        ties=ties,
        tolerance=tolerance,
        notes=_notes(run, qrels, len(videos)),
    )


def _notes(run: Run, qrels: Qrels, gallery: int) -> tuple[str, ...]:
    notes: list[str] = []
    absent = [query for query in qrels.relevant if query not in run]
    if absent:
        notes.append(
            f"{len(absent)} of {len(qrels)} queries are not in the run and count as failed, the "
            f"first of them {absent[0]!r}"
        )
    shortest = min(len(run[query]) for query in run if query in qrels.relevant)
    if shortest < gallery:
        notes.append(
            f"the run holds as few as {shortest} of {gallery} videos for a text: what it leaves "
            f"out counts as never found, and v2t is what can be told from it"
        )
    return tuple(notes)


def rank_run(run: Run, qrels: Qrels, tolerance: float) -> Ranks:
    """Rank the relevant items of every query of `qrels`; unlisted ones stand beyond every rank."""
    better: list[NDArray[np.int64]] = []
    tied: list[NDArray[np.int64]] = []
    relevant: list[NDArray[np.int64]] = []
    for query, items in qrels.relevant.items():
        listed = run.get(query, {})
        block = np.fromiter(listed.values(), np.float64, len(listed))[None]
        columns = np.array([i for i, item in enumerate(listed) if item in items], np.int64)
        if len(columns):
            found = rank_block(block, columns, np.array([0, len(columns)]), tolerance)
            better.append(found.better)
            tied.append(found.tied)
            relevant.append(found.relevant)
        lost = len(items) - len(columns)
        if lost:
            better.append(np.array([UNRANKED]))
            tied.append(np.array([lost]))
            relevant.append(np.array([lost]))
    return _joined(qrels, better, tied, relevant)


def _joined(
    qrels: Qrels,
    better: list[NDArray[np.int64]],
    tied: list[NDArray[np.int64]],
    relevant: list[NDArray[np.int64]],
) -> Ranks:
    groups = np.concatenate(relevant)
    # A query ends with the group that completes the number of its relevant items.
    ends = np.cumsum([len(items) for items in qrels.relevant.values()])
    offsets = np.concatenate([[0], np.searchsorted(np.cumsum(groups), ends) + 1])
    return Ranks(offsets.astype(np.int64), np.concatenate(better), np.concatenate(tied), groups)


def transposed_run(run: Run) -> dict[str, dict[str, float]]:
    """Exchange queries and items of the same scores."""
    turned: dict[str, dict[str, float]] = {}
    for query, items in run.items():
        for item, score in items.items():
            turned.setdefault(item, {})[query] = score
    return turned
