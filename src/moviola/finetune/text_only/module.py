"""Fine-tune a language model on pairs of texts as a Lightning module."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import lightning
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from moviola.align.training.history import measured
from moviola.finetune.text_only.config import TextOnlyConfig
from moviola.finetune.text_only.embedder import TextEmbedder
from moviola.finetune.text_only.loss import dual_softmax_loss
from moviola.finetune.text_only.pairs import SummarizedCaptions
from moviola.finetune.training.gradient_cache import cached_gradients
from moviola.finetune.training.history import Epoch
from moviola.finetune.training.module import ContrastiveTraining

if TYPE_CHECKING:
    from numpy.typing import NDArray


class TextOnlyTraining(ContrastiveTraining):
    """Train summaries to find their captions, and measure them on held-out pairs.

    Args:
        embedder: what is trained.
        pairs: of texts.
        held_out: rows of the pairs that are measured on.
        config: of the run.
        on_epoch: told of every epoch.
    """

    def __init__(
        self,
        embedder: TextEmbedder,
        pairs: SummarizedCaptions,
        *,
        held_out: NDArray[np.int64],
        config: TextOnlyConfig,
        on_epoch: Callable[[Epoch], Any] = lambda _epoch: None,
    ) -> None:
        super().__init__(config, on_epoch)
        self.embedder, self.pairs = embedder, pairs
        self.held_out, self.config = held_out, config

    def learned(self) -> dict[str, nn.Parameter]:
        """Return the parameters that learn, by their names in this module."""
        return {f"embedder.{name}": each for name, each in self.embedder.learned().items()}

    def add_gradients(self, batch: NDArray[np.int64]) -> Tensor:
        """Add the gradients of one step to the parameters, and return its loss."""
        parts = np.array_split(batch, math.ceil(len(batch) / self.config.chunk))
        rivals = torch.from_numpy(self.pairs.rivals(batch)).to(self.device)

        def embed(rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
            return (
                self.embedder([self.pairs.summaries[row] for row in rows]),
                self.embedder([self.pairs.captions[row] for row in rows]),
            )

        def loss(summaries: Tensor, captions: Tensor) -> Tensor:
            with torch.autocast(summaries.device.type, enabled=False):
                cosines = summaries.float() @ captions.float().T
                return dual_softmax_loss(cosines, rivals, 1 / self.config.temperature)

        return cached_gradients(
            [lambda rows=rows: embed(rows) for rows in parts], loss, self.manual_backward
        )

    def measure(self) -> dict[str, float]:
        """Measure how summaries find held-out captions."""
        rows: list[int] = self.held_out.tolist()
        captions = list(dict.fromkeys(self.pairs.captions[row] for row in rows))
        place = {caption: number for number, caption in enumerate(captions)}
        owner = np.array([place[self.pairs.captions[row]] for row in rows], np.int64)
        summaries = self.embedder.embed_all([self.pairs.summaries[row] for row in rows])
        found = measured(summaries, self.embedder.embed_all(captions), owner)
        return {name: float(value) for name, value in found.items()}


class PairBatches(lightning.LightningDataModule):
    """Serve the steps of each epoch, drawn anew from the seed and the epoch's number alone.

    Args:
        train: rows of the pairs to learn from.
        config: of the run.
    """

    def __init__(self, train: NDArray[np.int64], config: TextOnlyConfig) -> None:
        super().__init__()
        self.train, self.config = train, config

    def train_dataloader(self) -> DataLoader[Any]:
        """Return the steps of the epoch that begins: all pairs but a remainder."""
        epoch = 0 if self.trainer is None else self.trainer.current_epoch
        order = np.random.default_rng([self.config.seed, 0, epoch]).permutation(self.train)
        size = min(self.config.batch, len(order))
        steps: Any = [order[at : at + size] for at in range(0, len(order) - size + 1, size)]
        return DataLoader(steps, batch_size=None, collate_fn=np.asarray)
