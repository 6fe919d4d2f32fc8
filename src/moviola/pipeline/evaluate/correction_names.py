"""Parse what `--correct` takes: a correction's name, and its options behind commas."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from moviola.core import ScoreBlocks
from moviola.core.attributes import is_attribute
from moviola.score import Correction, make_correction
from moviola.score.named import OPTIONS, require_corrections
from moviola.score.part import PartOfQueries

#: How many captions of the bank are learnt from: an option of every correction with one.
_BANK = "bank"
#: Options that count something.
_COUNTS = {_BANK, "k", "iterations"}
#: Draws the same captions of a bank every time.
_SEED = 0


@dataclass(frozen=True, slots=True)
class NamedCorrection:
    """Hold a correction as it was asked for, such as `qb-norm,k=5,temperature=0.1`.

    Attributes:
        spec: the whole text, which results are called by.
        name: of the correction, or `module:attribute`.
        options: its options, by the names of `moviola.score.named.OPTIONS`.
        bank: how many captions of the bank it learns from; None for all.
    """

    spec: str
    name: str
    options: Mapping[str, float] = field(default_factory=dict[str, float])
    bank: int | None = None

    def make(self, bank: ScoreBlocks | None) -> Correction:
        """Make the correction, with the bank where it learns from one.

        Raises:
            ValueError: when an option is out of range.
        """
        if bank is not None and self.bank is not None and self.bank < len(bank.queries):
            drawn = np.random.default_rng(_SEED).permutation(len(bank.queries))[: self.bank]
            bank = PartOfQueries(bank, np.sort(drawn))
        return make_correction(self.name, bank, self.options)


def parse_correction(spec: str) -> NamedCorrection:
    """Parse `NAME` or `NAME,OPTION=NUMBER,…`.

    Raises:
        ValueError: naming the option that the correction does not have, or the number that is none.
    """
    name, *parts = (part.strip() for part in spec.split(","))
    if parts and is_attribute(name):
        raise ValueError(f"{name} is a correction of your own, and takes no options: {spec!r}")
    known = {**OPTIONS.get(name, {}), _BANK: _BANK}
    options: dict[str, float] = {}
    for part in parts if name in OPTIONS else ():
        option, equals, text = (each.strip() for each in part.partition("="))
        if not equals or option not in known:
            raise ValueError(
                f"{spec!r}: {name} has no option {option!r}; write OPTION=NUMBER with one of "
                f"{', '.join(sorted(known))}"
            )
        options[option] = _number(option, text, spec)
    size = options.pop(_BANK, None)
    return NamedCorrection(spec, name, options, None if size is None else int(size))


def parse_corrections(specs: Sequence[str], *, has_bank: bool) -> tuple[NamedCorrection, ...]:
    """Parse corrections, each once, and refuse those that do not go with having a bank or not.

    Raises:
        ValueError: naming the correction.
        PluginNotFoundError: when an attribute cannot be imported.
    """
    parsed = tuple(parse_correction(spec) for spec in dict.fromkeys(specs))
    require_corrections([each.name for each in parsed], has_bank=has_bank)
    for each in parsed:
        if each.bank is not None and not has_bank:
            raise ValueError(f"{each.spec!r} names a size of the bank; give one with --bank")
    return parsed


def _number(option: str, text: str, spec: str) -> float:
    try:
        value = int(text) if option in _COUNTS else float(text)
    except ValueError:
        kind = "a whole number" if option in _COUNTS else "a number"
        raise ValueError(f"{spec!r}: {option} is {kind}, not {text!r}") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{spec!r}: {option} must be above 0")
    return value
