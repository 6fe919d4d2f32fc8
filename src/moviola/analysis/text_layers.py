"""Rank the layers of a model by texts alone: how summaries find the captions they sum up.

No video and no label of one is seen, so that a layer may be chosen before there is a library
(the first stage of "VidVec", arXiv 2602.08099, read off texts).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from moviola.align.training.history import measured
from moviola.datasets.annotations.summaries import read_summaries
from moviola.plugins import encoder_options, load_encoder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from moviola.core import ManyReadouts

    Floats = NDArray[np.float32]

_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The measures of one layer.

    Attributes:
        name: as `--layers` takes it.
        measures: of summaries among captions: R@1, R@5, R@10 in percent, MdR, MRR.
    """

    name: str
    measures: dict[str, float]


def rank_text_layers(model: str, pairs: Path, *, seed: int = 0) -> list[TextLayer]:
    """Measure every layer of `model` on at most 1,000 pairs, in the order of the layers.

    Args:
        model: that reads several layers, such as `qwen3-vl:FOLDER`.
        pairs: a table with the columns `caption` and `summary`.
        seed: of which pairs are looked at.

    Raises:
        DatasetError: when the table cannot be read.
        ValueError: when the model has no layers, or there are fewer than two captions.
        WeightsUnavailableError: when the model cannot be loaded.
    """
    # Of each caption one summary, so that every text has one answer.
    known = list(dict(read_summaries(pairs)).items())
    if len(known) < 2:
        raise ValueError(f"layers are ranked on two captions at least, not {len(known)}")
    order: list[int] = np.random.default_rng(seed).permutation(len(known))[:_LOOKED_AT].tolist()
    captions, summaries = ([known[row][side] for row in order] for side in (0, 1))
    if "layers" not in encoder_options(model):
        raise ValueError(
            f"{model!r} has no layers to choose from; language models such as qwen3-vl:FOLDER have"
        )
    encoder = cast("ManyReadouts", load_encoder(model, layers="all"))
    sides = [encoder.read_texts(side) for side in (summaries, captions)]
    own = np.arange(len(captions))
    found: list[TextLayer] = []
    for name, readout in encoder.text_readouts.items():
        rows = [_unit([read[name] for read in side]) for side in sides]
        told = measured(rows[0], rows[1], own)
        number = readout.layer.partition(" ")[0]
        found.append(TextLayer(number, {key: float(value) for key, value in told.items()}))
    return found


def best_text_layer(layers: Sequence[TextLayer]) -> TextLayer:
    """Return the layer with the largest MRR, the first of equal ones."""
    return max(layers, key=lambda layer: layer.measures["MRR"])


def _unit(rows: Sequence[Floats]) -> Floats:
    """Stack one row `(1, D)` a text to unit rows `(N, D)`."""
    stacked = np.concatenate(rows)
    return stacked / np.maximum(np.linalg.norm(stacked, axis=1, keepdims=True), np.float32(1e-12))
