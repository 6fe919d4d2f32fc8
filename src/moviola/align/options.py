"""Choose the settings of a training, and where it writes; light to import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Precision = Literal["float32", "float64", "float16", "bfloat16"]


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """Choose settings of a training; what is None is left to the method.

    Attributes:
        layers: widths of the layers of an `mlp`, the last that of the shared space; of a
            `transformer` one number, that of its layers.
        heads: of a transformer's attention.
        loss: a name of `moviola.align.training.losses.LOSSES`, `module:attribute`, or a function.
        rate: learning rate at its highest.
        epochs: passes over the videos, or over the table of pairs, at most.
        batch: videos a step, or pairs a step under a pair loss.
        precision: of the arithmetic; float16 and bfloat16 are mixed with float32.
        patience: epochs without a better validation MRR after which training ends; 0 for never.

    Raises:
        ValueError: when a number is out of range, or a precision does not exist.
    """

    layers: tuple[int, ...] | None = None
    heads: int | None = None
    loss: str | Callable[..., Any] | None = None
    rate: float | None = None
    epochs: int | None = None
    batch: int | None = None
    precision: Precision | None = None
    patience: int | None = None

    def __post_init__(self) -> None:
        for name in ("heads", "epochs", "batch"):
            value: int | None = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, got {value}")
        if self.layers is not None and not (self.layers and min(self.layers) >= 1):
            raise ValueError(f"layers are numbers of at least 1, got {self.layers}")
        if self.rate is not None and not self.rate > 0:
            raise ValueError(f"the learning rate must be above 0, got {self.rate}")
        if self.precision is not None and self.precision not in get_args(Precision):
            known = ", ".join(get_args(Precision))
            raise ValueError(f"there is no precision {self.precision!r}; there are {known}")

    def given(self) -> dict[str, Any]:
        """Return the settings that were chosen, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class TrainOutput:
    """Choose where a training writes, and who watches it.

    Attributes:
        folder: for the log (`metrics.csv`), weights, and `last.ckpt`, which only resumes; None for
            a temporary one.
        resume: go on from `last.ckpt` in `folder`.
        logger: `csv`; `tensorboard` or `wandb` beside it; or loggers of Lightning's.
        callbacks: of Lightning's trainer, beside our own.
    """

    folder: Path | str | None = None
    resume: bool = False
    logger: object = "csv"
    callbacks: Sequence[object] = ()
