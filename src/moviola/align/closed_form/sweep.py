"""Measure canonical heads of several widths on held-out videos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moviola.align.closed_form.canonical import CanonicalSolver
from moviola.align.closed_form.cca import START
from moviola.align.closed_form.likelihood import likelihood_maps
from moviola.align.closed_form.selection import reciprocal_ranks, select
from moviola.align.closed_form.task import Task
from moviola.evaluate.bootstrap import Column, interval, resample


@dataclass(frozen=True, slots=True)
class Width:
    """Hold the result of one width on held-out videos.

    Attributes:
        width: canonical coordinates of the shared space.
        r1: R@1 in percent.
        mrr: mean reciprocal rank.
        interval: 95 % bootstrap interval of `mrr`, over captions.
        r1_interval: likewise of `r1`.
    """

    width: int
    r1: float
    mrr: float
    interval: tuple[float, float]
    r1_interval: tuple[float, float]


def sweep(task: Task, widths: Sequence[int]) -> list[Width]:
    """Measure R@1 and MRR of several widths, at the best one's shrinkage.

    Args:
        task: the pairs.
        widths: in rising order; more than there are dimensions are cut to these.
    """
    most = min(task.dimensions)
    wanted = sorted({min(width, most) for width in widths})
    _, rests = task.covariances
    start = START * max(task.dimensions) / len(task.pairs.captioned)
    chosen = select(rests, task.held, start, wanted)
    solved = [CanonicalSolver(rest).solve(chosen.shrinkage, wanted[-1]) for rest in rests]
    found: list[Width] = []
    for width in wanted:
        ranks = np.concatenate(
            [
                reciprocal_ranks(likelihood_maps(each, chosen.correlations, width), part)
                for each, part in zip(solved, task.held, strict=True)
            ]
        )
        columns = [Column((ranks >= 1).astype(np.float64), scale=100.0), Column(ranks)]
        drawn = resample(columns, resamples=500, seed=0)
        r1, mrr = (column.aggregate for column in columns)
        found.append(Width(width, r1, mrr, interval(drawn[1]), interval(drawn[0])))
    return found
