"""List the kinds of two-tower models, and what their processors and tokenizers do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from moviola.core.paths import display_path
from moviola.encode.runtime.config_files import read_config


@dataclass(frozen=True, slots=True)
class Kind:
    """The settings that differ between the models.

    Attributes:
        model: name of the class in transformers.
        processor: what its image processor does where a checkpoint is silent.
        padding: how sentences are padded, which changes SigLIP's vectors.
        length: tokens at most where the configuration allows more than the model was trained on.
        masked: whether the text tower is told which tokens are padding.
    """

    model: str
    processor: dict[str, Any]
    padding: Literal["longest", "max_length"]
    length: int
    masked: bool


_SHORTEST = {
    "size": {"shortest_edge": 224},
    "crop_size": 224,
    "do_center_crop": True,
    "resample": 3,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
_SQUASHED = {
    "size": {"height": 224, "width": 224},
    "do_center_crop": False,
    "resample": 3,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
_NAFLEX = {
    "max_num_patches": 256,
    "patch_size": 16,
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}
KINDS = {
    "clip": Kind("CLIPModel", _SHORTEST, "longest", 77, masked=True),
    # SigLIP was trained on sentences padded to 64 tokens, and sees the padding.
    "siglip": Kind("SiglipModel", _SQUASHED, "max_length", 64, masked=False),
    "siglip2": Kind("Siglip2Model", _NAFLEX, "max_length", 64, masked=False),
    "metaclip_2": Kind("MetaClip2Model", _SHORTEST, "longest", 77, masked=True),
}
"""By the `model_type` of a checkpoint's `config.json`; SigLIP 2 says `siglip`, but for NaFlex."""


def find_kind(folder: Path) -> Kind:
    """Find the kind of the checkpoint in `folder`.

    Raises:
        ValueError: when two-tower loads no model of its type.
    """
    found = read_config(folder / "config.json").get("model_type")
    if found not in KINDS:
        raise ValueError(
            f"{display_path(folder)} is a model of type {found!r}; two-tower loads "
            f"{', '.join(KINDS)}"
        )
    return KINDS[found]
