"""List the alignment methods by name, and find one, somebody's own included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from types import MappingProxyType
from typing import cast

import numpy as np

from moviola.align.closed_form.asif import fit_asif
from moviola.align.closed_form.cca import fit_cca
from moviola.align.closed_form.classical import (
    fit_centring,
    fit_procrustes,
    fit_ridge,
    fit_standardising,
    fit_top_removed,
    fit_whitening,
)
from moviola.align.closed_form.selection import reciprocal_ranks
from moviola.align.closed_form.task import Fitted, Task
from moviola.core import MissingExtraError, PluginNotFoundError
from moviola.core.attributes import is_attribute, load_attribute

Method = Callable[[Task], Fitted]


def fit_auto(task: Task) -> Fitted:
    """Fit in closed form, then train; keep the trained head only where clearly better.

    The trained head begins where the closed form ends. It is kept where its reciprocal ranks on
    the part that both have not seen are better by more than the standard error of the difference.
    """
    closed = fit_cca(task)
    try:
        trained = _trained("linear", task, closed)
    except MissingExtraError as error:
        return replace(closed, warnings=[f"no head was trained: {error}"])
    # The closed form was judged by ten captions a video at most, so both are.
    gain = reciprocal_ranks(trained.maps, task.held[0]) - closed.reciprocal_ranks[0]
    error = float(gain.std(ddof=1) / np.sqrt(len(gain)))
    if gain.mean() > error:
        return trained
    tried = {"tried": "linear", "gain": float(gain.mean()), "standard_error": error}
    return replace(closed, choice={**closed.choice, "not_kept": tried})


def _from_closed(method: str, task: Task) -> Fitted:
    return _trained(method, task, fit_cca(task))


def _trained(method: str, task: Task, closed: Fitted | None = None) -> Fitted:
    try:
        from moviola.align.training.methods import fit_trained
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "lightning":
            raise
        raise MissingExtraError(
            "training a head needs Lightning; install it with: pip install 'moviola[train]'"
        ) from error
    return fit_trained(task, method, closed)


#: Every method that has a name. A method is one function of a task; pass your own.
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "auto": fit_auto,
        "cca": fit_cca,
        "centring": fit_centring,
        "standardising": fit_standardising,
        "all-but-the-top": fit_top_removed,
        "whitening": fit_whitening,
        "procrustes": fit_procrustes,
        "ridge": fit_ridge,
        "asif": fit_asif,
        "linear": partial(_from_closed, "linear"),
        "siglip": partial(_from_closed, "siglip"),
        "fusemix": partial(_from_closed, "fusemix"),
        "residual": partial(_from_closed, "residual"),
        "mlp": partial(_trained, "mlp"),
        "transformer": partial(_trained, "transformer"),
    }
)


#: Those that train, and take `TrainOptions`.
TRAINED = ("linear", "siglip", "fusemix", "residual", "mlp", "transformer")


def find_method(name: str) -> Method:
    """Find the method of a name of `METHODS`, or the function that `module:attribute` names.

    Raises:
        ValueError: when there is none of that name.
        PluginNotFoundError: when an attribute cannot be imported, or is no function.
    """
    if name in METHODS:
        return METHODS[name]
    if not is_attribute(name):
        close = get_close_matches(name, METHODS, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"there is no method {name!r}; there are {', '.join(METHODS)}, and your own as "
            f"module:attribute.{hint}"
        )
    found = load_attribute(name, "alignment method")
    if not callable(found):
        raise PluginNotFoundError(
            f"{name!r} is a {type(found).__name__}; a method is a function of a Task"
        )
    return cast("Method", found)
