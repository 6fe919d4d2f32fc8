"""Configure a fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Method = Literal["lora", "full"]
_RATES: dict[Method, float] = {"lora": 2e-4, "full": 1e-5}


@dataclass(frozen=True, slots=True)
class FinetuneConfig:
    """Configure one run.

    Attributes:
        method: `"lora"` trains two small matrices beside each projection of attention and leaves
            the towers as they are; `"full"` trains every weight.
        rank: of LoRA's matrices.
        alpha: LoRA's change is scaled by `alpha / rank`.
        frames: of a clip, spread evenly; their unit vectors are averaged.
        captions: of a clip in each step at most, drawn anew.
        epochs: passes over the clips.
        batch: clips a step and device; each is the others' negative.
        chunk: clips that are in memory at a time. Gradients are those of the whole batch.
        rate: learning rate at its highest; None for 2e-4 (LoRA) or 1e-5 (full).
        decay: weight decay of AdamW.
        warm_up: share of all steps over which the rate rises in a straight line, before it falls
            along half a cosine.
        clip: length of a step's gradient at most.
        held_out: share of the videos that are not trained on; what is reported is measured there.
        precision: of Lightning's trainer; weights stay in float32.
        accelerator: of Lightning's trainer.
        devices: of Lightning's trainer.
        strategy: of Lightning's trainer, such as `ddp`; negatives then come from all devices.
        seed: of order, choice, new weights, and what is held out.

    Raises:
        ValueError: when a value does not exist.
    """

    method: Method = "lora"
    rank: int = 16
    alpha: int = 32
    frames: int = 8
    captions: int = 1
    epochs: int = 5
    batch: int = 64
    chunk: int = 16
    rate: float | None = None
    decay: float = 0.1
    warm_up: float = 0.1
    clip: float = 1.0
    held_out: float = 0.1
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    accelerator: str = "auto"
    devices: int | str = 1
    strategy: str = "auto"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in _RATES:
            raise ValueError(f"the method is lora or full, not {self.method!r}")
        if min(self.rank, self.frames, self.captions, self.epochs, self.chunk) < 1:
            raise ValueError("rank, frames, captions, epochs and chunk must be at least 1")
        if self.batch < 2:
            raise ValueError("a batch has at least 2 clips, which are each other's negatives")
        if not 0 < self.held_out < 1:
            raise ValueError(f"the share held out lies between 0 and 1, not {self.held_out}")

    @property
    def highest_rate(self) -> float:
        """Return the learning rate at its highest."""
        return _RATES[self.method] if self.rate is None else self.rate
