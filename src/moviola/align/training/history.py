"""Record a training, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.core.ranks import FLOAT32_TOLERANCE, rank_block
from moviola.evaluate.measures import parse_measures
from moviola.evaluate.retrieval import measure_ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Counts = NDArray[np.int64]

#: Below this spread of the cosines of all pairs a head gives one vector to everything.
COLLAPSED = 0.01
_MEASURES = ("R@1", "R@5", "R@10", "MdR", "MRR")


@dataclass(frozen=True, slots=True)
class Cosines:
    """Hold mean and standard deviation of the cosines of matching and of other pairs."""

    positive: float
    positive_sd: float
    negative: float
    negative_sd: float

    @property
    def collapsed(self) -> bool:
        """Return whether cosines hardly vary, within or between both kinds of pairs."""
        apart = abs(self.positive - self.negative)
        return max(self.positive_sd, self.negative_sd, apart) < COLLAPSED

    @classmethod
    def of(cls, texts: Floats, clips: Floats, owner: Counts) -> Cosines:
        """Measure unit vectors `(N, D)` and `(M, D)`; text i belongs to clip `owner[i]`."""
        cosines = (texts @ clips.T).astype(np.float64)
        right = np.zeros(cosines.shape, bool)
        right[np.arange(len(owner)), owner] = True
        own, other = cosines[right], cosines[~right]
        if not len(other):
            other = own
        return cls(float(own.mean()), float(own.std()), float(other.mean()), float(other.std()))


@dataclass(frozen=True, slots=True)
class Epoch:
    """Hold the measurements at the end of one epoch; number 0 is before the first.

    Attributes:
        number: of the epoch.
        steps: of the optimiser until then.
        train_loss: mean over the batches of the epoch; None for number 0.
        val_loss: on the validation videos.
        measures: t2v on the validation videos: R@1, R@5, R@10 in percent, MdR, MRR.
        cosines: on the validation videos.
    """

    number: int
    steps: int
    train_loss: float | None
    val_loss: float
    measures: dict[str, float]
    cosines: Cosines


@dataclass(frozen=True, slots=True)
class History:
    """Hold all epochs of a training.

    Attributes:
        epochs: in order, number 0 first.
        constant: the loss of the best predictor that gives every pair the same cosine.
        best: number of the epoch whose weights were kept.
        test_losses: `(epoch, loss)` on the test videos, computed from the checkpoints afterwards.
    """

    epochs: Sequence[Epoch]
    constant: float
    best: int
    test_losses: Sequence[tuple[int, float]] = ()

    def to_json(self) -> dict[str, Any]:
        """Convert to JSON values."""
        return asdict(self)


def measured(texts: Floats, clips: Floats, owner: Counts) -> dict[str, float]:
    """Measure text-to-video retrieval by the dot product, one relevant clip a text.

    Args:
        texts: `(N, D)`.
        clips: `(M, D)`.
        owner: `(N,)` row of its clip for every text.
    """
    offsets = np.arange(len(owner) + 1, dtype=np.int64)
    ranks = rank_block(texts @ clips.T, owner.astype(np.int64), offsets, FLOAT32_TOLERANCE)
    found = measure_ranks(
        tuple(map(str, range(len(owner)))),
        ranks,
        len(clips),
        parse_measures(_MEASURES),
        ties="expected",
        resamples=0,
        seed=0,
    )
    return dict(found.aggregates)
