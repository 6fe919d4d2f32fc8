"""Train heads as methods of a fit; this needs Lightning."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align.closed_form.task import Fitted, Task
from moviola.align.data.rows import RaggedRows
from moviola.align.data.splitting import VideoSplit
from moviola.align.head.maps import LinearMaps
from moviola.align.head.side import Side
from moviola.align.training.batches import PairedRows
from moviola.align.training.config import TrainConfig
from moviola.align.training.history import Epoch
from moviola.align.training.networks import Architecture, NetworkConfig, NetworkMaps
from moviola.align.training.train import train_head
from moviola.core.ranks import FLOAT32_TOLERANCE, rank_block

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_BATCH = 1024
#: Heads that begin where the closed form ends, and learn slowly from there.
_FROM_CLOSED: dict[str, tuple[Architecture, dict[str, Any]]] = {
    "linear": ("linear", {}),
    "siglip": ("linear", {"loss": "siglip"}),
    "fusemix": ("linear", {"mixup": 1.0}),
    "residual": ("residual", {}),
}


def fit_trained(task: Task, method: str, closed: Fitted | None = None) -> Fitted:
    """Train a head on all but the first held-out part, which validates.

    Args:
        task: what is to be fitted.
        method: `linear`, `siglip`, `fusemix`, `residual`, `mlp` or `transformer`.
        closed: what the closed form gave, where `method` begins from it.
    """
    data = _standardised(task)
    part = task.parts[0]
    split = VideoSplit(np.setdiff1d(data.captioned(np.arange(len(data.clips))), part), part)
    config, initial = _config(task, method, closed)
    config = replace(config, batch=max(2, min(config.batch, len(split.train) // 2)))
    trained = train_head(data, split, config, initial=initial)
    watched = data.only(part)
    epochs = [_epoch_record(epoch, trained.history.constant) for epoch in trained.history.epochs]
    return Fitted(
        method,
        trained.maps,
        [trained.maps],
        [_ranks(trained.maps, watched)],
        {"best_epoch": trained.history.best},
        epochs,
    )


def _config(
    task: Task, method: str, closed: Fitted | None
) -> tuple[TrainConfig, tuple[Floats, Floats] | None]:
    if method in _FROM_CLOSED and closed is not None:
        architecture, changes = _FROM_CLOSED[method]
        # Without the part that watches, or it would be known already.
        maps = closed.partial[0]
        if not isinstance(maps, LinearMaps):
            raise ValueError(f"{method} begins from linear maps, not from {closed.method}")
        weights = maps.tensors()
        initial = weights["texts"], weights["clips"]
        network = NetworkConfig(
            architecture, (initial[0].shape[1],), dropout=0.5, input_dropout=0.5
        )
        return TrainConfig(network, batch=_BATCH, seed=task.seed, **changes), initial
    if method == "transformer":
        network = NetworkConfig("transformer", (128,), layers=1, heads=8, hidden=256)
        return (
            TrainConfig(
                network,
                epochs=30,
                batch=128,
                rate=2e-3,
                warm_up=40,
                patience=8,
                skip_texts=int(not task.texts.is_pooled),
                seed=task.seed,
            ),
            None,
        )
    network = NetworkConfig("mlp", (512, 256), dropout=0.2, input_dropout=0.2)
    return (
        TrainConfig(network, epochs=40, batch=_BATCH, rate=1e-3, patience=5, seed=task.seed),
        None,
    )


def _standardised(task: Task) -> PairedRows:
    sides = [
        RaggedRows(_rows(side, expected), side.offsets)
        for side, expected in ((task.texts, task.text_side), (task.clips, task.clip_side))
    ]
    return PairedRows(sides[0], sides[1], task.owner)


def _rows(side: RaggedRows, expected: Side) -> Floats:
    return expected.standardise(side.rows)


def _ranks(maps: NetworkMaps, part: PairedRows) -> NDArray[np.float64]:
    texts, clips = maps.texts.embed(part.texts), maps.clips.embed(part.clips)
    offsets = np.arange(len(part.owner) + 1)
    ranks = rank_block(texts @ clips.T, part.owner, offsets, FLOAT32_TOLERANCE)
    return 1 / (ranks.better + (ranks.tied + 1) / 2)


def _epoch_record(epoch: Epoch, constant: float) -> dict[str, Any]:
    """Convert an epoch to JSON values, with the best constant's loss beside its own."""
    cosines = epoch.cosines
    return {
        "epoch": epoch.number,
        "train_loss": epoch.train_loss,
        "val_loss": epoch.val_loss,
        "constant_loss": constant,
        **epoch.measures,
        "positive": [cosines.positive, cosines.positive_sd],
        "negative": [cosines.negative, cosines.negative_sd],
        "collapsed": cosines.collapsed,
    }
