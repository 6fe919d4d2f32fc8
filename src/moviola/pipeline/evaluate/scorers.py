"""Load models that score texts against videos by more than the cosine of two vectors."""

from __future__ import annotations

from moviola.core import Scorer, own_scorer
from moviola.plugins import load_encoder


def load_row_scorer(model: str) -> Scorer:
    """Load the scorer that a model brings for its rows.

    Args:
        model: as `--model` takes it, such as `xclip-base-patch32,output=conditioned`.

    Raises:
        ValueError: when its vectors are all there is to it.
    """
    scorer = own_scorer(load_encoder(model))
    if scorer is None:
        raise ValueError(
            f"the model {model!r} has no scorer of its own; X-CLIP has one, with output=conditioned"
        )
    return scorer
