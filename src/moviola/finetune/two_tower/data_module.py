"""Feed batches of frames and tokens to Lightning's trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from moviola.finetune.two_tower.config import FinetuneConfig
from moviola.finetune.two_tower.frames import CachedFrames
from moviola.finetune.two_tower.pairs import CaptionedClips, Draw, draw_epoch
from moviola.finetune.two_tower.towers import TrainableTowers

if TYPE_CHECKING:
    from numpy.typing import NDArray

Batch = dict[str, Tensor]


class CaptionedFrames(lightning.LightningDataModule):
    """Serve the steps of each epoch, drawn anew from the seed and the epoch's number alone.

    Args:
        data: clips and captions.
        frames: of the clips, row for row.
        train: rows of the clips to learn from.
        towers: whose tokens are wanted.
        config: of the run.
    """

    def __init__(
        self,
        data: CaptionedClips,
        frames: CachedFrames,
        train: NDArray[np.int64],
        towers: TrainableTowers,
        config: FinetuneConfig,
    ) -> None:
        super().__init__()
        self.data, self.frames, self.train = data, frames, train
        self.towers, self.config = towers, config

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the steps of the epoch that begins."""
        epoch, rank, world = 0, 0, 1
        if self.trainer is not None:
            epoch, rank = self.trainer.current_epoch, self.trainer.global_rank
            world = self.trainer.world_size
        draws = draw_epoch(
            self.data,
            self.train,
            batch=self.config.batch,
            captions=self.config.captions,
            seed=[self.config.seed, 0, epoch],
            world=world,
        )
        return DataLoader(_Steps(self, draws, rank, world), batch_size=None)


class _Steps(Dataset[Batch]):
    """Read the frames and tokens of this device's share of each step."""

    def __init__(self, source: CaptionedFrames, draws: list[Draw], rank: int, world: int) -> None:
        self._source, self._draws, self._rank, self._world = source, draws, rank, world

    def __len__(self) -> int:
        return len(self._draws)

    def __getitem__(self, place: int) -> Batch:
        draw, source = self._draws[place], self._source
        size = len(draw.clips) // self._world
        of_device = draw.owner // size
        clips = draw.clips[self._rank * size : (self._rank + 1) * size]
        words = draw.words[of_device == self._rank]
        texts = [source.data.words[int(word)] for word in words]
        return {
            "frames": torch.from_numpy(source.frames[clips]),
            **source.towers.tokenize(texts),
            "owner": torch.from_numpy(draw.owner),
            "right": torch.from_numpy(draw.right),
            "texts_of_device": torch.from_numpy(np.bincount(of_device, minlength=self._world)),
        }
