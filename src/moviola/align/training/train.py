"""Train a head with Lightning, from rows to maps and the history of the training.

Importing this raises `MissingExtraError` where Lightning is not installed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
import torch

from moviola.core import MissingExtraError

try:
    import lightning
except ImportError as error:
    raise MissingExtraError(
        'training a head needs Lightning; install it with pip install "moviola[train]", or fit '
        "in closed form"
    ) from error
from lightning.pytorch.callbacks import EarlyStopping

from moviola.align.data.splitting import VideoSplit
from moviola.align.options import TrainOutput
from moviola.align.training.batches import PairedRows, draw_batches
from moviola.align.training.checkpoints import KeepWeights, losses_of_checkpoints
from moviola.align.training.config import TrainConfig
from moviola.align.training.data_module import PairedData
from moviola.align.training.history import Epoch, History
from moviola.align.training.loggers import make_loggers, quiet_lightning
from moviola.align.training.losses import constant_loss
from moviola.align.training.module import HeadTraining, start_of
from moviola.align.training.networks import Network, NetworkMaps
from moviola.align.training.resuming import RESUME, keep_last

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    #: `(D_t, K)` and `(D_v, K)` maps where networks begin.
    LinearStart = tuple[Floats, Floats]

#: Epochs at most whose weights are kept for the curve of the test loss.
_CHECKPOINTS = 25


@dataclass(frozen=True, slots=True, eq=False)
class TrainedHead:
    """Hold the trained maps and the history of their training.

    Attributes:
        maps: both networks, with the weights that were kept.
        history: every epoch.
    """

    maps: NetworkMaps
    history: History


def train_head(
    data: PairedRows,
    split: VideoSplit,
    config: TrainConfig,
    *,
    initial: LinearStart | None = None,
    folder: Path | str | None = None,
    resume: bool = False,
    logger: object = "csv",
    callbacks: Sequence[object] = (),
    on_epoch: Callable[[Epoch], None] = lambda _epoch: None,
) -> TrainedHead:
    """Train both networks of a head; validation decides when to end and what to keep.

    Args:
        data: both sides, standardised unless raw rows are what is asked about.
        split: rows of the videos. Of the test videos the loss of every epoch is computed when
            training is over; nothing else looks at them.
        config: of the run.
        initial: `(D_t, K)` and `(D_v, K)` maps where `linear` and `residual` networks begin.
        folder: for the log (`metrics.csv`), weights, and `last.ckpt`, which only resumes; None for
            a temporary one.
        resume: go on from `last.ckpt` in `folder`.
        logger: `csv`; `tensorboard` or `wandb` beside it; or loggers of Lightning's.
        callbacks: of Lightning's trainer, beside our own.
        on_epoch: told of every epoch, number 0 before the first step.

    Raises:
        ValueError: when a part has no captions, or rows do not fit the network.
        FileNotFoundError: when there is nothing to resume.
        MissingExtraError: when the package of a logger is not installed.
        TypeError: when a callback is none of Lightning's.
    """
    folder = None if folder is None else Path(folder)
    if resume and not (folder and (folder / RESUME).is_file()):
        raise FileNotFoundError(f"there is no {RESUME} to resume; train from the start")
    output = TrainOutput(folder, resume, logger, callbacks)
    with tempfile.TemporaryDirectory() as place, torch.random.fork_rng(), quiet_lightning():
        torch.manual_seed(config.seed)
        where = Path(place) if folder is None else folder
        where.mkdir(parents=True, exist_ok=True)
        loaders = PairedData(data, split.train, split.validation, config)
        module = HeadTraining(
            build_networks(data, config, initial),
            data.only(loaders.validation),
            config,
            on_epoch=on_epoch,
        )
        every = 0 if split.test is None else -(-config.epochs // _CHECKPOINTS)
        keep = KeepWeights(where, every=every)
        trainer = _trainer(config, keep, where, output)
        if resume:
            trainer.fit(module, loaders, ckpt_path=where / RESUME, weights_only=True)
        else:
            trainer.validate(module, loaders, verbose=False)
            trainer.fit(module, loaders)
        module.cpu()
        unseen = split.test
        losses = () if unseen is None else losses_of_checkpoints(module, keep, data, unseen)
        kept = keep.best if config.keep_best else module.history[-1].number
        keep.restore(module, kept)
    constant = _constant(data, loaders.train, config)
    maps = NetworkMaps(*(side.float().eval() for side in (module.texts, module.clips)))
    return TrainedHead(maps, History(module.history, constant, kept, losses))


def build_networks(
    data: PairedRows, config: TrainConfig, initial: LinearStart | None = None
) -> tuple[Network, Network]:
    """Build untrained networks of both sides; their weights follow from torch's seed.

    Raises:
        ValueError: when an item has several rows and the network takes one.
    """
    made: list[Network] = []
    for place, (side, skip) in enumerate(
        ((data.texts, config.skip_texts), (data.clips, config.skip_clips))
    ):
        if not (side.is_pooled or config.network.takes_rows):
            raise ValueError(
                f"the {('texts', 'videos')[place]} have several rows an item, and a network of "
                f"kind {config.network.architecture} takes one; pool them first"
            )
        begin = None if initial is None else torch.from_numpy(initial[place])
        made.append(Network(config.network, side.dimension, skip=skip, linear=begin))
    return made[0], made[1]


def _trainer(
    config: TrainConfig, keep: KeepWeights, folder: Path, output: TrainOutput
) -> lightning.Trainer:
    callbacks: list[lightning.Callback] = [keep, keep_last(folder)]
    if config.patience is not None:
        callbacks.append(EarlyStopping("val_MRR", mode="max", patience=config.patience))
    return lightning.Trainer(
        accelerator=config.accelerator,
        devices=config.devices,
        strategy=config.strategy,
        precision=config.precision,
        max_epochs=config.epochs,
        callbacks=[*callbacks, *_require_callbacks(output.callbacks)],
        logger=make_loggers(output.logger, folder),
        log_every_n_steps=10_000,
        num_sanity_val_steps=0,
        # The data module deals out every epoch, and every device's share of it, by itself.
        reload_dataloaders_every_n_epochs=1,
        use_distributed_sampler=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


def _require_callbacks(given: Sequence[object]) -> list[lightning.Callback]:
    for each in given:
        if not isinstance(each, lightning.Callback):
            raise TypeError(f"{each!r} is no callback of Lightning's")
    return cast("list[lightning.Callback]", list(given))


def _constant(data: PairedRows, train: NDArray[np.int64], config: TrainConfig) -> float:
    """Compute the loss of the best constant predictor on a batch, or on the table of pairs."""
    draws = draw_batches(data, train, replace(config, limit_batches=None), [config.seed, 0])
    truth = np.concatenate([draw.truth for draw in draws[: None if config.by_pairs else 1]])
    scale, bias = (torch.tensor(value) for value in start_of(config))
    return constant_loss(config.function, torch.from_numpy(truth), scale, bias)
