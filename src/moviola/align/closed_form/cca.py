"""Fit the default head: canonical correlations scored by a likelihood ratio."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from moviola.align.closed_form.canonical import CanonicalSolver
from moviola.align.closed_form.likelihood import held_out_correlations, likelihood_maps, smoothed
from moviola.align.closed_form.selection import WIDTHS, HeldOut, reciprocal_ranks, select
from moviola.align.closed_form.task import Fitted, Task
from moviola.align.head.bank import Bank, Correction
from moviola.align.head.maps import LinearMaps

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Shrinkage to begin with, as a multiple of dimensions a video.
START = 1.2
#: Captions of a bank at most, and how much of a correction is tried.
_BANK = 4000
_STRENGTHS = (0.25, 0.5, 1.0)


def fit_cca(task: Task, widths: tuple[int, ...] = WIDTHS) -> Fitted:
    """Fit shrunk canonical correlations, scored by their likelihood ratio.

    Args:
        task: what is to be fitted.
        widths: how many coordinates may count.
    """
    whole, rests = task.covariances
    start = START * max(task.dimensions) / len(task.pairs.captioned)
    chosen = select(rests, task.held, start, widths)
    solved = [
        CanonicalSolver(covariance).solve(chosen.shrinkage, max(widths))
        for covariance in (whole, *rests)
    ]
    maps = [likelihood_maps(each, chosen.correlations, chosen.width) for each in solved]
    maps, found, bank = _banked(task, maps)
    counted = slice(0, chosen.width)
    return Fitted(
        "cca",
        maps[0],
        maps[1:],
        found,
        {
            "shrinkage": list(chosen.shrinkage),
            "width": chosen.width,
            "bank": bank,
            "train_correlations": solved[0].correlations[counted].tolist(),
            "val_correlations": chosen.correlations[counted].tolist(),
        },
    )


def unwatched_maps(task: Task, fitted: Fitted) -> LinearMaps:
    """Fit maps with the settings of a fit, on neither the first part nor the watched videos.

    A training begins there: what it watches, and what it is reported on, are new to it.

    Args:
        task: what was fitted.
        fitted: what `fit_cca` gave.
    """
    width = int(fitted.choice["width"])
    found = CanonicalSolver(task.unwatched).solve(tuple(fitted.choice["shrinkage"]), width)
    unseen = HeldOut.of(task.pairs, task.watched)
    correlations = smoothed(
        held_out_correlations(unseen.texts @ found.texts, unseen.clips @ found.clips, unseen.owner)
    )
    return likelihood_maps(found, correlations, width)


def _banked(
    task: Task, maps: list[LinearMaps]
) -> tuple[list[LinearMaps], list[NDArray[np.float64]], dict[str, Any] | None]:
    """Add the bank that improves held-out videos most, where the gain exceeds its error.

    Args:
        task: what is to be fitted.
        maps: fitted on all pairs, and without each part.
    """
    plain = _found(task, maps[1:])
    before = np.concatenate(plain)
    best = (0.0, maps, plain, None)
    unseen = [np.zeros(0, np.int64), *task.parts]
    captions = [_captions(task, part) for part in unseen]
    mapped = [
        each.map_texts(task.pairs.text_rows(some), np.arange(len(some) + 1))
        for each, some in zip(maps, captions, strict=True)
    ]
    for correction, strength in product(get_args(Correction), _STRENGTHS):
        tried = [
            each.with_bank(Bank(texts, correction, strength))
            for each, texts in zip(maps, mapped, strict=True)
        ]
        found = _found(task, tried[1:])
        gain = np.concatenate(found) - before
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        if gain.mean() > max(error, best[0]):
            told = {"correction": correction, "strength": strength, "gain": float(gain.mean())}
            best = (float(gain.mean()), tried, found, told)
    return best[1:]


def _captions(task: Task, part: NDArray[np.int64]) -> NDArray[np.int64]:
    """Draw captions for a bank at random from all videos except those of a part."""
    known = np.flatnonzero(~np.isin(task.owner, part))
    count = min(_BANK, len(known))
    return np.sort(np.random.default_rng(task.seed).choice(known, count, replace=False))


def _found(task: Task, maps: Sequence[LinearMaps]) -> list[NDArray[np.float64]]:
    return [reciprocal_ranks(each, part) for each, part in zip(maps, task.held, strict=True)]
