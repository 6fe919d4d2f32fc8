"""Define the report's ten alignment experiments as presets, each with its remedy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, cast, get_args

from moviola.align.training.config import TrainConfig
from moviola.align.training.networks import NetworkConfig

Scale = Literal["full", "small"]
Remedy = Literal["closed form", "residual", "transformer", "stripped"]

#: Heads of attention; widths of transformers are multiples of it.
_HEADS = 8
#: Width of the feed-forward part beside a width of 4096: PyTorch's default.
_FEED_FORWARD = 2048 / 4096
_COMMON = (
    "the share of dropout (0.1 here)",
    "whether labels are 0 and 1 or -1 and 1 (0 and 1 here)",
    "whether both sides share one network (two here)",
    "whether pairs were split by pair or by video (by video here)",
)
_OF_TRANSFORMERS = ("the width of the feed-forward part (half the width here)",)
_OF_CONTRAST = ("the margin of the contrastive loss (0 here)",)


@dataclass(frozen=True, slots=True)
class Preset:
    """Configure one experiment of the report.

    Attributes:
        name: `r01` to `r10`.
        title: in a few words.
        widths: of the MLP's layers as shares of the embedding's dimension; None for a transformer
            of 6 layers with 8 heads, read at a `[CLS]` of its own.
        loss: `mse` or `contrastive`.
        rate: learning rate.
        epochs: as reported.
        pairs: positives a video, and as many negatives.
        precision: as reported.
        small: epochs, and batches an epoch at most, at the small scale.
        after_llama: whether videos are the states behind the LLaMA, else those in front of it.
        remedy: what is run beside it.
        unknowns: what the report does not say.
    """

    name: str
    title: str
    widths: tuple[float, ...] | None
    loss: Literal["mse", "contrastive"]
    rate: float
    epochs: int
    pairs: int
    precision: Literal["64-true", "32-true"]
    small: tuple[int, int | None]
    remedy: Remedy
    after_llama: bool = False

    @property
    def unknowns(self) -> tuple[str, ...]:
        """List what the report does not say, and what stands here instead."""
        of_network = _OF_TRANSFORMERS if self.widths is None else ()
        return _COMMON + of_network + (_OF_CONTRAST if self.loss == "contrastive" else ())

    def config(self, dimension: int, scale: Scale, *, seed: int = 0) -> TrainConfig:
        """Configure the training on embeddings of `dimension` numbers.

        At the small scale the widths, the rate, the batch and the loss stay; epochs and batches are
        fewer, and numbers have 32 bits, because 64 cost twice the time and change nothing.
        """
        config = TrainConfig(
            self._network(dimension),
            loss=self.loss,
            epochs=self.epochs,
            batch=32,
            rate=self.rate,
            decay=0.01,
            schedule="constant",
            patience=None,
            keep_best=False,
            positives=self.pairs,
            negatives=self.pairs,
            precision=self.precision,
            seed=seed,
        )
        if scale == "full":
            return config
        epochs, batches = self.small
        return replace(config, epochs=epochs, limit_batches=batches, precision="32-true")

    def _network(self, dimension: int) -> NetworkConfig:
        if self.widths is not None:
            widths = tuple(max(1, round(share * dimension)) for share in self.widths)
            return NetworkConfig("mlp", widths, dropout=0.1, free_end=False)
        width = max(1, round(dimension / _HEADS)) * _HEADS
        return NetworkConfig(
            "transformer",
            (width,),
            dropout=0.1,
            layers=6,
            heads=_HEADS,
            hidden=max(1, round(_FEED_FORWARD * width)),
            pre_norm=False,
        )


def parse_scale(name: str) -> Scale:
    """Parse the scale of that name.

    Raises:
        ValueError: when there is none.
    """
    if name not in get_args(Scale):
        raise ValueError(f"no scale is called {name!r}; there are {', '.join(get_args(Scale))}")
    return cast("Scale", name)


_BASE = (1.0, 1.0)
_DEEP = (1.0, 0.5, 0.25, 0.25, 0.125, 0.125)


def _mlp(
    name: str,
    title: str,
    widths: tuple[float, ...],
    *,
    epochs: int,
    pairs: int,
    precision: Literal["64-true", "32-true"],
    small: tuple[int, int | None],
    remedy: Remedy,
) -> Preset:
    return Preset(name, title, widths, "mse", 1e-3, epochs, pairs, precision, small, remedy)


_TRANSFORMER = Preset(
    "r05",
    "transformer, 1+1 pairs",
    widths=None,
    loss="mse",
    rate=1e-3,
    epochs=10,
    pairs=1,
    precision="64-true",
    small=(8, 15),
    remedy="transformer",
)

_ALL = (
    _mlp(
        "r01",
        "MLP of two layers, 1+1 pairs",
        _BASE,
        epochs=30,
        pairs=1,
        precision="64-true",
        small=(30, None),
        remedy="closed form",
    ),
    _mlp(
        "r02",
        "MLP of two layers, 20+20 pairs",
        _BASE,
        epochs=30,
        pairs=20,
        precision="64-true",
        small=(10, 100),
        remedy="closed form",
    ),
    _mlp(
        "r03",
        "deep MLP, 20+20 pairs, 100 epochs",
        _DEEP,
        epochs=100,
        pairs=20,
        precision="32-true",
        small=(8, 80),
        remedy="residual",
    ),
    _mlp(
        "r04",
        "deep MLP, 20+20 pairs, 500 epochs",
        _DEEP,
        epochs=500,
        pairs=20,
        precision="32-true",
        small=(16, 80),
        remedy="residual",
    ),
    _TRANSFORMER,
    replace(_TRANSFORMER, name="r06", title="transformer, 20+20 pairs", pairs=20),
    replace(
        _TRANSFORMER,
        name="r07",
        title="transformer, 20+20 pairs, 100 epochs",
        pairs=20,
        epochs=100,
        small=(12, 10),
    ),
    replace(
        _TRANSFORMER,
        name="r08",
        title="transformer, contrastive loss",
        pairs=20,
        loss="contrastive",
        epochs=5,
        small=(5, 20),
    ),
    replace(
        _TRANSFORMER,
        name="r09",
        title="transformer, contrastive loss, low learning rate",
        pairs=20,
        loss="contrastive",
        rate=1e-5,
        epochs=5,
        small=(5, 15),
    ),
    replace(
        _TRANSFORMER,
        name="r10",
        title="transformer, contrastive loss, low learning rate, videos after LLaMA",
        pairs=20,
        loss="contrastive",
        rate=1e-5,
        epochs=5,
        small=(5, 15),
        after_llama=True,
        remedy="stripped",
    ),
)

#: Preset by name.
PRESETS: Mapping[str, Preset] = MappingProxyType({preset.name: preset for preset in _ALL})

#: What each remedy does, in a sentence.
REMEDIES: Mapping[Remedy, str] = MappingProxyType(
    {
        "closed form": (
            "Leave out each text's first token, pool, standardise both sides, fit a shrunk "
            "canonical correlation analysis on all captions (no epochs), and score by the "
            "likelihood ratio."
        ),
        "residual": (
            "Begin with the closed form and add an MLP whose branch begins at zero; learn with "
            "InfoNCE against the other videos of a large batch, and stop by the validation MRR."
        ),
        "transformer": (
            "Standardise the rows, leave out each text's first token, and train one pre-norm layer "
            "with warm-up and InfoNCE against the other videos of the batch, with a learned "
            "temperature."
        ),
        "stripped": (
            "Drop the start and the words of the prompt from the states behind the LLaMA, keep "
            "those of the video's own rows, pool them, and fit the closed form."
        ),
    }
)
