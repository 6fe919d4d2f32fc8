"""Feed the batches of training and validation to Lightning's trainer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lightning
from torch.utils.data import DataLoader

from moviola.align.training.batches import Batch, Batches, Draw, PairedRows, draw_batches
from moviola.align.training.config import TrainConfig

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class PairedData(lightning.LightningDataModule):
    """Serve training batches drawn anew every epoch, and fixed validation batches.

    What an epoch holds follows from the seed and the number of the epoch alone, so that a run that
    goes on from a checkpoint sees what it would have seen. On several devices each takes its share
    of every batch, so that no video is another's negative twice.

    Args:
        data: both sides.
        train: rows of the training videos.
        validation: rows of the validation videos.
        config: of the run.
    """

    def __init__(
        self,
        data: PairedRows,
        train: NDArray[np.int64],
        validation: NDArray[np.int64],
        config: TrainConfig,
    ) -> None:
        super().__init__()
        self.data, self.config = data, config
        self.train, self.validation = data.captioned(train), data.captioned(validation)

    def train_dataloader(self) -> DataLoader[Batch]:
        """Return the batches of the epoch that begins."""
        epoch, rank, world = 0, 0, 1
        if self.trainer is not None:
            epoch, rank = self.trainer.current_epoch, self.trainer.global_rank
            world = self.trainer.world_size
        seed = [self.config.seed, epoch]
        draws = draw_batches(self.data, self.train, self.config, seed)
        if world > 1:
            draws = [part for draw in draws if (part := _share(draw, rank, world)) is not None]
        batches = Batches(
            self.data, draws, mixup=self.config.mixup, seed=self.config.seed * 1_000_003 + epoch
        )
        return DataLoader(batches, batch_size=None)

    def val_dataloader(self) -> DataLoader[Batch]:
        """Return the validation batches, the same every time."""
        draws = draw_batches(self.data, self.validation, self.config, [self.config.seed, 1 << 20])
        return DataLoader(Batches(self.data, draws), batch_size=None)


def _share(draw: Draw, rank: int, world: int) -> Draw | None:
    """Take the part of one device; None where the parts would differ in size."""
    size = len(draw.clips) // world
    if not size:
        return None
    clips = slice(rank * size, (rank + 1) * size)
    if draw.truth.ndim == 1:
        return Draw(draw.texts[clips], draw.clips[clips], draw.truth[clips])
    each = len(draw.texts) // len(draw.clips)
    texts = slice(rank * size * each, (rank + 1) * size * each)
    return Draw(draw.texts[texts], draw.clips[clips], draw.truth[texts, clips])
