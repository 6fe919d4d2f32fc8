"""Train the two networks of a head as a Lightning module."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.align.training.batches import Batch, PairedRows
from moviola.align.training.config import TrainConfig
from moviola.align.training.history import Cosines, Epoch, measured
from moviola.align.training.losses import MINING, Loss
from moviola.align.training.networks import Network
from moviola.evaluate.chance import chance_level

#: CLIP lets the factor on the cosine grow no further.
_MAX_SCALE = 100.0
#: Where the factor and the bias of SigLIP begin.
_SIGLIP = 10.0, -10.0
#: How many times chance the validation MRR must be before the hardest negatives are mined.
_MINING_FROM = 10.0


class HeadTraining(lightning.LightningModule):
    """Train two networks with a learned temperature and bias, and validate them.

    Args:
        networks: of the text side and of the video side.
        watched: the validation videos and their texts.
        config: of the run.
        on_epoch: told of every epoch when its validation is done.
    """

    def __init__(
        self,
        networks: tuple[Network, Network],
        watched: PairedRows,
        config: TrainConfig,
        *,
        on_epoch: Callable[[Epoch], None] = lambda _epoch: None,
    ) -> None:
        super().__init__()
        self.texts, self.clips = networks
        self.watched, self.config, self.on_epoch = watched, config, on_epoch
        scale, bias = start_of(config)
        self.log_scale = nn.Parameter(torch.tensor(math.log(scale)))
        self.bias = nn.Parameter(torch.tensor(bias))
        self.loss: Loss = config.function
        self.history: list[Epoch] = []
        self._seen: list[float] = []
        self._validated: list[float] = []

    @property
    def scale(self) -> Tensor:
        """Return the factor on the cosine, one over the temperature."""
        return self.log_scale.exp().clamp(max=_MAX_SCALE)

    def loss_of(self, batch: Batch) -> Tensor:
        """Compute the loss of one batch."""
        texts = functional.normalize(self.texts(batch["texts"], batch["texts_there"]), dim=-1)
        clips = functional.normalize(self.clips(batch["clips"], batch["clips_there"]), dim=-1)
        truth = batch["truth"]
        if truth.ndim == 1:
            return self.loss((texts * clips).sum(-1), truth, self.scale, self.bias)
        if self.training and self.trainer.world_size > 1:
            texts, clips = self._everywhere(texts), self._everywhere(clips)
            truth = torch.block_diag(*[truth.to(torch.uint8)] * self.trainer.world_size).bool()
        return self.loss(texts @ clips.T, truth, self.scale, self.bias)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:  # noqa: ARG002 - Lightning's
        """Seed what a step drops by its number, so that a resumed run drops the same."""
        numbers = [self.config.seed, self.current_epoch, batch_idx, self.global_rank]
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))

    def training_step(self, batch: Batch, _place: int) -> Tensor:
        """Compute the loss of one batch of training videos."""
        # Devices agree on gradients only where every parameter has one, used by the loss or not.
        loss = self.loss_of(batch) + 0 * (self.log_scale + self.bias)
        self._seen.append(float(loss.detach()))
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the losses of the validation before."""
        self._validated = []

    def validation_step(self, batch: Batch, _place: int) -> None:
        """Add the loss of one batch of validation videos."""
        self._validated.append(float(self.loss_of(batch)))

    def on_validation_epoch_end(self) -> None:
        """Measure retrieval and cosines on all validation videos."""
        data = self.watched
        texts, clips = self.texts.embed(data.texts), self.clips.embed(data.clips)
        measures = measured(texts, clips, data.owner)
        train_loss = float(np.mean(self._seen)) if self._seen else None
        epoch = Epoch(
            number=len(self.history),
            steps=self.global_step,
            train_loss=train_loss,
            val_loss=float(np.mean(self._validated)),
            measures=measures,
            cosines=Cosines.of(texts, clips, data.owner),
        )
        self._seen = []
        self.history.append(epoch)
        self.loss = self._mined(measures["MRR"], len(data.clips))
        figures = {"val_loss": epoch.val_loss, **{f"val_{k}": v for k, v in measures.items()}}
        if train_loss is not None:
            figures["train_loss"] = train_loss
        self.log_dict(figures)
        self.on_epoch(epoch)

    def configure_optimizers(self) -> Any:
        """Set up AdamW with a linear warm-up, then a constant or cosine rate."""
        config = self.config
        learned = [self.log_scale, self.bias]
        weights = [*self.texts.parameters(), *self.clips.parameters()]
        groups = [
            {"params": weights, "weight_decay": config.decay},
            {"params": learned, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=config.rate, fused=True)
        total = max(1, int(self.trainer.estimated_stepping_batches))

        def factor(step: int) -> float:
            if step < config.warm_up:
                return (step + 1) / config.warm_up
            if config.schedule == "constant":
                return 1.0
            done = (step - config.warm_up) / max(1, total - config.warm_up)
            return (1 + math.cos(math.pi * min(1.0, done))) / 2

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _mined(self, mrr: float, gallery: int) -> Loss:
        """Return the loss of the hardest negatives, once validation is well above chance."""
        above = mrr > _MINING_FROM * chance_level(gallery)
        return MINING.get(str(self.config.loss), self.loss) if above else self.loss

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the history in the checkpoint."""
        checkpoint["history"] = [asdict(epoch) for epoch in self.history]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the history from the checkpoint, and the loss that it led to."""
        self.history = [
            Epoch(**{**told, "cosines": Cosines(**told["cosines"])})
            for told in checkpoint["history"]
        ]
        for epoch in self.history:
            self.loss = self._mined(epoch.measures["MRR"], len(self.watched.clips))

    def _everywhere(self, vectors: Tensor) -> Tensor:
        """Gather the vectors of all devices, one after the other, with their gradients."""
        gathered: Any = self.all_gather(vectors, sync_grads=True)
        return gathered.flatten(0, 1)


def start_of(config: TrainConfig) -> tuple[float, float]:
    """Return the initial factor on the cosine and the initial bias of a loss."""
    return _SIGLIP if config.loss == "siglip" else (1 / config.temperature, 0.0)
