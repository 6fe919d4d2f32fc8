"""Heads that are trained, as ways to fit beside the closed forms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from moviola.align.choosing import reciprocal_ranks
from moviola.align.networks import Architecture, NetworkConfig
from moviola.align.splitting import VideoSplit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.align.methods import Fitted, Task
    from moviola.align.train_config import TrainConfig

    Floats = NDArray[np.float32]

#: Width of the output of networks that begin at random.
_WIDTH = 256
#: Videos a step at most, and steps an epoch at least.
_BATCH, _STEPS = 1024, 8


def fit_trained(
    task: Task, architecture: Architecture, start: Fitted | None = None, *, loss: str = "info_nce"
) -> Fitted:
    """A head of two networks, trained on all videos but the first part held out, which is watched.

    Args:
        task: what is to be fitted.
        architecture: of both networks.
        start: a linear head where `linear` and `residual` begin; None for random weights.
        loss: a name of `moviola.align.losses.LOSSES`.

    Raises:
        MissingExtraError: when Lightning is not installed.
        ValueError: when there is no such loss.
    """
    from moviola.align.batches import PairedRows
    from moviola.align.methods import Fitted
    from moviola.align.rows import RaggedRows
    from moviola.align.train import train_head

    pairs = task.pairs
    initial = None if start is None else _linear(start)
    train = np.setdiff1d(pairs.captioned, task.parts[0])
    width = _WIDTH if initial is None else initial[0].shape[1]
    config = trained_config(architecture, width, videos=len(train), loss=loss, seed=task.seed)
    data = PairedRows(
        RaggedRows.pooled(pairs.text_rows(np.arange(len(pairs.texts)))),
        RaggedRows.pooled(pairs.clip_rows(np.arange(len(pairs.clips)))),
        pairs.owner,
    )
    head = train_head(data, VideoSplit(train, task.parts[0]), config, initial=initial)
    return Fitted(
        architecture,
        head.maps,
        [head.maps],
        reciprocal_ranks(head.maps, task.held[0]),
        {"loss": loss, "width": width, "batch": config.batch, "rate": config.rate}
        | _told(head.history.to_json()),
    )


def trained_config(
    architecture: Architecture, width: int, *, videos: int, loss: str, seed: int
) -> TrainConfig:
    """How a network is trained where nobody says otherwise.

    What begins at the closed form is only tuned: a low rate, and much of the input dropped, because
    canonical coordinates fit the training pairs far better than they fit others.

    Args:
        architecture: of both networks.
        width: of the output.
        videos: that are learned from.
        loss: a name of `moviola.align.losses.LOSSES`.
        seed: of weights and order.
    """
    from moviola.align.train_config import TrainConfig

    tuned = architecture in ("linear", "residual")
    network = NetworkConfig(
        architecture,
        (1024, width) if architecture == "mlp" else (width,),
        dropout=0.1 if architecture == "transformer" else 0.5,
        input_dropout=0.5 if tuned else 0.2 if architecture == "mlp" else 0.0,
    )
    return TrainConfig(
        network,
        loss=loss,
        epochs=20 if tuned else 40,
        batch=max(2, min(_BATCH, videos // _STEPS)),
        rate=1e-4 if tuned else 1e-3,
        warm_up=0 if tuned else 20,
        patience=3 if tuned else 6,
        skip_texts=int(architecture == "transformer"),
        seed=seed,
    )


def better(one: Fitted, other: Fitted) -> bool:
    """Whether the first part that was held out is ranked better by `other`, beyond its error.

    The error is the standard error of the mean difference, over the same captions.
    """
    count = min(len(one.reciprocal_ranks), len(other.reciprocal_ranks))
    gain = other.reciprocal_ranks[:count] - one.reciprocal_ranks[:count]
    return bool(gain.mean() > gain.std(ddof=1) / np.sqrt(count))


def _linear(start: Fitted) -> tuple[Floats, Floats]:
    """The maps that a linear head has without its first part."""
    tensors = start.partial[0].tensors()
    return tensors["texts"], tensors["clips"]


def _told(history: dict[str, Any]) -> dict[str, Any]:
    return {"history": history}
