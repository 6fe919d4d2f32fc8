"""Fit the remedy beside an experiment that failed, on the same videos and the same test."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from moviola.align.fit import UnseenPairs, fit, measure
from moviola.analysis.grid_poolings import pooled
from moviola.core import Clip, Embeddings, Text
from moviola.evaluate import RetrievalResult
from moviola.evaluate.chance import chance_level
from moviola.experiments.report.data import ExperimentData, kept_rows, some_items
from moviola.experiments.report.presets import Remedy

#: Tokens of a causal decoder weigh the more the later they come, and the first is the same for all.
_TEXTS, _VIDEOS = "drop_first_position_weighted_mean", "mean"
#: The method of `moviola.align.fit.fit` behind each remedy.
METHODS: Mapping[Remedy, str] = MappingProxyType(
    {
        "closed form": "cca",
        "residual": "residual",
        "transformer": "transformer",
        "stripped": "cca",
    }
)


@dataclass(frozen=True, slots=True)
class Remedied:
    """Hold the result of a remedy.

    Attributes:
        result: both directions on the test videos.
        epochs: of its training, as the card of the head tells them; empty where it has none.
        chance: MRR of random orders of the videos that those epochs were watched on.
        seconds: of the fit, the choice of its settings included.
    """

    result: RetrievalResult
    epochs: Sequence[Mapping[str, Any]]
    chance: float
    seconds: float


def remedied(remedy: Remedy, data: ExperimentData, *, seed: int = 0) -> Remedied:
    """Fit a remedy on all videos except those of the test, then measure it on these.

    Args:
        remedy: which.
        data: on what.
        seed: of what is drawn.
    """
    texts, clips = _sides(remedy, data)
    seen = np.setdiff1d(np.unique(data.owner), data.test_clips)
    known = np.flatnonzero(np.isin(data.owner, seen))
    begun = time.perf_counter()
    head = fit(
        some_items(texts, known),
        some_items(clips, seen),
        np.searchsorted(seen, data.owner[known]),
        method=METHODS[remedy],
        seed=seed,
    )
    seconds = time.perf_counter() - begun
    unseen = UnseenPairs(
        some_items(texts, data.test_texts),
        some_items(clips, data.test_clips),
        np.searchsorted(data.test_clips, data.owner[data.test_texts]),
    )
    record = head.fit
    # Epochs are seen on the watched videos, which are not those that the fit reports on.
    chance = chance_level(record["data"]["watched_videos"] or record["val"]["n_gallery"])
    return Remedied(measure(head, unseen), record["epochs"] or (), chance, seconds)


def _sides(remedy: Remedy, data: ExperimentData) -> tuple[Embeddings[Text], Embeddings[Clip]]:
    """Prepare the rows of a remedy: several an item for a transformer, else one."""
    texts, clips = data.texts, data.clips
    if remedy == "transformer":
        return texts, clips
    if remedy == "stripped" and data.after is not None:
        clips = kept_rows(data.after, slice(*(data.own_rows or (1, None))))
    return (
        texts if texts.is_pooled else pooled(texts, _TEXTS),
        clips if clips.is_pooled else pooled(clips, _VIDEOS),
    )
