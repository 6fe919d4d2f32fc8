"""Train heads as methods of a fit; this needs Lightning."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align.closed_form.cca import unwatched_maps
from moviola.align.closed_form.task import Fitted, Task
from moviola.align.data.rows import RaggedRows
from moviola.align.data.splitting import VideoSplit
from moviola.align.head.side import Side
from moviola.align.options import Precision, TrainOptions
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
_PRECISIONS: dict[Precision, Any] = {
    "float32": "32-true",
    "float64": "64-true",
    "float16": "16-mixed",
    "bfloat16": "bf16-mixed",
}


def fit_trained(task: Task, method: str, closed: Fitted | None = None) -> Fitted:
    """Train a head on all but two parts: one chooses the epoch, the other is reported.

    Args:
        task: what is to be fitted.
        method: `linear`, `siglip`, `fusemix`, `residual`, `mlp` or `transformer`.
        closed: what the closed form gave, where `method` begins from it.

    Raises:
        ValueError: when a setting does not fit the method.
    """
    data = _standardised(task)
    part, watched = task.parts[0], task.watched
    known = data.captioned(np.arange(len(data.clips)))
    split = VideoSplit(np.setdiff1d(known, np.concatenate([part, watched])), watched)
    initial = None if closed is None else _start(task, method, closed)
    config = _config(task, method, initial)
    if not config.by_pairs:
        config = replace(config, batch=max(2, min(config.batch, len(split.train) // 2)))
    output = task.output
    trained = train_head(
        data,
        split,
        config,
        initial=initial,
        folder=output.folder,
        resume=output.resume,
        logger=output.logger,
        callbacks=output.callbacks,
    )
    epochs = [_epoch_record(epoch, trained.history.constant) for epoch in trained.history.epochs]
    return Fitted(
        method,
        trained.maps,
        [trained.maps],
        [_ranks(trained.maps, data.only(part))],
        {"best_epoch": trained.history.best, "training": _config_record(config)},
        epochs,
    )


def _start(task: Task, method: str, closed: Fitted) -> tuple[Floats, Floats]:
    if closed.method != "cca":
        raise ValueError(f"{method} begins from canonical correlations, not from {closed.method}")
    weights = unwatched_maps(task, closed).tensors()
    return weights["texts"], weights["clips"]


def _config(task: Task, method: str, initial: tuple[Floats, Floats] | None) -> TrainConfig:
    """Configure a training by the defaults of its method and the settings that were asked for."""
    asked = task.training
    if initial is not None:
        architecture, changes = _FROM_CLOSED[method]
        network = NetworkConfig(
            architecture, (initial[0].shape[1],), dropout=0.5, input_dropout=0.5
        )
        config = TrainConfig(network, batch=_BATCH, seed=task.seed, **changes)
    elif method == "transformer":
        network = NetworkConfig("transformer", (128,), layers=1, heads=8, hidden=256)
        config = TrainConfig(
            network,
            epochs=30,
            batch=128,
            rate=2e-3,
            warm_up=40,
            patience=8,
            skip_texts=int(not task.texts.is_pooled),
            seed=task.seed,
        )
    else:
        network = NetworkConfig("mlp", (512, 256), dropout=0.2, input_dropout=0.2)
        config = TrainConfig(
            network, epochs=40, batch=_BATCH, rate=1e-3, patience=5, seed=task.seed
        )
    wanted: dict[str, Any] = {
        name: value
        for name, value in asked.given().items()
        if name in {"loss", "rate", "epochs", "batch"}
    }
    if asked.precision is not None:
        wanted["precision"] = _PRECISIONS[asked.precision]
    if asked.patience is not None:
        wanted["patience"] = asked.patience or None
    return replace(config, network=_network(config.network, method, asked), **wanted)


def _network(network: NetworkConfig, method: str, asked: TrainOptions) -> NetworkConfig:
    if asked.heads is not None:
        if method != "transformer":
            raise ValueError(f"{method} has no attention, and takes no --heads; a transformer has")
        network = replace(network, heads=asked.heads)
    if asked.layers is None:
        return network
    if method == "mlp":
        return replace(network, widths=asked.layers)
    if method == "transformer":
        if len(asked.layers) > 1:
            raise ValueError(
                f"--layers of a transformer is how many it has, one number, not {asked.layers}"
            )
        return replace(network, layers=max(asked.layers))
    raise ValueError(
        f"{method} has the width at which the closed form ends, and takes no --layers; an mlp does"
    )


def _config_record(config: TrainConfig) -> dict[str, Any]:
    """Convert the settings of a training to JSON values."""
    loss = config.loss if isinstance(config.loss, str) else config.loss.__name__
    return asdict(replace(config, loss="infonce")) | {"loss": loss}


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
