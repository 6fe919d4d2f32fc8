"""Models that score texts against videos by more than the cosine of two vectors."""

from __future__ import annotations

from moviola.core import Scorer
from moviola.plugins import load_encoder


def load_scorer(model: str) -> Scorer:
    """The scorer of a model that has one of its own.

    Args:
        model: as `--model` takes it, such as `xclip-base-patch32,output=conditioned`.

    Raises:
        ValueError: when its vectors are all there is to it.
    """
    scorer: Scorer | None = getattr(load_encoder(model), "scorer", None)
    if scorer is None:
        raise ValueError(
            f"the model {model!r} has no scorer of its own; X-CLIP has one, with output=conditioned"
        )
    return scorer
