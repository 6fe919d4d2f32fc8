"""The default head in closed form: canonical correlations under a likelihood ratio."""

from __future__ import annotations

from moviola.align.canonical import CanonicalSolver
from moviola.align.choosing import WIDTHS, choose, reciprocal_ranks
from moviola.align.likelihood import likelihood_maps
from moviola.align.task import Fitted, Task

#: Shrinkage to begin with, as a multiple of dimensions a video.
_START = 1.2


def fit_cca(task: Task, widths: tuple[int, ...] = WIDTHS) -> Fitted:
    """Shrunk canonical correlations, scored by their likelihood ratio.

    Args:
        task: what is to be fitted.
        widths: how many coordinates may count.
    """
    whole, rests = task.moments
    start = _START * max(task.dimensions) / len(task.pairs.captioned)
    chosen = choose(rests, task.held, start, widths)
    solved = [
        CanonicalSolver(moments).solve(chosen.shrinkage, max(widths)) for moments in (whole, *rests)
    ]
    maps = [likelihood_maps(each, chosen.correlations, chosen.width) for each in solved]
    counted = slice(0, chosen.width)
    return Fitted(
        "cca",
        maps[0],
        maps[1:],
        [reciprocal_ranks(each, part) for each, part in zip(maps[1:], task.held, strict=True)],
        {
            "shrinkage": list(chosen.shrinkage),
            "width": chosen.width,
            "train_correlations": solved[0].correlations[counted].tolist(),
            "val_correlations": chosen.correlations[counted].tolist(),
        },
    )
