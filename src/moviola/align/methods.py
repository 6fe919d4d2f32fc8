"""The ways to fit a head, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align.canonical import CanonicalSolver
from moviola.align.choosing import WIDTHS, HeldOut, choose
from moviola.align.likelihood import likelihood_maps
from moviola.align.maps import Maps
from moviola.align.moments import Moments, Pairs, gather_parts
from moviola.align.trained import better, fit_trained

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]

#: Shrinkage to begin with, as a multiple of dimensions a video.
_START = 1.2


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be fitted.

    Attributes:
        pairs: all of them.
        parts: rows of the clips to hold out, part by part.
        held: the same with their captions.
        seed: of what is drawn.
    """

    pairs: Pairs
    parts: Sequence[Counts]
    held: Sequence[HeldOut]
    seed: int

    @cached_property
    def moments(self) -> tuple[Moments, list[Moments]]:
        """Of all pairs, and of all but each part."""
        return gather_parts(self.pairs, self.parts, seed=self.seed)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What came of it.

    Attributes:
        method: its name.
        maps: fitted on all pairs.
        partial: maps fitted without each part, in order of the parts.
        reciprocal_ranks: of every held-out caption, in order of the parts.
        choice: what was chosen, as JSON values.
        warnings: sentences.
    """

    method: str
    maps: Maps
    partial: Sequence[Maps]
    reciprocal_ranks: NDArray[np.float64]
    choice: Mapping[str, Any] = field(default_factory=dict[str, Any])
    warnings: Sequence[str] = ()


def fit_cca(task: Task) -> Fitted:
    """Shrunk canonical correlations under the likelihood-ratio score."""
    whole, rests = task.moments
    pairs = task.pairs
    wider = max(pairs.texts.shape[1], pairs.clips.shape[1])
    chosen = choose(rests, task.held, _START * wider / len(pairs.captioned))
    solved = [
        CanonicalSolver(moments).solve(chosen.shrinkage, WIDTHS[-1]) for moments in (whole, *rests)
    ]
    maps = [likelihood_maps(each, chosen.correlations, chosen.width) for each in solved]
    counted = slice(0, chosen.width)
    return Fitted(
        "cca",
        maps[0],
        maps[1:],
        chosen.reciprocal_ranks,
        {
            "shrinkage": list(chosen.shrinkage),
            "width": chosen.width,
            "train_correlations": solved[0].correlations[counted].tolist(),
            "val_correlations": chosen.correlations[counted].tolist(),
        },
    )


def fit_auto(task: Task) -> Fitted:
    """The closed form; a trained head that begins there only if held-out videos say so.

    They say so when their MRR gains more than the standard error of the gain. Without Lightning
    the closed form is all.
    """
    closed = fit_cca(task)
    if find_spec("lightning") is None:
        return closed
    tuned = fit_trained(task, "residual", closed)
    return tuned if better(closed, tuned) else closed


METHODS: dict[str, Callable[[Task], Fitted]] = {
    "auto": fit_auto,
    "cca": fit_cca,
    "linear": lambda task: fit_trained(task, "linear", fit_cca(task)),
    "mlp": lambda task: fit_trained(task, "mlp"),
    "residual": lambda task: fit_trained(task, "residual", fit_cca(task)),
    "transformer": lambda task: fit_trained(task, "transformer"),
}
