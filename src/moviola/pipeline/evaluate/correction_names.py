"""Name the corrections for hubs that an evaluation can apply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches

from moviola.core import Scores
from moviola.score import (
    CSLS,
    NNN,
    Correction,
    DualSoftmax,
    InvertedSoftmax,
    QBNorm,
    Sinkhorn,
)

WITH_BANK: dict[str, Callable[[Scores], Correction]] = {
    "csls": CSLS,
    "inverted-softmax": InvertedSoftmax,
    "nnn": NNN,
    "qb-norm": QBNorm,
    "sinkhorn": Sinkhorn,
}
WITHOUT_BANK: dict[str, Callable[[], Correction]] = {
    "csls": CSLS,
    "dual-softmax": DualSoftmax,
    "inverted-softmax": InvertedSoftmax,
    "sinkhorn": Sinkhorn,
}
_NAMES = sorted(WITH_BANK.keys() | WITHOUT_BANK.keys())


def require_corrections(names: Sequence[str], *, has_bank: bool) -> None:
    """Refuse corrections that do not exist, or that do not go together with having a bank or not.

    Raises:
        ValueError: naming the correction.
    """
    for name in names:
        if name not in _NAMES:
            close = get_close_matches(name, _NAMES, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"there is no correction {name!r}; there are {', '.join(_NAMES)}.{hint}"
            )
        if not has_bank and name not in WITHOUT_BANK:
            raise ValueError(f"{name} learns from training captions; give them with --bank")
    if has_bank and not WITH_BANK.keys() & set(names):
        raise ValueError(
            f"--bank is what a correction learns from; give one with --correct: "
            f"{', '.join(sorted(WITH_BANK))}"
        )
