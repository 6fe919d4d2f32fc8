"""Train the shipped encoder as a Lightning module."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from moviola.encode.shapes.model import TowerConfig, Towers
from moviola.synthetic.shapes.facts import (
    BACKGROUNDS,
    COLOURS,
    MOTIONS,
    SHAPES,
    SIZES,
    THING_FACTS,
)

CAMERAS_SEEN = 5
FACT_SIZES = {
    "shape": len(SHAPES),
    "colour": len(COLOURS),
    "size": len(SIZES),
    "motion": len(MOTIONS),
}
"""Facts of a thing that a plain world shows, in the order of their columns."""
THINGS_SEEN = 2
SURE = 0.75
"""Windows with less of their main shot are neither right nor wrong for what is true of it."""


@dataclass(frozen=True)
class TrainConfig:
    """Configure the training of the encoder."""

    steps: int = 1800
    rate: float = 2e-3
    warm_up: int = 200
    decay: float = 0.05
    ema: float = 0.998
    yes_no_weight: float = 0.3
    """Weight of the loss that asks of every pair whether it is true."""
    place_weight: float = 1.0
    """Weight of the labels of single cells at the start; it falls to a fifth of that by the end."""
    pair_weight: float = 1.0
    """Weight of the labels of pairs of facts, read from the vector itself; it falls as well."""


def pair_offsets() -> tuple[dict[tuple[str, str], int], int]:
    """Compute where each pair of a thing's facts begins among the labels, and their number."""
    names = list(FACT_SIZES)
    offsets: dict[tuple[str, str], int] = {}
    total = 0
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            offsets[first, second] = total
            total += FACT_SIZES[first] * FACT_SIZES[second]
    return offsets, total


def thing_codes(shots: Tensor) -> Tensor:
    """Split codes (B, WIDTH) into (B, 2, 4): shape, colour, size, motion; -1 for none."""
    per = len(THING_FACTS)
    return shots[:, 2 : 2 + THINGS_SEEN * per].view(-1, THINGS_SEEN, per)[..., : len(FACT_SIZES)]


def pair_labels(shots: Tensor) -> Tensor:
    """Convert codes (B, WIDTH) to 0/1 labels: pairs of facts, background, camera.

    Pairs instead of single facts, because only they tell which colour has which motion.
    """
    offsets, pairs = pair_offsets()
    things = thing_codes(shots).long()
    names = list(FACT_SIZES)
    labels = things.new_zeros(
        len(shots), pairs + len(BACKGROUNDS) + CAMERAS_SEEN, dtype=torch.float32
    )
    rows = torch.arange(len(shots), device=shots.device)
    for thing in range(THINGS_SEEN):
        for (first, second), offset in offsets.items():
            a, b = things[:, thing, names.index(first)], things[:, thing, names.index(second)]
            there = (a >= 0) & (b >= 0)
            labels[rows[there], (offset + a * FACT_SIZES[second] + b)[there]] = 1
    labels[rows, pairs + shots[:, 0].long()] = 1
    labels[rows, pairs + len(BACKGROUNDS) + shots[:, 1].long()] = 1
    return labels


def masked_nce(logits: Tensor, target: Tensor, ignored: Tensor) -> Tensor:
    """Compute cross-entropy over rows in which other right answers do not count as wrong.

    Oord, Li and Vinyals, "Representation learning with contrastive predictive coding", 2018,
    equation 4, with the pairs in `ignored` left out of the sum.

    Args:
        logits: (N, M) scores.
        target: (N,) column of each row's own answer.
        ignored: (N, M) bool, True where a column is neither; the target's own column may be among
            them.
    """
    rows = torch.arange(len(logits), device=logits.device)
    ignored = ignored.clone()
    ignored[rows, target] = False
    return functional.cross_entropy(logits.masked_fill(ignored, -1e4), target)


def contrast(texts: Tensor, videos: Tensor, scale: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
    """Compute InfoNCE over one batch in both directions.

    Args:
        texts: (N, D) unit vectors.
        videos: (B, D) unit vectors.
        scale: factor on the cosine.
        batch: `truth` (N, B), `owner` (N,), `coverage` (B,).
    """
    logits = scale * texts @ videos.T
    truth, owner = batch["truth"], batch["owner"]
    sure = batch["coverage"] >= SURE
    # What is true of a half-shown shot is neither right nor wrong of the window.
    rows = sure[owner]
    t2v = masked_nce(logits[rows], owner[rows], truth[rows])
    own = torch.arange(len(owner), device=owner.device)[rows]
    v2t = masked_nce(logits.T[owner[rows]], own, truth.T[owner[rows]])
    return t2v + v2t


def agreement(
    texts: Tensor, videos: Tensor, scale: Tensor, bias: Tensor, batch: Mapping[str, Tensor]
) -> Tensor:
    """Compute the logistic loss of every text and window, which fixes one scale for all queries.

    Zhai et al., "Sigmoid loss for language image pre-training", 2023, equation 1, with the facts
    as labels.

    Args:
        texts: (N, D) unit vectors.
        videos: (B, D) unit vectors.
        scale: factor on the cosine.
        bias: what is added to it.
        batch: `truth` (N, B) and `coverage` (B,).
    """
    truth = batch["truth"]
    known = ~truth | (batch["coverage"] >= SURE)
    logits = scale * texts @ videos.T + bias
    loss = functional.binary_cross_entropy_with_logits(logits, truth.float(), reduction="none")
    return (loss * known).sum(1).mean()


class ShapesTraining(lightning.LightningModule):
    """Train the towers with auxiliary heads and a running mean of the weights."""

    def __init__(self, towers: TowerConfig, train: TrainConfig) -> None:
        super().__init__()
        self.train_config = train
        self.towers = Towers(towers)
        self.towers.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        _, pairs = pair_offsets()
        self.pairs = nn.Linear(towers.dimension, pairs + len(BACKGROUNDS) + CAMERAS_SEEN)
        self.places = nn.Linear(
            towers.width, 1 + sum(FACT_SIZES.values()) + len(BACKGROUNDS) + CAMERAS_SEEN
        )
        self.sure_scale = nn.Parameter(torch.tensor(2.5))
        self.sure_bias = nn.Parameter(torch.tensor(-8.0))
        self.mean = torch.optim.swa_utils.AveragedModel(
            self.towers,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(train.ema),
            use_buffers=True,
        )

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ARG002
        """Update the running mean."""
        if self.global_step == self.train_config.warm_up:
            self.mean.n_averaged.zero_()
        self.mean.update_parameters(self.towers)

    def training_step(self, batch: Mapping[str, Tensor], _index: int) -> Tensor:
        """Compute the loss of one batch."""
        vectors, cells = self.towers.video(batch["frames"])
        videos = functional.normalize(vectors.float(), dim=-1)
        texts = self.towers.texts(batch["numbers"])
        nce = contrast(texts, videos, self.towers.scale.exp().clamp(max=60), batch)
        yes_no = agreement(texts, videos, self.sure_scale.exp(), self.sure_bias, batch)
        # The labels are read from the vector that is compared, stretched by a constant.
        pairs = self._pair_loss(self.pairs(videos * 16), batch)
        places = self._place_loss(self.places(cells).float(), batch)
        fade = 0.2 + 0.8 * max(0.0, 1 - self.global_step / (0.7 * self.train_config.steps))
        config = self.train_config
        loss = (
            nce
            + config.yes_no_weight * yes_no
            + fade * (config.pair_weight * pairs + config.place_weight * places)
        )
        self.log_dict(
            {
                "nce": nce,
                "yes_no": yes_no,
                "pairs": pairs,
                "places": places,
                "scale": self.towers.scale.exp(),
            }
        )
        return loss

    def _pair_loss(self, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        sure = batch["coverage"] >= SURE
        labels = pair_labels(batch["shots"])
        loss = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
        # A label is 1 in a few of two hundred cases; the sum weighs a window, not a label.
        return loss[sure].sum(1).mean() / 4

    def _place_loss(self, logits: Tensor, batch: Mapping[str, Tensor]) -> Tensor:
        full = batch["coverage"] == 1
        logits, cells = logits[full], batch["cells"][full].flatten(1).long()
        there = cells >= 0
        loss = functional.binary_cross_entropy_with_logits(logits[..., 0], there.float())
        things = thing_codes(batch["shots"][full]).long()
        row, place = there.nonzero(as_tuple=True)
        facts = things[row, cells[row, place]]
        start = 1
        for i, size in enumerate(FACT_SIZES.values()):
            said = logits[row, place, start : start + size]
            loss = loss + functional.cross_entropy(said, facts[:, i], ignore_index=-1)
            start += size
        for column, size in enumerate((len(BACKGROUNDS), CAMERAS_SEEN)):
            said = logits[..., start : start + size].flatten(0, 1)
            seen = batch["shots"][full][:, column].long().repeat_interleave(logits.shape[1])
            loss = loss + functional.cross_entropy(said, seen)
            start += size
        return loss

    def configure_optimizers(self) -> Any:
        """Set up AdamW with a linear warm-up, then a half cosine to a hundredth."""
        config = self.train_config
        thin = [p for p in self.parameters() if p.requires_grad and p.ndim < 2]
        thick = [p for p in self.parameters() if p.requires_grad and p.ndim >= 2]
        groups = [
            {"params": thick, "weight_decay": config.decay},
            {"params": thin, "weight_decay": 0.0},
        ]
        optimizer = torch.optim.AdamW(groups, lr=config.rate, betas=(0.9, 0.98))

        def factor(step: int) -> float:
            if step < config.warm_up:
                return (step + 1) / config.warm_up
            done = (step - config.warm_up) / max(1, config.steps - config.warm_up)
            return 0.01 + 0.99 * (1 + math.cos(math.pi * min(1.0, done))) / 2

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
