"""Read pairs of a detailed caption and its short summary, and hold some of them out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from moviola.datasets.annotations.summaries import read_summaries

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]


@dataclass(frozen=True)
class SummarizedCaptions:
    """Hold N pairs of texts.

    Attributes:
        captions: detailed ones, which stand for what a video shows.
        summaries: of each caption.
    """

    captions: Sequence[str]
    summaries: Sequence[str]

    def __len__(self) -> int:
        return len(self.captions)

    def rivals(self, rows: Rows) -> NDArray[np.bool_]:
        """Mark which of N pairs are negatives of each other, `(N, N)`: no wording is shared."""
        sides = (self.captions, self.summaries)
        numbers = [np.unique([side[row] for row in rows], return_inverse=True)[1] for side in sides]
        return np.logical_and(*(each[:, None] != each[None] for each in numbers))

    def split(self, share: float, seed: int) -> tuple[Rows, Rows]:
        """Hold out about `share` of the captions, at least two: rows to train on, and the others.

        Raises:
            ValueError: when there are too few.
        """
        known, own = np.unique(self.captions, return_inverse=True)
        held = max(2, round(share * len(known)))
        if len(known) - held < 2:
            raise ValueError(
                f"there are {len(known)} different captions; fine-tuning needs two to train on, "
                f"and two to measure"
            )
        apart = np.isin(own, np.random.default_rng([seed, 1]).permutation(len(known))[:held])
        return np.flatnonzero(~apart), np.flatnonzero(apart)


def read_pairs(path: Path) -> SummarizedCaptions:
    """Read a table with the columns `caption` and `summary`.

    Raises:
        DatasetError: naming the row and what is wrong with it, or when there is no pair.
    """
    return SummarizedCaptions(*zip(*read_summaries(path), strict=True))
