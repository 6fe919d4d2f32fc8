"""Configure a fine-tuning on texts alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class TextOnlyConfig:
    """Configure one run.

    Rank, alpha, batch and epochs are those of "VidVec" (arXiv 2602.08099), which does not tell its
    learning rate, temperature and layers.

    Attributes:
        rank: of LoRA's matrices.
        alpha: LoRA's change is scaled by `alpha / rank`.
        epochs: passes over the pairs.
        batch: pairs a step; each is the others' negative.
        chunk: pairs that are in memory at a time. Gradients are those of the whole batch.
        length: tokens of a text at most.
        rate: learning rate at its highest.
        temperature: of the softmaxes.
        decay: weight decay of AdamW.
        warm_up: share of all steps over which the rate rises in a straight line, before it falls
            along half a cosine.
        clip: length of a step's gradient at most.
        held_out: share of the pairs that are not trained on; what is reported is measured there.
        precision: of Lightning's trainer; weights stay as they were loaded.
        accelerator: of Lightning's trainer.
        seed: of order, new weights, and what is held out.

    Raises:
        ValueError: when a value does not exist.
    """

    rank: int = 64
    alpha: int = 128
    epochs: int = 1
    batch: int = 288
    chunk: int = 16
    length: int = 512
    rate: float = 1e-4
    temperature: float = 0.05
    decay: float = 0.0
    warm_up: float = 0.1
    clip: float = 1.0
    held_out: float = 0.1
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    accelerator: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.rank, self.epochs, self.chunk, self.length) < 1:
            raise ValueError("rank, epochs, chunk and length must be at least 1")
        if self.batch < 2:
            raise ValueError("a batch has at least 2 pairs, which are each other's negatives")
        if not 0 < self.held_out < 1:
            raise ValueError(f"the share held out lies between 0 and 1, not {self.held_out}")
        if self.temperature <= 0:
            raise ValueError(f"the temperature is above 0, not {self.temperature}")

    @property
    def highest_rate(self) -> float:
        """Return the learning rate at its highest."""
        return self.rate

    @property
    def devices(self) -> int:
        """Return 1: a batch goes through one device in chunks."""
        return 1

    @property
    def strategy(self) -> str:
        """Return Lightning's own choice."""
        return "auto"
