"""Compute what random orders of a gallery give: the level that every measure is held against."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from moviola.core.ranks import Ranks
from moviola.evaluate.measures import MRR, Measure


def chance_level(
    gallery: int, *, measure: Measure = MRR, relevant: Sequence[int] | None = None
) -> float:
    """Compute the aggregate of a measure over random orders of a gallery.

    A gallery that is one single tie is ranked at random: its expected value is chance. The MRR of
    one relevant item among n is `H(n) / n`.

    Args:
        gallery: how many items are ranked.
        measure: the measure; MRR where it is not told.
        relevant: how many items are relevant to each query; None for one.

    Raises:
        ValueError: when the gallery is empty, or holds fewer items than are relevant.
    """
    counts = np.array([1] if relevant is None else relevant, np.int64)
    if not len(counts) or counts.min() < 1 or counts.max() > gallery:
        raise ValueError(f"of {gallery} items, 1 to {gallery} can be relevant to a query")
    queries = len(counts)
    tied = Ranks(
        offsets=np.arange(queries + 1),
        better=np.zeros(queries, np.int64),
        tied=np.full(queries, gallery, np.int64),
        relevant=counts,
    )
    return measure.column(measure.of(tied, "expected")).aggregate
