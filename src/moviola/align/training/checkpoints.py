"""Keep the weights of the epochs of a training as safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import torch
from safetensors.torch import load_file, save_file

from moviola.align.training.batches import Batch, Batches, PairedRows, draw_batches
from moviola.align.training.module import HeadTraining

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Counts = NDArray[np.int64]


class KeepWeights(lightning.Callback):
    """Write the weights after every validation; keep the best, the last and every n-th.

    Args:
        folder: for `epoch-000.safetensors` and so on.
        every: epochs from one that stays to the next; 0 for none but the best and the last.
    """

    def __init__(self, folder: Path, *, every: int) -> None:
        self.folder, self.every = folder, every
        self.best, self.reached = 0, -1.0

    def path(self, epoch: int) -> Path:
        """Return the file of one epoch."""
        return self.folder / f"epoch-{epoch:03d}.safetensors"

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ARG002
        """Give every process weights of its own, which are the same."""
        if trainer.global_rank and not self.folder.name.startswith("device-"):
            self.folder /= f"device-{trainer.global_rank}"
            self.folder.mkdir(parents=True, exist_ok=True)

    def on_validation_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002
        """Write, remember a better validation MRR, and drop what is neither wanted nor best."""
        module: HeadTraining = pl_module
        epoch, before = module.history[-1], self.best
        if epoch.measures["MRR"] > self.reached:
            self.best, self.reached = epoch.number, epoch.measures["MRR"]
        state = {name: each.contiguous() for name, each in module.state_dict().items()}
        save_file(state, self.path(epoch.number))
        for old in {before, epoch.number - 1} - {self.best, epoch.number}:
            if not self.every or old % self.every:
                self.path(old).unlink(missing_ok=True)

    def state_dict(self) -> dict[str, Any]:
        """Return the state that a resumed run needs."""
        return {"best": self.best, "reached": self.reached}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the state of the run that is resumed."""
        self.best, self.reached = state_dict["best"], state_dict["reached"]

    def restore(self, module: HeadTraining, epoch: int) -> None:
        """Load the weights of an epoch into the module."""
        module.load_state_dict(load_file(self.path(epoch)))


def losses_of_checkpoints(
    module: HeadTraining, keep: KeepWeights, data: PairedRows, videos: Counts
) -> list[tuple[int, float]]:
    """Compute `(epoch, loss)` of the kept weights on unseen videos.

    Leaves the weights of the last epoch in `module`.
    """
    config = module.config
    draws = draw_batches(data, data.captioned(videos), config, [config.seed, 1 << 21])
    batches = Batches(data, draws)
    module.eval()
    found: list[tuple[int, float]] = []
    for epoch in module.history:
        if not keep.path(epoch.number).is_file():
            continue
        keep.restore(module, epoch.number)
        with torch.inference_mode():
            losses = [float(module.loss_of(_like(module, batches[i]))) for i in range(len(draws))]
        found.append((epoch.number, float(np.mean(losses))))
    return found


def _like(module: HeadTraining, batch: Batch) -> Batch:
    """Cast a batch to the precision of the weights."""
    dtype = next(module.parameters()).dtype
    return {
        name: each.to(dtype) if each.is_floating_point() else each for name, each in batch.items()
    }
