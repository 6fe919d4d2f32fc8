"""Name the ways in which items of several rows are scored: at once, in stages, by codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Self

from moviola.core.row_codes import CODES, CodeName

RowScoringName = Literal["maxsim", "two-stage"]
ROW_SCORINGS: tuple[RowScoringName, ...] = ("maxsim", "two-stage")

_K = 100
_RESCORED_OF_TWO_STAGES = 25


@dataclass(frozen=True, slots=True)
class RowScoring:
    """Say how items of several rows are scored.

    Attributes:
        name: `"maxsim"` looks at all rows of all items; `"two-stage"` at those of the items whose
            mean vectors are nearest.
        codes: code of the rows that are looked at; None for the rows themselves.
        k: items that the mean vectors choose, with `"two-stage"`.
        rescore: items that are scored by their exact rows at the end, where `codes` are used.
    """

    name: RowScoringName = "maxsim"
    codes: CodeName | None = None
    k: int = _K
    rescore: int = _K

    @classmethod
    def parse(cls, spec: str) -> Self | None:
        """Parse `maxsim` or `two-stage` with options, such as `two-stage,k=50,codes=int8`.

        None where `spec` begins with no such name.

        Raises:
            ValueError: when an option is none, or has no such value.
        """
        name, *options = spec.split(",")
        if name not in ROW_SCORINGS:
            return None
        given: dict[str, str] = {}
        for option in options:
            key, _, given[key] = option.partition("=")
        asked = given.pop("codes", None)
        known_codes: dict[str, CodeName] = {code: code for code in CODES}
        codes = known_codes.get(asked or "")
        if asked is not None and codes is None:
            raise ValueError(f"codes are {' or '.join(CODES)}, not {asked!r}")
        allowed = {"k"} if name == "two-stage" else set[str]()
        allowed |= {"rescore"} if codes is not None else set[str]()
        if strange := sorted(given.keys() - allowed):
            known = ", ".join(["codes", *sorted(allowed)])
            raise ValueError(f"{spec!r}: {strange[0]!r} is no option of it; it takes {known}")
        k = _count(given.get("k"), "k", _K)
        usual = min(_RESCORED_OF_TWO_STAGES, k) if name == "two-stage" else _K
        return cls(name, codes, k, _count(given.get("rescore"), "rescore", usual))

    @property
    def is_exact(self) -> bool:
        """Tell whether every item is scored by all of its rows."""
        return self.name == "maxsim" and self.codes is None

    @property
    def spec(self) -> str:
        """Return the text that `parse` takes for it, with every option that counts."""
        parts = [self.name]
        if self.name == "two-stage":
            parts.append(f"k={self.k}")
        if self.codes is not None:
            parts += [f"codes={self.codes}", f"rescore={self.rescore}"]
        return ",".join(parts)


def _count(text: str | None, name: str, usual: int) -> int:
    if text is None:
        return usual
    if not text.isascii() or not text.isdigit() or not int(text):
        raise ValueError(f"{name} is a number of items of at least 1, not {text!r}")
    return int(text)
