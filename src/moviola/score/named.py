"""Make corrections for hubs by their names, or by `module:attribute`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import cast

import numpy as np

from moviola.core import PluginNotFoundError, ScoreBlocks, Scores
from moviola.core.attributes import is_attribute, load_attribute
from moviola.score.corrections import (
    INDUCTIVE,
    TRANSDUCTIVE,
    BankCorrection,
    BlockCorrection,
    Correction,
)
from moviola.score.neighbourhoods import CSLS, NNN
from moviola.score.sinkhorn import Sinkhorn
from moviola.score.softmaxes import DualSoftmax, InvertedSoftmax, QBNorm

_WITH_BANK: dict[str, Callable[..., BankCorrection]] = {
    "csls": CSLS,
    "inverted-softmax": InvertedSoftmax,
    "nnn": NNN,
    "qb-norm": QBNorm,
    "sinkhorn": Sinkhorn,
}
_WITHOUT_BANK: dict[str, Callable[..., BlockCorrection]] = {
    "csls": CSLS,
    "dual-softmax": DualSoftmax,
    "inverted-softmax": InvertedSoftmax,
    "sinkhorn": Sinkhorn,
}
_NAMES = sorted(_WITH_BANK.keys() | _WITHOUT_BANK.keys())


@dataclass(frozen=True, slots=True)
class OwnCorrection:
    """Correct scores by a function or an object of somebody's own.

    Attributes:
        name: as `module:attribute`.
        function: scores `(Q, G)` to corrected scores, or to their matrix.
        transductive: whether it looks at the other queries of the test.
    """

    name: str
    function: Callable[[Scores], object] = field(repr=False)
    transductive: bool

    def __call__(self, scores: Scores) -> Scores:
        """Correct scores `(Q, G)` to float64, with a note that says what was done.

        Raises:
            ValueError: when the function gives another shape, or NaN or infinity.
        """
        made = self.function(scores)
        matrix = np.asarray(made.matrix if isinstance(made, Scores) else made, np.float64)
        notes = made.notes if isinstance(made, Scores) else scores.notes
        try:
            plain = Scores(scores.queries, scores.gallery, matrix, notes)
        except ValueError as error:
            raise ValueError(f"the correction {self.name!r} gave no scores: {error}") from None
        kind = TRANSDUCTIVE if self.transductive else INDUCTIVE
        said = "looked at the queries of the test" if self.transductive else "learnt beforehand"
        note = f"{kind}: {self.name} {said}"
        return Scores(plain.queries, plain.gallery, plain.matrix, (*plain.notes, note))


#: Options of the named corrections, to what each calls them; all are numbers above 0.
OPTIONS: Mapping[str, Mapping[str, str]] = {
    "csls": {"k": "neighbours"},
    "dual-softmax": {"temperature": "temperature"},
    "inverted-softmax": {"temperature": "temperature"},
    "nnn": {"k": "neighbours", "weight": "weight"},
    "qb-norm": {"k": "nearest", "temperature": "temperature"},
    "sinkhorn": {"temperature": "temperature", "iterations": "iterations"},
}


def make_correction(
    name: str, bank: ScoreBlocks | None = None, options: Mapping[str, float] | None = None
) -> Correction:
    """Make the correction called `name`, with the bank where it learns from one.

    `options` are those of `OPTIONS`, such as `k`; corrections of one's own take none.

    Behind `module:attribute` may stand a function of the scores, or of the scores and the `bank`;
    a class of corrections, which takes the bank where its parameters name one; or a correction
    itself. A function without a bank sees the test alone, and counts as transductive unless it
    has an attribute `transductive` that says otherwise.

    Raises:
        ValueError: when there is no such correction, or it needs a bank.
        PluginNotFoundError: when an attribute cannot be imported, or cannot be called.
    """
    if is_attribute(name):
        return _own(name, bank)
    _require(name, has_bank=bank is not None)
    given = {OPTIONS[name][option]: value for option, value in (options or {}).items()}
    if bank is not None and name in _WITH_BANK:
        return _WITH_BANK[name](bank, **given)
    return _WITHOUT_BANK[name](**given)


def require_corrections(names: Sequence[str], *, has_bank: bool) -> None:
    """Refuse corrections that do not exist, or that do not go together with having a bank or not.

    Raises:
        ValueError: naming the correction.
        PluginNotFoundError: when an attribute cannot be imported.
    """
    takes_bank = False
    for name in names:
        if is_attribute(name):
            takes_bank |= "bank" in _parameters(load_attribute(name, "correction"))
            continue
        _require(name, has_bank=has_bank)
        takes_bank |= name in _WITH_BANK
    if has_bank and not takes_bank:
        raise ValueError(
            f"--bank is what a correction learns from; give one with --correct: "
            f"{', '.join(sorted(_WITH_BANK))}"
        )


def _require(name: str, *, has_bank: bool) -> None:
    if name not in _NAMES:
        close = get_close_matches(name, _NAMES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"there is no correction {name!r}; there are {', '.join(_NAMES)}, and your own as "
            f"module:attribute.{hint}"
        )
    if not has_bank and name not in _WITHOUT_BANK:
        raise ValueError(f"{name} learns from training captions; give them with --bank")


def _own(name: str, bank: ScoreBlocks | None) -> Correction:
    found = load_attribute(name, "correction")
    if not callable(found):
        raise PluginNotFoundError(
            f"{name!r} is a {type(found).__name__}; a correction is a function of scores"
        )
    takes_bank = "bank" in _parameters(found)
    if isinstance(found, type):
        made = found(**({"bank": bank} if takes_bank else {}))
        found, takes_bank = made, False
    if not callable(found):
        raise PluginNotFoundError(f"{name!r} makes a {type(found).__name__}, no correction")
    function = found
    told = cast("bool | None", getattr(function, "transductive", None))
    if takes_bank:
        transductive = bank is None if told is None else told
        return OwnCorrection(name, lambda scores: function(scores, bank=bank), transductive)
    return OwnCorrection(name, function, True if told is None else told)


def _parameters(found: object) -> frozenset[str]:
    if not callable(found):
        return frozenset()
    try:
        return frozenset(inspect.signature(found).parameters)
    except (TypeError, ValueError):
        return frozenset()
