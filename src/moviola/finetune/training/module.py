"""Train a model by contrast as a Lightning module, and measure it after every epoch."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Protocol

import lightning
import numpy as np
import torch
from torch import Tensor, nn

from moviola.finetune.training.history import Epoch


class OptimizerConfig(Protocol):
    """The settings of a run that its optimiser needs."""

    @property
    def decay(self) -> float:
        """Return the weight decay of AdamW."""
        ...

    @property
    def warm_up(self) -> float:
        """Return the share of all steps over which the rate rises."""
        ...

    @property
    def clip(self) -> float:
        """Return the length of a step's gradient at most."""
        ...

    @property
    def highest_rate(self) -> float:
        """Return the learning rate at its highest."""
        ...


class ContrastiveTraining(lightning.LightningModule):
    """Train what learns of a model, step by step, and keep a history of what was measured.

    Args:
        config: of the run.
        on_epoch: told of every epoch.
    """

    def __init__(self, config: OptimizerConfig, on_epoch: Callable[[Epoch], Any]) -> None:
        super().__init__()
        self.automatic_optimization = False
        # A checkpoint holds what learns, not the frozen weights around it.
        self.strict_loading = False
        self.run, self.on_epoch = config, on_epoch
        self.history: list[Epoch] = []
        self._losses: list[float] = []

    @abstractmethod
    def learned(self) -> dict[str, nn.Parameter]:
        """Return the parameters that learn, by their names in this module."""

    @abstractmethod
    def add_gradients(self, batch: Any) -> Tensor:
        """Add the gradients of one step to the parameters, and return its loss."""

    @abstractmethod
    def measure(self) -> dict[str, float]:
        """Measure retrieval on what is held out."""

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters that learn, by name."""
        state = super().state_dict(*args, **kwargs)
        return {name: state[name] for name in self.learned()}

    def on_train_start(self) -> None:
        """Measure the model before the first step."""
        if not self.history:
            self._record(None)

    def training_step(self, batch: Any, _place: int) -> None:
        """Take one step: gradients chunk by chunk, clipped."""
        optimizer: Any = self.optimizers()
        schedule: Any = self.lr_schedulers()
        optimizer.zero_grad()
        loss = self.add_gradients(batch)
        torch.nn.utils.clip_grad_norm_(self.learned().values(), self.run.clip)
        optimizer.step()
        schedule.step()
        self._losses.append(float(loss))

    def on_train_epoch_end(self) -> None:
        """Measure the model."""
        self._record(float(np.mean(self._losses)))
        self._losses = []

    def configure_optimizers(self) -> Any:
        """Set up AdamW; the rate rises in a straight line, then falls along half a cosine."""
        config, learned = self.run, self.learned().values()
        groups = [
            {"params": [each for each in learned if each.ndim > 1], "weight_decay": config.decay},
            {"params": [each for each in learned if each.ndim < 2], "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(
            [group for group in groups if group["params"]],
            lr=config.highest_rate,
            betas=(0.9, 0.98),
        )
        total = max(1, int(self.trainer.estimated_stepping_batches))
        warm_up = max(1, round(config.warm_up * total))

        def factor(step: int) -> float:
            if step < warm_up:
                return (step + 1) / warm_up
            done = (step - warm_up) / max(1, total - warm_up)
            return (1 + math.cos(math.pi * min(1.0, done))) / 2

        return [optimizer], [torch.optim.lr_scheduler.LambdaLR(optimizer, factor)]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the history in the checkpoint."""
        checkpoint["history"] = [asdict(epoch) for epoch in self.history]

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Restore the history from the checkpoint."""
        self.history = [Epoch(**told) for told in checkpoint["history"]]

    def _record(self, loss: float | None) -> None:
        """Measure, and tell of the epoch."""
        measures = self.measure()
        epoch = Epoch(len(self.history), self.global_step, loss, measures)
        self.history.append(epoch)
        if loss is not None:
            self.log_dict({"loss": loss, **{f"held_out_{k}": v for k, v in measures.items()}})
        self.on_epoch(epoch)
