"""Fine-tune two towers as a Lightning module."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from moviola.align.training.history import measured
from moviola.finetune.training.gradient_cache import cached_gradients
from moviola.finetune.training.history import Epoch
from moviola.finetune.training.module import ContrastiveTraining
from moviola.finetune.two_tower.config import FinetuneConfig
from moviola.finetune.two_tower.data_module import Batch
from moviola.finetune.two_tower.frames import CachedFrames
from moviola.finetune.two_tower.loss import contrast
from moviola.finetune.two_tower.pairs import CaptionedClips
from moviola.finetune.two_tower.towers import TrainableTowers

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Finetuning(ContrastiveTraining):
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
        super().__init__(config, on_epoch)
        self.towers, self.data, self.frames = towers, data, frames
        self.held_out, self.config = held_out, config

    def learned(self) -> dict[str, nn.Parameter]:
        """Return the parameters that learn, by their names in this module."""
        return {f"towers.{name}": each for name, each in self.towers.learned().items()}

    def add_gradients(self, batch: Batch) -> Tensor:
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

    def measure(self) -> dict[str, float]:
        """Measure how captions find held-out clips."""
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
        return {name: float(value) for name, value in found.items()}

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
