"""Fine-tune two towers as a Lightning module."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import torch
from torch import Tensor

from moviola.align.training.history import measured
from moviola.finetune.config import FinetuneConfig
from moviola.finetune.data_module import Batch
from moviola.finetune.frames import CachedFrames
from moviola.finetune.gradient_cache import cached_gradients
from moviola.finetune.history import Epoch
from moviola.finetune.loss import contrast
from moviola.finetune.pairs import CaptionedClips
from moviola.finetune.towers import TrainableTowers

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Finetuning(lightning.LightningModule):
    """Train towers by contrast, with cached gradients, and measure them on held-out clips.

    Args:
        towers: what is trained.
        data: clips and captions.
        frames: of the clips, row for row.
        held_out: rows of the clips that are measured on.
        config: of the run.
        on_epoch: told of every epoch.
    """

    def __init__(
        self,
        towers: TrainableTowers,
        data: CaptionedClips,
        frames: CachedFrames,
        *,
        held_out: NDArray[np.int64],
        config: FinetuneConfig,
        on_epoch: Callable[[Epoch], Any] = lambda _epoch: None,
    ) -> None:
        super().__init__()
        self.automatic_optimization = False
        # A checkpoint holds what learns, not the frozen weights around it.
        self.strict_loading = False
        self.towers, self.data, self.frames = towers, data, frames
        self.held_out, self.config, self.on_epoch = held_out, config, on_epoch
        self.history: list[Epoch] = []
        self._losses: list[float] = []

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the parameters that learn, by name."""
        state = super().state_dict(*args, **kwargs)
        return {name: state[name] for name in (f"towers.{each}" for each in self.towers.learned())}

    def on_train_start(self) -> None:
        """Measure the towers before the first step."""
        if not self.history:
            self._measure(None)

    def training_step(self, batch: Batch, _place: int) -> None:
        """Take one step: gradients chunk by chunk, clipped."""
        optimizer: Any = self.optimizers()
        schedule: Any = self.lr_schedulers()
        optimizer.zero_grad()
        loss = self._gradients(batch)
        torch.nn.utils.clip_grad_norm_(self.towers.learned().values(), self.config.clip)
        optimizer.step()
        schedule.step()
        self._losses.append(float(loss))

    def on_train_epoch_end(self) -> None:
        """Measure the towers."""
        self._measure(float(np.mean(self._losses)))
        self._losses = []

    def configure_optimizers(self) -> Any:
        """Set up AdamW; the rate rises in a straight line, then falls along half a cosine."""
        config, learned = self.config, self.towers.learned().values()
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

    def _gradients(self, batch: Batch) -> Tensor:
        """Add the gradients of one step to the parameters, and return its loss."""
        frames = batch["frames"]
        count = math.ceil(len(frames) / self.config.chunk)
        tokens = {
            name: batch[name].tensor_split(count) for name in ("ids", "mask") if name in batch
        }

        def chunk(place: int, clips: Tensor) -> tuple[Tensor, Tensor]:
            texts = {name: parts[place] for name, parts in tokens.items()}
            return self.towers.embed_texts(texts), self.towers.embed_clips(clips)

        parts = frames.tensor_split(count)
        free = [each for each in self._temperature() if each.requires_grad]
        return cached_gradients(
            [lambda place=place: chunk(place, parts[place]) for place in range(count)],
            lambda texts, clips: self._loss(texts, clips, batch),
            self.manual_backward,
            shared=free,
            factor=float(self.trainer.world_size),
        )

    def _temperature(self) -> list[Tensor]:
        """Return what the loss uses beside vectors, and SigLIP's bias, which InfoNCE ignores."""
        core = self.towers.core
        return [core.logit_scale, *([core.logit_bias] if hasattr(core, "logit_bias") else [])]

    def _loss(self, texts: Tensor, clips: Tensor, batch: Batch) -> Tensor:
        """Compute the loss of all devices' vectors; only this one's have gradients."""
        if self.trainer.world_size > 1:
            sizes = batch["texts_of_device"].tolist()
            texts, clips = self._everywhere(texts, sizes), self._everywhere(clips, None)
        with torch.autocast(texts.device.type, enabled=False):
            cosines = texts.float() @ clips.float().T
            loss = contrast(cosines, batch["owner"], batch["right"], self.towers.scale)
        return loss + 0 * sum(each.sum() for each in self._temperature())

    def _everywhere(self, vectors: Tensor, sizes: list[int] | None) -> Tensor:
        """Put the vectors of all devices one after the other, padding what differs in number."""
        rank, world = self.trainer.global_rank, self.trainer.world_size
        sizes = sizes or [len(vectors)] * world
        padded = torch.nn.functional.pad(vectors.detach(), (0, 0, 0, max(sizes) - len(vectors)))
        found = [each[:size] for each, size in zip(self.all_gather(padded), sizes, strict=True)]
        return torch.cat([vectors if place == rank else each for place, each in enumerate(found)])

    def _measure(self, loss: float | None) -> None:
        captions = [self.data.captions[clip] for clip in self.held_out]
        rows = np.unique(np.concatenate(captions))
        own = {int(word): place for place, words in enumerate(captions) for word in words}
        # A wording of several held-out clips would be asked for one of them alone.
        alone = [
            int(row)
            for row in rows
            if len(self.data.clips_of_words[row].intersection(self.held_out.tolist())) == 1
        ]
        texts, clips = self.towers.embed_all(
            self.frames,
            self.held_out,
            [self.data.words[row] for row in alone],
            size=self.config.chunk,
        )
        owner = np.array([own[row] for row in alone], np.int64)
        found = measured(texts.numpy(), clips.numpy(), owner)
        measures = {name: float(value) for name, value in found.items()}
        epoch = Epoch(len(self.history), self.global_step, loss, measures)
        self.history.append(epoch)
        if loss is not None:
            self.log_dict({"loss": loss, **{f"held_out_{k}": v for k, v in measures.items()}})
        self.on_epoch(epoch)
