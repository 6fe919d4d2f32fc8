"""What is run beside an experiment that failed: the same videos, the same test."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from moviola.align.batches import PairedRows
from moviola.align.history import History
from moviola.align.networks import NetworkConfig
from moviola.align.rows import RaggedRows
from moviola.align.train import train_head
from moviola.align.train_config import TrainConfig
from moviola.evaluate import RetrievalResult
from moviola.experiments.experiment_data import ExperimentData, kept_rows
from moviola.experiments.measuring import measure, paired_rows
from moviola.experiments.presets import Remedy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]


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
    """Runs a remedy on data.

    Args:
        remedy: which.
        data: on what.
        seed: of what is drawn.
    """
    begun = time.perf_counter()
    if remedy == "transformer":
        return _transformer(data, begun, seed)
    clips = data.clips
    if remedy == "stripped" and data.after is not None:
        clips = kept_rows(data.after, slice(*(data.own_rows or (1, None))))
    rows = paired_rows(data, clips, pooled=True)
    rows = _standardised(rows, data)
    maps = _cca(rows, data)
    history = None
    if remedy == "residual":
        config = TrainConfig(
            NetworkConfig(
                "residual", (maps[0].shape[1],), hidden=256, dropout=0.6, input_dropout=0.5
            ),
            batch=256,
            epochs=20,
            seed=seed,
        )
        trained = train_head(rows, replace(data.split, test=None), config, initial=maps)
        history = trained.history
        test = rows.only(data.test_clips)
        vec = trained.maps.texts.embed(test.texts), trained.maps.clips.embed(test.clips)
    else:
        test = rows.only(data.test_clips)
        unit = lambda x: x / np.linalg.norm(x, axis=1, keepdims=True)
        vec = unit(test.texts.rows @ maps[0]), unit(test.clips.rows @ maps[1])
    return Remedied(measure(data, *vec), history, time.perf_counter() - begun)


def _cca(rows: PairedRows, data: ExperimentData, lam: float = 0.3, k: int = 64):
    train = np.flatnonzero(np.isin(rows.owner, data.split.train))
    x, y = (
        rows.texts.rows[train].astype(np.float64),
        rows.clips.rows[rows.owner[train]].astype(np.float64),
    )
    n = len(x)
    Lx, Ly = (np.linalg.cholesky(a.T @ a / n + lam * np.eye(a.shape[1])) for a in (x, y))
    m = np.linalg.solve(Ly, np.linalg.solve(Lx, x.T @ y / n).T).T
    u, s, v = np.linalg.svd(m)
    w = np.sqrt(s[:k])
    return (np.linalg.solve(Lx.T, u[:, :k]) * w).astype("f4"), (
        np.linalg.solve(Ly.T, v[:k].T) * w
    ).astype("f4")


def _standardised(rows: PairedRows, data: ExperimentData) -> PairedRows:
    sides = []
    for side, known in ((rows.texts, rows.owner), (rows.clips, np.arange(len(rows.clips)))):
        items = np.flatnonzero(np.isin(known, data.split.train))
        seen = side.some(items).rows
        sides.append(
            RaggedRows(
                ((side.rows - seen.mean(0)) / np.maximum(seen.std(0), 1e-6)).astype("f4"),
                side.offsets,
            )
        )
    return PairedRows(*sides, rows.owner)


def _transformer(data: ExperimentData, begun: float, seed: int) -> Remedied:
    rows = _standardised(paired_rows(data, data.clips, pooled=False), data)
    config = TrainConfig(
        NetworkConfig("transformer", (128,), layers=1, heads=8, hidden=256, pre_norm=True),
        epochs=40,
        batch=128,
        rate=2e-3,
        warm_up=40,
        patience=10,
        skip_texts=1,
        skip_clips=1,
        seed=seed,
    )
    trained = train_head(rows, replace(data.split, test=None), config)
    seconds = time.perf_counter() - begun
    test = rows.only(data.test_clips)
    result = measure(
        data, trained.maps.texts.embed(test.texts), trained.maps.clips.embed(test.clips)
    )
    return Remedied(result, trained.history, seconds)
