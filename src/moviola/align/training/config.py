"""Configure the training of a head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from moviola.align.training.losses import PAIR_LOSSES, Loss, find_loss
from moviola.align.training.networks import NetworkConfig


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """Configure one training run of two networks of one kind.

    Attributes:
        network: of both sides.
        loss: a name of `LOSSES`, `module:attribute`, or a function of your own, which gets a
            batch's `(N, M)` cosines.
        epochs: passes over the videos, or over the table of pairs, at most.
        batch: videos a step, or pairs a step under a pair loss.
        rate: learning rate at its highest.
        decay: weight decay of AdamW.
        warm_up: steps over which the rate rises in a straight line.
        schedule: what the rate does then: stay, or fall to nothing along half a cosine.
        patience: epochs without a better validation MRR after which training ends; None for never.
        keep_best: whether the weights of the best validation MRR are kept, else the last ones.
        captions: captions a video in each step, drawn anew; not under a pair loss.
        positives: own captions a video in the table of pairs.
        negatives: foreign captions a video in the table of pairs.
        mixup: concentration of the beta distribution from which the share of a mixture is drawn,
            one share for both sides (Vouitsis et al., "FuseMix", 2024); 0 for none.
        temperature: where the learned temperature of a softmax begins.
        skip_texts: rows at the beginning of a text that are not looked at, such as a decoder's
            first token, which is the same for all.
        skip_clips: likewise of a video.
        limit_batches: batches an epoch at most; None for all.
        precision: of Lightning's trainer, such as `32-true`, `64-true`, `bf16-mixed`.
        accelerator: of Lightning's trainer.
        devices: of Lightning's trainer.
        strategy: of Lightning's trainer, such as `ddp`; negatives then come from all devices.
        seed: of weights, order and choice.

    Raises:
        ValueError: when a value does not exist or two do not fit.
    """

    network: NetworkConfig
    loss: str | Loss = "infonce"
    epochs: int = 20
    batch: int = 1024
    rate: float = 1e-4
    decay: float = 0.1
    warm_up: int = 0
    schedule: Literal["constant", "cosine"] = "cosine"
    patience: int | None = 3
    keep_best: bool = True
    captions: int = 1
    positives: int = 1
    negatives: int = 1
    mixup: float = 0.0
    temperature: float = 0.05
    skip_texts: int = 0
    skip_clips: int = 0
    limit_batches: int | None = None
    precision: Literal["32-true", "64-true", "16-mixed", "bf16-mixed"] = "32-true"
    accelerator: str = "auto"
    devices: int | str = 1
    strategy: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if isinstance(self.loss, str):
            find_loss(self.loss)
        if min(self.epochs, self.batch, self.captions) < 1:
            raise ValueError("epochs, batch and captions must be at least 1")
        if self.mixup and (self.by_pairs or self.captions > 1 or self.network.takes_rows):
            raise ValueError(
                "mixup mixes videos that have one row and one caption a step; it goes with no "
                "pair loss, with captions=1, and with no transformer"
            )

    @property
    def by_pairs(self) -> bool:
        """Return whether labelled pairs are learned from, else batches of videos."""
        return self.loss in PAIR_LOSSES

    @property
    def function(self) -> Loss:
        """Return the loss function."""
        return find_loss(self.loss) if isinstance(self.loss, str) else self.loss
