"""What is run beside an experiment that failed: the same videos, the same test."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.batches import PairedRows
from moviola.align.fit import fit
from moviola.align.history import History
from moviola.align.networks import NetworkConfig
from moviola.align.rows import RaggedRows
from moviola.align.towers import Tower
from moviola.align.train import train_head
from moviola.align.train_config import TrainConfig
from moviola.core import Clip, Embeddings
from moviola.core.embeddings import ItemT
from moviola.evaluate import RetrievalResult
from moviola.experiments.experiment_data import ExperimentData, kept_rows, some_items
from moviola.experiments.grid_poolings import pooled
from moviola.experiments.measuring import measure, paired_rows
from moviola.experiments.presets import Remedy

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Tokens of a causal decoder weigh the more the later they come, and the first is the same for all.
_TEXTS, _VIDEOS = "drop_first_position_weighted_mean", "mean"


@dataclass(frozen=True, slots=True)
class Remedied:
    """What a remedy gave.

    Attributes:
        result: both directions on the test videos.
        history: of its training; None where nothing was trained.
        seconds: of the fit, the choice of its settings included.
    """

    result: RetrievalResult
    history: History | None
    seconds: float


def remedied(remedy: Remedy, data: ExperimentData, *, seed: int = 0) -> Remedied:
    """Runs a remedy on data; the test videos are looked at when it is done.

    Args:
        remedy: which.
        data: on what.
        seed: of what is drawn.
    """
    if remedy == "transformer":
        return _transformer(data, seed)
    clips = data.clips
    if remedy == "stripped":
        assert data.after is not None  # noqa: S101 -- its experiment ran on them
        clips = kept_rows(data.after, slice(*(data.own_rows or (1, None))))
    return _fitted(data, clips, "residual" if remedy == "residual" else "cca", seed)


def _fitted(data: ExperimentData, clips: Embeddings[Clip], method: str, seed: int) -> Remedied:
    texts = data.texts if data.texts.is_pooled else pooled(data.texts, _TEXTS)
    clips = clips if clips.is_pooled else pooled(clips, _VIDEOS)
    seen = np.setdiff1d(np.unique(data.owner), data.test_clips)
    known = np.flatnonzero(np.isin(data.owner, seen))
    begun = time.perf_counter()
    head = fit(
        some_items(texts, known),
        some_items(clips, seen),
        np.searchsorted(seen, data.owner[known]),
        method=method,
        seed=seed,
    )
    seconds = time.perf_counter() - begun
    aligned_texts = head.align_texts(some_items(texts, data.test_texts))
    aligned_clips = head.align_clips(some_items(clips, data.test_clips))
    result = measure(data, aligned_texts.vectors, aligned_clips.vectors)
    told = head.fit["choice"].get("history")
    return Remedied(result, None if told is None else History.from_json(told), seconds)


def _transformer(data: ExperimentData, seed: int) -> Remedied:
    rows = paired_rows(data, data.clips, pooled=False)
    known = np.flatnonzero(np.isin(data.owner, data.split.train))
    rows = PairedRows(
        _standardised(data.texts, rows.texts, known),
        _standardised(data.clips, rows.clips, data.split.train),
        rows.owner,
    )
    config = TrainConfig(
        NetworkConfig("transformer", (128,), layers=1, heads=8, hidden=256, pre_norm=True),
        epochs=24,
        batch=min(256, max(2, len(data.split.train) // 10)),
        rate=2e-3,
        warm_up=30,
        patience=8,
        skip_texts=1,
        skip_clips=1,
        seed=seed,
    )
    begun = time.perf_counter()
    trained = train_head(rows, replace(data.split, test=None), config)
    seconds = time.perf_counter() - begun
    test = rows.only(data.test_clips)
    vectors = trained.maps.texts.embed(test.texts), trained.maps.clips.embed(test.clips)
    return Remedied(measure(data, *vectors), trained.history, seconds)


def _standardised(
    embeddings: Embeddings[ItemT], rows: RaggedRows, items: NDArray[np.int64]
) -> RaggedRows:
    """All rows with the statistics of those of some items."""
    tower = Tower.of(some_items(embeddings, items))
    return RaggedRows(tower.standardise(rows.rows), rows.offsets)
