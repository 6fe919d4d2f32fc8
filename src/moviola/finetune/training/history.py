"""Record a fine-tuning, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """Hold the measurements at the end of one epoch; number 0 is before the first.

    Attributes:
        number: of the epoch.
        steps: of the optimiser until then.
        loss: mean over the steps of the epoch; None for number 0.
        measures: t2v on the held-out videos: R@1, R@5, R@10 in percent, MdR, MRR.
    """

    number: int
    steps: int
    loss: float | None
    measures: dict[str, float]
