"""Judge a training from its numbers, never from what was expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from moviola.align.training.history import COLLAPSED, Cosines, History

Outcome = Literal["learned", "collapsed", "unmoved", "memorised", "constant", "astray"]

#: An MRR below this many times chance ranks nothing.
WORTHLESS = 3.0
#: Share of the constant's loss within which a loss counts as that of the constant.
_NEAR = 0.04
#: Share of the constant's loss that validation must move by to have moved.
_MOVED = 0.1


@dataclass(frozen=True, slots=True)
class Verdict:
    """Hold the verdict on a training.

    Attributes:
        outcome: in a word.
        sentence: why, with the numbers.
    """

    outcome: Outcome
    sentence: str


def judge(history: History, cosines: Cosines, mrr: float, chance: float) -> Verdict:
    """Judge a training.

    Args:
        history: all epochs.
        cosines: of the test pairs at the end.
        mrr: on the test videos at the end.
        chance: the MRR of random orders.
    """
    first, last = history.epochs[0], history.epochs[-1]
    constant = history.constant
    train = last.train_loss if last.train_loss is not None else last.val_loss
    ranking = f"its MRR of {mrr:.4f} is {mrr / chance:.1f} times chance"
    apart = (
        f"cosines of right pairs {cosines.positive:.4f} and of wrong ones {cosines.negative:.4f}, "
        f"spread {cosines.negative_sd:.4f}"
    )
    if mrr >= WORTHLESS * chance:
        return Verdict("learned", f"It ranks: {ranking}; {apart}.")
    if cosines.collapsed:
        return Verdict(
            "collapsed",
            f"COLLAPSED: every item got nearly the same vector ({apart}; below {COLLAPSED} counts "
            f"as none), so that the loss of {train:.4f} is that of the best constant answer, "
            f"{constant:.4f}, and {ranking}.",
        )
    if abs(last.val_loss - first.val_loss) < _MOVED * constant:
        return Verdict(
            "unmoved",
            f"It has hardly moved in {last.steps:,} steps: the validation loss went from "
            f"{first.val_loss:.4f} to {last.val_loss:.4f}, where a constant answer costs "
            f"{constant:.4f}; {apart}; {ranking}.",
        )
    if train < (1 - _NEAR) * constant and last.val_loss > (1 + _NEAR / 4) * constant:
        return Verdict(
            "memorised",
            f"It learned its pairs by heart: the training loss fell to {train:.4f}, below the "
            f"{constant:.4f} of a constant answer, while the validation loss rose to "
            f"{last.val_loss:.4f}; {apart}; {ranking}.",
        )
    if abs(train - constant) < _NEAR * constant:
        return Verdict(
            "constant",
            f"It gives one answer to every pair: the loss of {train:.4f} is that of the best "
            f"constant, {constant:.4f}; {apart}; {ranking}.",
        )
    return Verdict(
        "astray",
        f"It answers differently, and wrongly: the training loss of {train:.4f} and the validation "
        f"loss of {last.val_loss:.4f} stand beside {constant:.4f} for a constant answer; {apart}; "
        f"{ranking}.",
    )
